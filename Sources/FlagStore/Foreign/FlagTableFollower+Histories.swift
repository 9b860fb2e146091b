import Bytes
import Dispatch
import DynamoModel
import FlagCore
import Platform

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
        let added = Dictionary(entries.lazy.filter(\.isNew).map { ($0.partition, 1) }, uniquingKeysWith: +)
        var operations = entries.map { entry($0.entry.item(in: $0.partition)) }
        operations += try makeRoom(for: added, in: Set(added.keys))
        if operations.count >= FlagLimits.operationsPerTransaction {
            try performBeside(operations)
            operations = []
        }
        if !isSweeping { operations.append(position(sequence)) }
        try perform(operations)
        if !isSweeping { keepChanges(after: sequence) }
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
