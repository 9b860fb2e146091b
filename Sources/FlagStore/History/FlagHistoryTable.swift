import Bytes
import DynamoModel
import FlagCache
import FlagCore
import JSON

/// The internal table beside a flag table: the histories of flags and segments, the last valid forms of what is not
/// valid now, and how far the flag table's changes have been looked at.
///
/// | item | PK | SK |
/// |---|---|---|
/// | entry of a history | `HISTORY#{env}#{flagKey}` | the change's sequence, shifted, 20 digits |
/// | the same of a flag's overrides | `OVERRIDE_HISTORY#{env}#{flagKey}` | the same |
/// | the same of a segment | `SEGMENT_HISTORY#{env}#{name}` | the same |
/// | overrides that went with a flag, a hundred each | `DELETED_OVERRIDES#{env}#{flagKey}` | the last one's sequence |
/// | last valid form of a flag, or a note that its item is not valid and never was | `HELD#{env}` | the flag's key |
/// | last valid form of an override | `HELD#{env}#TENANTS` | length of the tenant, `#`, tenant, `#`, flag's key |
/// | last valid form of a segment | `HELD#{env}#SEGMENTS` | the segment's name |
/// | position | `POSITION` | `METADATA` |
/// | by how much the places of entries are shifted, where another store began them | `SHIFT` | `METADATA` |
enum FlagHistoryTable {
    /// The name of the table beside `table`.
    static func name(beside table: String) -> String { InternalTables.name(InternalTables.history, of: table) }

    /// The table's schema.
    static func schema(beside table: String) -> TableSchema {
        TableSchema(
            name: name(beside: table), partitionKey: KeyAttribute(Attribute.partition),
            sortKey: KeyAttribute(Attribute.sort))
    }

    /// The partition of a flag's history.
    static func historyPartition(_ environment: Environment, _ key: String) -> String {
        "HISTORY#\(environment.rawValue)#\(key)"
    }

    /// The partition of the history of a flag's overrides.
    static func overrideHistoryPartition(_ environment: Environment, _ key: String) -> String {
        "OVERRIDE_HISTORY#\(environment.rawValue)#\(key)"
    }

    /// The partition of a segment's history.
    static func historyPartition(_ environment: Environment, segment name: String) -> String {
        "SEGMENT_HISTORY#\(environment.rawValue)#\(name)"
    }

    /// The partition of an environment's last valid forms.
    static func heldPartition(_ environment: Environment) -> String { "HELD#\(environment.rawValue)" }

    /// The key of a flag's last valid form.
    static func heldKey(_ environment: Environment, _ key: String) -> TableKey {
        TableKey(.string(heldPartition(environment)), .string(key))
    }

    /// The partition of the last valid forms of an environment's overrides.
    static func heldOverridesPartition(_ environment: Environment) -> String {
        "HELD#\(environment.rawValue)#TENANTS"
    }

    /// The key of an override's last valid form. The length tells where the tenant ends, whatever its name is.
    static func heldKey(_ environment: Environment, tenant: String, _ flagKey: String) -> TableKey {
        TableKey(
            .string(heldOverridesPartition(environment)), .string("\(tenant.utf8.count)#\(tenant)#\(flagKey)"))
    }

    /// An override's last valid form as an item.
    static func heldItem(_ override: TenantOverrideRecord) -> Item {
        let key = heldKey(override.environment, tenant: override.tenant, override.flagKey)
        var item = override.item.filter { !DerivedAttributes.names.contains($0.key) }
        item[Attribute.partition] = key.partition
        item[Attribute.sort] = key.sort
        item[Attribute.flagKey] = .string(override.flagKey)
        item[Name.tenant] = .string(override.tenant)
        return item
    }

    /// Whose last valid form an item is; nil when it is something else.
    static func heldOverride(_ item: Item, in environment: Environment) -> TenantOverrideRecord? {
        guard case .override(_, let tenant, let flagKey)? = placeOfOverride(item, in: environment) else { return nil }
        return try? TenantOverrideRecord(
            item: item, environment: environment, tenant: tenant.text, flagKey: flagKey.text)
    }

