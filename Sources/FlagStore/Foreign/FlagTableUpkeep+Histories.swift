import Bytes
import Dispatch
import DynamoModel
import FlagCore
import Platform

/// When it is looked whether what is being counted can be told.
struct TallyLook: Sendable {
    /// When, by the monotonic clock, in milliseconds.
    let due: Int64
    /// How many changes had been counted and not told at the last look.
    let count: Int
    /// For how many intervals it has gone on so, or nothing has been counted.
    let intervals: Int
}

extension FlagTableUpkeep {
    /// How often it is looked whether what is being counted can be told, in milliseconds.
    private static let interval = 250
    /// For how many intervals it may go on until it is told although more comes, by whether that costs little.
    private static let countingMaximum = (cheap: 40, dear: 240)
    /// For how many intervals counts are kept to which more may come.
    private static let keepingMaximum = 8

    /// Sees to it that what is being counted is told soon.
    func rest(at now: Int64, storing: Bool) throws(FlagStoreError) -> Int? {
        try tellDueTallies(storing: storing)
        let (count, isEmpty, isCheap) = tallies.withLock { ($0.count, $0.isEmpty, $0.isCheap) }
        guard let look = state.withLock({ $0.look }) else {
            return isEmpty ? nil : lookAgain(at: now, after: count, 0)
        }
        guard now >= look.due else { return Int(look.due - now) }
        let maximum = isCheap ? Self.countingMaximum.cheap : Self.countingMaximum.dear
        if count > 0, count == look.count || look.intervals >= maximum {
            state.withLock { $0.look = nil }
            try tellTallies(storing: storing)
            return lookAgain(at: now, after: 0, 0)
        }
        if count == 0, look.count == 0, look.intervals >= Self.keepingMaximum {
            endTallies()
            return nil
        }
        let isOtherwise = (count == 0) != (look.count == 0)
        return lookAgain(at: now, after: count, isOtherwise ? 0 : look.intervals + 1)
    }

    private func lookAgain(at now: Int64, after count: Int, _ intervals: Int) -> Int {
        let look = TallyLook(due: now + Int64(Self.interval), count: count, intervals: intervals)
        state.withLock { $0.look = look }
        return Self.interval
    }

    func flush(storing: Bool) throws(FlagStoreError) { try tellTallies(storing: storing) }

    /// Begins anew: what comes from now on is told by itself. On the queue.
    func endTallies() {
        tallies.withLock { $0 = HistoryTallies() }
        state.withLock { $0.look = nil }
    }

    /// Tells what has been counted where that is much.
    func tellDueTallies(storing: Bool) throws(FlagStoreError) {
        if tallies.withLock({ $0.isDue }) { try tellTallies(storing: storing) }
    }

    /// Writes the entries of what was counted, and how far the changes have been looked at. On the queue.
    func tellTallies(storing: Bool) throws(FlagStoreError) {
        let entries = tallies.withLock { $0.entries }
        guard !entries.isEmpty else { return }
        let sequence = position.taken
        let new = entries.lazy.filter(\.isNew).map { ($0.partition, HistorySize(entries: 1)) }
        let added = Dictionary(new, uniquingKeysWith: +)
        var operations = entries.map { entry($0.entry.item(in: $0.partition)) }
        operations += try makeRoom(for: added, in: Set(added.keys))
        try perform(operations, storing: storing ? sequence : nil)
        tallies.withLock { $0.settle() }
        state.withLock { $0.statistics.entries += UInt64(added.values.reduce(0) { $0 + $1.entries }) }
    }
}
