import Dispatch
import DynamoTable
import FlagCore
import Lock

extension FlagTableFollower {
    /// How often it is looked whether what is being counted can be told.
    private static let interval = DispatchTimeInterval.milliseconds(250)
    /// For how many intervals it may go on until it is told although more comes, by whether that costs little.
    private static let countingMaximum = (cheap: 40, dear: 240)
    /// For how many intervals counts are kept to which more may come.
    private static let keepingMaximum = 8

    /// Sees to it that what is being counted is told soon. On the queue.
    func tellTalliesSoon() {
        let (count, isEmpty) = tallies.withLock { ($0.count, $0.isEmpty) }
        let isNews = state.withLock { state in
            guard !isEmpty, !state.isTelling, !state.isStopped else { return false }
            state.isTelling = true
            return true
        }
        if isNews { lookAtTallies(after: count, 0) }
    }

    /// Looks at the counts in a while, as long as there are any.
    ///
    /// - Parameters:
    ///   - count: how many changes have been counted and not told.
    ///   - intervals: for how long it has gone on so, or nothing has been counted.
    private func lookAtTallies(after count: Int, _ intervals: Int) {
        queue.asyncAfter(deadline: .now() + Self.interval) { [weak self] in
            guard let self, !state.withLock({ $0.isStopped }) else { return }
            let (current, isCheap) = tallies.withLock { ($0.count, $0.isCheap) }
            let maximum = isCheap ? Self.countingMaximum.cheap : Self.countingMaximum.dear
            if current > 0, current == count || intervals >= maximum {
                do throws(FlagStoreError) { try tellTallies() } catch {
                    state.withLock { $0.isTelling = false }
                    return fail(error)
                }
                lookAtTallies(after: 0, 0)
            } else if current == 0, count == 0, intervals >= Self.keepingMaximum {
                endTallies()
            } else {
                let isOtherwise = (current == 0) != (count == 0)
                lookAtTallies(after: current, isOtherwise ? 0 : intervals + 1)
            }
        }
    }

    /// Begins anew: what comes from now on is told by itself. On the queue.
    func endTallies() {
        tallies.withLock { $0 = HistoryTallies() }
        state.withLock { $0.isTelling = false }
    }

    /// Writes the entries of what was counted, and how far the changes have been looked at. On the queue.
    func tellTallies() throws(FlagStoreError) {
        let entries = tallies.withLock { $0.entries }
        guard !entries.isEmpty else { return }
        let (sequence, isSweeping) = state.withLock { ($0.position, $0.isSweeping) }
        var operations = entries.map { entry($0.entry.item(in: $0.partition)) }
        if operations.count >= FlagLimits.operationsPerTransaction {
            try performBeside(operations)
            operations = []
        }
        if !isSweeping { operations.append(position(sequence)) }
        try perform(operations)
        if !isSweeping { keepChanges(after: sequence) }
        let added = entries.filter(\.isNew)
        tallies.withLock { $0.settle() }
        state.withLock { $0.statistics.entries += UInt64(added.count) }
        for (partition, added) in Dictionary(grouping: added, by: \.partition) {
            try trimHistory(partition, adding: added.count, isGrown: true)
        }
    }

    // MARK: - Retention

    /// Removes the oldest entries of a history that has too many.
    ///
    /// How many a history has is remembered, so that a change does not cost reading all of them.
    ///
    /// - Parameters:
    ///   - count: how many entries it has got.
    ///   - isGrown: whether it may have many already.
    func trimHistory(_ partition: String, adding count: Int, isGrown: Bool) throws(FlagStoreError) {
        let key = ExactText(partition)
        let known = state.withLock { $0.historySizes[key] }
        guard isGrown || known != nil else { return }
        let size: Int
        if let known { size = known + count } else { size = try historySize(partition) }
        let excess = size - FlagLimits.historyEntries
        if excess > 0 { try removeOldest(excess, partition) }
        state.withLock { $0.note(historySize: min(size, FlagLimits.historyEntries), of: key) }
    }

    private func historySize(_ partition: String) throws(FlagStoreError) -> Int {
        var size = 0
        try forEachPage(of: partition) { page in
            size += page.items.count
            return true
        }
        return size
    }

    private func removeOldest(_ count: Int, _ partition: String) throws(FlagStoreError) {
        var old: [AttributeValue] = []
        try forEachPage(of: partition, limit: count) { page in
            old += page.items.compactMap { $0[Attribute.sort] }
            return old.count < count
        }
        try perform(
            old.prefix(count).map { .delete(table: historyTable, key: TableKey(.string(partition), $0)) })
    }

    /// Calls `body` with pages of a history, the oldest entries first, until it says that it needs no more. A history
    /// whose key is too long has no entries.
    private func forEachPage(
        of partition: String, limit: Int? = nil, _ body: (QueryPage) -> Bool
    ) throws(FlagStoreError) {
        var query = Query(table: historyTable, partition: .string(partition), limit: limit)
        while true {
            let page: QueryPage
            do throws(TableError) { page = try store.query(query) } catch {
                guard !error.mayPass else { throw FlagStoreError(error) }
                return
            }
            guard body(page), let next = page.lastEvaluatedKey else { return }
            query.exclusiveStart = next
        }
    }
}
