import FlagCore

/// What has a history.
package enum HistorySubject: Sendable, Equatable {
    /// A flag, with its overrides.
    case flag(String)
    /// A segment.
    case segment(String)
    /// A tenant's override of a flag: its entries stand among those of the flag's other overrides.
    case override(flagKey: String, tenant: String)

    /// What it is, for people.
    package var thing: StoredThing {
        switch self {
        case .flag(let key): .flag(key)
        case .segment(let name): .segment(name)
        case .override(let flagKey, let tenant): .override(flagKey: flagKey, tenant: tenant)
        }
    }

    /// The key of its item.
    func itemKey(in environment: Environment) -> ItemKey {
        switch self {
        case .flag(let key): .flag(environment, key: key)
        case .segment(let name): .segment(environment, name: name)
        case .override(let flagKey, let tenant): .override(environment, tenant: tenant, flagKey: flagKey)
        }
    }

    /// The partitions that its entries lie in. The first has those that are of it alone.
    func partitions(in environment: Environment) -> [String] {
        switch self {
        case .flag(let key):
            [
                FlagHistoryTable.historyPartition(environment, key),
                FlagHistoryTable.overrideHistoryPartition(environment, key),
            ]
        case .segment(let name): [FlagHistoryTable.historyPartition(environment, segment: name)]
        case .override(let flagKey, _): [FlagHistoryTable.overrideHistoryPartition(environment, flagKey)]
        }
    }

    /// Whether an entry of one of these partitions is about it.
    func has(_ entry: FlagHistoryEntry) -> Bool {
        guard case .override(_, let tenant) = self else { return true }
        return entry.override.map { $0.tenant.utf8.elementsEqual(tenant.utf8) } ?? false
    }
}
