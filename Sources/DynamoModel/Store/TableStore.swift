/// Reads tables. Every read sees every write that was answered before it began.
///
/// The functions block while the disk is read: call them on a worker queue, never on an event loop.
package protocol TableReader: Sendable {
    /// The item of a key, nil when there is none.
    func getItem(table: String, key: TableKey) throws(TableError) -> Item?

    /// The items of several keys of one table, all as of one moment, in the order of the keys.
    func getItems(table: String, keys: [TableKey]) throws(TableError) -> [Item?]

    /// One page of a partition's items.
    func query(_ query: Query) throws(TableError) -> QueryPage

    /// How many items a query finds, whatever its filter and where it starts; nil when there are more than `limit`.
    /// O(limit), without reading an item.
    func count(_ query: Query, upTo limit: Int) throws(TableError) -> Int?

    /// One page of a table's or an index's items.
    func scan(_ scan: Scan) throws(TableError) -> QueryPage

    /// The names of all tables, sorted.
    func listTables() throws(TableError) -> [String]

    /// A table as it exists.
    func describeTable(_ name: String) throws(TableError) -> TableDescription

    /// Gives memory back that only reading the same again would have use of: for who has read much, and will not again
    /// soon.
    func releaseMemory()
}

extension TableReader {
    /// Where nothing is kept of what was read, there is nothing to give back.
    package func releaseMemory() {}
}

/// Writes tables.
package protocol TableWriter: Sendable {
    /// Does all of the operations or none, durably.
    ///
    /// Returns at once, so that an event loop may call it. `completion` runs on the writer's own queue after the
    /// transaction is on disk, and must not block or wait for another write.
    ///
    /// - Parameters:
    ///   - operations: 1–100 operations on different items.
    ///   - principal: who does it, for the change stream.
    ///   - urgency: whether it overtakes what waits.
    ///   - completion: receives what each operation did, or why nothing happened.
    func transact(
        _ operations: [WriteOperation], principal: Principal, urgency: WriteUrgency,
        completion: @escaping @Sendable (Result<[WriteOutcome], TableError>) -> Void)

    /// Creates a table. Blocks until it is on disk.
    ///
    /// - Throws: `tableExists`, `validation`, `storage`.
    func createTable(_ schema: TableSchema) throws(TableError)

    /// Deletes a table. Blocks until it is gone, and where it had continuous backups until the last backup of it is
    /// made, O(items); its items are removed beside.
    ///
    /// - Throws: `tableNotFound`, `storage`.
    func deleteTable(_ name: String) throws(TableError)
}

/// In which order writes that wait are done.
package enum WriteUrgency: Sendable {
    /// In the order they came.
    case usual
    /// Before all that are usual, and however many of these wait: for the rare write that must not wait.
    case urgent
}

extension TableWriter {
    /// Does all of the operations or none, in the order of what waits; see the requirement.
    package func transact(
        _ operations: [WriteOperation], principal: Principal,
        completion: @escaping @Sendable (Result<[WriteOutcome], TableError>) -> Void
    ) {
        transact(operations, principal: principal, urgency: .usual, completion: completion)
    }
}

/// All that one can do with a store of tables.
package protocol TableStore: TableReader, TableWriter, TableChanges {}
