import DynamoModel
import FlagCore
import JSON

extension FlagRepository {
    /// The latest entries of a flag's history and as many of its overrides, the newest first: also of a flag that is
    /// gone. Entries follow the changes within moments. Blocks.
    ///
    /// - Parameter limit: at most so many of both.
    func history(
        of key: String, in environment: Environment, limit: Int = FlagLimits.historyEntries
    ) throws(FlagStoreError) -> [FlagHistoryEntry] {
        let own = try history(in: FlagHistoryTable.historyPartition(environment, key), limit)
        let overrides = try history(in: FlagHistoryTable.overrideHistoryPartition(environment, key), limit)
        return (own + overrides).sorted { $0.sequence > $1.sequence }
    }

    /// The same of a segment.
    func history(
        ofSegment name: String, in environment: Environment, limit: Int = FlagLimits.historyEntries
    ) throws(FlagStoreError) -> [FlagHistoryEntry] {
        try history(in: FlagHistoryTable.historyPartition(environment, segment: name), limit)
    }

    private func history(in partition: String, _ limit: Int) throws(FlagStoreError) -> [FlagHistoryEntry] {
        let histories = FlagHistoryTable.name(beside: table)
        // A server makes the table when it first follows the changes; where none ever did there are no histories.
        guard try reading({ () throws(TableError) in try store.listTables() }).contains(histories) else { return [] }
        var query = Query(table: histories, partition: .string(partition), forward: false)
        var entries: [FlagHistoryEntry] = []
        while true {
            query.limit = limit - entries.count
            let page = try reading { () throws(TableError) in try store.query(query) }
            entries += page.items.compactMap { FlagHistoryEntry(item: $0) }
            guard let next = page.lastEvaluatedKey, entries.count < limit else { return entries }
            query.exclusiveStart = next
        }
    }
}
