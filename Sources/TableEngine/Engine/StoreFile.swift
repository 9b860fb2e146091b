import DynamoModel
import SQLite

/// The layout of the file that tables are stored in, and how one is opened.
///
/// | table | holds |
/// |---|---|
/// | `setting` | named texts: the store's id, the next free space, settings of the application |
/// | `definition` | one row a table: its space, and its schema as an item |
/// | `item` | every item once, by row number and by key |
/// | `entry` | every entry of every index: its key, and the row number of the item |
/// | `change` | the change stream |
/// | `token` | the tokens of the transactions of the last ten minutes |
enum StoreFile {
    /// Marks the file as one of these: "TBLS".
    static let applicationID: Int64 = 0x5442_4C53
    /// The layouts that this program reads and writes. Programs that know the first one alone must not take encrypted
    /// items for damaged ones.
    static let layouts: ClosedRange<Int64> = 1...2

    /// How long a write waits for another process that holds the file's lock.
    static let busyTimeoutMilliseconds: Int32 = 5000

    /// The settings that the engine keeps for itself.
    enum Setting {
        static let storeID = "store.id"
        /// The first identifier that the store had, once it has another.
        static let originID = "store.origin"
        static let nextSpace = "store.next-space"
        /// When it was last tried whether something can be written.
        static let probe = "store.probed"
    }

