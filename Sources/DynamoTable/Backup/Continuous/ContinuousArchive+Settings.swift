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
        try byTable(connection, prefix: settingPrefix)
    }

    private static func byTable(_ connection: Connection, prefix: String) throws(SQLiteError) -> [String: String] {
        let settings = try StoreFile.settings(connection, prefix: prefix)
        return Dictionary(
            settings.map { (String($0.name.dropFirst(prefix.count)), $0.value) }, uniquingKeysWith: { $1 })
    }

    func setRecoveryPeriod(of table: String, days: Int) throws(TableError) {
        try parts.writer.write { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                try StoreFile.set(connection, Self.periodPrefix + table, to: String(days))
            }
        }
    }

    /// The recovery periods that were set, in days, by the tables' names.
    func recoveryPeriods() throws(TableError) -> [String: Int] {
        try parts.readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                try Self.byTable(connection, prefix: Self.periodPrefix).compactMapValues { Int($0) }
            }
        }
    }
}
