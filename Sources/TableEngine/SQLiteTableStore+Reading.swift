import DynamoModel
import SQLite

extension SQLiteTableStore {
    package func getItem(table: String, key: TableKey) throws(TableError) -> Item? {
        let definition = try catalog.definition(table)
        try definition.validate(key, limits)
        return try readers.read { (connection) throws(TableError) in
            try item(connection, definition.keyBytes(key))
        }
    }

    package func getItems(table: String, keys: [TableKey]) throws(TableError) -> [Item?] {
        let definition = try catalog.definition(table)
        for key in keys { try definition.validate(key, limits) }
        return try readers.read { (connection) throws(TableError) in
            try snapshot(connection) { () throws(TableError) in
                var items: [Item?] = []
                items.reserveCapacity(keys.count)
                for key in keys { items.append(try item(connection, definition.keyBytes(key))) }
                return items
            }
        }
    }

    /// The items of keys of any tables, all as of one moment, in the order of the keys.
    package func getItems(_ keys: [(table: String, key: TableKey)]) throws(TableError) -> [Item?] {
        var keyBytes: [[UInt8]] = []
        for (table, key) in keys {
            let definition = try catalog.definition(table)
            try definition.validate(key, limits)
            keyBytes.append(definition.keyBytes(key))
        }
        return try readers.read { (connection) throws(TableError) in
            try snapshot(connection) { () throws(TableError) in
                var items: [Item?] = []
                items.reserveCapacity(keyBytes.count)
                for bytes in keyBytes { items.append(try item(connection, bytes)) }
                return items
            }
        }
    }

    /// The item of a key, if it can be had without waiting for other readers; the outer nil says that it cannot.
    ///
    /// For event loops: a row of a file that is in the system's cache is read in microseconds.
    package func getItemWithoutWaiting(table: String, key: TableKey) throws(TableError) -> Item?? {
        let definition = try catalog.definition(table)
        try definition.validate(key, limits)
        return try readers.readWithoutWaiting { (connection) throws(TableError) in
            try item(connection, definition.keyBytes(key))
        }
    }

    private func item(_ connection: DatabaseConnection, _ keyBytes: [UInt8]) throws(TableError) -> Item? {
        let select = try convertingErrors { () throws(SQLiteError) in
            let select = try connection.statement("SELECT content FROM item WHERE key = ?1")
            try select.bind(keyBytes, at: 1)
            return select
        }
        defer { select.reset() }
        guard try convertingErrors({ () throws(SQLiteError) in try select.step() }) else { return nil }
        return try decode(select.blob(0), at: keyBytes)
    }

    package func query(_ query: Query) throws(TableError) -> QueryPage {
        let source = try PageSource(catalog.definition(query.table), index: query.index)
        try source.validate(query, limits)
        let range = try source.range(of: query, limits)
        // The only item of its partition: nothing can follow, and no page begin after it.
        let isOnly = source.index == nil && source.definition.schema.sortKey == nil
        return try page(
            of: source, range, forward: query.forward, limit: isOnly ? nil : query.limit, filter: query.filter,
            fetchesItems: query.fetchesItems, attributes: query.attributes)
    }

