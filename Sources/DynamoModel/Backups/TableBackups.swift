/// Makes the schema of a restored table from that in the backup.
package typealias SchemaAdjustment = @Sendable (TableSchema) throws(TableError) -> TableSchema

/// Backups of the tables of a store, and tables made from them.
///
/// The functions block while files are read and written, those that say so for long: call them on a worker queue.
package protocol TableBackups: Sendable {
    /// Makes a backup of a table as it is, while writing goes on. Blocks until it is durable; O(items).
    ///
    /// - Parameter watch: may have it given up; then nothing is left of it.
    /// - Throws: `tableNotFound`, `storage`, and `closed` when it was given up.
    func createBackup(
        of table: String, name: String, watch: WorkWatch
    ) throws(TableError) -> BackupDescription

    /// The backups, sorted by identifier and so by age; bases of continuous backups are none. A damaged one hides no
    /// other, and files that are no backups are passed over.
    func listBackups(_ filter: BackupFilter) throws(TableError) -> [ListedBackup]

    /// A backup.
    ///
    /// - Throws: `backup(.notFound)`.
    func describeBackup(_ id: String) throws(TableError) -> ListedBackup

    /// Deletes a backup, also a damaged one, or one that is being made.
    ///
    /// - Returns: the backup as it was.
    /// - Throws: `backup(.notFound)`.
    func deleteBackup(_ id: String) throws(TableError) -> ListedBackup

    /// Makes a new table from a backup. Returns once it is clear that it can be done and the name is taken; the rest is
    /// done beside: until then the table does not exist for reads and writes, and `restoring` tells of it.
    ///
    /// - Parameters:
    ///   - id: the backup.
    ///   - target: the name of the new table.
    ///   - replacing: whether a table of that name is replaced, if there is one, in one step for whoever reads
    ///     it. A backup of the replaced one is kept, of the kind `system`, with every write that was answered before
    ///     that step; so are its continuous backups.
    ///   - adjust: makes the table's schema from that in the backup, where it shall be another one than that; the name
    ///     and the key stay.
    ///   - watch: may have it given up; then there is no such table.
    ///   - completion: called once when the table is there, or why it is not: `closed` when it was given up.
    /// - Returns: the table as it will be.
    /// - Throws: `backup(.notFound)`, `backup(.restoreInProgress)`, `tableExists`, `validation`.
    func restore(
        backup id: String, to target: String, replacing: Bool,
        adjust: @escaping SchemaAdjustment, watch: WorkWatch,
        completion: @escaping @Sendable (Result<TableDescription, TableError>) -> Void
    ) throws(TableError) -> TableDescription

    /// Makes a new table of what another one was at a point in time; see the other `restore`. The time may also be one
    /// of an earlier table of the name, that was replaced or deleted.
    ///
    /// - Throws: `tableNotFound`, `backup(.pointInTimeUnavailable)`, `backup(.invalidRestoreTime)`, and as the other.
    func restore(
        table: String, at point: RestorePoint, to target: String, replacing: Bool,
        adjust: @escaping SchemaAdjustment, watch: WorkWatch,
        completion: @escaping @Sendable (Result<TableDescription, TableError>) -> Void
    ) throws(TableError) -> TableDescription

    /// The tables that are being restored, by name: what they will be.
    var restoring: [String: TableDescription] { get }

    /// Where a table comes from; nil when it was not restored.
    func restoreSummary(_ table: String) throws(TableError) -> RestoreSummary?

    /// The continuous backups that ended with their tables and can still be restored from, the oldest first.
    func endedContinuousBackups() throws(TableError) -> [EndedContinuousBackups]

    /// Turns continuous backups of a table on or off. Blocks; O(items) when they go on. Off forgets what there was,
    /// also of earlier tables of the name.
    ///
    /// - Parameter recoveryPeriodDays: how many days back the table can be restored, 1 to 35; a shorter period than
    ///   before forgets what is older.
    /// - Throws: `tableNotFound`, `storage`.
    func setContinuousBackups(
        of table: String, enabled: Bool, recoveryPeriodDays: Int
    ) throws(TableError) -> ContinuousBackups

    /// Whether continuous backups of a table are on, and since when.
    ///
    /// - Throws: `tableNotFound`.
    func continuousBackups(of table: String) throws(TableError) -> ContinuousBackups

    /// Calls `deliver` with the name of each table that a restore has made, after it is there. It runs on a queue of
    /// the engine, and must not block.
    func subscribeToReplacedTables(_ deliver: @escaping @Sendable (String) -> Void)
}

extension TableBackups {
    /// Makes a backup of a table that nobody gives up.
    package func createBackup(of table: String, name: String) throws(TableError) -> BackupDescription {
        try createBackup(of: table, name: name, watch: .nobody)
    }

    /// Makes a new table from a backup, which nobody gives up.
    package func restore(
        backup id: String, to target: String, replacing: Bool, adjust: @escaping SchemaAdjustment,
        completion: @escaping @Sendable (Result<TableDescription, TableError>) -> Void
    ) throws(TableError) -> TableDescription {
        try restore(
            backup: id, to: target, replacing: replacing, adjust: adjust, watch: .nobody,
            completion: completion)
    }

    /// Makes a new table of what another one was at a point in time, which nobody gives up.
    package func restore(
        table: String, at point: RestorePoint, to target: String, replacing: Bool, adjust: @escaping SchemaAdjustment,
        completion: @escaping @Sendable (Result<TableDescription, TableError>) -> Void
    ) throws(TableError) -> TableDescription {
        try restore(
            table: table, at: point, to: target, replacing: replacing, adjust: adjust, watch: .nobody,
            completion: completion)
    }

    /// Turns continuous backups of a table on or off, with the longest recovery period.
    @discardableResult
    package func setContinuousBackups(of table: String, enabled: Bool) throws(TableError) -> ContinuousBackups {
        try setContinuousBackups(
            of: table, enabled: enabled, recoveryPeriodDays: ContinuousBackups.recoveryPeriodDaysMax)
    }
}
