import CSQLite

/// A copy of a database made while it is in use.
///
/// The source connection should be inside a read transaction: the copy is then of that one state, and commits of
/// others do not make it start over. Source: sqlite.org/backup.html.
package final class Backup {
    private let destination: DatabaseConnection
    private var handle: OpaquePointer?

    /// How far a copy is.
    package struct Progress: Sendable, Equatable {
        /// The pages still to be copied.
        package let remaining: Int
        /// The pages of the source.
        package let total: Int
    }

    /// Prepares a copy of the database behind `source` into the file at `path`, which is overwritten if it exists.
    package init(of source: DatabaseConnection, to path: String) throws(SQLiteError) {
        destination = try DatabaseConnection(path: path, mode: .create, busyTimeoutMilliseconds: 0)
        handle = destination.withHandle { target in
            source.withHandle { sqlite3_backup_init(target, "main", $0, "main") }
        }
        guard handle != nil else { throw destination.error("begin a backup to", status: SQLITE_ERROR) }
    }

    deinit { sqlite3_backup_finish(handle) }

    /// Copies up to so many pages.
    ///
    /// - Returns: how far it is; nil when the copy is complete and durable.
    package func step(pages: Int32) throws(SQLiteError) -> Progress? {
        let status = sqlite3_backup_step(handle, pages)
        switch status {
        case SQLITE_DONE:
            let status = sqlite3_backup_finish(handle)
            handle = nil
            guard status == SQLITE_OK else { throw destination.error("finish the backup", status: status) }
            destination.close()
            return nil
        case SQLITE_OK:
            return Progress(
                remaining: Int(sqlite3_backup_remaining(handle)), total: Int(sqlite3_backup_pagecount(handle)))
        default:
            throw SQLiteError(
                operation: "copy pages to", path: destination.path, extendedCode: status,
                message: String(cString: sqlite3_errstr(status)))
        }
    }

    /// Copies the whole database behind `source` into the file at `path`, of one state.
    package static func copy(
        _ source: DatabaseConnection, to path: String, pagesPerStep: Int32 = 256
    ) throws(SQLiteError) {
        try source.read(failing: { $0 }) { () throws(SQLiteError) in
            let backup = try Backup(of: source, to: path)
            while try backup.step(pages: pagesPerStep) != nil {}
        }
    }
}
