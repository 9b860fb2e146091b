import DynamoModel
import SQLite

/// What the file of the store says of the continuous backups of tables.
extension ContinuousArchive {
    /// The setting that holds a table's life begins with this, and goes on with the table's name.
    static let settingPrefix = "continuous."
    /// The setting that holds a table's recovery period in days, where it is not the longest.
    static let periodPrefix = "recovery-period."

    func lives() throws(TableError) -> [String: String] { try Self.lives(parts) }

    static func lives(_ parts: StoreParts) throws(TableError) -> [String: String] {
        try parts.readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try lives(connection) }
        }
    }

    /// The lives of the tables that have continuous backups, by the tables' names.
    static func lives(_ connection: Connection) throws(SQLiteError) -> [String: String] {
        let settings = try StoreFile.settings(connection, prefix: settingPrefix)
        return Dictionary(
            settings.map { (String($0.name.dropFirst(settingPrefix.count)), $0.value) }, uniquingKeysWith: { $1 })
    }

    /// How many days back a table can be restored, as the file says.
    func recoveryPeriod(of table: String) throws(TableError) -> Int {
        let longest = ContinuousBackups.recoveryPeriodDaysMax
        let days = try parts.setting(Self.periodPrefix + table).flatMap { Int($0) } ?? longest
        return min(max(days, 1), longest)
    }

    /// Notes how many days back a table can be restored, in the caller's transaction.
    static func setRecoveryPeriod(of table: String, days: Int, _ connection: Connection) throws(SQLiteError) {
        if days < ContinuousBackups.recoveryPeriodDaysMax {
            try StoreFile.set(connection, periodPrefix + table, to: String(days))
        } else {
            try StoreFile.removeSetting(connection, periodPrefix + table)
        }
    }
}
