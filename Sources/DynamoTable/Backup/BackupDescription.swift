/// A backup of one table, of one moment.
package struct BackupDescription: Sendable, Equatable {
    /// Who asked for a backup.
    package enum Kind: String, Sendable {
        /// An operator.
        case user = "USER"
        /// The engine itself, when a table with continuous backups was deleted.
        case system = "SYSTEM"
    }

    /// The identifier, which sorts by the time of creation: `0`, milliseconds since 1970, `-`, 8 hexadecimal digits.
    package let id: String
    /// The name that whoever asked has given it; several backups may have the same.
    package let name: String
    /// Who asked for it.
    package let kind: Kind
    /// When it was made, in milliseconds since 1970.
    package let createdAt: Int64
    /// When it is removed by itself, in milliseconds since 1970; nil when it stays until it is deleted.
    package let expiresAt: Int64?
    /// The size of its file in bytes.
    package let sizeBytes: Int64
    /// The table as it was, with the number of its items and their bytes.
    package let table: TableDescription
}

/// Which backups a list is about; nil is any.
package struct BackupFilter: Sendable {
    /// Of the table of this name.
    package var table: String?
    /// Asked for by these.
    package var kind: BackupDescription.Kind?
    /// Made at this time or later, in milliseconds since 1970.
    package var from: Int64?
    /// Made before this time, in milliseconds since 1970.
    package var to: Int64?

    /// All backups.
    package init() {}

    /// Whether a backup is one of these.
    func takes(_ backup: BackupDescription) -> Bool {
        (table.map { $0 == backup.table.schema.name } ?? true) && (kind.map { $0 == backup.kind } ?? true)
            && (from.map { $0 <= backup.createdAt } ?? true) && (to.map { backup.createdAt < $0 } ?? true)
    }
}

/// Whether a table can be restored to points in time, and to which.
package struct ContinuousBackups: Sendable, Equatable {
    /// How many days back a table can be restored at most, and unless it is said otherwise.
    package static let recoveryPeriodDaysMax = 35

    /// The earliest and the latest time that the table can be restored to, in milliseconds since 1970; nil when
    /// continuous backups are off.
    package let restorable: ClosedRange<Int64>?
    /// How many days back it can be restored.
    package var recoveryPeriodDays = recoveryPeriodDaysMax

    /// Whether continuous backups are on.
    package var isEnabled: Bool { restorable != nil }
}

/// The time that a table is restored to.
package enum RestorePoint: Sendable, Equatable {
    /// The last write that was answered.
    case latest
    /// The last write that was committed at this time or before, in milliseconds since 1970.
    case time(Int64)
}

/// Where a restored table comes from.
package struct RestoreSummary: Sendable, Equatable {
    /// The backup; nil when it was restored to a point in time.
    package let backup: String?
    /// The name of the table that the content was of.
    package let sourceTable: String
    /// The time that the content is of, in milliseconds since 1970.
    package let restoredTo: Int64
    /// Whether the restore is still under way.
    package let isInProgress: Bool
}
