import DynamoModel
import SQLite

/// The change stream in the file: gives changes their place and time, and lets go of old ones.
///
/// The place is what orders changes. The time is what the clock showed; where that has jumped, the jump is stored with
/// the first change behind it.
struct ChangeJournal {
    /// The sequence of the last change, of the transaction under way if there is one.
    private(set) var lastSequence: Int64 = 0
    /// The commit time of the transaction under way, as the clock shows it.
    private(set) var committedAt: Int64 = 0

    private let retentionMilliseconds: Int64
    private let bytesMax: Int64
    private let retention: ChangeRetention
    private let time: StoreClock
    private var committedSequence: Int64 = 0
    /// When the last change was committed.
    private var lastTime: Int64 = 0
    /// The clock that nobody sets, as it was when the transaction under way began.
    private var elapsed: Int64 = 0
    /// Whether this process has written a change, so that it has seen how the clock ran since the last one.
    private var hasSeenLast = false
    /// How the clock has jumped between the last change and the transaction under way.
    private var jump: ClockJump?
    /// The jumps before this change are forgotten with the transaction under way.
    private var forgottenBefore: Int64?
    /// How much there is, with the transaction under way.
    private var size = StreamSize()
    /// The last change up to which the file says how much there is; nil when it does not.
    private var notedSequence: Int64?
    /// When old changes are looked for, by the clock that nobody sets: nil until the first transaction.
    private var pruneAt: Int64?

    /// How many old changes one transaction removes at most: it should not wait long for that.
    private static let pruneRowsMax: Int64 = 1000
    /// How long until old changes are looked for again when there were not more of them. So long after the start, too:
    /// by then, whoever still needs some has said so.
    private static let pruneIntervalMilliseconds: Int64 = 60_000
    /// The same while there are more bytes than there should be.
    private static let pruneAgainMilliseconds: Int64 = 1000
    /// After how many changes the file is told again how much there is: as many are counted at a start.
    private static let noteInterval: Int64 = 10_000

    /// A journal that goes on where the one in the file ends.
    init(
        _ connection: DatabaseConnection, _ limits: TableLimits, _ retention: ChangeRetention, _ time: StoreClock
    ) throws(SQLiteError) {
        retentionMilliseconds = limits.changeRetentionMilliseconds
        bytesMax = limits.changeBytesMax
        self.retention = retention
        self.time = time
        try reload(connection)
    }

    /// Reads again where the file's journal ends. The last change is never pruned, so that the sequence cannot begin
    /// anew.
    mutating func reload(_ connection: DatabaseConnection) throws(SQLiteError) {
        (lastSequence, lastTime) = try Self.end(connection)
        (committedSequence, hasSeenLast) = (lastSequence, false)
        let history = try ClockHistory(connection)
        if history != time.history {
            // Others have seen a jump and stored it: it is not to be seen again.
            time.history = history
            time.anchor(wall: time.wall(), elapsed: time.elapsed())
        }
        (size, notedSequence) = try Self.size(connection)
        retention.size = size
    }

    /// The last change in the file, and when it was committed; zeros when there is none.
    static func end(_ connection: DatabaseConnection) throws(SQLiteError) -> (sequence: Int64, committedAt: Int64) {
        let last = try connection.statement(
            "SELECT sequence, committed_at FROM change ORDER BY sequence DESC LIMIT 1")
        defer { last.reset() }
        return try last.step() ? (last.int64(0), last.int64(1)) : (0, 0)
    }

    /// The first change in the file, 0 when there is none.
    static func start(_ connection: DatabaseConnection) throws(SQLiteError) -> Int64 {
        let first = try connection.statement("SELECT sequence FROM change ORDER BY sequence LIMIT 1")
        defer { first.reset() }
        return try first.step() ? first.int64(0) : 0
    }

    /// When the first change in the file was committed, nil when there is none.
    static func firstTime(_ connection: DatabaseConnection) throws(SQLiteError) -> Int64? {
        let first = try connection.statement("SELECT committed_at FROM change ORDER BY sequence LIMIT 1")
        defer { first.reset() }
        return try first.step() ? first.int64(0) : nil
    }

