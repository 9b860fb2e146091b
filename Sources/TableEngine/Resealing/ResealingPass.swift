import DynamoModel
import SQLite

/// One step of encrypting anew, within a transaction of the writer.
struct ResealingPass {
    private let connection: DatabaseConnection
    private let seal: ItemSeal
    private let retention: ChangeRetention
    private let rowsMax: Int
    private let bytesMax: Int
    private var rows = 0
    private var bytes = 0
    /// How many items and changes cannot be read: they are left as they are, for a verification to find.
    private(set) var unread = 0

    init(_ connection: DatabaseConnection, _ store: OpenStore, rows: Int, bytes: Int) {
        self.connection = connection
        (seal, retention) = (store.seal, store.retention)
        (rowsMax, bytesMax) = (rows, bytes)
    }

    private var isFull: Bool { rows >= rowsMax || bytes >= bytesMax }

    /// Encrypts items anew.
    ///
    /// - Returns: the row of the last one that was looked at.
    mutating func items(after row: Int64, upTo end: Int64) throws(SQLiteError) -> Int64 {
        let select = try connection.statement(
            "SELECT id, key, content FROM item WHERE id > ?1 AND id <= ?2 ORDER BY id")
        try select.bind(row, at: 1)
        try select.bind(end, at: 2)
        defer { select.reset() }
        var last = row
        while !isFull {
            guard try select.step() else { return end }
            (last, rows) = (select.int64(0), rows + 1)
            if seal.isCurrent(select.blob(2)) { continue }
            let key = [UInt8](select.blob(1))
            guard let item = try? seal.open(select.blob(2), at: key) else {
                unread += 1
                continue
            }
            let stored = seal.seal(item, at: key)
            let update = try connection.statement("UPDATE item SET content = ?2 WHERE id = ?1")
            try update.bind(last, at: 1)
            try update.bind(stored, at: 2)
            try update.run()
            bytes += stored.count
        }
        return last
    }

    /// Encrypts the images of changes anew.
    ///
    /// - Returns: the last one that was looked at.
    mutating func changes(after sequence: Int64, upTo end: Int64) throws(SQLiteError) -> Int64 {
        let tables = try KnownTables(connection)
        let select = try connection.statement(
            """
            SELECT sequence, name, old, new, principal FROM change
            WHERE sequence > ?1 AND sequence <= ?2 ORDER BY sequence
            """)
        try select.bind(sequence, at: 1)
        try select.bind(end, at: 2)
        defer { select.reset() }
        var last = sequence
        while !isFull {
            guard try select.step() else { return end }
            (last, rows) = (select.int64(0), rows + 1)
            let images: ChangeJournal.Images?
            do throws(ItemCodecError) { images = try resealed(select, tables) } catch {
                unread += 1
                continue
            }
            if let images {
                let before = select.blob(2).count + select.blob(3).count + select.text(4).utf8.count
                try write(images, last, before: before)
            }
        }
        return last
    }

    private mutating func write(
        _ images: ChangeJournal.Images, _ sequence: Int64, before: Int
    ) throws(SQLiteError) {
        let update = try connection.statement(
            "UPDATE change SET old = ?2, new = ?3, principal = ?4 WHERE sequence = ?1")
        try update.bind(sequence, at: 1)
        try update.bind(images.old, at: 2)
        try update.bind(images.new, at: 3)
        try update.bind(images.record, at: 4)
        try update.run()
        let after = (images.old?.count ?? 0) + (images.new?.count ?? 0) + images.record.utf8.count
        bytes += after
        if sequence > retention.size.countedAfter { retention.release(Int64(before - after)) }
    }

    /// The images of a change as they should be stored; nil when they are.
    private func resealed(
        _ row: Statement, _ tables: KnownTables
    ) throws(ItemCodecError) -> ChangeJournal.Images? {
        let (old, new) = (row.isNull(2) ? nil : row.blob(2), row.isNull(3) ? nil : row.blob(3))
        guard let image = new ?? old else { return nil }
        let key: [UInt8]
        if let parts = try ChangeImage.parts(image) {
            // Both images of a change are written together.
            if seal.isCurrent(parts.stored) { return nil }
            key = parts.key
        } else {
            if !seal.isSealing { return nil }
            key = tables.key(of: try ItemCodec.decode(image), row.text(1), row.int64(0))
        }
        func resealed(_ image: UnsafeRawBufferPointer?) throws(ItemCodecError) -> [UInt8]? {
            guard let image else { return nil }
            return ChangeImage.encode(seal.seal(try seal.open(image: image), at: key), at: key)
        }
        return ChangeJournal.Images(
            record: seal.seal(record: try seal.open(record: row.text(4), at: key), at: key),
            old: try resealed(old), new: try resealed(new))
    }
}

/// The tables that changes in the stream may be of.
private struct KnownTables {
    private let definitions: [(definition: TableDefinition, last: Int64)]

    init(_ connection: DatabaseConnection) throws(SQLiteError) {
        let there = (try? StoreFile.definitions(connection)) ?? [:]
        let former = try FormerTable.all(connection).map { ($0.image.definition, $0.image.sequence) }
        definitions = there.values.map { ($0, .max) } + former
    }

    /// The bytes of an item's key; none where nobody knows the table any more, and nobody reads its changes.
    func key(of item: Item, _ name: String, _ sequence: Int64) -> [UInt8] {
        let table = definitions.first { table in
            table.definition.name == name && table.definition.startSequence < sequence && sequence <= table.last
        }?.definition
        return table.flatMap { table in table.key(of: item).map(table.keyBytes) } ?? []
    }
}
