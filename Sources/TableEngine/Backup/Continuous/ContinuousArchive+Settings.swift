import DynamoModel
import SQLite

/// What the file of the store says of the continuous backups of tables.
extension OpenStore {
    /// The lives of the tables that have continuous backups, by the tables' names.
    func lives() throws(TableError) -> [String: String] {
        try readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try ContinuousArchive.lives(connection) }
        }
    }

    /// How many days back a table can be restored, as the file says.
    func recoveryPeriod(of table: String) throws(TableError) -> Int {
        let longest = ContinuousBackups.recoveryPeriodDaysMax
        let days = try setting(TableSetting.recoveryPeriod.name(table)).flatMap { Int($0) } ?? longest
        return min(max(days, 1), longest)
    }

    /// The first and the last change in the change stream.
    func stream() throws(TableError) -> (first: Int64, last: Int64) {
        try readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                (first: try ChangeJournal.start(connection), last: try ChangeJournal.end(connection).sequence)
            }
        }
    }

    /// What files there should be of a life; nil when that is not known.
    func inventory(of life: String) throws(TableError) -> LogInventory? {
        try readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try LogInventory.read(life, connection) }
        }
    }
}

extension ContinuousArchive {
    /// The lives of the tables that have continuous backups, by the tables' names.
    static func lives(_ connection: DatabaseConnection) throws(SQLiteError) -> [String: String] {
        let settings = try StoreFile.settings(connection, prefix: TableSetting.continuous.rawValue)
        return Dictionary(
            settings.map { (String($0.name.dropFirst(TableSetting.continuous.rawValue.count)), $0.value) },
            uniquingKeysWith: { $1 })
    }

    /// Notes how many days back a table can be restored, in the caller's transaction.
    static func setRecoveryPeriod(of table: String, days: Int, _ connection: DatabaseConnection) throws(SQLiteError) {
        if days < ContinuousBackups.recoveryPeriodDaysMax {
            try StoreFile.set(connection, TableSetting.recoveryPeriod.name(table), to: String(days))
        } else {
            try StoreFile.removeSetting(connection, TableSetting.recoveryPeriod.name(table))
        }
    }
}
