import CSQLite
import Dispatch
import Platform
import SQLite
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("A batch that fails")
struct BatchFailureTests {
    private typealias Fault = FaultyFileSystem.Fault

    /// A store on a faulty file system that keeps 20 pages in memory: the pages of a batch go into the log before it is
    /// committed, in the middle of whatever statement needs room.
    private struct SmallStore {
        let disk: FaultyFileSystem
        let hand = HandDelay()
        private(set) var store: SQLiteTableStore

        init() throws {
            disk = try FaultyFileSystem()
            let laidOut = try SQLiteTableStore.open(.directory(disk.path))
            try laidOut.createTable(TestTable.schema)
            laidOut.close()
            let connection = try DatabaseConnection(
                path: disk.path + "/flags.db", mode: .readWrite, busyTimeoutMilliseconds: 1000)
            try connection.execute("PRAGMA default_cache_size = 20")
            connection.close()
            store = try SQLiteTableStore.open(.directory(disk.path), delay: hand.delay)
        }

        mutating func reopen() throws {
            store.close()
            store = try SQLiteTableStore.open(.directory(disk.path), delay: hand.delay)
        }

        /// Commits transactions together.
        ///
        /// - Parameters:
        ///   - transactions: the operations of each, and its token.
        ///   - prepare: called when the writer can begin with nothing else.
        func batch(
            _ transactions: [(operations: [WriteOperation], token: TransactionToken?)], _ prepare: () -> Void = {}
        ) -> [Result<[WriteOutcome], TableError>] {
            let isHeld = DispatchSemaphore(value: 0)
            let mayGoOn = DispatchSemaphore(value: 0)
            let group = DispatchGroup()
            group.enter()
            store.transact(
                [
                    .check(
                        table: TestTable.name, key: TestTable.key("none", "none"), condition: .attributeNotExists("PK"))
                ],
                principal: .anonymous
            ) { _ in
                isHeld.signal()
                mayGoOn.wait()
                group.leave()
            }
            isHeld.wait()
            let results = Locked<[Int: Result<[WriteOutcome], TableError>]>([:])
            for (number, transaction) in transactions.enumerated() {
                group.enter()
                store.transact(transaction.operations, token: transaction.token, principal: .anonymous) { result in
                    results.withLock { $0[number] = result }
                    group.leave()
                }
            }
            prepare()
            mayGoOn.signal()
            group.wait()
            return results.withLock { results in results.sorted { $0.key < $1.key }.map(\.value) }
        }

        var tokens: Set<String> {
            get throws { try Self.tokens(store) }
        }

        static func tokens(_ store: SQLiteTableStore) throws -> Set<String> {
            try store.readers.read { (connection) throws(TableError) in
                try convertingErrors { () throws(SQLiteError) in Set(try StoreFile.tokens(connection).map(\.name)) }
            }
        }
    }

    private static func token(_ name: String) -> TransactionToken {
        TransactionToken(name: name, fingerprint: [1], admittedAt: SystemClock.wallMilliseconds)
    }

    /// An update of three items, with enough content for pages to go into the log before the commit.
    private static func update(_ number: Int) -> [WriteOperation] {
        (0..<3).map { item in
            .update(
                table: TestTable.name, key: TestTable.key("p\(number)", "\(item)"),
                actions: [
                    .add("n", 1), .set("owner", .value(.string("owner-\(number)"))),
                    .set("text", .value(.string(String(repeating: "x", count: 3000)))),
                ])
        }
    }

