import DynamoTable

/// What an item of the flag table is, by its key: the table's key layout, both ways.
package enum ItemKey: Sendable, Equatable {
    /// A flag: `FLAG#{env}#{flagKey}` / `METADATA`.
    case flag(Environment, key: String)
    /// A tenant's override of a flag: `TENANT#{env}#{tenantId}` / `FLAG#{flagKey}`.
    case override(Environment, tenant: String, flagKey: String)
    /// A kill switch: `EMERGENCY#{env}` / `GLOBAL` (no flag key) or `FLAG#{flagKey}`.
    case killSwitch(Environment, flagKey: String?)
    /// The number that every change of an environment raises: `REVISION#{env}` / `METADATA`.
    case revision(Environment)

    /// The sort key of an item that is alone in its partition.
    static let metadata = "METADATA"
    /// The sort key of the kill switch of all flags.
    static let global = "GLOBAL"

    /// The partition key.
    package var partition: String {
        switch self {
        case .flag(let environment, let key): Self.flagPartition(environment, key)
        case .override(let environment, let tenant, _): Self.tenantPartition(environment, tenant)
        case .killSwitch(let environment, _): Self.emergencyPartition(environment)
        case .revision(let environment): "REVISION#\(environment.rawValue)"
        }
    }

    /// The sort key.
    package var sort: String {
        switch self {
        case .flag, .revision: Self.metadata
        case .override(_, _, let flagKey): "FLAG#\(flagKey)"
        case .killSwitch(_, let flagKey): flagKey.map { "FLAG#\($0)" } ?? Self.global
        }
    }

    /// Both, as the table takes them.
    package var tableKey: TableKey { TableKey(.string(partition), .string(sort)) }

    /// The partition of a flag, which is also the partition of its overrides in `FlagTable.expiresIndex`.
    static func flagPartition(_ environment: Environment, _ key: String) -> String {
        "FLAG#\(environment.rawValue)#\(key)"
    }

    /// The partition of a tenant's overrides.
    static func tenantPartition(_ environment: Environment, _ tenant: String) -> String {
        "TENANT#\(environment.rawValue)#\(tenant)"
    }

    /// The partition of an environment's kill switches.
    static func emergencyPartition(_ environment: Environment) -> String {
        "EMERGENCY#\(environment.rawValue)"
    }

    /// Reads a key; nil when it belongs to nothing that is known here (a segment, something foreign).
    package init?(_ key: TableKey) {
        guard let partition = key.partition.stringValue, let sort = key.sort?.stringValue else { return nil }
        self.init(partition: partition, sort: sort)
    }

    /// Reads the key of an item.
    init?(_ item: Item) {
        guard let partition = item[Attribute.partition]?.stringValue, let sort = item[Attribute.sort]?.stringValue
        else { return nil }
        self.init(partition: partition, sort: sort)
    }

    private init?(partition: String, sort: String) {
        // On UTF-8: comparing by bytes is what the table does, and it is fast.
        let bytes = partition.utf8
        guard let mark = bytes.firstIndex(of: UInt8(ascii: "#")) else { return nil }
        let rest = bytes[bytes.index(after: mark)...]
        let environmentEnd = rest.firstIndex(of: UInt8(ascii: "#")) ?? rest.endIndex
        guard let environment = Environment(rawValue: String(Substring(rest[..<environmentEnd]))) else { return nil }
        let name = environmentEnd == rest.endIndex ? nil : Substring(rest[rest.index(after: environmentEnd)...])
        switch (Substring(bytes[..<mark]), name) {
        case ("FLAG", let key?):
            guard sort == Self.metadata, !key.isEmpty else { return nil }
            self = .flag(environment, key: String(key))
        case ("TENANT", let tenant?):
            guard let flagKey = Self.flagKey(inSort: sort), !tenant.isEmpty else { return nil }
            self = .override(environment, tenant: String(tenant), flagKey: flagKey)
        case ("EMERGENCY", nil):
            if sort == Self.global {
                self = .killSwitch(environment, flagKey: nil)
            } else {
                guard let flagKey = Self.flagKey(inSort: sort) else { return nil }
                self = .killSwitch(environment, flagKey: flagKey)
            }
        case ("REVISION", nil):
            guard sort == Self.metadata else { return nil }
            self = .revision(environment)
        default:
            return nil
        }
    }

    /// The flag key in a sort key `FLAG#{flagKey}`.
    private static func flagKey(inSort sort: String) -> String? {
        guard sort.utf8.starts(with: "FLAG#".utf8), sort.utf8.count > 5 else { return nil }
        return String(Substring(sort.utf8.dropFirst(5)))
    }
}
