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

    private func item(_ connection: Connection, _ keyBytes: [UInt8]) throws(TableError) -> Item? {
        let select = try convertingErrors { () throws(SQLiteError) in
            let select = try connection.statement("SELECT content FROM item WHERE key = ?1")
            try select.bind(keyBytes, at: 1)
            return select
        }
        defer { select.reset() }
        guard try convertingErrors({ () throws(SQLiteError) in try select.step() }) else { return nil }
        return try decode(select.blob(0))
    }

    package func query(_ query: Query) throws(TableError) -> QueryPage {
        let source = try PageSource(catalog.definition(query.table), index: query.index)
        try source.validate(query, limits)
        var prefix = source.prefix
        KeyEncoding.append(query.partition, to: &prefix)
        var range = KeyRange(prefix: prefix, sort: query.sort)
        if let start = query.exclusiveStart {
            let key = try source.key(exclusiveStart: start, limits)
            guard range.contains(key) else {
                throw .validation(
                    "The provided starting key is outside query boundaries based on provided conditions")
            }
            range.start(after: key, forward: query.forward)
        }
        return try page(of: source, range, forward: query.forward, limit: query.limit, filter: query.filter)
    }

    package func scan(_ scan: Scan) throws(TableError) -> QueryPage {
        let source = try PageSource(catalog.definition(scan.table), index: scan.index)
        try PageSource.validate(limit: scan.limit)
        var range = KeyRange(prefix: source.prefix)
        if let start = scan.exclusiveStart {
            range.start(after: try source.key(exclusiveStart: start, limits), forward: true)
        }
        return try page(of: source, range, forward: true, limit: scan.limit, filter: scan.filter, segment: scan.segment)
    }

    package func listTables() throws(TableError) -> [String] { catalog.all.keys.sorted { $0.precedes($1) } }

    package func describeTable(_ name: String) throws(TableError) -> TableDescription {
        let definition = try catalog.definition(name)
        return try readers.read { (connection) throws(TableError) in
            let statistics = try TableStatistics.read(connection, definition)
            return TableDescription(
                schema: definition.schema, createdAt: definition.createdAt, id: definition.id(in: originID),
                content: statistics.table, indexContents: statistics.indexes)
        }
    }

    /// The schema of a table, without looking at the disk.
    ///
    /// - Throws: `tableNotFound`.
    package func schema(of table: String) throws(TableError) -> TableSchema { try catalog.definition(table).schema }

    /// Decodes a stored item.
    func decode(_ bytes: UnsafeRawBufferPointer) throws(TableError) -> Item {
        do throws(ItemCodecError) {
            return try ItemCodec.decode(bytes)
        } catch {
            throw .storage(StorageFailure(damagedItemIn: path, error))
        }
    }
}

// MARK: - Pages

extension SQLiteTableStore {
    private func page(
        of source: PageSource, _ range: KeyRange, forward: Bool, limit: Int?, filter: Condition?,
        segment: ScanSegment? = nil
    ) throws(TableError) -> QueryPage {
        // Entries and items come from one statement, so from one state of the file.
        try readers.read { (connection) throws(TableError) in
            let rows = try convertingErrors { () throws(SQLiteError) in
                let rows = try connection.statement(source.statement(forward: forward))
                try rows.bind(range.lower, at: 1)
                try rows.bind(range.upper, at: 2)
                return rows
            }
            defer { rows.reset() }
            var items: [Item] = []
            var scanned = 0
            var bytes = 0
            var last: Item?
            while try convertingErrors({ () throws(SQLiteError) in try rows.step() }) {
                if let segment, !segment.holds(rows.blob(1), partition: source.partitionKey.type) { continue }
                // Only now is it known that there is more.
                if scanned > 0, bytes >= limits.pageBytesMax {
                    return source.page(items, scanned: scanned, bytes: bytes, last: last)
                }
                let whole = try decode(rows.blob(0))
                let item = source.index?.project(whole) ?? whole
                let size = ItemSize.of(item)
                if scanned > 0, bytes + size > limits.pageBytesMax {
                    return source.page(items, scanned: scanned, bytes: bytes, last: last)
                }
                bytes += size
                scanned += 1
                last = whole
                if filter?.holds(for: item) ?? true { items.append(item) }
                if scanned == limit { return source.page(items, scanned: scanned, bytes: bytes, last: last) }
            }
            return QueryPage(items: items, scannedCount: scanned, scannedBytes: bytes, lastEvaluatedKey: nil)
        }
    }
}
