import SQLite

/// The change stream in the file: gives changes their place and time, and lets go of old ones.
struct ChangeJournal {
    /// The sequence of the last change, of the transaction under way if there is one.
    private(set) var lastSequence: Int64 = 0
    /// The commit time of the transaction under way, never before that of an earlier one.
    private(set) var committedAt: Int64 = 0

    private let retentionMilliseconds: Int64
    private let retention: ChangeRetention
    private var committedSequence: Int64 = 0
    private var pruneAt: Int64 = 0

    /// How many old changes one transaction removes at most: it should not wait long for that.
    private static let pruneRowsMax: Int64 = 1000
    /// How long until old changes are looked for again when there were not more of them.
    private static let pruneIntervalMilliseconds: Int64 = 60_000

    /// A journal that goes on where the one in the file ends.
    init(_ connection: Connection, _ limits: TableLimits, _ retention: ChangeRetention) throws(SQLiteError) {
        retentionMilliseconds = limits.changeRetentionMilliseconds
        self.retention = retention
        try reload(connection)
    }

    /// Reads again where the file's journal ends. The last change is never pruned, so that neither the sequence nor the
    /// time can begin anew.
    mutating func reload(_ connection: Connection) throws(SQLiteError) {
        let end = try Self.end(connection)
        lastSequence = end.sequence
        committedSequence = lastSequence
        committedAt = max(committedAt, end.committedAt)
    }

    /// The last change in the file, and when it was committed; zeros when there is none.
    static func end(_ connection: Connection) throws(SQLiteError) -> (sequence: Int64, committedAt: Int64) {
        let last = try connection.statement(
            "SELECT sequence, committed_at FROM change ORDER BY sequence DESC LIMIT 1")
        defer { last.reset() }
        return try last.step() ? (last.int64(0), last.int64(1)) : (0, 0)
    }

    /// The first change in the file, 0 when there is none.
    static func start(_ connection: Connection) throws(SQLiteError) -> Int64 {
        let first = try connection.statement("SELECT sequence FROM change ORDER BY sequence LIMIT 1")
        defer { first.reset() }
        return try first.step() ? first.int64(0) : 0
    }

    /// Begins a transaction at the time `now`, which may have run backwards.
    mutating func begin(at now: Int64) {
        lastSequence = committedSequence
        committedAt = max(committedAt, now)
    }

    /// The transaction is durable.
    mutating func commit() { committedSequence = lastSequence }

    /// Writes one change of the transaction under way.
    ///
    /// - Returns: the change's sequence.
    mutating func append(
        _ connection: Connection, table: String, principal: Principal, old: [UInt8]?, new: [UInt8]?
    ) throws(SQLiteError) -> Int64 {
        lastSequence += 1
        let insert = try connection.statement(
            """
            INSERT INTO change(sequence, committed_at, name, principal, old, new) VALUES(?1, ?2, ?3, ?4, ?5, ?6)
            """)
        try insert.bind(lastSequence, at: 1)
        try insert.bind(committedAt, at: 2)
        try insert.bind(table, at: 3)
        try insert.bind(principal.description, at: 4)
        try insert.bind(old, at: 5)
        try insert.bind(new, at: 6)
        try insert.run()
        return lastSequence
    }

    /// Removes some of the changes that are older than the retention and needed by nobody, now and then.
    mutating func prune(_ connection: Connection) throws(SQLiteError) {
        guard committedAt >= pruneAt else { return }
        let delete = try connection.statement(
            """
            DELETE FROM change WHERE sequence IN (
                SELECT sequence FROM change WHERE sequence < ?1 ORDER BY sequence LIMIT ?2)
            AND committed_at < ?3
            """)
        try delete.bind(min(lastSequence, retention.firstNeeded), at: 1)
        try delete.bind(Self.pruneRowsMax, at: 2)
        try delete.bind(committedAt - retentionMilliseconds, at: 3)
        try delete.run()
        let isMoreToDo = connection.changedRows == Self.pruneRowsMax
        pruneAt = isMoreToDo ? committedAt : committedAt + Self.pruneIntervalMilliseconds
    }

    /// Up to `limit` changes after a position, in order; fewer only where the stream ends. Those of tables that were
    /// deleted are passed over, however many there are.
    static func changes(
        _ connection: Connection, after sequence: Int64, limit: Int
    ) throws(TableError) -> [Change] {
        let definitions = try StoreFile.definitions(connection)
        let path = connection.path
        let rows = try convertingErrors { () throws(SQLiteError) in
            let select = try connection.statement(
                """
                SELECT sequence, committed_at, name, principal, old, new FROM change
                WHERE sequence > ?1 ORDER BY sequence
                """)
            try select.bind(sequence, at: 1)
            return select
        }
        defer { rows.reset() }
        var changes: [Change] = []
        while changes.count < limit, try convertingErrors({ () throws(SQLiteError) in try rows.step() }) {
            do throws(ItemCodecError) {
                if let change = try change(rows, definitions) { changes.append(change) }
            } catch {
                throw .storage(StorageFailure(damagedItemIn: path, error))
            }
        }
        return changes
    }

    private static func change(
        _ row: Statement, _ definitions: [String: TableDefinition]
    ) throws(ItemCodecError) -> Change? {
        let name = row.text(2)
        // Changes of a table that was deleted are passed over: without its schema they have no key.
        guard let definition = definitions[name], row.int64(0) > definition.startSequence else { return nil }
        let old = row.isNull(4) ? nil : try ItemCodec.decode(row.blob(4))
        let new = row.isNull(5) ? nil : try ItemCodec.decode(row.blob(5))
        guard let key = (new ?? old).flatMap(definition.key(of:)) else { return nil }
        return Change(
            sequence: row.int64(0), committedAt: row.int64(1), principal: Principal(description: row.text(3)),
            table: name, key: key, oldItem: old, newItem: new)
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
        _ connection: Connection, after sequence: Int64, of tables: Set<String>, bytes: Int
    ) throws(TableError) -> (records: [String: [LogRecord]], last: Int64) {
        let definitions = try StoreFile.definitions(connection).filter { tables.contains($0.key) }
        let rows = try convertingErrors { () throws(SQLiteError) in
            let rows = try connection.statement(
                "SELECT sequence, committed_at, name, old, new FROM change WHERE sequence > ?1 ORDER BY sequence")
            try rows.bind(sequence, at: 1)
            return rows
        }
        defer { rows.reset() }
        var records: [String: [LogRecord]] = [:]
        var last = sequence
        var taken = 0
        while taken < bytes, try convertingErrors({ () throws(SQLiteError) in try rows.step() }) {
            last = rows.int64(0)
            // Even a change of another table takes its time.
            taken += 64
            guard let definition = definitions[rows.text(2)], last > definition.startSequence else { continue }
            let content = rows.isNull(4) ? nil : [UInt8](rows.blob(4))
            let image = content ?? [UInt8](rows.blob(3))
            guard let key = image.withUnsafeBytes({ try? ItemCodec.decode($0) }).flatMap(definition.key(of:)) else {
                throw .storage(StorageFailure(damagedItemIn: connection.path, .damaged))
            }
            let record = LogRecord(
                sequence: last, committedAt: rows.int64(1),
                key: Array(definition.keyBytes(key).dropFirst(definition.prefix.count)), content: content)
            records[definition.name, default: []].append(record)
            taken += image.count
        }
        return (records, last)
    }
}
