import Dispatch
import DynamoModel
import Platform
import TableEngine

@testable import FlagStore

/// A store whose reads can be made to fail, to wait, and be counted; writes go through.
final class GatedStore: TableStore {
    let store: SQLiteTableStore
    private let fails = Locked(false)
    private let muted = Locked(false)
    private let readCount = Locked(0)
    private let itemCount = Locked(0)
    private let largestPage = Locked(0)
    private let releaseCount = Locked(0)
    private let gate = Locked<DispatchSemaphore?>(nil)
    private let arrived = DispatchSemaphore(value: 0)
    private let afterQuery: @Sendable (Query) -> Void

    /// - Parameter afterQuery: called with each query that has been read.
    init(_ store: SQLiteTableStore, afterQuery: @escaping @Sendable (Query) -> Void = { _ in }) {
        self.store = store
        self.afterQuery = afterQuery
    }

    /// Reads since the beginning.
    var reads: Int { readCount.withLock { $0 } }

    /// Items that queries have read since the beginning.
    var itemsRead: Int { itemCount.withLock { $0 } }

    /// The most items that a query or scan has answered at a time.
    var itemsAtATime: Int { largestPage.withLock { $0 } }

    /// How often the memory of reading was given back.
    var releases: Int { releaseCount.withLock { $0 } }

    /// Makes reads fail, or not.
    func setFailing(_ failing: Bool) { fails.withLock { $0 = failing } }

    /// Keeps changes from being told, or not.
    func setMuted(_ isMuted: Bool) { muted.withLock { $0 = isMuted } }

    /// Makes every read, once it has read, wait until `open` is called.
    func close() -> DispatchSemaphore {
        let semaphore = DispatchSemaphore(value: 0)
        gate.withLock { $0 = semaphore }
        return semaphore
    }

    /// Lets `count` reads that wait go on, and later ones pass.
    func open(_ semaphore: DispatchSemaphore, waiting count: Int = 1) {
        gate.withLock { $0 = nil }
        for _ in 0..<count { semaphore.signal() }
    }

    /// Waits until a read has read and waits at the gate.
    func awaitArrival() { arrived.wait() }

    /// Lets reads go on one by one, and waits until the last of `count` waits at the gate.
    func awaitArrivals(_ count: Int, _ semaphore: DispatchSemaphore) {
        for number in 1...count {
            arrived.wait()
            if number < count { semaphore.signal() }
        }
    }

    private func read<Value: Sendable>(_ body: () throws(TableError) -> Value) throws(TableError) -> Value {
        readCount.withLock { $0 += 1 }
        if fails.withLock({ $0 }) {
            throw .closed
        }
        let value = try body()
        if let gate = gate.withLock({ $0 }) {
            arrived.signal()
            gate.wait()
        }
        return value
    }

    func getItem(table: String, key: TableKey) throws(TableError) -> Item? {
        try read { () throws(TableError) in try store.getItem(table: table, key: key) }
    }
    func getItems(table: String, keys: [TableKey]) throws(TableError) -> [Item?] {
        try read { () throws(TableError) in try store.getItems(table: table, keys: keys) }
    }
    func query(_ query: Query) throws(TableError) -> QueryPage {
        let page = try read { () throws(TableError) in try store.query(query) }
        itemCount.withLock { $0 += page.items.count }
        note(page)
        afterQuery(query)
        return page
    }
    func count(_ query: Query, upTo limit: Int) throws(TableError) -> Int? {
        try read { () throws(TableError) in try store.count(query, upTo: limit) }
    }
    func scan(_ scan: Scan) throws(TableError) -> QueryPage {
        let page = try read { () throws(TableError) in try store.scan(scan) }
        note(page)
        return page
    }
    func releaseMemory() {
        releaseCount.withLock { $0 += 1 }
        store.releaseMemory()
    }
    private func note(_ page: QueryPage) { largestPage.withLock { $0 = max($0, page.items.count) } }
    func listTables() throws(TableError) -> [String] { try store.listTables() }
    func describeTable(_ name: String) throws(TableError) -> TableDescription { try store.describeTable(name) }
    func transact(
        _ operations: [WriteOperation], principal: Principal, urgency: WriteUrgency,
        completion: @escaping @Sendable (Result<[WriteOutcome], TableError>) -> Void
    ) {
        store.transact(operations, principal: principal, urgency: urgency, completion: completion)
    }
    func createTable(_ schema: TableSchema) throws(TableError) { try store.createTable(schema) }
    func deleteTable(_ name: String) throws(TableError) { try store.deleteTable(name) }
    func subscribe(_ deliver: @escaping @Sendable ([TableChange]) -> Void) {
        store.subscribe { [muted] changes in
            if !muted.withLock({ $0 }) { deliver(changes) }
        }
    }
    func changes(after sequence: Int64, limit: Int) throws(TableError) -> [TableChange] {
        try read { () throws(TableError) in try store.changes(after: sequence, limit: limit) }
    }
    var lastSequence: Int64 { store.lastSequence }
    func firstSequence() throws(TableError) -> Int64 {
        try read { () throws(TableError) in try store.firstSequence() }
    }
    func attach(_ follower: FollowerProgress) { store.attach(follower) }
}
