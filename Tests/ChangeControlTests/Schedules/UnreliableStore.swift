import DynamoModel
import Platform
import TableEngine

/// A store in memory that fails when a test says so: in every read and write, or in writes alone.
final class UnreliableStore: TableStore {
    /// What fails.
    enum Trouble { case nothing, writes, everything }

    private let store: SQLiteTableStore
    private let trouble = Locked(Trouble.nothing)
    private static let failure = TableError.storage(
        StorageFailure(kind: .full, reason: "The disk is full", hint: "Make room"))

    init() throws { store = try SQLiteTableStore.open(.memory) }

    func fail(_ trouble: Trouble) { self.trouble.withLock { $0 = trouble } }

    private func read<Value>(_ body: () throws(TableError) -> Value) throws(TableError) -> Value {
        if trouble.withLock({ $0 == .everything }) { throw Self.failure }
        return try body()
    }

    func getItem(table: String, key: TableKey) throws(TableError) -> Item? {
        try read { () throws(TableError) in try store.getItem(table: table, key: key) }
    }
    func getItems(table: String, keys: [TableKey]) throws(TableError) -> [Item?] {
        try read { () throws(TableError) in try store.getItems(table: table, keys: keys) }
    }
    func query(_ query: Query) throws(TableError) -> QueryPage {
        try read { () throws(TableError) in try store.query(query) }
    }
    func count(_ query: Query, upTo limit: Int) throws(TableError) -> Int? {
        try read { () throws(TableError) in try store.count(query, upTo: limit) }
    }
    func scan(_ scan: Scan) throws(TableError) -> QueryPage {
        try read { () throws(TableError) in try store.scan(scan) }
    }
    func listTables() throws(TableError) -> [String] {
        try read { () throws(TableError) in try store.listTables() }
    }
    func describeTable(_ name: String) throws(TableError) -> TableDescription { try store.describeTable(name) }
    func transact(
        _ operations: [WriteOperation], principal: Principal, urgency: WriteUrgency,
        completion: @escaping @Sendable (Result<[WriteOutcome], TableError>) -> Void
    ) {
        guard trouble.withLock({ $0 == .nothing }) else { return completion(.failure(Self.failure)) }
        store.transact(operations, principal: principal, urgency: urgency, completion: completion)
    }
    func createTable(_ schema: TableSchema) throws(TableError) { try store.createTable(schema) }
    func deleteTable(_ name: String) throws(TableError) { try store.deleteTable(name) }
    func subscribe(_ deliver: @escaping @Sendable ([TableChange]) -> Void) { store.subscribe(deliver) }
    func changes(after sequence: Int64, limit: Int) throws(TableError) -> [TableChange] {
        try store.changes(after: sequence, limit: limit)
    }
    var lastSequence: Int64 { store.lastSequence }
    func firstSequence() throws(TableError) -> Int64 { try store.firstSequence() }
    func attach(_ follower: FollowerProgress) { store.attach(follower) }
}
