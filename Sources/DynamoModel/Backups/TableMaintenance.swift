/// A store in files on this machine, as whoever looks after it sees it.
///
/// The functions block for as long as the files are read and written: call them on a worker queue.
package protocol TableMaintenance: TableBackups, TableEncryption {
    /// The tables' names, sorted.
    func listTables() throws(TableError) -> [String]

    /// The backup in a file of this machine.
    func describeBackup(file path: String) throws(TableError) -> BackupDescription

    /// Makes a table from the file of a backup, of this store or another one; see `restore(backup:…)`.
    func restore(
        file path: String, to target: String, replacing: Bool,
        adjust: @escaping SchemaAdjustment, watch: WorkWatch,
        completion: @escaping @Sendable (Result<TableDescription, TableError>) -> Void
    ) throws(TableError) -> TableDescription

    /// Checks everything that is stored against itself; changes nothing. O(everything).
    func verify() throws(TableError) -> VerificationReport
}