    /// Of which override something is kept as an item; nil when it is something else.
    static func placeOfOverride(_ item: Item, in environment: Environment) -> HeldRecordKey? {
        guard let tenant = item[Name.tenant]?.stringValue, let flagKey = item[Attribute.flagKey]?.stringValue else {
            return nil
        }
        return .override(environment, tenant: ExactText(tenant), ExactText(flagKey))
    }

    /// The partition of the last valid forms of an environment's segments.
    static func heldSegmentsPartition(_ environment: Environment) -> String {
        "HELD#\(environment.rawValue)#SEGMENTS"
    }

    /// The key of a segment's last valid form.
    static func heldKey(_ environment: Environment, segment name: String) -> TableKey {
        TableKey(.string(heldSegmentsPartition(environment)), .string(name))
    }

    /// A segment's last valid form as an item.
    static func heldItem(_ head: SegmentHead, ofSegment name: String, in environment: Environment) -> Item {
        var item: Item = [
            Attribute.partition: .string(heldSegmentsPartition(environment)), Attribute.sort: .string(name),
        ]
        if let condition = head.condition { item[Attribute.condition] = .string(condition.serialized()) }
        return item
    }

    /// What `heldItem` wrote; nil for a note.
    static func heldHead(_ item: Item) -> SegmentHead? {
        guard HeldForm(stored: item).kind == .lastValid else { return nil }
        let condition = item[Attribute.condition]?.stringValue
        return SegmentHead(condition: condition.flatMap { try? JSONValue(parsing: $0) })
    }

    /// The key of the position.
    static let positionKey = TableKey("POSITION", .string(ItemKey.metadata))

    /// The key of what says by how much the places of entries are shifted.
    static let shiftKey = TableKey("SHIFT", .string(ItemKey.metadata))

    /// A sequence as a sort key: in the order of numbers.
    static func sort(_ sequence: Int64) -> String {
        let digits = String(sequence)
        return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits
    }

    /// Names of attributes that only this table has.
    enum Name {
        static let at: AttributeName = "at"
        static let by: AttributeName = "by"
        static let change: AttributeName = "change"
        static let attributes: AttributeName = "attributes"
        static let details: AttributeName = "details"
        static let requestID: AttributeName = "requestId"
        static let content: AttributeName = "content"
        static let contentBytes: AttributeName = "contentBytes"
        static let issues: AttributeName = "issues"
        static let pointer: AttributeName = "pointer"
        static let message: AttributeName = "message"
        static let position: AttributeName = "position"
        static let shift: AttributeName = "shift"
        static let storeID: AttributeName = "storeId"
        static let tenant: AttributeName = "tenantId"
        static let wasNeverValid: AttributeName = "wasNeverValid"
    }
}

/// The last valid form of a flag whose item is not valid now: what is served until somebody puts that right.
struct HeldFlag: Sendable, Equatable {
    /// The flag's environment.
    let environment: Environment
    /// The flag's key.
    let key: String
    /// How it decided when it was last valid.
    let rule: FlagRule
    /// Whether a key in a browser or an app might evaluate it then.
    let isClientSide: Bool

    init(environment: Environment, key: String, rule: FlagRule, isClientSide: Bool = false) {
        self.environment = environment
        self.key = key
        self.rule = rule
        self.isClientSide = isClientSide
    }

    /// Reads what `item` writes; nil when it is something else.
    init?(item: Item, environment: Environment) {
        guard let key = item[Attribute.sort]?.stringValue, let rule = FlagRule(item) else { return nil }
        self.init(environment: environment, key: key, rule: rule, isClientSide: FlagRecord.isClientSide(item))
    }

    /// The form for loops to compile.
    var text: DecodedFlag { DecodedFlag(key: key, rule: rule, isClientSide: isClientSide) }

    /// The form as an item.
    var item: Item {
        var item: Item = [
            Attribute.partition: .string(FlagHistoryTable.heldPartition(environment)), Attribute.sort: .string(key),
        ]
        rule.add(to: &item)
        if isClientSide { item[Attribute.clientSide] = true }
        return item
    }
}
