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
        let added = Dictionary(entries.lazy.filter(\.isNew).map { ($0.partition, 1) }, uniquingKeysWith: +)
        var operations = entries.map { entry($0.entry.item(in: $0.partition)) }
        operations += try makeRoom(for: added, in: Set(added.keys))
        if operations.count >= FlagLimits.operationsPerTransaction {
            try performBeside(operations)
            operations = []
        }
        if storing { try store(sequence, with: operations) } else { try perform(operations) }
        tallies.withLock { $0.settle() }
        state.withLock { $0.statistics.entries += UInt64(added.values.reduce(0, +)) }
    }

    // MARK: - Retention

    /// What goes so that histories have room for new entries: their oldest ones. How many each has is remembered, so
    /// that a change does not cost reading all of them.
    ///
    /// - Parameters:
    ///   - added: how many entries each history gets, by its partition.
    ///   - grown: those that may have many already.
    /// - Returns: the operations on the internal table; not more than there is, where one gets more than it may have.
    func makeRoom(for added: [String: Int], in grown: Set<String>) throws(FlagStoreError) -> [WriteOperation] {
        var operations: [WriteOperation] = []
        for (partition, count) in added {
            let key = ExactText(partition)
            let known = state.withLock { $0.historySizes[key] }
            guard known != nil || grown.contains(partition) else { continue }
            var size = 0
            if let known { size = known } else { try forEachPage(of: partition) { size += $0.items.count } }
            let excess = min(size, size + count - FlagLimits.historyEntries)
            var oldest: [AttributeValue] = []
            if excess > 0 {
                try forEachPage(of: partition, first: excess) { oldest += $0.items.compactMap { $0[Attribute.sort] } }
            }
            operations += oldest.map { .delete(table: historyTable, key: TableKey(.string(partition), $0)) }
            state.withLock { $0.note(historySize: size + count - oldest.count, of: key) }
        }
        return operations
    }

    /// Calls `body` with pages of the first items of a history, the oldest entries. A history whose key is too long has
    /// no entries.
    private func forEachPage(
        of partition: String, first limit: Int = .max, _ body: (QueryPage) -> Void
    ) throws(FlagStoreError) {
        var query = Query(table: historyTable, partition: .string(partition))
        var remaining = limit
        while remaining > 0 {
            query.limit = min(remaining, 1_000)
            let page: QueryPage
            do throws(TableError) { page = try store.query(query) } catch {
                guard !error.mayPass else { throw FlagStoreError(error) }
                return
            }
            body(page)
            remaining -= page.items.count
            guard let next = page.lastEvaluatedKey else { return }
            query.exclusiveStart = next
        }
    }
}
