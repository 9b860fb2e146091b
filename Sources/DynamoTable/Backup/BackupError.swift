/// Why a backup, or a restore from one, did not happen. Nothing of it is left behind.
package enum BackupError: Error, Sendable, Equatable {
    /// There is no backup of this identifier, or it is being made.
    case notFound(String)
    /// The file of a backup, of a base or of a log is not what was written.
    case damaged(file: String, reason: String)
    /// A restore into a table of this name is under way.
    case restoreInProgress(table: String)
    /// Continuous backups of the table are off.
    case pointInTimeUnavailable(table: String)
    /// The table cannot be restored to this time: when it can, in milliseconds since 1970.
    case invalidRestoreTime(earliest: Int64, latest: Int64)
}

extension BackupError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound(let id): "Backup not found: \(id)"
        case .damaged(let file, let reason):
            "\(file) is damaged: \(reason). Take another backup, or a copy of this one from elsewhere"
        case .restoreInProgress(let table):
            "A restore into the table \(table) is under way. Wait for its end, or name another table"
        case .pointInTimeUnavailable(let table): "Point in time recovery is not enabled for table '\(table)'"
        case .invalidRestoreTime(let earliest, let latest):
            "The table can be restored to a time from \(earliest) to \(latest) (milliseconds since 1970)"
        }
    }
}

extension TableError {
    /// The file of a backup is not what was written.
    static func damaged(_ file: String, _ reason: String) -> TableError {
        .backup(.damaged(file: file, reason: reason))
    }
}
