import DynamoModel
import FlagCore

/// What an item of the flag table is, by its key: the table's key layout, both ways.
package enum ItemKey: Sendable, Equatable {
    /// A flag: `FLAG#{env}#{flagKey}` / `METADATA`.
    case flag(Environment, key: String)
    /// A tenant's override of a flag: `TENANT#{env}#{tenantId}` / `FLAG#{flagKey}`.
    case override(Environment, tenant: String, flagKey: String)
    /// A kill switch: `EMERGENCY#{env}` / `GLOBAL` (no flag key) or `FLAG#{flagKey}`.
    case killSwitch(Environment, flagKey: String?)
    /// A segment: `SEGMENT#{env}#{name}` / `METADATA`.
    case segment(Environment, name: String)
    /// A key that is listed in a segment: `SEGMENT#{env}#{name}` / `KEY#{key}`.
    case segmentKey(Environment, name: String, key: String)
    /// The number that every change of an environment raises: `REVISION#{env}` / `METADATA`.
    case revision(Environment)

    /// The sort key of an item that is alone in its partition.
    static let metadata = "METADATA"
    /// What the sort key of a segment's listed key begins with.
    static let keyPrefix = "KEY#"
    /// The sort key of the kill switch of all flags.
    static let global = "GLOBAL"

    /// The partition key.
    package var partition: String {
        switch self {
        case .flag(let environment, let key): Self.flagPartition(environment, key)
        case .override(let environment, let tenant, _): Self.tenantPartition(environment, tenant)
        case .killSwitch(let environment, _): Self.emergencyPartition(environment)
        case .segment(let environment, let name), .segmentKey(let environment, let name, _):
            Self.segmentPartition(environment, name)
        case .revision(let environment): "REVISION#\(environment.rawValue)"
        }
    }

    /// The sort key.
    package var sort: String {
        switch self {
        case .flag, .segment, .revision: Self.metadata
        case .segmentKey(_, _, let key): Self.keyPrefix + key
        case .override(_, _, let flagKey): "FLAG#\(flagKey)"
        case .killSwitch(_, let flagKey): flagKey.map { "FLAG#\($0)" } ?? Self.global
        }
    }

    /// Both, as the table takes them.
    package var tableKey: TableKey { TableKey(.string(partition), .string(sort)) }

    /// The partition of a flag, which is also the partition of its overrides in `FlagTable.expiresIndex`.
    package static func flagPartition(_ environment: Environment, _ key: String) -> String {
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

    /// The partition of a segment and its keys.
    static func segmentPartition(_ environment: Environment, _ name: String) -> String {
        "SEGMENT#\(environment.rawValue)#\(name)"
    }

    /// The partition of `FlagTable.flagsIndex` that lists an environment's segments by name.
    static func segmentsPartition(_ environment: Environment) -> String {
        "SEGMENTS#\(environment.rawValue)"
    }

    /// Reads a key; nil when it belongs to nothing that is known here.
    package init?(_ key: TableKey) {
        guard let partition = key.partition.stringValue, let sort = key.sort?.stringValue else { return nil }
        self.init(partition: partition, sort: sort)
    }

    /// Whether a key begins as one of these do.
    static func looksKnown(_ key: TableKey) -> Bool {
        guard let partition = key.partition.stringValue else { return false }
        return ["FLAG#", "TENANT#", "EMERGENCY#", "SEGMENT#", "REVISION#"].contains { partition.hasPrefix($0) }
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
            guard let flagKey = Self.name(inSort: sort, behind: "FLAG#"), !tenant.isEmpty else { return nil }
            self = .override(environment, tenant: String(tenant), flagKey: flagKey)
        case ("EMERGENCY", nil):
            if sort == Self.global {
                self = .killSwitch(environment, flagKey: nil)
            } else {
                guard let flagKey = Self.name(inSort: sort, behind: "FLAG#") else { return nil }
                self = .killSwitch(environment, flagKey: flagKey)
            }
        case ("SEGMENT", let name?):
            guard !name.isEmpty else { return nil }
            if sort == Self.metadata {
                self = .segment(environment, name: String(name))
            } else {
                guard let key = Self.name(inSort: sort, behind: Self.keyPrefix) else { return nil }
                self = .segmentKey(environment, name: String(name), key: key)
            }
        case ("REVISION", nil):
            guard sort == Self.metadata else { return nil }
            self = .revision(environment)
        default:
            return nil
        }
    }

    /// What stands in a sort key behind `FLAG#` or `KEY#`.
    private static func name(inSort sort: String, behind prefix: String) -> String? {
        guard sort.utf8.starts(with: prefix.utf8), sort.utf8.count > prefix.utf8.count else { return nil }
        return String(Substring(sort.utf8.dropFirst(prefix.utf8.count)))
    }
}

extension WriteOperation {
    /// Whether somebody sets or clears a kill switch with it by hand, past the routes, and is done in a moment: with
    /// little content, and nothing that it is conditional on.
    ///
    /// - Parameter table: the table of flags; nil when there is none.
    package func isKillSwitch(in table: String?) -> Bool {
        guard self.table == table else { return false }
        let key: ItemKey?
        switch self {
        case .put(_, let item, nil) where item.storedBytes <= 4096: key = ItemKey(item)
        case .delete(_, let itemKey, nil): key = ItemKey(itemKey)
        case .update(_, let itemKey, let actions, nil) where actions.count <= 8: key = ItemKey(itemKey)
        default: key = nil
        }
        if case .killSwitch? = key { return true }
        return false
    }
}
