import DynamoModel
import SQLite

/// Makes a table from an image and the changes behind it, while others go on writing.
///
/// The content is written in spaces that belong to no table yet, in many transactions; the last one makes it a table.
/// What a restore leaves that did not come so far is swept when the store is opened, or before.
struct Restoration: Sendable {
    let store: OpenStore
    let source: RestoreSource
    /// The table as it will be.
    let target: TableDefinition
    /// Whether a table of the name is replaced; else there must be none.
    let replaces: Bool
    /// What the program keeps beside the table, as the image has it.
    var companions = RestoredCompanions.none
    /// Whoever wants to know how far it is, and may have it given up.
    let watch: WorkWatch

    /// All tables that it fills.
    var filled: [TableDefinition] { [target] + companions.targets }

    /// How many rows one transaction writes: others wait for a few milliseconds.
    private static let rowsPerTransaction = 2000

    /// Takes spaces for a table, noted as leftovers until it is whole. Whoever asks for them tells `filling` when it
    /// fills them no longer.
    static func prepare(
        _ schema: TableSchema, replacing: Bool, _ store: OpenStore
    ) throws(TableError) -> TableDefinition {
        var definition: TableDefinition?
        try store.writer.write { (connection) throws(TableError) in
            if !replacing, store.catalog.all[schema.name] != nil { throw .tableExists(schema.name) }
            return try convertingErrors { () throws(SQLiteError) in
                let spaces = try StoreFile.takeSpaces(connection, count: 1 + schema.indexes.count)
                let new = TableDefinition(
                    schema: schema, createdAt: store.clock(), space: spaces[0], startSequence: 0,
                    indexSpaces: Array(spaces.dropFirst()))
                try LeftoverSpaces.note(new, connection)
                store.filling.insert(new)
                return new
            }
        } finish: {
            definition = $0
        }
        guard let definition else { throw .closed }
        return definition
    }

    /// Writes the content. O(items).
    ///
    /// - Returns: how much it is.
    /// - Throws: `backup(.damaged)`, `storage`, `closed`; then what was written is a leftover.
    func load() throws(TableError) -> TableStatistics {
        var reader = try ImageReader(source.image, store.seal)
        var count = 0
        // Each item is written, and looked at again for the indexes.
        watch.expect(2 * reader.image.itemCount + reader.image.companions.map(\.itemCount).reduce(0, +))
        while let items = try reader.next() {
            count += items.count
            try insert(items, into: target)
        }
        while let (kind, items) = try reader.nextOfCompanion() {
            if let companion = companions[kind] { try insert(items, into: companion) }
        }
        guard count == reader.image.itemCount else {
            throw .damaged(source.image.path, "it has \(count) items and should have \(reader.image.itemCount)")
        }
        let former = reader.image.definition.prefix
        try source.forEachBlock(after: reader.image.sequence) { (records) throws(TableError) in
            try apply(records, at: former)
        }
        return try buildIndexes()
    }

    private func insert(_ items: [ImageReader.StoredItem], into table: TableDefinition) throws(TableError) {
        let prefix = table.prefix
        for start in stride(from: 0, to: items.count, by: Self.rowsPerTransaction) {
            try write { (connection) throws(SQLiteError) in
                let insert = try connection.statement("INSERT INTO item(key, content) VALUES(?1, ?2)")
                for item in items[start..<min(items.count, start + Self.rowsPerTransaction)] {
                    let key = prefix + item.key
                    try insert.bind(key, at: 1)
                    try insert.bind(store.seal.seal(item.content, at: key), at: 2)
                    try insert.run("restore into")
                }
            }
            watch.note(min(items.count - start, Self.rowsPerTransaction))
        }
    }

    /// Does to the table what the records of a log say that was done to another one, whose keys began otherwise.
    private func apply(_ records: [StoredChange], at former: [UInt8]) throws(TableError) {
        let prefix = target.prefix
        let contents = try records.map { (record) throws(TableError) in try item(in: record, at: former) }
        try write { (connection) throws(SQLiteError) in
            let put = try connection.statement(
                """
                INSERT INTO item(key, content) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET content = excluded.content
                """)
            let delete = try connection.statement("DELETE FROM item WHERE key = ?1")
            for (record, content) in zip(records, contents) {
                let statement = content == nil ? delete : put
                let key = prefix + record.key
                try statement.bind(key, at: 1)
                if let content { try statement.bind(store.seal.seal(content, at: key), at: 2) }
                try statement.run("restore into")
            }
        }
    }

    private func item(in record: StoredChange, at former: [UInt8]) throws(TableError) -> [UInt8]? {
        do throws(ItemCodecError) {
            return try record.item(at: former, store.seal)
        } catch {
            throw .damaged(source.image.path, "an item in the log behind it cannot be read")
        }
    }

    private func write(_ body: (DatabaseConnection) throws(SQLiteError) -> Void) throws(TableError) {
        if watch.isCancelled() { throw .closed }
        try store.writer.write { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try body(connection) }
        }
    }
}

// MARK: - Indexes

