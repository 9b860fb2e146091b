import CSQLite
import Glibc

/// One connection to a SQLite database.
///
/// Used by one thread at a time: it is opened without SQLite's own mutex, and is not `Sendable`. Whoever hands it from
/// one queue to another makes sure that the first is done with it.
package final class DatabaseConnection {
    /// How a database is opened.
    package enum Mode: Sendable {
        /// Reading and writing; the file is created when there is none.
        case create
        /// Reading and writing of a file that exists.
        case readWrite
        /// Reading of a file that exists.
        case readOnly
        /// Reading of a file that nobody has open, in the state that it was left in, its log included: nothing is
        /// written, neither to the files nor beside them.
        case asItLies
    }

    /// The database file, or `:memory:`.
    package let path: String

    /// How many frames the write-ahead log had after this connection's last commit.
    package private(set) var walFrames = 0

    private var handle: OpaquePointer?
    /// Prepared statements by the address of their text, which is static and so never moves.
    private var statements: [UnsafePointer<UInt8>: Statement] = [:]

    /// Opens a database.
    ///
    /// - Parameters:
    ///   - path: the file, by a path without links; or `:memory:` for a database of this connection alone.
    ///   - mode: what the connection may do.
    ///   - busyTimeoutMilliseconds: how long a call waits for the lock of another connection.
    /// - Throws: `cannotOpen` and others. A file that is no database is found out at the first statement.
    package init(path: String, mode: Mode, busyTimeoutMilliseconds: Int32) throws(SQLiteError) {
        precondition(sqlite3_threadsafe() != 0, "SQLite was built without support for threads")
        self.path = path
        var (name, flags, system): (String, Int32, String?) = (
            path, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, nil
        )
        switch mode {
        case .create: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        case .readWrite: flags |= SQLITE_OPEN_READWRITE
        case .readOnly: flags |= SQLITE_OPEN_READONLY
        case .asItLies:
            flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
            let hasLog = Self.hasContent(path + "-wal")
            // Without locks, the index of the log is kept in memory and not in a file. A file that is said not to
            // change has no log looked for, which would make one.
            name = Self.uri(path) + (hasLog ? "" : "?immutable=1")
            if hasLog { system = "unix-none" }
        }
        let status = sqlite3_open_v2(name, &handle, flags, system)
        guard status == SQLITE_OK else {
            // The handle exists even so, and holds the message.
            let failure = error("open", status: status)
            sqlite3_close(handle)
            throw failure
        }
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, busyTimeoutMilliseconds)
        if mode == .asItLies {
            csqlite_keep_log_on_close(handle)
            try execute("PRAGMA locking_mode = EXCLUSIVE", operation: "open")
        }
    }

    /// A path as SQLite reads it out of a URI.
    private static func uri(_ path: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return "file:"
            + path.utf8.map { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: "_"):
                    String(UnicodeScalar(byte))
                default: "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
                }
            }.joined()
    }

    private static func hasContent(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_size > 0
    }

    deinit { close() }

    /// Finishes every statement and closes the database; nothing can be done with the connection afterwards.
    package func close() {
        for statement in statements.values { statement.finalize() }
        statements.removeAll()
        // Every statement was finalized, so this cannot answer busy except for a backup under way, which holds its own
        // reference to the handle until it is finished.
        sqlite3_close_v2(handle)
        handle = nil
    }

    /// The prepared statement of `sql`, which is compiled once a connection.
    ///
    /// - Returns: the statement, reset and ready for binding. A caller resets it when it is done with its rows.
    package func statement(_ sql: StaticString) throws(SQLiteError) -> Statement {
        let key = sql.utf8Start
        if let statement = statements[key] { return statement }
        var prepared: OpaquePointer?
        let text = UnsafeRawPointer(key).assumingMemoryBound(to: CChar.self)
        errno = 0
        let status = sqlite3_prepare_v3(
            handle, text, Int32(sql.utf8CodeUnitCount), UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard status == SQLITE_OK, let prepared else { throw error("prepare a statement for", status: status) }
        let statement = Statement(prepared, connection: self)
        statements[key] = statement
        return statement
    }

    /// Runs statements that response no rows of interest, such as the creation of tables, one after another.
    package func execute(_ sql: StaticString, operation: StaticString = "write") throws(SQLiteError) {
        let text = UnsafeRawPointer(sql.utf8Start).assumingMemoryBound(to: CChar.self)
        errno = 0
        let status = sqlite3_exec(handle, text, nil, nil, nil)
        guard status == SQLITE_OK else { throw error("\(operation)", status: status) }
    }

    /// The row identifier that the last insertion made.
    package var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }

    /// How many rows the last insertion, change or removal touched.
    package var changedRows: Int { Int(sqlite3_changes(handle)) }

    /// Whether a transaction is open.
    package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Gives back what is kept in memory of pages of the file that are not in use.
    package func releaseMemory() { sqlite3_db_release_memory(handle) }

    /// Ends what the connection is doing, with an error. Any thread may call it, as long as the connection is open.
    package func interrupt() { sqlite3_interrupt(handle) }

    /// The error that the last call on this connection ended with. `errno` was 0 before that call.
    func error(_ operation: String, status: Int32) -> SQLiteError {
        let number = errno
        if status & 0xff == SQLITE_CORRUPT, let unread = unreadError(operation) { return unread }
        let extended = sqlite3_extended_errcode(handle)
        return SQLiteError(
            operation: operation, path: path,
            // A call that never reached the handle (misuse) leaves no error there.
            extendedCode: extended & 0xff == status & 0xff ? extended : status,
            message: String(cString: handle == nil ? sqlite3_errstr(status) : sqlite3_errmsg(handle)),
            systemError: systemError(of: status, number))
    }

    /// The system's error number that belongs to the result of a call.
    ///
    /// - Parameter number: `errno` after the call; it was 0 before. SQLite does not note it when a `COMMIT` fails, and
    ///   answers 0 then or the number of an earlier call.
    private func systemError(of status: Int32, _ number: Int32) -> Int32 {
        switch status & 0xff {
        case SQLITE_IOERR, SQLITE_CANTOPEN: number == 0 ? sqlite3_system_errno(handle) : number
        default: 0
        }
    }

    /// The error of the device if the last call could not read something; `errno` was 0 before that call.
    ///
    /// SQLite says of a page that cannot be read that the database is malformed, and its own check counts it among the
    /// damaged ones. Whoever believes that restores a backup over good data.
    func unreadError(_ operation: String) -> SQLiteError? {
        let number = errno
        guard number == EIO || number == ENXIO else { return nil }
        return SQLiteError(
            operation: operation, path: path, extendedCode: SQLiteError.unreadable,
            message: String(cString: sqlite3_errstr(SQLITE_IOERR)), systemError: number)
    }

    /// The first bytes of the index of the write-ahead log, which the connection has in memory once it has read.
    func logIndex(bytes count: Int) throws(SQLiteError) -> [UInt8] {
        var file: UnsafeMutablePointer<sqlite3_file>?
        var region: UnsafeMutableRawPointer?
        var status = sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file)
        if status == SQLITE_OK {
            status = file?.pointee.pMethods?.pointee.xShmMap?(file, 0, 32768, 0, &region) ?? SQLITE_OK
        }
        guard status == SQLITE_OK else { throw error("check the log of", status: status) }
        // Where there is no log, there is no index.
        return region.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: count)) }
            ?? Array(repeating: 0, count: count)
    }

    /// Runs `body` with SQLite's handle.
    func withHandle<Result>(_ body: (OpaquePointer?) -> Result) -> Result { body(handle) }
}

