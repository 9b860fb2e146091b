import Audit
import DynamoModel

/// Records that were stored together, in one item: a transaction that stores hundreds of changes costs little.
struct AuditBlock: Sendable {
    /// A record as it is stored.
    struct Stored: Sendable {
        let bytes: [UInt8]
        let mark: [UInt8]
    }

    private enum Name {
        static let last: AttributeName = "last"
        static let latest: AttributeName = "latest"
        static let content: AttributeName = "records"
    }

    /// The sequence of the first record.
    let first: Int64
    private(set) var records: [Stored] = []
    /// The latest time of any record up to here, in milliseconds since 1970.
    private(set) var latest: Int64
    /// Bytes of the records.
    private(set) var bytes = 0

    /// The sequence of the last record.
    var last: Int64 { first + Int64(records.count) - 1 }

    /// Bytes of records that are stored together at most, unless it is one alone.
    static let bytesMaximum = 192 * 1024

    /// No records yet.
    init(first: Int64, latest: Int64) {
        self.first = first
        self.latest = latest
    }

    mutating func append(_ record: Stored, at time: Int64) {
        records.append(record)
        bytes += record.bytes.count
        latest = max(latest, time)
    }

    // MARK: - As an item

    /// The block as an item of the table.
    var item: Item {
        var content: [UInt8] = []
        content.reserveCapacity(bytes + records.count * (4 + AuditSeal.markBytes))
        for record in records {
            let count = UInt32(record.bytes.count)
            content += [
                UInt8(truncatingIfNeeded: count >> 24), UInt8(truncatingIfNeeded: count >> 16),
                UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count),
            ]
            content += record.bytes
            content += record.mark
        }
        return AuditTable.item(
            AuditTable.block(first),
            [Name.last: .number(last), Name.latest: .number(latest), Name.content: .binary(content)])
    }

    /// Reads what `item` wrote; nil when it is something else.
    init?(item: Item) {
        guard let first = item[AuditTable.sort]?.int64Value, let last = item[Name.last]?.int64Value,
            let latest = item[Name.latest]?.int64Value, case .binary(let content)? = item[Name.content]
        else { return nil }
        self.init(first: first, latest: latest)
        var rest = content[...]
        while !rest.isEmpty {
            let size = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard rest.count >= size + AuditSeal.markBytes else { return nil }
            let bytes = rest.prefix(size)
            rest = rest.dropFirst(size)
            records.append(Stored(bytes: Array(bytes), mark: Array(rest.prefix(AuditSeal.markBytes))))
            self.bytes += size
            rest = rest.dropFirst(AuditSeal.markBytes)
        }
        guard !records.isEmpty, self.last == last else { return nil }
    }

    /// The latest time of any record up to a block, of its item.
    static func latest(of item: Item) -> Int64? { item[Name.latest]?.int64Value }

    /// The sequence of the last record, of a block's item.
    static func last(of item: Item) -> Int64? { item[Name.last]?.int64Value }

    /// The attributes that say where a block is and how late, without its records.
    static let outline = [Name.last, Name.latest]
}

/// Which records of a block have a term.
enum AuditPosting {
    private static let places: AttributeName = "places"

    /// The item that says so.
    ///
    /// - Parameters:
    ///   - places: the places of the records in the block, from 0, ascending.
    ///   - first: the sequence of the block's first record.
    static func item(_ term: AuditTerm, in first: Int64, _ places: [Int]) -> Item {
        let bytes = places.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] }
        return AuditTable.item(AuditTable.posting(term, first), [self.places: .binary(bytes)])
    }

    /// The block and the places in it that an item names; nil when it is something else.
    static func read(_ item: Item) -> (first: Int64, places: [Int])? {
        guard let first = item[AuditTable.sort]?.int64Value, case .binary(let bytes)? = item[places],
            bytes.count.isMultiple(of: 2)
        else { return nil }
        return (first, stride(from: 0, to: bytes.count, by: 2).map { Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]) })
    }
}
