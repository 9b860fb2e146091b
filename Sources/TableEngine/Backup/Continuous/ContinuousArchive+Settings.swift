import DynamoModel
import SQLite

/// What the file of the store says of the continuous backups of tables.
extension ContinuousArchive {
    func lives() throws(TableError) -> [String: String] { try Self.lives(parts) }

    static func lives(_ parts: StoreParts) throws(TableError) -> [String: String] {
        try parts.readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try lives(connection) }
        }
    }

    /// The lives of the tables that have continuous backups, by the tables' names.
    static func lives(_ connection: Connection) throws(SQLiteError) -> [String: String] {
        let settings = try StoreFile.settings(connection, prefix: TableSetting.continuous.rawValue)
        return Dictionary(
            settings.map { (String($0.name.dropFirst(TableSetting.continuous.rawValue.count)), $0.value) },
            uniquingKeysWith: { $1 })
    }

    /// How many days back a table can be restored, as the file says.
    func recoveryPeriod(of table: String) throws(TableError) -> Int {
        let longest = ContinuousBackups.recoveryPeriodDaysMax
        let days = try parts.setting(TableSetting.recoveryPeriod.name(table)).flatMap { Int($0) } ?? longest
        return min(max(days, 1), longest)
    }

    /// Notes how many days back a table can be restored, in the caller's transaction.
    static func setRecoveryPeriod(of table: String, days: Int, _ connection: Connection) throws(SQLiteError) {
        if days < ContinuousBackups.recoveryPeriodDaysMax {
            try StoreFile.set(connection, TableSetting.recoveryPeriod.name(table), to: String(days))
        } else {
            try StoreFile.removeSetting(connection, TableSetting.recoveryPeriod.name(table))
        }
    }
}