extension DatabaseConnection {
    /// Sets the connection up for durable writing: write-ahead log, a sync at every commit, and no checkpoints of its
    /// own accord (see `checkpoint`).
    package func prepareForWriting() throws(SQLiteError) {
        let journal = try statement("PRAGMA journal_mode = WAL")
        defer { journal.reset() }
        let mode = try journal.step("open") ? journal.text(0) : ""
        // A database in memory has no log, and needs none.
        guard mode == "wal" || mode == "memory" else {
            throw SQLiteError(
                operation: "open", path: path, extendedCode: SQLITE_CANTOPEN,
                message: "the file system does not support a write-ahead log, only \(mode)")
        }
        try execute("PRAGMA synchronous = FULL", operation: "open")
        // Registering a hook also turns SQLite's automatic checkpoints off.
        sqlite3_wal_hook(
            handle,
            { context, _, _, frames in
                guard let context else { return SQLITE_OK }
                Unmanaged<DatabaseConnection>.fromOpaque(context).takeUnretainedValue().walFrames = Int(frames)
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// How a checkpoint deals with others.
    package enum Checkpoint: Sendable {
        /// Moves what it can without waiting for anybody.
        case passive
        /// Waits for writers and readers, so that the next write begins the log anew, in the file as it is: to write
        /// over blocks that a file has is cheaper to sync than to make it longer.
        case restart
        /// The same, and the log's file is cut off.
        case truncate

        fileprivate var mode: Int32 {
            switch self {
            case .passive: SQLITE_CHECKPOINT_PASSIVE
            case .restart: SQLITE_CHECKPOINT_RESTART
            case .truncate: SQLITE_CHECKPOINT_TRUNCATE
            }
        }
    }

    /// Moves the content of the write-ahead log into the database file.
    ///
    /// - Returns: how many frames the log has, and how many of them are in the database file now.
    @discardableResult
    package func checkpoint(_ kind: Checkpoint) throws(SQLiteError) -> (frames: Int, moved: Int) {
        // A connection that has read nothing yet has not opened the log, and SQLite then moves nothing without a word.
        try statement("SELECT 1 FROM sqlite_schema LIMIT 1").run("checkpoint")
        var frames: Int32 = 0
        var moved: Int32 = 0
        let status = sqlite3_wal_checkpoint_v2(handle, nil, kind.mode, &frames, &moved)
        guard status == SQLITE_OK else { throw error("checkpoint", status: status) }
        return (Int(frames), Int(moved))
    }

    /// Rewrites the database, so that it has no pages that are not in use and no page has traces of what was removed.
    /// The pages before that are in the log until that is cut off. O(file).
    package func compact() throws(SQLiteError) { try execute("VACUUM", operation: "compact") }

    /// How many bytes the database has.
    package func sizeBytes() throws(SQLiteError) -> Int64 {
        let size = try statement("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        defer { size.reset() }
        return try size.step() ? size.int64(0) : 0
    }

    /// What SQLite's own check of the file finds wrong, nothing when it is in order. O(file).
    package func integrityProblems() throws(SQLiteError) -> [String] {
        let check = try statement("PRAGMA integrity_check(100)")
        defer { check.reset() }
        var problems: [String] = []
        while try check.step() {
            if let unread = unreadError("check") { throw unread }
            problems.append(check.text(0))
        }
        return problems == ["ok"] ? [] : problems
    }

    /// A number that differs from the one before when another connection changed the database in between.
    package func dataVersion() throws(SQLiteError) -> Int64 {
        let version = try statement("PRAGMA data_version")
        defer { version.reset() }
        return try version.step() ? version.int64(0) : 0
    }
}
