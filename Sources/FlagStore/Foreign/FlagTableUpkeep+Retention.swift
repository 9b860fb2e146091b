import Bytes
import DynamoModel
import FlagCore
import Platform

/// Histories keep their latest entries.
extension FlagTableUpkeep {
    /// Entries that are looked at together when the oldest are to go.
    private static let pageEntries = (minimum: 16, maximum: 1_000)

    /// What goes so that histories have room for new entries: their oldest ones. How much each has is remembered, so
    /// that a change does not cost reading all of them.
    ///
    /// - Parameters:
    ///   - added: how much each history gets, by its partition.
    ///   - grown: those that may have much already.
    ///   - first: changes of what was there before, by the partition of its history: where that keeps nothing yet, it
    ///     gets what was said before.
    /// - Returns: the operations on the internal table; not more than there is, where one gets more than it may have.
    func makeRoom(
        for added: [String: HistorySize], in grown: Set<String>, first: [String: TableChange] = [:]
    ) throws(FlagStoreError) -> [WriteOperation] {
        var operations: [WriteOperation] = []
        for (partition, more) in added {
            let key = ExactText(partition)
            let known = state.withLock { $0.historySizes[key] }
            guard known != nil || grown.contains(partition) else { continue }
            var size = HistorySize()
            if let known {
                size = known
            } else {
                try forEachPage(of: partition, Self.pageEntries.maximum) { page in
                    size = page.reduce(size) { $0 + HistorySize($1) }
                    return true
                }
            }
            if size.contentBytes == 0, let found = first[partition].flatMap(FlagHistoryEntry.found(before:)) {
                let item = found.item(in: partition)
                operations.append(entry(item))
                size = size + HistorySize(item)
            }
            size = size + more
            if limits.areExceeded(by: size) {
                operations += try oldestEntries(of: partition, &size).map {
                    .delete(table: historyTable, key: TableKey(.string(partition), $0))
                }
            }
            state.withLock { [size] state in state.note(historySize: size, of: key) }
        }
        return operations
    }

    /// The places of the oldest entries, as many as there are too many.
    ///
    /// - Parameter size: how much there is; what goes is taken off.
    private func oldestEntries(
        of partition: String, _ size: inout HistorySize
    ) throws(FlagStoreError) -> [AttributeValue] {
        var places: [AttributeValue] = []
        let page = min(max(size.entries - limits.versions, Self.pageEntries.minimum), Self.pageEntries.maximum)
        var left = size
        try forEachPage(of: partition, page) { items in
            for item in items {
                guard limits.areExceeded(by: left), let place = item[Attribute.sort] else { return false }
                places.append(place)
                left = left - HistorySize(item)
            }
            return limits.areExceeded(by: left)
        }
        size = left
        return places
    }

    /// Calls `body` with the first entries of a history, the oldest, page after page, until it answers false. A history
    /// whose key is too long has no entries.
    private func forEachPage(
        of partition: String, _ limit: Int, _ body: ([Item]) -> Bool
    ) throws(FlagStoreError) {
        var query = Query(table: historyTable, partition: .string(partition), limit: limit)
        query.attributes = [FlagHistoryTable.Name.contentBytes]
        while true {
            let page: QueryPage
            do throws(TableError) { page = try store.query(query) } catch {
                guard !error.mayPass else { throw FlagStoreError(error) }
                return
            }
            guard body(page.items), let next = page.lastEvaluatedKey else { return }
            query.exclusiveStart = next
        }
    }
}
