import DynamoModel
import SQLite

/// Writes the image of a table from one state of the store.
struct ImageWriter {
    private var blocks: BlockWriter
    private var content: [UInt8] = []
    private var itemCount = 0
    private let seal: ItemSeal
    /// The data keys of the items written.
    private var dataKeys: Set<UInt64> = []

    /// Begins the image in an empty file.
    ///
    /// - Parameter seal: by which items are encrypted, those too that are not yet in the store.
    init(_ file: StoredFile, _ seal: ItemSeal) throws(TableError) {
        blocks = try BlockWriter(file, .image)
        self.seal = seal
    }

    /// Writes the image of a table. O(items).
    ///
    /// - Parameters:
    ///   - table: the table's name.
    ///   - connection: one inside a read transaction, whose state is what is written.
    ///   - label: what the image is called.
    ///   - store: where the table is.
    ///   - includesCompanions: whether what the program keeps beside the table goes with it, as into what may be
    ///     restored elsewhere.
    ///   - watch: told how far it is; may have it given up.
    /// - Returns: what was written, not yet on disk.
    /// - Throws: `tableNotFound`, `storage`, `closed` when it gave up.
    mutating func write(
        _ table: String, _ connection: DatabaseConnection, _ label: TableImage.Label, store: OpenStore,
        includesCompanions: Bool, watch: WorkWatch
    ) throws(TableError) -> TableImage {
        guard let definition = try StoreFile.definitions(connection)[table] else { throw .tableNotFound(table) }
        let last = try convertingErrors { () throws(SQLiteError) in try ChangeJournal.end(connection) }
        try writeItems(definition, connection, watch)
        var image = TableImage(
            label: label, createdAt: store.clock(), definition: definition, tableID: definition.id(in: store.originID),
            sequence: last.sequence, committedAt: last.committedAt, itemCount: itemCount,
            itemBytes: try TableStatistics.read(connection, definition, seal).table.bytes)
        image.settings = try store.settings(of: table, connection)
        if includesCompanions {
            for (kind, definition) in try store.companions(of: table, connection) {
                itemCount = 0
                try writeItems(definition, connection, watch, companion: kind)
                image.companions.append(
                    TableImage.Companion(kind: kind, definition: definition, itemCount: itemCount))
            }
        }
        try end(image)
        return image
    }

    /// Writes the image of a table that is no more, and whose items nobody changes. O(items).
    ///
    /// - Parameters:
    ///   - former: what is known of the table.
    ///   - connection: one inside a read transaction.
    ///   - watch: told how far it is; may have it given up.
    /// - Returns: what was written, not yet on disk.
    mutating func write(
        _ former: TableImage, _ connection: DatabaseConnection, watch: WorkWatch
    ) throws(TableError) -> TableImage {
        try writeItems(former.definition, connection, watch)
        var image = former
        image.itemCount = itemCount
        try end(image)
        return image
    }

    private mutating func end(_ image: TableImage) throws(TableError) {
        var image = image
        image.keys = dataKeys.isEmpty ? nil : seal.ring?.only(dataKeys)
        var end: [UInt8] = []
        LittleEndian.append(UInt64(blocks.position), to: &end)
        try blocks.append(ImageFile.description, ItemCodec.encode(image.item))
        try blocks.end(with: end + ImageFile.end)
    }

    private mutating func writeItems(
        _ definition: TableDefinition, _ connection: DatabaseConnection, _ watch: WorkWatch, companion: String? = nil
    ) throws(TableError) {
        watch.expect(Int(try TableStatistics.read(connection, definition, seal).table.items))
        let range = KeyRange(prefix: definition.prefix)
        let spaceBytes = definition.prefix.count
        let rows = try convertingErrors { () throws(SQLiteError) in
            let rows = try connection.statement(
                "SELECT key, content FROM item WHERE key >= ?1 AND key < ?2 ORDER BY key")
            try rows.bind(range.lower, at: 1)
            try rows.bind(range.upper, at: 2)
            return rows
        }
        defer { rows.reset() }
        var untold = 0
        while try convertingErrors({ () throws(SQLiteError) in try rows.step() }) {
            append(rows.blob(0), rows.blob(1), spaceBytes)
            itemCount += 1
            untold += 1
            if content.count >= BlockFile.contentBytes {
                if watch.isCancelled() { throw .closed }
                try flush(companion)
                watch.note(untold)
                untold = 0
            }
        }
        try flush(companion)
        watch.note(untold)
    }

    private mutating func append(_ key: UnsafeRawBufferPointer, _ stored: UnsafeRawBufferPointer, _ spaceBytes: Int) {
        RecordWriter.append(key.dropFirst(spaceBytes), to: &content)
        if let id = ItemSeal.dataKey(of: stored) {
            dataKeys.insert(id)
            RecordWriter.append(stored, to: &content)
        } else {
            let sealed = seal.seal([UInt8](stored), at: [UInt8](key))
            if let id = sealed.withUnsafeBytes(ItemSeal.dataKey) { dataKeys.insert(id) }
            RecordWriter.append(sealed, to: &content)
        }
    }

    private mutating func flush(_ companion: String?) throws(TableError) {
        if content.isEmpty { return }
        if let companion {
            var block: [UInt8] = []
            RecordWriter.append(companion.utf8, to: &block)
            try blocks.append(ImageFile.companionItems, block + content)
        } else {
            try blocks.append(ImageFile.items, content)
        }
        content.removeAll(keepingCapacity: true)
    }
}
