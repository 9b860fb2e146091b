import DynamoModel
import SQLite

extension ChangeJournal {
    /// What the stream has of a change beside its place: who made it, and the item before it and afterwards.
    struct Images {
        /// Who made it, and how.
        let record: String
        /// Nil when it was new.
        let old: [UInt8]?
        /// Nil when it was removed.
        let new: [UInt8]?
    }

    /// What a change has in the file, encoded and not encrypted.
    ///
    /// - Parameters:
    ///   - row: a row of changes.
    ///   - record: the column that says who made it.
    ///   - old: the column of the image before, which may be a difference to the one afterwards.
    ///   - new: the column of the image afterwards.
    static func images(
        _ row: Statement, record: Int32, old: Int32, new: Int32, _ seal: ItemSeal
    ) throws(ItemCodecError) -> Images {
        let key = try ChangeImage.parts(row.isNull(new) ? row.blob(old) : row.blob(new))?.key
        let record =
            try key.map { (key) throws(ItemCodecError) in
                try seal.open(record: row.text(record), at: key)
            } ?? row.text(record)
        let after = row.isNull(new) ? nil : try seal.open(image: row.blob(new))
        if row.isNull(old) { return Images(record: record, old: nil, new: after) }
        let before = try seal.open(image: row.blob(old)) { (before) throws(ItemCodecError) in
            guard let after else { return try ItemDifference.decode(before, to: nil) }
            let item = after.withUnsafeBytes { after in
                Result { () throws(ItemCodecError) in try ItemDifference.decode(before, to: after) }
            }
            return try item.get()
        }
        return Images(record: record, old: before, new: after)
    }
}

// MARK: - For logs

extension ChangeJournal {
    /// The changes of some tables after a position, as logs hold them.
    ///
    /// - Parameters:
    ///   - connection: one inside a read transaction.
    ///   - sequence: the position.
    ///   - tables: the tables.
    ///   - bytes: about how many bytes are answered at most.
    /// - Returns: the records by table, and the last change that was looked at; `sequence` when there is none.
    static func records(
        _ connection: DatabaseConnection, after sequence: Int64, of tables: Set<String>, bytes: Int, _ seal: ItemSeal
    ) throws(TableError) -> (records: [String: [StoredChange]], last: Int64) {
        let definitions = try StoreFile.definitions(connection).filter { tables.contains($0.key) }
        let rows = try convertingErrors { () throws(SQLiteError) in
            let rows = try connection.statement(
                "SELECT sequence, committed_at, name, old, new FROM change WHERE sequence > ?1 ORDER BY sequence")
            try rows.bind(sequence, at: 1)
            return rows
        }
        defer { rows.reset() }
        var records: [String: [StoredChange]] = [:]
        var last = sequence
        var taken = 0
        while taken < bytes, try convertingErrors({ () throws(SQLiteError) in try rows.step() }) {
            last = rows.int64(0)
            // Even a change of another table takes its time.
            taken += 64
            guard let definition = definitions[rows.text(2)], last > definition.startSequence else { continue }
            let record = try record(rows, definition, connection, seal)
            records[definition.name, default: []].append(record)
            taken += record.key.count + (record.content?.count ?? 0)
        }
        return (records, last)
    }

    /// The changes of a table that is no more after a position, as logs hold them.
    ///
    /// - Parameters:
    ///   - connection: one inside a read transaction.
    ///   - sequence: the position.
    ///   - end: the last change of the store that may be one of it.
    ///   - definition: the table as it was.
    ///   - bytes: about how many bytes are answered at most.
    /// - Returns: the records, and the last change that was looked at; `sequence` when there is none.
    static func records(
        _ connection: DatabaseConnection, after sequence: Int64, upTo end: Int64, of definition: TableDefinition,
        bytes: Int, _ seal: ItemSeal
    ) throws(TableError) -> (records: [StoredChange], last: Int64) {
        let rows = try convertingErrors { () throws(SQLiteError) in
            let rows = try connection.statement(
                """
                SELECT sequence, committed_at, name, old, new FROM change
                WHERE sequence > ?1 AND sequence <= ?2 ORDER BY sequence
                """)
            try rows.bind(sequence, at: 1)
            try rows.bind(end, at: 2)
            return rows
        }
        defer { rows.reset() }
        var records: [StoredChange] = []
        var last = sequence
        var taken = 0
        while taken < bytes, try convertingErrors({ () throws(SQLiteError) in try rows.step() }) {
            last = rows.int64(0)
            taken += 64
            guard rows.text(2) == definition.name, last > definition.startSequence else { continue }
            let record = try record(rows, definition, connection, seal)
            records.append(record)
            taken += record.key.count + (record.content?.count ?? 0)
        }
        return (records, last)
    }

    /// The change in a row of sequence, time, name, old and new image.
    private static func record(
        _ row: Statement, _ definition: TableDefinition, _ connection: DatabaseConnection, _ seal: ItemSeal
    ) throws(TableError) -> StoredChange {
        do throws(ItemCodecError) {
            let image = row.isNull(4) ? row.blob(3) : row.blob(4)
            let key: [UInt8]
            var content: [UInt8]
            if let parts = try ChangeImage.parts(image) {
                (key, content) = (parts.key, [UInt8](parts.stored))
            } else {
                guard let itemKey = definition.key(of: try ItemCodec.decode(image)) else { throw .damaged }
                key = definition.keyBytes(itemKey)
                content = seal.seal([UInt8](image), at: key)
            }
            guard key.starts(with: definition.prefix) else { throw .damaged }
            return StoredChange(
                sequence: row.int64(0), committedAt: row.int64(1), key: Array(key.dropFirst(definition.prefix.count)),
                content: row.isNull(4) ? nil : content)
        } catch {
            throw .storage(StorageFailure(damagedItemIn: connection.path, error))
        }
    }
}