    /// Begins a transaction when the clock shows `now`.
    mutating func begin(at now: Int64) {
        lastSequence = committedSequence
        committedAt = now
        elapsed = time.elapsed()
        forgottenBefore = nil
        let expected = time.expected
        time.look(now, after: committedSequence, notBefore: lastTime)
        let from = hasSeenLast ? max(expected, lastTime) : lastTime
        let hasJumped = now < lastTime || (now &- from).magnitude > UInt64(ClockHistory.toleranceMilliseconds)
        jump =
            hasJumped && committedSequence > 0
            ? ClockJump(after: committedSequence, from: from, to: now, isSeen: hasSeenLast) : nil
        size = retention.size
        _ = retention.takeReleased()
        if pruneAt == nil { pruneAt = elapsed + Self.pruneIntervalMilliseconds }
    }

    /// The transaction is durable.
    mutating func commit() {
        if lastSequence > committedSequence {
            if let jump { time.history.append(jump) }
            (committedSequence, lastTime, jump, hasSeenLast) = (lastSequence, committedAt, nil, true)
        }
        if let forgottenBefore { time.history.forget(before: forgottenBefore) }
        // Until a change has stored the jump, the clock is told by what it showed before.
        if jump == nil { time.anchor(wall: committedAt, elapsed: elapsed) }
        retention.size = size
    }

    /// Writes one change of the transaction under way.
    ///
    /// - Returns: the change's sequence.
    mutating func append(
        _ connection: DatabaseConnection, table: String, _ images: Images
    ) throws(SQLiteError) -> Int64 {
        if let jump, lastSequence == committedSequence { try ClockHistory.store(jump, connection) }
        lastSequence += 1
        let insert = try connection.statement(
            """
            INSERT INTO change(sequence, committed_at, name, principal, old, new) VALUES(?1, ?2, ?3, ?4, ?5, ?6)
            """)
        try insert.bind(lastSequence, at: 1)
        try insert.bind(committedAt, at: 2)
        try insert.bind(table, at: 3)
        try insert.bind(images.record, at: 4)
        try insert.bind(images.old, at: 5)
        try insert.bind(images.new, at: 6)
        try insert.run()
        if size.first == 0 { size.first = lastSequence }
        size.last = lastSequence
        size.countedBytes += StreamSize.rowBytes + Int64(table.utf8.count + images.record.utf8.count)
        size.countedBytes += Int64((images.old?.count ?? 0) + (images.new?.count ?? 0))
        return lastSequence
    }

    /// Removes some of the changes that are older than the retention, or more than there should be, and needed by
    /// nobody, now and then.
    mutating func prune(_ connection: DatabaseConnection) throws(SQLiteError) {
        let released = retention.takeReleased()
        size.countedBytes -= released
        var isChanged = released > 0
        if let due = pruneAt, elapsed >= due {
            let removed = try removeOld(connection)
            try forgetJumps(connection)
            isChanged = isChanged || removed > 0
            let isOver = bytesMax > 0 && size.bytes > bytesMax
            let pause = isOver ? Self.pruneAgainMilliseconds : Self.pruneIntervalMilliseconds
            pruneAt = removed == Self.pruneRowsMax ? elapsed : elapsed + pause
        }
        if isChanged || notedSequence.map({ lastSequence - $0 >= Self.noteInterval }) ?? true {
            try Self.note(size, connection)
            notedSequence = lastSequence
        }
    }

    /// Forgets the jumps of the clock before all changes of which somebody has the time.
    private mutating func forgetJumps(_ connection: DatabaseConnection) throws(SQLiteError) {
        let kept = min(size.first, retention.firstKept)
        for jump in time.history.jumps where jump.after < kept { try ClockHistory.remove(jump, connection) }
        forgottenBefore = kept
    }

