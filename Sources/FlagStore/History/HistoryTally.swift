import Bytes
import DynamoModel
import FlagCore
import JSON

/// A change of something small that histories do not have one by one: it is counted with others.
struct TalliedChange: Sendable {
    /// What happened to it, by the words of the interface.
    enum Kind: String, Sendable, CaseIterable {
        /// Overrides.
        case created, changed, deleted, refused
        /// Keys that a segment lists.
        case added, removed
    }

    /// The history in which it is counted.
    let partition: String
    /// Whether it is about an override, not about a key of a segment.
    let isOverride: Bool
    /// Its place in the change stream.
    let sequence: Int64
    /// When it was committed.
    let at: Timestamp
    /// Who made it.
    let principal: Principal
    /// What happened, and to which tenant's override or which key; nil for a call that changes keys of a segment: what
    /// is counted after it is counted by itself.
    let counted: (kind: Kind, name: String)?
}

extension TalliedChange {
    /// A change of an override.
    ///
    /// - Parameter isValid: whether what it left is one, or nothing.
    init(
        _ change: TableChange, ofOverrideOf tenant: String, _ flagKey: String, in environment: Environment,
        isValid: Bool
    ) {
        let kind: Kind =
            if change.newItem == nil { .deleted } else if !isValid { .refused } else if change.oldItem == nil {
                .created
            } else { .changed }
        self.init(
            change, partition: FlagHistoryTable.overrideHistoryPartition(environment, flagKey), isOverride: true,
            counted: (kind, tenant))
    }

    /// A change of a key that a segment lists; nil when it was listed before as it is now.
    init?(_ change: TableChange, ofKey key: String, ofSegment name: String, in environment: Environment) {
        guard (change.oldItem == nil) != (change.newItem == nil) else { return nil }
        self.init(
            change, partition: FlagHistoryTable.historyPartition(environment, segment: name), isOverride: false,
            counted: (change.oldItem == nil ? .added : .removed, key))
    }

    /// A call that changes the keys of a segment, and nothing else of it.
    init(_ change: TableChange, ofKeysOfSegment name: String, in environment: Environment) {
        self.init(
            change, partition: FlagHistoryTable.historyPartition(environment, segment: name), isOverride: false,
            counted: nil)
    }

    private init(_ change: TableChange, partition: String, isOverride: Bool, counted: (kind: Kind, name: String)?) {
        self.partition = partition
        self.isOverride = isOverride
        self.counted = counted
        sequence = change.sequence
        at = Timestamp(millisecondsSinceEpoch: change.committedAt)
        principal = change.principal
    }
}

/// Counts what is told together: for each history and whoever made the changes one entry, from the first of them on.
///
/// What comes soon after it was told is added to the same entry: a disk that makes a large change wait for a moment
/// does not make two of it.
struct HistoryTallies: Sendable {
    private struct Place: Hashable {
        let partition: ExactText
        let principal: Principal
    }

    private var open: [Place: HistoryTally] = [:]
    /// Those of which something is not told yet.
    private var untold: Set<Place> = []
    /// The same of calls that were followed by others.
    private var ended: [TalliedEntry] = []
    /// Whose overrides are being counted.
    private(set) var principals: Set<Principal> = []
    /// How many changes have been taken that are not told yet.
    private(set) var count = 0

    /// Whether nothing is counted that is not told yet.
    var isTold: Bool { count == 0 }
    /// Whether nothing is kept.
    var isEmpty: Bool { open.isEmpty && ended.isEmpty }
    /// What is kept takes about so many bytes.
    private var bytes = 0

    /// Whether it is time to tell: after a crash, the next start counts again what was not told.
    var isDue: Bool { count >= Self.countMaximum && isCheap || isLarge }
    /// Whether telling costs little beside the changes themselves.
    var isCheap: Bool { count >= 20 * (untold.count + ended.count) }
    /// Whether it takes much memory.
    private var isLarge: Bool { bytes >= Self.bytesMaximum }

    private static let countMaximum = 100_000
    private static let bytesMaximum = 32 << 20
    /// What an entry takes besides names.
    private static let entryBytes = 512

    /// Counts a change, after all that were counted before it. O(1).
    mutating func add(_ change: TalliedChange) {
        count += 1
        let place = Place(partition: ExactText(change.partition), principal: change.principal)
        if change.isOverride { principals.insert(change.principal) }
        let isNew = untold.insert(place).inserted
        guard let (kind, name) = change.counted else {
            bytes += Self.entryBytes
            if let tally = open.updateValue(HistoryTally(change), forKey: place), !isNew { ended.append(tally.entry) }
            return
        }
        if isNew, open.index(forKey: place) == nil { bytes += Self.entryBytes }
        bytes += open[place, default: HistoryTally(change)].note(kind, name)
    }

    /// The entries that tell of what is not told yet.
    var entries: [TalliedEntry] { ended + untold.compactMap { open[$0]?.entry } }

    /// The entries have been told.
    mutating func settle() {
        guard !isLarge else {
            self = HistoryTallies()
            return
        }
        for place in untold { open[place]?.isTold = true }
        bytes -= ended.count * Self.entryBytes
        (ended, untold, principals, count) = ([], [], [], 0)
    }
}

/// An entry that tells of what was counted.
struct TalliedEntry: Sendable {
    /// The history that it belongs to.
    let partition: String
    /// The entry.
    let entry: FlagHistoryEntry
    /// Whether the history does not have it yet, with less.
    let isNew: Bool
}

/// How many changes of each kind there were, and the names of the first of them.
private struct HistoryTally: Sendable {
    private struct Names: Sendable {
        var count = 0
        var first: [String] = []
        private var bytes = 0

        mutating func note(_ name: String) -> Int {
            count += 1
            let added = name.utf8.count
            guard first.count < FlagLimits.talliedNames, bytes + added <= FlagLimits.talliedNameBytes else { return 0 }
            first.append(name)
            bytes += added
            return added + 32
        }
    }

    /// Whether it has been told, with what was counted until then.
    var isTold = false
    private let first: TalliedChange
    private var kinds: [TalliedChange.Kind: Names] = [:]

    /// Nothing yet; the place and the time are those of the first change.
    init(_ first: TalliedChange) {
        self.first = first
    }

    /// Counts a change.
    ///
    /// - Returns: about how many bytes more are kept.
    mutating func note(_ kind: TalliedChange.Kind, _ name: String) -> Int {
        kinds[kind, default: Names()].note(name)
    }

    var entry: TalliedEntry {
        var counts = JSONObject()
        for kind in TalliedChange.Kind.allCases {
            guard let names = kinds[kind] else { continue }
            counts[kind.rawValue] = [
                "count": .integer(names.count), "first": .array(names.first.map { .string($0) }),
            ]
        }
        var entry = FlagHistoryEntry(
            sequence: first.sequence, at: first.at, by: first.principal.description,
            event: first.isOverride ? .overridesChanged : .changed)
        if !counts.isEmpty { entry.details[first.isOverride ? "overrides" : "keys"] = .object(counts) }
        return TalliedEntry(partition: first.partition, entry: entry, isNew: !isTold)
    }
}
