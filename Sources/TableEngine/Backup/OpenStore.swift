import DynamoModel
import SQLite

/// The parts of a store that backups work with.
struct OpenStore: Sendable {
    let readers: ReaderPool
    let writer: Writer
    let catalog: TableCatalog
    let seal: ItemSeal
    let checkpointer: Checkpointer?
    let retention: ChangeRetention
    let vault: BackupVault
    let time: StoreClock
    /// What is waited by.
    let delay: Delay
    /// The first identifier that the store had.
    let originID: String
    /// The settings that go into backups of tables which others accompany: by them the table has to be read.
    let settingsOfBackups: [String]
    /// The spaces that restores under way fill.
    let filling = SpacesBeingFilled()

    /// The time that the wall clock shows, in milliseconds since 1970.
    func clock() -> Int64 { time.wall() }

    /// Reads one state of the file for as long as it takes; writing goes on meanwhile.
    func readForLong<Result>(
        _ body: (_ connection: DatabaseConnection) throws(TableError) -> Result
    ) throws(TableError) -> Result {
        func read() throws(TableError) -> Result {
            try readers.readOnce { (connection) throws(TableError) in
                try connection.read(failing: TableError.init) { () throws(TableError) in try body(connection) }
            }
        }
        guard let checkpointer else { return try read() }
        return try checkpointer.duringLongRead(read)
    }

    /// The description of a table.
    func describe(_ definition: TableDefinition, content: TableStatistics) -> TableDescription {
        TableDescription(
            schema: definition.schema, createdAt: definition.createdAt, id: definition.id(in: originID),
            content: content.table, indexContents: content.indexes)
    }

    /// The internal tables that accompany a table, sorted by what they are.
    func companions(
        of table: String, _ connection: DatabaseConnection
    ) throws(TableError) -> [(kind: String, definition: TableDefinition)] {
        try StoreFile.definitions(connection).compactMap { name, definition in
            guard let place = InternalTables.accompanied(by: name), place.table == table else { return nil }
            return (place.kind, definition)
        }.sorted { $0.kind.precedes($1.kind) }
    }

    /// The settings by which the content of a table has to be read: those of the store, if something accompanies the
    /// table. Others mean nothing to it.
    func settings(of table: String, _ connection: DatabaseConnection) throws(TableError) -> [String: String] {
        if try companions(of: table, connection).isEmpty { return [:] }
        var settings: [String: String] = [:]
        for name in settingsOfBackups {
            let value = try convertingErrors { () throws(SQLiteError) in try StoreFile.setting(connection, name) }
            if let value { settings[name] = value }
        }
        return settings
    }

    /// The value of a setting, nil when it has none.
    func setting(_ name: String) throws(TableError) -> String? {
        try readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try StoreFile.setting(connection, name) }
        }
    }

    /// Writes the image of a table into a new file of the vault. When this returns, it is on disk.
    func writeImage(
        of table: String, to name: String, _ label: TableImage.Label, includesCompanions: Bool,
        watch: WorkWatch
    ) throws(TableError) -> (image: TableImage, sizeBytes: Int) {
        try writeImage(to: name) { (writer, connection) throws(TableError) in
            try writer.write(
                table, connection, label, store: self, includesCompanions: includesCompanions,
                watch: watch)
        }
    }

    /// Writes an image into a new file of the vault. When this returns, it is on disk.
    func writeImage(
        to name: String, _ write: (inout ImageWriter, DatabaseConnection) throws(TableError) -> TableImage
    ) throws(TableError) -> (image: TableImage, sizeBytes: Int) {
        do throws(TableError) {
            let file = try vault.draft(name)
            let image = try readForLong { (connection) throws(TableError) in
                var writer = try ImageWriter(file, seal)
                return try write(&writer, connection)
            }
            let size = try file.size()
            try vault.publish(file, as: name)
            return (image, size)
        } catch {
            vault.discard(name)
            throw error
        }
    }
}

extension OpenStore: TableChanges {
    func subscribe(_ deliver: @escaping @Sendable ([TableChange]) -> Void) { writer.subscribe(deliver) }

    var lastSequence: Int64 { writer.lastSequence }

    func changes(after sequence: Int64, limit: Int) throws(TableError) -> [TableChange] {
        try readers.read { (connection) throws(TableError) in
            try connection.read(failing: TableError.init) { () throws(TableError) in
                try ChangeJournal.changes(connection, after: sequence, limit: limit, seal)
            }
        }
    }

    func firstSequence() throws(TableError) -> Int64 {
        try readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try ChangeJournal.start(connection) }
        }
    }

    func attach(_ follower: FollowerProgress) { retention.attach(follower) }
}
