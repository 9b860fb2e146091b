/// A backup of one table, of one moment.
package struct BackupDescription: Sendable, Equatable {
    /// Who asked for a backup.
    package enum Kind: String, Sendable {
        /// An operator.
        case user = "USER"
        /// The engine itself, when a table was replaced, or one with continuous backups was deleted.
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

    /// Takes the parts as they are.
    package init(
        id: String, name: String, kind: Kind, createdAt: Int64, expiresAt: Int64?, sizeBytes: Int64,
        table: TableDescription
    ) {
        self.id = id
        self.name = name
        self.kind = kind
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.sizeBytes = sizeBytes
        self.table = table
    }
}

/// A backup as a list has it: whatever state it is in, it can be deleted by its identifier.
package enum ListedBackup: Sendable, Equatable {
    /// One that a table can be restored from.
    case available(BackupDescription)
    /// One of a table that was replaced or deleted, whose file is being made; its content is in the store until then.
    case creating(BackupDescription)
    /// One whose file is not what was written, or cannot be read.
    case damaged(DamagedBackup)

    /// The identifier.
    package var id: String {
        switch self {
        case .available(let backup), .creating(let backup): backup.id
        case .damaged(let backup): backup.id
        }
    }

    /// What it is of; nil when its file does not say so any more.
    package var description: BackupDescription? {
        switch self {
        case .available(let backup), .creating(let backup): backup
        case .damaged: nil
        }
    }

    /// Whether it is one of those that a list is about. Of a damaged one only its time is known: it is in every list of
    /// that time, since nobody can say that it is none of them.
    package func isOne(of filter: BackupFilter) -> Bool {
        switch self {
        case .available(let backup), .creating(let backup): filter.takes(backup)
        case .damaged(let backup): filter.takes(timeOf: backup.createdAt)
        }
    }
}

/// A backup whose file is not what was written, or cannot be read.
package struct DamagedBackup: Sendable, Equatable {
    /// The identifier, by the name of the file.
    package let id: String
    /// When it was made, in milliseconds since 1970, by the identifier.
    package let createdAt: Int64
    /// The size of its file in bytes, 0 when even that cannot be told.
    package let sizeBytes: Int64
    /// What is wrong, with the path of the file.
    package let reason: String

    /// Takes the parts as they are.
    package init(id: String, createdAt: Int64, sizeBytes: Int64, reason: String) {
        self.id = id
        self.createdAt = createdAt
        self.sizeBytes = sizeBytes
        self.reason = reason
    }
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
            && takes(timeOf: backup.createdAt)
    }

    /// Whether a backup of this time may be one of these.
    func takes(timeOf createdAt: Int64) -> Bool {
        (from.map { $0 <= createdAt } ?? true) && (to.map { createdAt < $0 } ?? true)
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
    /// What is damaged of them, and which times between cannot be restored for it.
    package var damages: [LogDamage] = []

    /// Takes the parts as they are.
    package init(
        restorable: ClosedRange<Int64>?, recoveryPeriodDays: Int = recoveryPeriodDaysMax, damages: [LogDamage] = []
    ) {
        self.restorable = restorable
        self.recoveryPeriodDays = recoveryPeriodDays
        self.damages = damages
    }

    /// Whether continuous backups are on.
    package var isEnabled: Bool { restorable != nil }
}

/// Continuous backups that ended with their table, when it was replaced or deleted: it can be restored from them for
/// as long as if it was still there.
package struct EndedContinuousBackups: Sendable, Equatable {
    /// The table's name.
    package let table: String
    /// When the table was replaced or deleted, in milliseconds since 1970.
    package let endedAt: Int64
    /// The earliest and the latest time that the table can be restored to, in milliseconds since 1970; nil when what
    /// there is of it cannot be read.
    package let restorable: ClosedRange<Int64>?
    /// What is wrong with it; nil when nothing is.
    package let trouble: TableError?

    /// Takes the parts as they are.
    package init(table: String, endedAt: Int64, restorable: ClosedRange<Int64>?, trouble: TableError?) {
        self.table = table
        self.endedAt = endedAt
        self.restorable = restorable
        self.trouble = trouble
    }
}

/// The time that a table is restored to.
package enum RestorePoint: Sendable, Equatable {
    /// The last write that was answered.
    case latest
    /// The last write that was committed when the clock showed this time, in milliseconds since 1970.
    ///
    /// Where the clock was set back it may have shown it several times: `pass` says at which, from 1; nil where it is
    /// taken for granted that it was one time only.
    case time(Int64, pass: Int? = nil)
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

    /// Takes the parts as they are.
    package init(backup: String?, sourceTable: String, restoredTo: Int64, isInProgress: Bool) {
        self.backup = backup
        self.sourceTable = sourceTable
        self.restoredTo = restoredTo
        self.isInProgress = isInProgress
    }
}
