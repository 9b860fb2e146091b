import DynamoModel

extension SQLiteTableStore: TableMaintenance {
    package func createBackup(
        of table: String, name: String, watch: WorkWatch
    ) throws(TableError) -> BackupDescription {
        try backups.create(of: table, name: name, kind: .user, watch: watch)
    }

    package func listBackups(_ filter: BackupFilter) throws(TableError) -> [ListedBackup] {
        try backups.list(filter)
    }

    /// When the newest whole backup of a table was made, in milliseconds since 1970; nil when there is none.
    package func newestBackup(of table: String) throws(TableError) -> Int64? { try backups.newest(of: table) }

    package func describeBackup(_ id: String) throws(TableError) -> ListedBackup { try backups.describe(id) }

    package func deleteBackup(_ id: String) throws(TableError) -> ListedBackup { try backups.delete(id) }

    package func restore(
        backup id: String, to target: String, replacing: Bool,
        adjust: @escaping SchemaAdjustment, watch: WorkWatch,
        completion: @escaping @Sendable (Result<TableDescription, TableError>) -> Void
    ) throws(TableError) -> TableDescription {
        let request = BackupService.Request(
            target: target, replaces: replacing, adjust: adjust, watch: watch, completion: completion)
        return try backups.restore(backup: id, request)
    }

    package func restore(
        file path: String, to target: String, replacing: Bool, adjust: @escaping SchemaAdjustment,
        watch: WorkWatch,
        completion: @escaping @Sendable (Result<TableDescription, TableError>) -> Void
    ) throws(TableError) -> TableDescription {
        let request = BackupService.Request(
            target: target, replaces: replacing, adjust: adjust, watch: watch, completion: completion)
        return try backups.restore(file: path, request)
    }

    package func describeBackup(file path: String) throws(TableError) -> BackupDescription {
        let reader = try ImageReader(try StoredFile.open(path))
        return reader.image.backup(sizeBytes: reader.sizeBytes)
    }

    package func restore(
        table: String, at point: RestorePoint, to target: String, replacing: Bool,
        adjust: @escaping SchemaAdjustment, watch: WorkWatch,
        completion: @escaping @Sendable (Result<TableDescription, TableError>) -> Void
    ) throws(TableError) -> TableDescription {
        let request = BackupService.Request(
            target: target, replaces: replacing, adjust: adjust, watch: watch, completion: completion)
        return try backups.restore(table: table, at: point, request)
    }

    package var restoring: [String: TableDescription] { backups.restoring }

    package func restoreSummary(_ table: String) throws(TableError) -> RestoreSummary? { try backups.summary(table) }

    package func setContinuousBackups(
        of table: String, enabled: Bool, recoveryPeriodDays: Int
    ) throws(TableError) -> ContinuousBackups {
        if enabled {
            _ = try catalog.definition(table)
            return try backups.archive.begin(table, recoveryPeriodDays: recoveryPeriodDays)
        }
        let isForgotten = try backups.former.forgetLives(ofTable: table)
        if !isForgotten { _ = try catalog.definition(table) }
        try backups.archive.stop(table)
        return ContinuousBackups(restorable: nil)
    }

    package func endedContinuousBackups() throws(TableError) -> [EndedContinuousBackups] {
        try backups.archive.ended()
    }

    package func continuousBackups(of table: String) throws(TableError) -> ContinuousBackups {
        _ = try catalog.definition(table)
        return try backups.archive.state(of: table)
    }

    package func subscribeToReplacedTables(_ deliver: @escaping @Sendable (String) -> Void) {
        backups.subscribe(deliver)
    }

    /// Why the logs of continuous backups do not follow the writes at the moment; nil when they do. What they lack is
    /// kept in the change stream.
    package var backupTrouble: TableError? { backups.archive.trouble.current }

    /// Calls `deliver` when the logs of continuous backups stop following the writes, with the reason, and with nil
    /// when they follow again. Called on a queue of the backups; must not block.
    package func subscribeToBackupTrouble(_ deliver: @escaping @Sendable (TableError?) -> Void) {
        backups.archive.trouble.subscribe(deliver)
    }

    /// Why the last backup of a table that was replaced or deleted cannot be made at the moment; nil when none is due.
    /// Its content is kept until then.
    package var lastBackupTrouble: TableError? { backups.former.trouble.current }

    /// Calls `deliver` when the last backup of a table that was replaced or deleted cannot be made, with the reason,
    /// and with nil when none is due any more. Called on a queue of the backups; must not block.
    package func subscribeToLastBackupTrouble(_ deliver: @escaping @Sendable (TableError?) -> Void) {
        backups.former.trouble.subscribe(deliver)
    }

    /// What is damaged of the logs of continuous backups.
    package var logDamages: [LogDamage] { backups.archive.damage.current }

    /// Calls `deliver` with each damage of the logs of continuous backups, known and to come; on a queue of the
    /// backups, which must not be kept waiting.
    package func subscribeToLogDamage(_ deliver: @escaping @Sendable (LogDamage) -> Void) {
        backups.archive.damage.subscribe(deliver)
    }

    /// How many restores have failed since the store was opened that had begun well.
    package var failedRestores: Int { backups.failures.count }

    /// Why the last restore into a table failed; nil when it did not.
    package func restoreFailure(of table: String) -> RestoreFailure? { backups.failures.failure(of: table) }

    /// Calls `deliver` with each restore that fails after it had begun well; on a queue of the backups, which must not
    /// be kept waiting.
    package func subscribeToRestoreFailures(_ deliver: @escaping @Sendable (RestoreFailure) -> Void) {
        backups.failures.subscribe(deliver)
    }

    /// Calls `deliver` with each jump of the wall clock of more than a second that a write notices; on the writer's
    /// queue, which must not be kept waiting.
    package func subscribeToClockJumps(_ deliver: @escaping @Sendable (ClockJump) -> Void) {
        backups.store.time.subscribe(deliver)
    }
}
