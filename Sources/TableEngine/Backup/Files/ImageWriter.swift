import DynamoModel
import SQLite

/// Writes the image of a table from one state of the store.
struct ImageWriter {
    private var blocks: BlockWriter
    private var content: [UInt8] = []
    private var itemCount = 0

    /// Begins the image in an empty file.
    init(_ file: StoredFile) throws(TableError) { blocks = try BlockWriter(file, .image) }

    /// Writes the image of a table. O(items).
    ///
    /// - Parameters:
    ///   - table: the table's name.
    ///   - connection: one inside a read transaction, whose state is what is written.
    ///   - label: what the image is called.
    ///   - parts: the store.
    ///   - includesCompanions: whether what the program keeps beside the table goes with it, as into what may be
    ///     restored elsewhere.
    ///   - isCancelled: asked now and then whether to give up.
    /// - Returns: what was written, not yet on disk.
    /// - Throws: `tableNotFound`, `storage`, `closed` when it gave up.
    mutating func write(
        _ table: String, _ connection: DatabaseConnection, _ label: TableImage.Label, parts: OpenStore,
        includesCompanions: Bool, isCancelled: () -> Bool
    ) throws(TableError) -> TableImage {
        guard let definition = try StoreFile.definitions(connection)[table] else { throw .tableNotFound(table) }
        let last = try convertingErrors { () throws(SQLiteError) in try ChangeJournal.end(connection) }
        try writeItems(definition, connection, isCancelled)
        var image = TableImage(
            label: label, createdAt: parts.clock(), definition: definition, tableID: definition.id(in: parts.originID),
            sequence: last.sequence, committedAt: last.committedAt, itemCount: itemCount,
            itemBytes: try TableStatistics.read(connection, definition).table.bytes)
        image.settings = try parts.settings(of: table, connection)
        if includesCompanions {
            for (kind, definition) in try parts.companions(of: table, connection) {
                itemCount = 0
                try writeItems(definition, connection, isCancelled, companion: kind)
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
    ///   - isCancelled: asked now and then whether to give up.
    /// - Returns: what was written, not yet on disk.
    mutating func write(
        _ former: TableImage, _ connection: DatabaseConnection, isCancelled: () -> Bool
    ) throws(TableError) -> TableImage {
        try writeItems(former.definition, connection, isCancelled)
        var image = former
        image.itemCount = itemCount
        try end(image)
        return image
    }

    private mutating func end(_ image: TableImage) throws(TableError) {
        var end: [UInt8] = []
        LittleEndian.append(UInt64(blocks.position), to: &end)
        try blocks.append(ImageFile.description, ItemCodec.encode(image.item))
        try blocks.end(with: end + ImageFile.end)
    }

    private mutating func writeItems(
        _ definition: TableDefinition, _ connection: DatabaseConnection, _ isCancelled: () -> Bool,
        companion: String? = nil
    ) throws(TableError) {
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
        while try convertingErrors({ () throws(SQLiteError) in try rows.step() }) {
            RecordWriter.append(rows.blob(0).dropFirst(spaceBytes), to: &content)
            RecordWriter.append(rows.blob(1), to: &content)
            itemCount += 1
            if content.count >= BlockFile.contentBytes {
                if isCancelled() { throw .closed }
                try flush(companion)
            }
        }
        try flush(companion)
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
