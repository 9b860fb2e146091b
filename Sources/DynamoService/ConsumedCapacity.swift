import DynamoModel
import JSON
import TableEngine

/// What one request took of a table's throughput, by DynamoDB's arithmetic.
///
/// Counted in half units, since an eventually consistent read takes half a unit of 4 KB. Source: Amazon DynamoDB
/// developer guide, "Capacity unit consumption for read operations" and "… for write operations".
struct ConsumedCapacity: Sendable {
    /// Whether units are of reading or of writing.
    enum Kind: Sendable { case read, write }

    /// What is told of it.
    enum Detail: Sendable {
        case none, total, indexes

        init(_ request: RequestReader) {
            if request.isText("ReturnConsumedCapacity", "TOTAL") {
                self = .total
            } else if request.isText("ReturnConsumedCapacity", "INDEXES") {
                self = .indexes
            } else {
                self = .none
            }
        }
    }

    let table: String
    let kind: Kind
    /// Half units of the table itself.
    private(set) var tableHalves = 0
    /// Half units of the indexes that took any, by name, in the order in which they came.
    private(set) var indexHalves: [(name: String, isLocal: Bool, halves: Int)] = []

    /// Nothing so far.
    init(table: String, _ kind: Kind) {
        self.table = table
        self.kind = kind
    }

    /// Half units of all together.
    var totalHalves: Int { indexHalves.reduce(tableHalves) { $0 + $1.halves } }

    /// Adds half units of the table, or of an index.
    mutating func add(_ halves: Int, index: IndexSchema? = nil) {
        guard let index else {
            tableHalves += halves
            return
        }
        add(halves, index.name, isLocal: index.isLocal)
    }

    private mutating func add(_ halves: Int, _ index: String, isLocal: Bool) {
        if let position = indexHalves.firstIndex(where: { $0.name == index }) {
            indexHalves[position].halves += halves
        } else {
            indexHalves.append((index, isLocal, halves))
        }
    }

    /// Adds what another request took of the same table.
    mutating func add(_ other: ConsumedCapacity) {
        tableHalves += other.tableHalves
        for (name, isLocal, halves) in other.indexHalves { add(halves, name, isLocal: isLocal) }
    }
}

// MARK: - Reading

extension ConsumedCapacity {
    /// How a read sees writes.
    enum Consistency: Int, Sendable {
        /// Half a unit for 4 KB.
        case eventual = 1
        /// One unit for 4 KB.
        case strong = 2
        /// Two units for 4 KB.
        case transactional = 4
    }

    /// The half units of reading so many bytes at once; nothing found counts as one block.
    static func readHalves(bytes: Int, _ consistency: Consistency) -> Int {
        ItemSize.blocks(bytes) * consistency.rawValue
    }
}

// MARK: - Writing

extension ConsumedCapacity {
    /// Adds what a write took: the larger of the item before and after, and each index whose entry it changed.
    ///
    /// - Parameter factor: 2 in a transaction, else 1.
    mutating func addWrite(_ definition: TableDefinition, old: Item?, new: Item?, factor: Int = 1) {
        add(factor * Self.writeHalves(old, new))
        for index in definition.indexes {
            let oldEntry = old.flatMap { index.holds($0) ? index.project($0) : nil }
            let newEntry = new.flatMap { index.holds($0) ? index.project($0) : nil }
            let halves = index.writeHalves(oldEntry, newEntry)
            if halves > 0 { add(factor * halves, index: index.schema) }
        }
    }

    /// One unit for each KB begun of the larger item, at least one.
    static func writeHalves(_ old: Item?, _ new: Item?) -> Int {
        let bytes = max(old.map(ItemSize.of) ?? 0, new.map(ItemSize.of) ?? 0)
        return 2 * max(1, (bytes + 1023) / 1024)
    }
}

extension IndexDefinition {
    /// Half units of bringing the index from one projected item to another: one write, or a deletion and an insertion
    /// where the entry's key changes, or nothing where nothing that is projected does.
    fileprivate func writeHalves(_ old: Item?, _ new: Item?) -> Int {
        switch (old, new) {
        case (nil, nil): return 0
        case (let old?, let new?):
            if old == new { return 0 }
            let isSameKey =
                old[schema.partitionKey.name] == new[schema.partitionKey.name]
                && schema.sortKey.map { old[$0.name] == new[$0.name] } ?? true
            if isSameKey { return ConsumedCapacity.writeHalves(old, new) }
            return ConsumedCapacity.writeHalves(old, nil) + ConsumedCapacity.writeHalves(nil, new)
        default: return ConsumedCapacity.writeHalves(old, new)
        }
    }
}

// MARK: - Writing it down

extension JSONWriter {
    /// Writes what a request took as the member `ConsumedCapacity`, if it is asked for.
    mutating func consumedCapacity(_ capacity: ConsumedCapacity, _ detail: ConsumedCapacity.Detail) {
        if detail == .none { return }
        key("ConsumedCapacity")
        value(capacity, detail, namesKind: false)
    }

    /// Writes what a request took of several tables, if it is asked for.
    ///
    /// - Parameter namesKind: whether units are told again by kind, as of transactions.
    mutating func consumedCapacity(
        _ capacities: [ConsumedCapacity], _ detail: ConsumedCapacity.Detail, namesKind: Bool = false
    ) {
        if detail == .none { return }
        key("ConsumedCapacity")
        array(capacities) { $0.value($1, detail, namesKind: namesKind) }
    }

    private mutating func value(
        _ capacity: ConsumedCapacity, _ detail: ConsumedCapacity.Detail, namesKind: Bool
    ) {
        beginObject()
        key("TableName")
        string(capacity.table)
        units(capacity.totalHalves, capacity.kind, namesKind)
        if detail == .indexes {
            key("Table")
            beginObject()
            units(capacity.tableHalves, capacity.kind, namesKind)
            endObject()
            indexUnits(capacity, isLocal: true, namesKind)
            indexUnits(capacity, isLocal: false, namesKind)
        }
        endObject()
    }

    private mutating func indexUnits(_ capacity: ConsumedCapacity, isLocal: Bool, _ namesKind: Bool) {
        let indexes = capacity.indexHalves.filter { $0.isLocal == isLocal }
        if indexes.isEmpty { return }
        key(isLocal ? "LocalSecondaryIndexes" as StaticString : "GlobalSecondaryIndexes")
        beginObject()
        for index in indexes {
            key(index.name)
            beginObject()
            units(index.halves, capacity.kind, namesKind)
            endObject()
        }
        endObject()
    }

    private mutating func units(_ halves: Int, _ kind: ConsumedCapacity.Kind, _ namesKind: Bool) {
        key("CapacityUnits")
        double(Double(halves) / 2)
        guard namesKind else { return }
        key(kind == .read ? "ReadCapacityUnits" as StaticString : "WriteCapacityUnits")
        double(Double(halves) / 2)
    }
}
