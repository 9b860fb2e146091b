/// Tables in one SQLite file.
package final class SQLiteTableStore: ItemTable {
    /// Where the tables are.
    package enum Location: Sendable {
        /// In the file `flags.db` of this directory, which must exist.
        case directory(String)
        /// In memory only: the same engine, nothing on disk.
        case memory
    }

    /// Opens the store, creating its file if there is none.
    package static func open(
        _ location: Location, limits: TableLimits = TableLimits()
    ) throws(TableError) -> SQLiteTableStore {
        throw .closed
    }

    /// A random identifier of this store, made when it was created.
    package var storeID: String { "" }

    /// The value of a setting that is stored with the data, nil when it was never set.
    package func setting(_ name: String) throws(TableError) -> String? { nil }

    /// Stores a setting with the data. Blocks until it is on disk.
    package func setSetting(_ name: String, to value: String) throws(TableError) {}

    /// Delivers changes that other processes made to the file to the subscribers. Blocks; cheap when there are none.
    package func deliverForeignChanges() throws(TableError) {}

    /// Waits for the writes under way, takes no more, and closes the file.
    package func close() {}

    package func getItem(table: String, key: TableKey) throws(TableError) -> Item? { throw .closed }
    package func getItems(table: String, keys: [TableKey]) throws(TableError) -> [Item?] { throw .closed }
    package func query(_ query: Query) throws(TableError) -> QueryPage { throw .closed }
    package func scan(_ scan: Scan) throws(TableError) -> QueryPage { throw .closed }
    package func listTables() throws(TableError) -> [String] { throw .closed }
    package func describeTable(_ name: String) throws(TableError) -> TableDescription { throw .closed }
    package func transact(
        _ operations: [WriteOperation], principal: Principal,
        completion: @escaping @Sendable (Result<[WriteOutcome], TableError>) -> Void
    ) {
        completion(.failure(.closed))
    }
    package func createTable(_ schema: TableSchema) throws(TableError) { throw .closed }
    package func deleteTable(_ name: String) throws(TableError) { throw .closed }
    package func subscribe(_ deliver: @escaping @Sendable ([Change]) -> Void) {}
    package func changes(after sequence: Int64, limit: Int) throws(TableError) -> [Change] { [] }
    package var lastSequence: Int64 { 0 }
}
