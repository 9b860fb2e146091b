import HTTPRouting

extension ProblemCode {
    /// There is no such backup.
    static let backupNotFound = ProblemCode("backup_not_found", 404, "There is no such backup")
    /// There is no such table.
    static let tableNotFound = ProblemCode("table_not_found", 404, "There is no such table")
    /// Which table is meant has to be said.
    static let tableNotNamed = ProblemCode("table_not_named", 400, "Which table is meant has to be said")
    /// The table exists already.
    static let tableExists = ProblemCode("table_exists", 409, "The table exists already")
    /// The backup is not what was written.
    static let backupDamaged = ProblemCode("backup_damaged", 409, "The backup is not what was written")
    /// A restore into the table is under way.
    static let restoreInProgress = ProblemCode("restore_in_progress", 409, "A restore into the table is under way")
    /// Continuous backups of the table are off.
    static let continuousBackupsOff = ProblemCode(
        "continuous_backups_off", 409, "Continuous backups of the table are off")
    /// The table cannot be restored to this time.
    static let invalidRestoreTime = ProblemCode(
        "invalid_restore_time", 400, "The table cannot be restored to this time")
    /// Nothing that is stored is encrypted.
    static let encryptionOff = ProblemCode("encryption_off", 409, "Nothing that is stored is encrypted")
    /// What is stored is being encrypted anew.
    static let rotationUnderWay = ProblemCode("rotation_under_way", 409, "What is stored is being encrypted anew")
    /// The backup is of a store of another kind.
    static let otherStore = ProblemCode("backup_of_other_store", 409, "The backup is of a store of another kind")
}
