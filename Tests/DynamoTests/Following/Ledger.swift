import Dispatch
import Platform

@testable import DynamoModel
@testable import TableEngine

/// A consumer that enters each change of the test table into a ledger, once, in the transaction that stores how far it
/// has come; when it looks at everything again, it notes the items that there are.
final class Ledger: ChangeConsumer {
    static let table = "ledger"
    static let principal = Principal(.server, "ledger")
    /// How many changes it takes together.
    static let batchMaximum = 10

    /// Where it can be disturbed: before and after the transaction that makes something of a batch, before everything
    /// is looked at, and when it stores the position from before that.
    enum Point: Sendable, CaseIterable { case beforeWork, afterWork, sweeping, storing }

    struct State {
        var position = FollowerPosition.unknown
        /// How many changes each batch had that it began with.
        var batches: [Int] = []
        var sweeps = 0
        /// What it was told of each turn.
        var turns: [TableError?] = []
        var sweptItems: [String] = []
        /// After how long it wants to be called again, one time after the other; then not any more.
        var rests: [Int] = []
        /// When it was called though nothing came, by the monotonic clock.
        var restedAt: [Int64] = []
    }

    let store: SQLiteTableStore
    let state = Locked(State())
    let storeID: String
    private let recent: RecentChanges
    private let disturbance = Locked<(@Sendable (Point) -> TableError?)?>(nil)

    /// Makes the ledger in a store, if it is not there.
    init(_ store: SQLiteTableStore, storeID: String = "a-store") throws {
        self.store = store
        self.storeID = storeID
        recent = RecentChanges(of: store, table: TestTable.name)
        let schema = TableSchema(
            name: Self.table, partitionKey: KeyAttribute("PK"), sortKey: KeyAttribute("SK"), indexes: [])
        if try !store.listTables().contains(Self.table) { try store.createTable(schema) }
    }

    /// From now on `body` is called at each point, and what it answers is thrown there.
    func disturb(_ body: (@Sendable (Point) -> TableError?)?) { disturbance.withLock { $0 = body } }

    private func pass(_ point: Point) throws(TableError) {
        if let error = disturbance.withLock({ $0 })?(point) { throw error }
    }

    /// The sequences that were entered, in their order.
    func entries() throws -> [Int64] {
        try store.items(Self.table).filter { $0["PK"] == "entry" }.compactMap { $0["sequence"]?.int64Value }
    }

    /// The position in the store.
    func storedPositionInTable() throws -> Int64? {
        try store.getItem(table: Self.table, key: TableKey("position", "here"))?["sequence"]?.int64Value
    }

    var position: FollowerPosition { state.withLock { $0.position } }

    func concern(of changes: [TableChange]) -> Int { recent.add(changes) }

    func storedPosition() throws(TableError) -> Int64? {
        let item = try store.getItem(table: Self.table, key: TableKey("position", "here"))
        guard item?["store"]?.stringValue == storeID, let position = item?["sequence"]?.int64Value else { return nil }
        state.withLock { $0.position = FollowerPosition(taken: position, stored: position) }
        return position
    }

    func batch(after position: Int64) throws(TableError) -> ChangeBatch<[TableChange]>? {
        try recent.batch(after: position, limit: Self.batchMaximum)
    }

    func take(_ batch: ChangeBatch<[TableChange]>, storing: Bool) throws(TableError) {
        state.withLock { $0.batches.append(batch.count) }
        try pass(.beforeWork)
        // Not what is there: what is entered twice is not entered.
        var operations = batch.content.map { change in
            let digits = String(change.sequence)
            let sort = String(repeating: "0", count: 10 - digits.utf8.count) + digits
            return WriteOperation.put(
                table: Self.table,
                item: ["PK": "entry", "SK": .string(sort), "sequence": .number(change.sequence)],
                condition: .attributeNotExists(DocumentPath("PK")))
        }
        if storing { operations.append(put(batch.upTo)) }
        if !operations.isEmpty { try store.transactAndWait(operations, principal: Self.principal) }
        try pass(.afterWork)
        state.withLock { state in
            state.position.taken = batch.upTo
            if storing { state.position.stored = batch.upTo }
        }
    }

    /// Stores the position when it wants no more to be called.
    func rest(at now: Int64, storing: Bool) throws(TableError) -> Int? {
        let (next, isLast) = state.withLock { state -> (Int?, Bool) in
            guard !state.rests.isEmpty else { return (nil, false) }
            state.restedAt.append(now)
            let next = state.rests.removeFirst()
            return (next == 0 ? nil : next, next == 0)
        }
        if isLast { try store(position.taken) }
        return next
    }

