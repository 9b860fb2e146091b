import Dispatch
import DynamoModel
import FlagCore

/// Flags, tenant overrides and kill switches of one table.
///
/// Reads block: they belong on a worker queue. Writes answer through a completion, after they are durable and after
/// every subscriber of the table's changes (the caches) has been told; a completion runs on the table's writer queue
/// and must not block. A write reads first what it changes, so it too begins on a worker queue.
///
/// Every write is one conditional transaction that also raises `REVISION#{env}`: two servers over one table cannot lose
/// an update.
package struct FlagRepository: Sendable {
    /// Receives what a write did, or why it did nothing.
    package typealias Completion<Value> = @Sendable (Result<Value, FlagStoreError>) -> Void

    /// The store that holds the table.
    package let store: any TableStore
    /// The table's name.
    package let table: String

    /// Where a write goes on after its first transaction, if it must read again.
    let continuations: DispatchQueue
    /// What is known of the environments' revisions.
    let revisions = KnownRevisions()
    /// Who requires which flag and names which segment.
    let references = ReferenceEdges()
    /// Has histories come up to what was committed.
    package let histories = HistoryCurrency()
    /// What is done in the transaction of a change, too.
    private(set) var companions: [WriteOperation] = []

    /// - Parameters:
    ///   - store: the store that holds the table.
    ///   - table: its name: `Profile.tableName`.
    package init(store: any TableStore, table: String) {
        self.store = store
        self.table = table
        continuations = DispatchQueue(label: "flag-repository")
    }

    /// The same flags, where a change of them and these operations, on other tables, are done together or not at all:
    /// for changes that are one transaction (`FlagOperation.Kind.isOneTransaction`).
    ///
    /// - Parameter operations: a few; when a condition of theirs does not hold, the change fails with `overtaken`.
    package func accompanied(by operations: [WriteOperation]) -> FlagRepository {
        var repository = self
        repository.companions = operations
        return repository
    }

    /// Creates the table with its four indexes if there is none. Blocks.
    ///
    /// - Returns: whether it was created now.
    @discardableResult
    package func createTableIfMissing() throws(FlagStoreError) -> Bool {
        do {
            try store.createTable(FlagTable.schema(named: table))
            return true
        } catch {
            if case .tableExists = error { return false }
            throw FlagStoreError(error)
        }
    }
}

// MARK: - Reads

extension FlagRepository {
    /// A flag. Blocks; O(log n).
    ///
    /// - Throws: `notFound`; `invalid` when somebody stored what is no flag; `unavailable`.
    func flag(_ key: String, in environment: Environment) throws(FlagStoreError) -> FlagRecord {
        guard let item = try item(.flag(environment, key: key)) else { throw .notFound(.flag(key)) }
        do { return try FlagRecord(item: item) } catch { throw .invalid(error.issues) }
    }

    /// Throws unless there is a flag of a key, valid or not. Blocks; O(log n).
    ///
    /// - Throws: `notFound`, `unavailable`.
    func requireFlag(_ key: String, in environment: Environment) throws(FlagStoreError) {
        guard try item(.flag(environment, key: key)) != nil else { throw .notFound(.flag(key)) }
    }

    /// A tenant's override of a flag. Blocks.
    ///
    /// - Throws: `notFound`, `invalid`, `unavailable`.
    func override(
        ofTenant tenant: String, flagKey: String, in environment: Environment
    ) throws(FlagStoreError) -> TenantOverrideRecord {
        guard let item = try item(.override(environment, tenant: tenant, flagKey: flagKey)) else {
            throw .notFound(.override(flagKey: flagKey, tenant: tenant))
        }
        do { return try TenantOverrideRecord(item: item) } catch { throw .invalid(error.issues) }
    }

    /// How often the environment was changed. Blocks.
    func revision(of environment: Environment) throws(FlagStoreError) -> Int64 {
        EnvironmentRevision.of(try item(.revision(environment))) ?? 0
    }

    /// Whether the table holds no flag at all, in any environment. Blocks.
    package func isEmpty() throws(FlagStoreError) -> Bool {
        for environment in Environment.allCases {
            for archived in [false, true] {
                let query = Query(
                    table: table, index: FlagTable.flagsIndex,
                    partition: .string(FlagIndex.all.partition(in: environment, archived: archived)), limit: 1)
                let page = try reading { () throws(TableError) in try store.query(query) }
                if !page.items.isEmpty { return false }
            }
        }
        return true
    }

    /// The item of a key, nil when there is none.
    func item(_ key: ItemKey) throws(FlagStoreError) -> Item? {
        try reading { () throws(TableError) in try store.getItem(table: table, key: key.tableKey) }
    }

    /// Calls `body` with every item of a partition, page after page.
    func forEachItem(of query: Query, _ body: (Item) throws(FlagStoreError) -> Void) throws(FlagStoreError) {
        var query = query
        while true {
            let page = try reading { () throws(TableError) in try store.query(query) }
            for item in page.items { try body(item) }
            guard let next = page.lastEvaluatedKey else { return }
            query.exclusiveStart = next
        }
    }
}
