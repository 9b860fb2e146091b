import Audit
import DynamoModel
import FlagCore
import FlagStore
import JSON

/// Removes records that are older than they are kept.
///
/// First the checkpoint is durable, and says up to where they are gone; then they are removed, block by block, each
/// last of what leads to it. What a crash leaves in between is removed the next time.
struct AuditExpiry {
    let log: AuditLog

    /// How many items are removed together.
    private static let together = TableLimits().transactionOperationsMax

    /// Removes what is old. On the log's queue; blocks while it is done.
    ///
    /// - Parameters:
    ///   - bound: records of before this time are removed.
    ///   - now: when that is decided.
    ///   - isCancelled: whether to leave the rest for another time.
    /// - Returns: how many records were removed.
    func run(
        before bound: Timestamp, at now: Timestamp, isCancelled: () -> Bool = { false }
    ) throws(TableError) -> Int64 {
        let former = try AuditCheckpoint.read(log.store)?.sequence ?? 0
        if let end = try lastBlock(before: bound, behind: former), let record = end.records.last {
            let checkpoint = AuditCheckpoint(sequence: end.last, mark: record.mark, time: now, log.seal)
            var details: JSONObject = ["upTo": .integer(end.last), "records": .integer(end.last - former)]
            details["before"] = .string(bound.rfc3339)
            try log.append([AuditLog.Addition(entry: AuditLog.entry(.expire, details), position: nil)])
            try log.store.transactAndWait([.put(table: AuditTable.name, item: checkpoint.item)], principal: .server)
        }
        guard let kept = try AuditCheckpoint.read(log.store)?.sequence else { return 0 }
        while !isCancelled(), let block = try firstBlock(upTo: kept) { try remove(block) }
        return kept - former
    }

    /// The last of the blocks at the beginning of the log of which all records are of before a time.
    private func lastBlock(before bound: Timestamp, behind former: Int64) throws(TableError) -> AuditBlock? {
        var found: AuditBlock?
        var query = Query(
            table: AuditTable.name, partition: AuditTable.records, sort: .greater(.number(former)), limit: 100)
        query.attributes = AuditBlock.outline
        var last: Int64?
        pages: while true {
            let page = try log.store.query(query)
            for item in page.items {
                guard let latest = AuditBlock.latest(of: item), latest < bound.millisecondsSinceEpoch,
                    let first = item[AuditTable.sort]?.int64Value
                else { break pages }
                last = first
            }
            guard let next = page.lastEvaluatedKey else { break }
            query.exclusiveStart = next
        }
        if let last {
            found = try log.store.getItem(table: AuditTable.name, key: AuditTable.block(last))
                .flatMap(AuditBlock.init(item:))
        }
        return found
    }

    private func firstBlock(upTo kept: Int64) throws(TableError) -> AuditBlock? {
        let query = Query(
            table: AuditTable.name, partition: AuditTable.records, sort: .lessOrEqual(.number(kept)), limit: 1)
        return try log.store.query(query).items.first.flatMap(AuditBlock.init(item:))
    }

    private func remove(_ block: AuditBlock) throws(TableError) {
        var terms: Set<AuditTerm> = []
        for record in block.records {
            if let read = try? AuditRecord(stored: record.bytes, mark: record.mark) {
                terms.formUnion(read.entry.terms)
            }
        }
        let keys = terms.map { AuditTable.posting($0, block.first) } + [AuditTable.block(block.first)]
        for start in stride(from: 0, to: keys.count, by: Self.together) {
            let some = keys[start..<min(start + Self.together, keys.count)]
            try log.store.transactAndWait(
                some.map { .delete(table: AuditTable.name, key: $0) }, principal: .server)
        }
    }
}