    func sweep(isCancelled: () -> Bool) throws(TableError) {
        state.withLock { $0.sweeps += 1 }
        try pass(.sweeping)
        if isCancelled() { return }
        let names = try store.scan(Scan(table: TestTable.name)).items.compactMap { $0["SK"]?.stringValue }
        state.withLock { $0.sweptItems = names }
    }

    func store(_ position: Int64) throws(TableError) {
        try pass(.storing)
        try store.transactAndWait([put(position)], principal: Self.principal)
        state.withLock { $0.position = FollowerPosition(taken: max($0.position.taken, position), stored: position) }
    }

    func note(_ failure: TableError?) { state.withLock { $0.turns.append(failure) } }

    private func put(_ position: Int64) -> WriteOperation {
        .put(
            table: Self.table,
            item: [
                "PK": "position", "SK": "here", "sequence": .number(position), "store": .string(storeID),
            ])
    }
}

/// Holds a consumer up at a point, each time that it comes there.
struct Gate: Sendable {
    private let arrived = DispatchSemaphore(value: 0)
    private let opened = DispatchSemaphore(value: 0)

    /// Holds up there, and then lets it go on or fail.
    init(_ ledger: Ledger, at point: Ledger.Point, failing error: TableError? = nil) {
        ledger.disturb { [arrived, opened] current in
            guard current == point else { return nil }
            arrived.signal()
            // Somebody who is never let go would keep a test that fails from ending.
            _ = opened.wait(timeout: .now() + 20)
            return error
        }
    }

    /// Waits until it is held up; false when it does not come within 20 s.
    func awaitArrival() -> Bool { arrived.wait(timeout: .now() + 20) == .success }

    /// Lets it go on, once.
    func open() { opened.signal() }
}

/// A store with the test table, a ledger of it and who follows it; the process can end and begin again.
final class FollowedTable {
    static let name = "ledger"

    let directory: TemporaryDirectory
    /// What the wall clock of the store shows.
    let wall = Locked<Int64>(1_700_000_000_000)
    /// What the clock shows that nobody sets.
    let monotonic = Locked<Int64>(0)
    var timing = FollowerTiming()
    private(set) var store: SQLiteTableStore
    private(set) var ledger: Ledger
    private(set) var follower: ChangeFollower<Ledger>

    /// Makes it, with nobody following yet.
    init() throws {
        directory = try TemporaryDirectory()
        timing.now = { [monotonic] in monotonic.withLock { $0 } }
        timing.wall = { [wall] in wall.withLock { $0 } }
        store = try Self.open(directory, wall)
        try store.createTable(TestTable.schema)
        ledger = try Ledger(store)
        follower = Self.follower(of: store, ledger, timing)
    }

    deinit { store.close() }

    private static func open(_ directory: TemporaryDirectory, _ wall: Locked<Int64>) throws -> SQLiteTableStore {
        try SQLiteTableStore.open(.directory(directory.path)) { wall.withLock { $0 } }
    }

    private static func follower(
        of store: SQLiteTableStore, _ ledger: Ledger, _ timing: FollowerTiming
    ) -> ChangeFollower<Ledger> {
        ChangeFollower(name, of: store, ledger, on: DispatchQueue(label: "ledger"), timing: timing)
    }

    /// Begins to follow, and waits until what waits is taken.
    func start() {
        follower.attach()
        follower.wake()
        follower.waitUntilIdle()
    }

    /// The process ends as it is, and another begins, in which nobody follows yet.
    func restart(storeID: String = "a-store", _ body: () throws -> Void = {}) throws {
        ledger.disturb { _ in .closed }
        follower.stop()
        store.close()
        try body()
        store = try Self.open(directory, wall)
        ledger = try Ledger(store, storeID: storeID)
        follower = Self.follower(of: store, ledger, timing)
    }

    /// Writes items, each of which is a change.
    func write(_ count: Int) throws {
        for number in 0..<count {
            try store.put(TestTable.item("p", "\(number)", ["n": .number(store.lastSequence)]))
        }
    }

    /// The changes of the test table that are in the stream.
    var changes: [Int64] {
        get throws { try store.changes(after: 0, limit: 100_000).filter { $0.table == TestTable.name }.map(\.sequence) }
    }

    /// Lets time pass by both clocks.
    func pass(_ milliseconds: Int64) {
        wall.withLock { $0 += milliseconds }
        monotonic.withLock { $0 += milliseconds }
    }

    /// Lets go of the changes that are older than a day and needed by nobody.
    func prune() throws {
        for number in 0..<8 {
            pass(60_000)
            try store.setSetting("turn", to: "\(number)")
        }
    }
}
