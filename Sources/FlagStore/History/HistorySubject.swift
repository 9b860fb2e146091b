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

/// Which version of something is meant.
package enum VersionName: Sendable, Equatable, CustomStringConvertible {
    /// The one that a flag or a segment had with this number; where it had the number several times, since it was
    /// deleted and made again, the latest. Of an override, which has no number, the one that this entry made.
    case number(Int64)
    /// The one that this entry of the history made, whatever its number.
    case entry(Int64)

    /// Reads `7` or `@81723`; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let isEntry = text.hasPrefix("@")
        let digits = text.dropFirst(isEntry ? 1 : 0)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int64(digits), (1...FlagLimits.version).contains(number)
        else { return nil }
        self = isEntry ? .entry(number) : .number(number)
    }

    /// What is expected, for whoever wrote something else.
    package static let expectation = "the number of a version, such as 7, or of an entry of the history, such as @81723"

    /// As `init` reads it.
    package var description: String {
        switch self {
        case .number(let number): "\(number)"
        case .entry(let number): "@\(number)"
        }
    }
}