    /// Removes changes from the beginning of the stream, so that it never has a gap. What the clock shows for a moment
    /// makes none of them old.
    ///
    /// - Returns: how many.
    private mutating func removeOld(_ connection: DatabaseConnection) throws(SQLiteError) -> Int64 {
        let rows = try connection.statement(
            """
            SELECT sequence, committed_at, coalesce(length(old), 0) + coalesce(length(new), 0)
                + length(CAST(name AS BLOB)) + length(CAST(principal AS BLOB)) + 24
            FROM change WHERE sequence < ?1 ORDER BY sequence LIMIT ?2
            """)
        try rows.bind(min(lastSequence, retention.bound), at: 1)
        try rows.bind(Self.pruneRowsMax, at: 2)
        defer { rows.reset() }
        let oldest = time.timeForForgetting.map { $0 - retentionMilliseconds } ?? .min
        let history = time.history
        var after = size
        var removed: Int64 = 0
        while try rows.step() {
            let isTooMuch = bytesMax > 0 && after.bytes > bytesMax
            let sequence = rows.int64(0)
            guard isTooMuch || history.inPresentTime(rows.int64(1), of: sequence) < oldest else { break }
            if sequence > after.countedAfter { after.countedBytes -= rows.int64(2) }
            after.first = sequence + 1
            removed += 1
        }
        rows.reset()
        guard removed > 0 else { return 0 }
        let delete = try connection.statement("DELETE FROM change WHERE sequence < ?1")
        try delete.bind(after.first, at: 1)
        try delete.run()
        size = after
        return removed
    }

    /// Lets the content go of changes of a table that is no more, in the caller's transaction. The rows stay, since a
    /// stream without gaps is what shows that nothing of it is missing.
    static func release(
        _ connection: DatabaseConnection, of table: String, in sequences: ClosedRange<Int64>,
        _ retention: ChangeRetention
    ) throws(SQLiteError) {
        let sum = try connection.statement(
            """
            SELECT coalesce(sum(
                coalesce(length(old), 0) + coalesce(length(new), 0) + length(CAST(principal AS BLOB))), 0)
            FROM change WHERE sequence BETWEEN max(?1, ?4) AND ?2 AND name = ?3
            """)
        try sum.bind(sequences.lowerBound, at: 1)
        try sum.bind(sequences.upperBound, at: 2)
        try sum.bind(table, at: 3)
        try sum.bind(retention.size.countedAfter + 1, at: 4)
        let released = try sum.step() ? sum.int64(0) : 0
        sum.reset()
        retention.release(released)
        let update = try connection.statement(
            """
            UPDATE change SET old = NULL, new = NULL, principal = ''
            WHERE sequence BETWEEN ?1 AND ?2 AND name = ?3
            """)
        try update.bind(sequences.lowerBound, at: 1)
        try update.bind(sequences.upperBound, at: 2)
        try update.bind(table, at: 3)
        try update.run()
    }

    /// Bytes of items that are read at a time, and those of one change more.
    private static let bytesPerRead = 8 << 20

    /// Changes after a position, in order: up to `limit`, and no more once their items have `bytesPerRead` bytes. None
    /// only where the stream ends. Those of tables that were deleted are passed over, however many there are.
    static func changes(
        _ connection: DatabaseConnection, after sequence: Int64, limit: Int, _ seal: ItemSeal
    ) throws(TableError) -> [TableChange] {
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
        var changes: [TableChange] = []
        var bytes = 0
        while changes.count < limit, bytes < bytesPerRead,
            try convertingErrors({ () throws(SQLiteError) in try rows.step() })
        {
            do throws(ItemCodecError) {
                if let change = try change(rows, definitions, seal) {
                    changes.append(change)
                    bytes += change.bytes
                }
            } catch {
                throw .storage(StorageFailure(damagedItemIn: path, error))
            }
        }
        return changes
    }

    private static func change(
        _ row: Statement, _ definitions: [String: TableDefinition], _ seal: ItemSeal
    ) throws(ItemCodecError) -> TableChange? {
        let name = row.text(2)
        // Changes of a table that was deleted are passed over: without its schema they have no key.
        guard let definition = definitions[name], row.int64(0) > definition.startSequence else { return nil }
        let images = try images(row, record: 3, old: 4, new: 5, seal)
        let new: Item? = if let image = images.new { try ItemCodec.decode(image) } else { nil }
        let old: Item? = if let image = images.old { try ItemCodec.decode(image) } else { nil }
        guard let key = (new ?? old).flatMap(definition.key(of:)) else { return nil }
        return TableChange(
            sequence: row.int64(0), committedAt: row.int64(1), principal: Principal(record: images.record),
            table: name, key: key, oldItem: old, newItem: new,
            bytes: (images.old?.count ?? 0) + (images.new?.count ?? 0))
    }
}
