import Dispatch
import DynamoTable
import FlagCore
import Lock

extension FlagTableFollower {
    /// How long nothing must have been counted until the counts are told.
    private static let lull = DispatchTimeInterval.milliseconds(500)
    /// After how many such times they are told although more comes.
    private static let lullsMaximum = 20

    /// Sees to it that what is being counted is told soon. On the queue.
    func tellTalliesSoon() {
        let count = state.withLock { state -> Int? in
            guard !state.tallies.isEmpty, !state.isTelling, !state.isStopped else { return nil }
            state.isTelling = true
            return state.tallies.count
        }
        if let count { awaitLull(after: count, Self.lullsMaximum) }
    }

    private func awaitLull(after count: Int, _ remaining: Int) {
        queue.asyncAfter(deadline: .now() + Self.lull) { [weak self] in
            guard let self, let current = state.withLock({ $0.isStopped ? nil : $0.tallies.count }) else { return }
            guard current == count || remaining <= 1 else { return awaitLull(after: current, remaining - 1) }
            state.withLock { $0.isTelling = false }
            do throws(FlagStoreError) { try tellTallies() } catch { fail(error) }
        }
    }

    /// Writes the entries of what was counted, and how far the changes have been looked at. On the queue.
    func tellTallies() throws(FlagStoreError) {
        let (tallies, sequence, isSweeping) = state.withLock { ($0.tallies, $0.position, $0.isSweeping) }
        guard !tallies.isEmpty else { return }
        let entries = tallies.entries
        var operations = entries.map { WriteOperation.put(table: historyTable, item: $0.entry.item(in: $0.partition)) }
        if !isSweeping { operations.append(position(sequence)) }
        try perform(operations)
        if !isSweeping { keepChanges(after: sequence) }
        state.withLock { state in
            state.tallies = HistoryTallies()
            state.statistics.entries += UInt64(entries.count)
        }
        for (partition, entries) in Dictionary(grouping: entries, by: \.partition) {
            try trimHistory(partition, adding: entries.count, isGrown: true)
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