extension Restoration {
    /// Writes the entries of all indexes in their order: that is far faster than in the order of the items.
    ///
    /// - Returns: how much is in the table and its indexes.
    private func buildIndexes() throws(TableError) -> TableStatistics {
        var statistics = TableStatistics(target)
        let vault = store.vault
        let space = target.space
        var names: [String] = []
        var sorter = EntrySorter { (number) throws(TableError) in
            let name = "restore/\(space)-\(number)"
            names.append(name)
            return try vault.draft(name)
        }
        defer { for name in names { vault.discard(name) } }
        try forEachItem { (row, key, item) throws(TableError) in
            statistics.add(item, sign: 1, target)
            for index in target.indexes {
                if let entry = index.entry(of: item, tableKey: key) { try sorter.add(key: entry, row: row) }
            }
        }
        try sorter.drain(Self.rowsPerTransaction) { (entries) throws(TableError) in
            try write { (connection) throws(SQLiteError) in
                let insert = try connection.statement("INSERT INTO entry(key, item) VALUES(?1, ?2)")
                for entry in entries {
                    try insert.bind(entry.key, at: 1)
                    try insert.bind(entry.row, at: 2)
                    try insert.run("restore into")
                }
            }
        }
        return statistics
    }

    /// Gives each item with its row and key. Nobody changes them: the table does not exist yet.
    private func forEachItem(
        _ take: (_ row: Int64, _ key: [UInt8], _ item: Item) throws(TableError) -> Void
    ) throws(TableError) {
        var range = KeyRange(prefix: target.prefix)
        while true {
            if watch.isCancelled() { throw .closed }
            let page = try store.readers.read { (connection) throws(TableError) in
                try rows(range, connection)
            }
            for (row, key, content) in page {
                try take(row, key, try decode(content, at: key))
            }
            watch.note(page.count)
            guard let last = page.last else { return }
            range.start(after: last.key, forward: true)
        }
    }

    private func decode(_ content: [UInt8], at key: [UInt8]) throws(TableError) -> Item {
        guard let item = content.withUnsafeBytes({ try? store.seal.item($0, at: key) }) else {
            throw .damaged(source.image.path, "an item in it cannot be read")
        }
        return item
    }

    private func rows(
        _ range: KeyRange, _ connection: DatabaseConnection
    ) throws(TableError) -> [(row: Int64, key: [UInt8], content: [UInt8])] {
        try convertingErrors { () throws(SQLiteError) in
            let select = try connection.statement(
                "SELECT id, key, content FROM item WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT 1000")
            try select.bind(range.lower, at: 1)
            try select.bind(range.upper, at: 2)
            defer { select.reset() }
            var rows: [(row: Int64, key: [UInt8], content: [UInt8])] = []
            while try select.step() { rows.append((select.int64(0), [UInt8](select.blob(1)), [UInt8](select.blob(2)))) }
            return rows
        }
    }
}

// MARK: - The end

extension Restoration {
    /// Makes what was loaded a table, in one transaction. The store has a new identifier from then on.
    ///
    /// - Parameters:
    ///   - origin: where the table comes from.
    ///   - content: how much was loaded.
    /// - Throws: `tableExists` when somebody has made a table of the name in the meantime, `storage`.
    func finish(_ origin: RestoreOrigin, _ content: TableStatistics) throws(TableError) {
        try store.writer.write { (connection) throws(TableError) in
            let target = try begun(connection)
            let replaced = store.catalog.all[target.name]
            if replaced != nil, !replaces { throw .tableExists(target.name) }
            if let replaced { try end(replaced, connection) }
            let made = try companions.begin(connection, store) + [target]
            try convertingErrors { () throws(SQLiteError) in
                for definition in made {
                    try StoreFile.add(connection, definition)
                    try LeftoverSpaces.forget(definition, connection)
                }
                try content.store(connection, target)
                for (name, value) in source.settings { try StoreFile.set(connection, name, to: value) }
                try StoreFile.set(connection, TableSetting.origin.name(target.name), to: origin.text)
                try StoreFile.renewID(connection)
            }
            return made
        } finish: { made in
            let new = Dictionary(made.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
            store.catalog.replace(with: store.catalog.all.merging(new) { $1 })
        }
    }

    /// Ends the table that is replaced. The new one has continuous backups as it had, in a life of their own: what the
    /// log of the old one says is not about this content.
    private func end(_ replaced: TableDefinition, _ connection: DatabaseConnection) throws(TableError) {
        let setting = TableSetting.continuous.name(replaced.name)
        let periodSetting = TableSetting.recoveryPeriod.name(replaced.name)
        let (life, period) = try convertingErrors { () throws(SQLiteError) in
            (try StoreFile.setting(connection, setting), try StoreFile.setting(connection, periodSetting))
        }
        try FormerTable.end(replaced, backup: "\(replaced.name)$ReplacedTableBackup", connection, store)
        try convertingErrors { () throws(SQLiteError) in
            if life != nil { try StoreFile.set(connection, setting, to: StoreFile.randomID()) }
            if let period { try StoreFile.set(connection, periodSetting, to: period) }
        }
    }

    private func begun(_ connection: DatabaseConnection) throws(TableError) -> TableDefinition {
        let last = try convertingErrors { () throws(SQLiteError) in try ChangeJournal.end(connection) }
        return target.beginning(after: last.sequence)
    }
}

extension TableDefinition {
    /// The table, as one that begins behind a change.
    func beginning(after sequence: Int64) -> TableDefinition {
        TableDefinition(
            schema: schema, createdAt: createdAt, space: space, startSequence: sequence,
            indexSpaces: indexes.map(\.space))
    }
}