    /// Opens the file for writing, and lays it out if it is new.
    ///
    /// - Parameters:
    ///   - path: the file, or `:memory:`.
    ///   - creating: whether a file that does not exist is created.
    static func openForWriting(_ path: String, creating: Bool) throws(TableError) -> DatabaseConnection {
        let connection = try convertingErrors { () throws(SQLiteError) in
            try DatabaseConnection(
                path: path, mode: creating ? .create : .readWrite, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
        }
        try refuseForeignFile(connection)
        try convertingErrors { () throws(SQLiteError) in
            try connection.prepareForWriting()
            try connection.write { () throws(SQLiteError) in
                if try number(connection, "PRAGMA user_version") == 0 { try layOut(connection) }
                try layOutTokens(connection)
            }
        }
        return connection
    }

    /// Opens the file for reading beside the writer.
    static func openForReading(_ path: String) throws(SQLiteError) -> DatabaseConnection {
        let connection = try DatabaseConnection(
            path: path, mode: .readWrite, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
        try connection.execute("PRAGMA query_only = ON", operation: "open")
        return connection
    }

    /// Opens a file that nobody has open for reading, without writing anything.
    static func openForLooking(_ path: String) throws(TableError) -> DatabaseConnection {
        let connection = try convertingErrors { () throws(SQLiteError) in
            try DatabaseConnection(path: path, mode: .asItLies, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
        }
        try refuseForeignFile(connection)
        return connection
    }

    /// Looks before anything is written: the file may be somebody else's, or of a later version.
    private static func refuseForeignFile(_ connection: DatabaseConnection) throws(TableError) {
        let (application, version, objects) = try convertingErrors { () throws(SQLiteError) in
            (
                try number(connection, "PRAGMA application_id"), try number(connection, "PRAGMA user_version"),
                try number(connection, "SELECT count(*) FROM sqlite_schema")
            )
        }
        if application == 0, version == 0, objects == 0 { return }
        guard application == applicationID else {
            throw .storage(
                StorageFailure(
                    kind: .notADatabase,
                    reason: "cannot open \(connection.path): it is the database of another program",
                    hint: "Name another data directory"))
        }
        guard version <= layouts.upperBound else {
            throw .storage(
                StorageFailure(
                    kind: .cannotOpen,
                    reason:
                        "cannot open \(connection.path): its layout is \(version), and this program knows up to "
                        + "\(layouts.upperBound)",
                    hint: "Use the version of this program that has written it, or a newer one"))
        }
    }

    private static func layOut(_ connection: DatabaseConnection) throws(SQLiteError) {
        try connection.execute(
            """
            CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
            CREATE TABLE definition(space INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT;
            CREATE TABLE item(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, content BLOB NOT NULL) STRICT;
            CREATE TABLE entry(key BLOB PRIMARY KEY, item INTEGER NOT NULL) STRICT, WITHOUT ROWID;
            CREATE TABLE change(
                sequence INTEGER PRIMARY KEY, committed_at INTEGER NOT NULL, name TEXT NOT NULL,
                principal TEXT NOT NULL, old BLOB, new BLOB) STRICT;
            PRAGMA application_id = 0x54424C53;
            PRAGMA user_version = 1;
            """, operation: "lay out")
        try set(connection, Setting.storeID, to: randomID())
        try set(connection, Setting.nextSpace, to: "1")
    }

    /// 128 random bits in hexadecimal.
    static func randomID() -> String {
        var source = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(source.next(), radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }.joined()
    }

    private static func number(_ connection: DatabaseConnection, _ sql: StaticString) throws(SQLiteError) -> Int64 {
        let statement = try connection.statement(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.int64(0) : 0
    }
}

// MARK: - Settings and definitions

extension StoreFile {
    /// The value of a setting, nil when it was never set.
    static func setting(_ connection: DatabaseConnection, _ name: String) throws(SQLiteError) -> String? {
        let statement = try connection.statement("SELECT value FROM setting WHERE name = ?1")
        try statement.bind(name, at: 1)
        defer { statement.reset() }
        return try statement.step() ? statement.text(0) : nil
    }

    /// Gives a setting a value.
    static func set(_ connection: DatabaseConnection, _ name: String, to value: String) throws(SQLiteError) {
        let statement = try connection.statement(
            "INSERT INTO setting(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value")
        try statement.bind(name, at: 1)
        try statement.bind(value, at: 2)
        try statement.run()
    }

    /// Forgets a setting.
    static func removeSetting(_ connection: DatabaseConnection, _ name: String) throws(SQLiteError) {
        let statement = try connection.statement("DELETE FROM setting WHERE name = ?1")
        try statement.bind(name, at: 1)
        try statement.run()
    }

    /// Every table in the file, by name.
    static func definitions(_ connection: DatabaseConnection) throws(TableError) -> [String: TableDefinition] {
        var definitions: [String: TableDefinition] = [:]
        try convertingErrors { () throws(SQLiteError) in
            let statement = try connection.statement("SELECT space, content FROM definition")
            defer { statement.reset() }
            while try statement.step() {
                guard let space = UInt32(exactly: statement.int64(0)),
                    let item = try? ItemCodec.decode(statement.blob(1)),
                    let definition = TableDefinition(item: item, space: space)
                else {
                    throw SQLiteError(
                        operation: "read a table's definition in", path: connection.path, extendedCode: 11,
                        message: "its bytes are damaged")
                }
                definitions[definition.name] = definition
            }
        }
        return definitions
    }

    /// Takes `count` numbers that no table or index has had.
    static func takeSpaces(_ connection: DatabaseConnection, count: Int) throws(SQLiteError) -> [UInt32] {
        let first = try setting(connection, Setting.nextSpace).flatMap { UInt32($0) } ?? 1
        try set(connection, Setting.nextSpace, to: String(first + UInt32(count)))
        return (0..<UInt32(count)).map { first + $0 }
    }

    /// Stores the definition of a table.
    static func add(_ connection: DatabaseConnection, _ definition: TableDefinition) throws(SQLiteError) {
        let statement = try connection.statement("INSERT INTO definition(space, content) VALUES(?1, ?2)")
        try statement.bind(Int64(definition.space), at: 1)
        try statement.bind(ItemCodec.encode(definition.item), at: 2)
        try statement.run()
    }

    /// Stores another definition of the same table in place of the one before.
    static func replace(_ connection: DatabaseConnection, _ definition: TableDefinition) throws(SQLiteError) {
        let statement = try connection.statement("UPDATE definition SET content = ?2 WHERE space = ?1")
        try statement.bind(Int64(definition.space), at: 1)
        try statement.bind(ItemCodec.encode(definition.item), at: 2)
        try statement.run()
    }

    /// Calls `body` with the row number, the key and the content of every item of a table, in the order of the keys.
    static func forEachItem(
        _ connection: DatabaseConnection, of definition: TableDefinition, _ seal: ItemSeal,
        _ body: (_ row: Int64, _ key: [UInt8], _ item: Item) throws(TableError) -> Void
    ) throws(TableError) {
        let range = KeyRange(prefix: definition.prefix)
        let rows = try convertingErrors { () throws(SQLiteError) in
            let rows = try connection.statement(
                "SELECT id, key, content FROM item WHERE key >= ?1 AND key < ?2 ORDER BY key")
            try rows.bind(range.lower, at: 1)
            try rows.bind(range.upper, at: 2)
            return rows
        }
        defer { rows.reset() }
        while try convertingErrors({ () throws(SQLiteError) in try rows.step() }) {
            let key = [UInt8](rows.blob(1))
            let item: Item
            do throws(ItemCodecError) {
                item = try seal.item(rows.blob(2), at: key)
            } catch {
                throw .storage(StorageFailure(damagedItemIn: connection.path, error))
            }
            try body(rows.int64(0), key, item)
        }
    }

    /// Removes all entries of an index.
    static func removeEntries(_ connection: DatabaseConnection, of index: IndexDefinition) throws(SQLiteError) {
        let entries = try connection.statement("DELETE FROM entry WHERE key >= ?1 AND key < ?2")
        try remove(entries, KeyRange(prefix: TableDefinition.prefix(index.space)))
    }

    /// Removes the definition of a table and what else is known of it; its content stays.
    static func forget(_ connection: DatabaseConnection, _ definition: TableDefinition) throws(SQLiteError) {
        let statement = try connection.statement("DELETE FROM definition WHERE space = ?1")
        try statement.bind(Int64(definition.space), at: 1)
        try statement.run()
        for setting in TableSetting.allCases { try removeSetting(connection, setting.name(definition.name)) }
    }

    /// Gives the store another identifier: what others know of its content by the old one is not true any more.
    static func renewID(_ connection: DatabaseConnection) throws(SQLiteError) {
        if try setting(connection, Setting.originID) == nil, let first = try setting(connection, Setting.storeID) {
            try set(connection, Setting.originID, to: first)
        }
        try set(connection, Setting.storeID, to: randomID())
    }

    private static func remove(_ statement: Statement, _ range: KeyRange) throws(SQLiteError) {
        try statement.bind(range.lower, at: 1)
        try statement.bind(range.upper, at: 2)
        try statement.run()
    }
}

extension TableDefinition {
    /// The definition as an item.
    var item: Item {
        [
            "schema": .map(schema.item), "createdAt": .number(createdAt),
            "startSequence": .number(startSequence),
            "indexSpaces": .list(indexes.map { .number(Int64($0.space)) }),
        ]
    }

    /// Reads what `item` writes; nil when it is something else.
    convenience init?(item: Item, space: UInt32) {
        guard let schema = item["schema"]?.mapValue.flatMap(TableSchema.init(item:)),
            let createdAt = item["createdAt"]?.int64Value,
            let spaces = item["indexSpaces"]?.listValue?.compactMap({ $0.int64Value.flatMap(UInt32.init(exactly:)) }),
            spaces.count == schema.indexes.count
        else { return nil }
        self.init(
            schema: schema, createdAt: createdAt, space: space,
            startSequence: item["startSequence"]?.int64Value ?? 0, indexSpaces: spaces)
    }
}
