import Audit
import DynamoModel
import FlagCore

/// A page of records.
package struct AuditPage: Sendable {
    /// The records, in the order that was asked for.
    package let records: [AuditRecord]
    /// Where the next page begins; nil when there are no more.
    package let next: Int64?
}

/// Finds records: by the terms of what is looked for, and from there by their place. Nothing is scanned.
struct AuditReader {
    /// Which way a list goes.
    enum Order { case newest, oldest }

    let store: any TableStore

    /// How many blocks, and how many records that are not looked for, a page looks at: where few of those that it finds
    /// are, it ends with fewer records than it may have, and the next one goes on.
    private static let blocksMaximum = 400
    private static let missesMaximum = 2_000
    private static let bytesMaximum = 16 << 20
    /// How many blocks are read at a time.
    private static let together = 25

    /// A page of records.
    ///
    /// - Parameters:
    ///   - filter: what is looked for.
    ///   - start: the record to begin with, if it is one of these; nil for the first in the order.
    ///   - limit: the most records.
    func page(
        _ filter: AuditFilter, from start: Int64?, _ order: Order, limit: Int
    ) throws(TableError) -> AuditPage {
        var walk = AuditWalk(filter, order, limit: limit)
        let kept = try AuditCheckpoint.read(store)?.sequence ?? 0
        guard var position = try begin(filter, at: start, order, keptAfter: kept) else {
            return AuditPage(records: [], next: nil)
        }
        let term = filter.terms.first
        while true {
            let places = try places(of: term, from: position, order)
            guard !places.isEmpty else { return walk.page(next: nil) }
            let items = try store.getItems(
                table: AuditTable.name, keys: places.map { AuditTable.block($0.first) })
            for (place, item) in zip(places, items) {
                // What a removal has not come to yet is gone all the same; so is what it has taken meanwhile.
                guard let block = item.flatMap(AuditBlock.init(item:)), block.last > kept else { continue }
                if walk.isBehindEnd(block) { return walk.page(next: nil) }
                walk.look(at: block, place.places, from: start, keptAfter: kept)
                position = order == .newest ? block.first - 1 : block.last + 1
                if let next = walk.end { return walk.page(next: next) }
                if walk.blocks >= Self.blocksMaximum || walk.missed >= Self.missesMaximum
                    || walk.bytes >= Self.bytesMaximum
                {
                    return walk.page(next: position)
                }
            }
            guard let last = places.last else { return walk.page(next: nil) }
            position = order == .newest ? min(position, last.first - 1) : max(position, last.first + 1)
        }
    }

    /// The record of a sequence; nil when there is none.
    func record(_ sequence: Int64) throws(TableError) -> AuditRecord? {
        let kept = try AuditCheckpoint.read(store)?.sequence ?? 0
        guard sequence > kept, let block = try block(holding: sequence) else { return nil }
        let place = Int(sequence - block.first)
        guard block.records.indices.contains(place) else { return nil }
        return try? AuditRecord(stored: block.records[place].bytes, mark: block.records[place].mark)
    }

    /// The block that a record is in; the last one before it where it is in none.
    private func block(holding sequence: Int64) throws(TableError) -> AuditBlock? {
        let query = Query(
            table: AuditTable.name, partition: AuditTable.records, sort: .lessOrEqual(.number(sequence)),
            forward: false, limit: 1)
        return try store.query(query).items.first.flatMap(AuditBlock.init(item:))
    }

    // MARK: - Where to look

    /// Blocks in order, each with the places in it; nil for all of them.
    private func places(
        of term: AuditTerm?, from position: Int64, _ order: Order
    ) throws(TableError) -> [(first: Int64, places: [Int]?)] {
        let sort: SortCondition =
            order == .newest ? .lessOrEqual(.number(position)) : .greaterOrEqual(.number(position))
        var query = Query(
            table: AuditTable.name, partition: term.map(AuditTable.partition(of:)) ?? AuditTable.records, sort: sort,
            forward: order == .oldest, limit: Self.together)
        guard term != nil else {
            query.attributes = AuditBlock.outline
            return try store.query(query).items.compactMap { item in
                item[AuditTable.sort]?.int64Value.map { ($0, nil) }
            }
        }
        return try store.query(query).items.compactMap(AuditPosting.read).map { ($0.first, $0.places) }
    }

    /// The sequence from which on blocks are looked at; nil when there are none.
    private func begin(
        _ filter: AuditFilter, at start: Int64?, _ order: Order, keptAfter kept: Int64
    ) throws(TableError) -> Int64? {
        guard let state = try store.getItem(table: AuditTable.name, key: AuditTable.state).flatMap(AuditState.init)
        else { return nil }
        switch order {
        case .newest:
            let from = min(start ?? state.sequence, state.sequence)
            // A clock that was set back may have put early times behind late ones: then all are looked at.
            guard let until = filter.until, !state.isSetBack else { return from }
            let late = until.millisecondsSinceEpoch + AuditState.delayMilliseconds
            return min(from, try block(reaching: late, upTo: state.sequence)?.last ?? from)
        case .oldest:
            var from = max(start ?? kept + 1, kept + 1)
            if let since = filter.since {
                // Everything before has earlier times.
                let block = try block(reaching: since.millisecondsSinceEpoch, upTo: state.sequence)
                guard let block else { return nil }
                from = max(from, block.first)
            }
            return try block(holding: from)?.first ?? from
        }
    }

    /// The first block in which the latest time reaches a time: all records before it have earlier ones. Nil where none
    /// does. O(log records).
    private func block(reaching time: Int64, upTo end: Int64) throws(TableError) -> (first: Int64, last: Int64)? {
        var (low, high) = (Int64(0), end)
        while low < high {
            let middle = low + (high - low + 1) / 2
            guard let item = try outline(.lessOrEqual(.number(middle)), forward: false),
                let first = item[AuditTable.sort]?.int64Value, let latest = AuditBlock.latest(of: item)
            else {
                // Removed for their age: all of them are earlier than what is left.
                low = middle
                continue
            }
            if latest < time { low = middle } else { high = first - 1 }
        }
        guard let item = try outline(.greater(.number(low)), forward: true),
            let first = item[AuditTable.sort]?.int64Value, let last = AuditBlock.last(of: item)
        else { return nil }
        return (first, last)
    }

    private func outline(_ sort: SortCondition, forward: Bool) throws(TableError) -> Item? {
        var query = Query(
            table: AuditTable.name, partition: AuditTable.records, sort: sort, forward: forward, limit: 1)
        query.attributes = AuditBlock.outline
        return try store.query(query).items.first
    }
}