    package func count(_ query: Query, upTo limit: Int) throws(TableError) -> Int? {
        var query = query
        (query.exclusiveStart, query.limit) = (nil, nil)
        let source = try PageSource(catalog.definition(query.table), index: query.index)
        try source.validate(query, limits)
        let range = try source.range(of: query, limits)
        let count = try readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                let rows = try connection.statement(
                    source.index == nil
                        ? "SELECT count(*) FROM (SELECT 1 FROM item WHERE key >= ?1 AND key < ?2 LIMIT ?3)"
                        : "SELECT count(*) FROM (SELECT 1 FROM entry WHERE key >= ?1 AND key < ?2 LIMIT ?3)")
                try rows.bind(range.lower, at: 1)
                try rows.bind(range.upper, at: 2)
                try rows.bind(Int64(limit) + 1, at: 3)
                defer { rows.reset() }
                return try rows.step() ? Int(rows.int64(0)) : 0
            }
        }
        return count > limit ? nil : count
    }

    package func scan(_ scan: Scan) throws(TableError) -> QueryPage {
        let source = try PageSource(catalog.definition(scan.table), index: scan.index)
        try PageSource.validate(limit: scan.limit)
        var range = KeyRange(prefix: source.prefix)
        if let start = scan.exclusiveStart {
            range.start(after: try source.key(exclusiveStart: start, limits), forward: true)
        }
        return try page(
            of: source, range, forward: true, limit: scan.limit, filter: scan.filter, segment: scan.segment,
            fetchesItems: scan.fetchesItems, attributes: scan.attributes)
    }

    package func listTables() throws(TableError) -> [String] { catalog.all.keys.sorted { $0.precedes($1) } }

    package func describeTable(_ name: String) throws(TableError) -> TableDescription {
        let definition = try catalog.definition(name)
        return try readers.read { (connection) throws(TableError) in
            let statistics = try TableStatistics.read(connection, definition, seal)
            return TableDescription(
                schema: definition.schema, createdAt: definition.createdAt, id: definition.id(in: originID),
                content: statistics.table, indexContents: statistics.indexes)
        }
    }

    /// The schema of a table, without looking at the disk.
    ///
    /// - Throws: `tableNotFound`.
    package func schema(of table: String) throws(TableError) -> TableSchema { try catalog.definition(table).schema }

    /// Gives back what the connections that nobody reads with at the moment keep of the file.
    package func releaseMemory() { readers.releaseMemory() }

    /// Decodes the item that is stored under a key, or of its attributes those that are selected.
    private func decode(
        _ stored: UnsafeRawBufferPointer, at key: some Collection<UInt8>, only selection: AttributeSelection? = nil
    ) throws(TableError) -> Item {
        do throws(ItemCodecError) {
            return try seal.open(stored, at: key) { (bytes) throws(ItemCodecError) in
                guard let selection else { return try ItemCodec.decode(bytes) }
                var reader = ItemReader(bytes)
                return try reader.item(only: selection)
            }
        } catch {
            throw .storage(StorageFailure(damagedItemIn: path, error))
        }
    }
}

// MARK: - Pages

extension SQLiteTableStore {
    private func page(
        of source: PageSource, _ range: KeyRange, forward: Bool, limit: Int?, filter: Condition?,
        segment: ScanSegment? = nil, fetchesItems: Bool, attributes: [AttributeName]?
    ) throws(TableError) -> QueryPage {
        let selection = attributes.map { source.selection(of: $0) }
        // Entries and items come from one statement, so from one state of the file.
        return try readers.read { (connection) throws(TableError) in
            let rows = try convertingErrors { () throws(SQLiteError) in
                let rows = try connection.statement(source.statement(forward: forward))
                try rows.bind(range.lower, at: 1)
                try rows.bind(range.upper, at: 2)
                return rows
            }
            defer { rows.reset() }
            var page = PageContent(source: source, limits, fetchesItems: fetchesItems)
            while try convertingErrors({ () throws(SQLiteError) in try rows.step() }) {
                if let segment, !segment.holds(rows.blob(1), partition: source.partitionKey.type) { continue }
                // Only now is it known that there is more.
                if page.isFull { return page.result(mayContinue: true) }
                let item = try decode(rows.blob(0), at: rows.blob(2), only: selection)
                guard try page.add(item, filter) else { return page.result(mayContinue: true) }
                if page.scanned == limit { return page.result(mayContinue: true) }
            }
            return page.result(mayContinue: false)
        }
    }
}

/// The page that is being read.
private struct PageContent {
    let source: PageSource
    let fetchesItems: Bool
    private let limits: TableLimits
    // What one item takes is done to its end, so that every page gets on.
    private var work = ExpressionWork(bytesMax: .max)
    private var items: [Item] = []
    private(set) var scanned = 0
    private var bytes = 0
    private var fetchedBlocks = 0
    private var last: Item?

    init(source: PageSource, _ limits: TableLimits, fetchesItems: Bool) {
        self.source = source
        self.limits = limits
        self.fetchesItems = fetchesItems && source.index?.projectedNames != nil
    }

    /// Whether nothing more can be added, however small.
    var isFull: Bool { scanned > 0 && (bytes >= limits.pageBytesMax || work.bytes >= limits.pageWorkBytesMax) }

    /// Adds an item, or only counts it when the filter does not hold for it; false when there is no room for it.
    mutating func add(_ whole: Item, _ filter: Condition?) throws(TableError) -> Bool {
        let projected = source.index?.project(whole) ?? whole
        let size = ItemSize.of(projected)
        if scanned > 0, bytes + size > limits.pageBytesMax { return false }
        bytes += size
        scanned += 1
        last = whole
        if fetchesItems { fetchedBlocks += ItemSize.blocks(ItemSize.of(whole)) }
        let item = fetchesItems ? whole : projected
        if try filter?.holds(for: item, &work) ?? true { items.append(item) }
        return true
    }

    func result(mayContinue: Bool) -> QueryPage {
        source.page(
            items, scanned: scanned, bytes: bytes, fetchedBlocks: fetchedBlocks, last: mayContinue ? last : nil)
    }
}