    @Test(
        "One whose pages cannot go into the log leaves nothing, whatever statement that comes in",
        arguments: [SQLITE_FULL, SQLITE_IOERR | 3 << 8, SQLITE_NOMEM])
    func spill(_ code: Int32) throws {
        let small = try SmallStore()
        defer { small.store.close() }
        let transactions = (0..<20).map { (operations: Self.update($0), token: Optional(Self.token("\($0)"))) }
        for result in small.batch(transactions) { #expect((try? result.get()) != nil) }
        let before = Set(try small.store.items(TestTable.name))
        let again = (0..<20).map { (operations: Self.update($0), token: Optional(Self.token("again-\($0)"))) }
        // Where exactly pages go into the log depends on the size of everything.
        for passing in stride(from: 0, to: 60, by: 3) {
            var fault = Fault(effect: .fail(code), calls: [.write], files: [.log], passing: passing, striking: 1)
            // Memory that one transaction was denied another may be given.
            if code == SQLITE_NOMEM { fault.striking = .max }
            let results = small.batch(again) { small.disk.inject(fault) }
            #expect(small.disk.mend() > 0)
            for result in results { #expect((try? result.get()) == nil) }
            #expect(Set(try small.store.items(TestTable.name)) == before)
            try small.hand.passUntilWritten(small.store)
            #expect(try small.store.verify().problems == [])
        }
        #expect(try small.tokens == Set((0..<20).map { "\($0)" }))
        for result in small.batch(again) { #expect((try? result.get()) != nil) }
        for item in try small.store.items(TestTable.name) { #expect(item["n"] == 2) }
        #expect(try small.store.verify().problems == [])
    }

    @Test("A row that the file does not allow is the trouble of the transaction that writes it, and of no other")
    func constraint() throws {
        let small = try SmallStore()
        defer { small.store.close() }
        try small.store.put(TestTable.item("p", "stale", ["owner": "stale"]))
        let vandal = try DatabaseConnection(
            path: small.disk.path + "/flags.db", mode: .readWrite, busyTimeoutMilliseconds: 1000)
        // Its entry stays.
        try vandal.execute("DELETE FROM item")
        vandal.close()
        var transactions = (0..<5).map { (operations: Self.update($0), token: TransactionToken?.none) }
        transactions[2].operations.append(
            .put(table: TestTable.name, item: TestTable.item("p", "stale", ["owner": "stale"])))
        let results = small.batch(transactions)
        #expect(results.map { (try? $0.get()) != nil } == [true, true, false, true, true])
        #expect(try small.store.items(TestTable.name).count == 12)
        #expect(try small.store.getItem(table: TestTable.name, key: TestTable.key("p2", "0")) == nil)
        try small.hand.passUntilWritten(small.store)
    }

    // MARK: - Whatever fails

    /// A store and what a naive model says of it.
    private struct Run {
        var small: SmallStore
        var random: SeededGenerator
        var model = TableModel()
        var tokens: Set<String> = []
        /// What there would be if what was refused last had happened all the same: the batch, or one of its
        /// transactions if they were tried one by one.
        var refused: [(model: TableModel, tokens: Set<String>)] = []
        var struck = 0

        /// One batch, and a fault somewhere in it.
        mutating func commitBatch(_ round: Int) throws {
            var transactions: [(operations: [WriteOperation], token: TransactionToken?)] = []
            for number in 0..<Int.random(in: 1...30, using: &random) {
                var operations = random.operations()
                for position in operations.indices { operations[position] = enlarged(operations[position]) }
                let hasToken = Int.random(in: 0..<3, using: &random) == 0
                transactions.append((operations, hasToken ? BatchFailureTests.token("\(round)-\(number)") : nil))
            }
            let fault = self.fault()
            let results = small.batch(transactions) { small.disk.inject(fault) }
            struck += small.disk.mend() > 0 ? 1 : 0
            refused = []
            var whole = (model: model, tokens: tokens)
            for (transaction, result) in zip(transactions, results) {
                Self.apply(transaction, to: &whole)
                if case .failure(.storage) = result {
                    var alone = (model: model, tokens: tokens)
                    Self.apply(transaction, to: &alone)
                    refused.append(alone)
                    continue
                }
                refused = []
                let expected = model.transact(transaction.operations)
                #expect((try? result.get()) == expected, "\(fault)")
                if expected != nil, let token = transaction.token { tokens.insert(token.name) }
            }
            if !refused.isEmpty { refused.append(whole) }
        }

        /// Compares a store with the model.
        func check(_ store: SQLiteTableStore, mayHaveRefused: Bool = false) throws {
            let items = Set(try store.items(TestTable.name))
            let tokens = try SmallStore.tokens(store)
            let isAsAnswered = items == Set(model.items.values) && tokens == self.tokens
            let isAsRefused = refused.contains { items == Set($0.model.items.values) && tokens == $0.tokens }
            #expect(isAsAnswered || mayHaveRefused && isAsRefused)
            #expect(try store.verify().problems == [])
        }

        /// The power goes, and what is left is opened. A batch that was answered with an error of the disk may be there
        /// if the power goes before anything else is written: then it is there as a whole.
        mutating func losePower() throws {
            let left = try small.disk.afterLossOfPower(using: &random)
            let store = try SQLiteTableStore.open(.directory(left.path))
            defer { store.close() }
            try check(store, mayHaveRefused: true)
        }

        private static func apply(
            _ transaction: (operations: [WriteOperation], token: TransactionToken?),
            to state: inout (model: TableModel, tokens: Set<String>)
        ) {
            if state.model.transact(transaction.operations) != nil, let token = transaction.token {
                state.tokens.insert(token.name)
            }
        }

        private mutating func enlarged(_ operation: WriteOperation) -> WriteOperation {
            guard case .put(let table, var item, let condition) = operation else { return operation }
            item["filler"] = .binary([UInt8](repeating: 7, count: Int.random(in: 0...5000, using: &random)))
            return .put(table: table, item: item, condition: condition)
        }

        private mutating func fault() -> Fault {
            // With the extended codes of failed reads, writes, syncs, truncations and mappings.
            let codes: [FaultyFileSystem.Call: [Int32]] = [
                .read: [1, 12, 33].map { SQLITE_IOERR | $0 << 8 } + [SQLITE_NOMEM],
                .write: [SQLITE_FULL, SQLITE_IOERR | 3 << 8, SQLITE_NOMEM],
                .sync: [SQLITE_IOERR | 4 << 8, SQLITE_FULL],
                .truncate: [SQLITE_IOERR | 6 << 8],
                .sharedMemory: [SQLITE_IOERR | 19 << 8, SQLITE_IOERR | 21 << 8, SQLITE_NOMEM],
            ]
            // The logs of this run are too short to outgrow the first part of their index.
            let calls = FaultyFileSystem.Call.allCases.filter { $0 != .grownSharedMemory }
            let call = calls.randomElement(using: &random) ?? .write
            let code = codes[call]?.randomElement(using: &random) ?? SQLITE_IOERR
            let isTorn = call == .write && Bool.random(using: &random)
            return Fault(
                effect: isTorn ? .tear(code) : .fail(code), calls: [call],
                passing: Int.random(in: 0..<[2, 10, 60, 200].randomElement(using: &random)!, using: &random),
                striking: [1, 2, .max].randomElement(using: &random)!)
        }
    }

    @Test(
        "Whatever fails wherever, the file is as after the batches that were answered, also when the power goes then",
        arguments: [21, 22, 23, 24] as [UInt64])
    func anything(_ seed: UInt64) throws {
        var run = Run(small: try SmallStore(), random: SeededGenerator(seed: seed))
        for round in 0..<80 {
            try run.commitBatch(round)
            try run.check(run.small.store)
            if round % 4 == 0 { try run.losePower() }
            try run.small.hand.passUntilWritten(run.small.store)
            run.refused = []
            try run.check(run.small.store)
            if round % 8 == 0 { try run.losePower() }
            if round % 20 == 19 {
                try run.small.reopen()
                try run.check(run.small.store)
            }
        }
        #expect(run.struck > 20)
        run.small.store.close()
    }
}
