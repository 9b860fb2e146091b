import Bytes

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
    /// The table cannot be restored to this time, in milliseconds since 1970: what is needed for it is damaged.
    case lostRestoreTime(time: Int64, damages: [LogDamage])
    /// The clock has shown this time more than once: when, in words.
    case ambiguousRestoreTime(time: Int64, passes: [String])
    /// The backup is of a store with another value of a setting by which its content has to be read.
    case otherSetting(name: String, ofBackup: String, ofStore: String)
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
            "The table can be restored to a time from \(RFC3339.utc(earliest)) "
                + "to \(RFC3339.utc(latest))"
        case .lostRestoreTime(let time, let damages):
            "The table cannot be restored to \(RFC3339.utc(time)): "
                + damages.map(\.description).joined(separator: "; ")
        case .ambiguousRestoreTime(let time, let passes):
            "The clock was set back and has shown \(RFC3339.utc(time)) more than once: "
                + passes.enumerated().map { "\($0 + 1). \($1)" }.joined(separator: "; ")
                + ". Say which is meant: flag-server restore --time … --pass 1"
        case .otherSetting(let name, let ofBackup, let ofStore):
            "The backup is of a server with \(name) \(ofBackup), and here it is \(ofStore): the same content would "
                + "mean something else. Restore it into a directory of its own: flag-server restore FILE.backup "
                + "--create --data-dir NEW"
        }
    }
}

extension TableError {
    /// The file of a backup is not what was written.
    package static func damaged(_ file: String, _ reason: String) -> TableError {
        .backup(.damaged(file: file, reason: reason))
    }
}
