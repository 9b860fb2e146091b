import CSQLite
import Glibc
import Platform
import SQLite
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("What the writers of a failed batch are told")
struct FailedBatchTests {
    private typealias Fault = FaultyFileSystem.Fault

    private static func put(_ name: String) -> [WriteOperation] {
        [.put(table: TestTable.name, item: TestTable.item("p", name, ["owner": .string("owner of \(name)")]))]
    }

    private static func kinds(_ results: [Result<[WriteOutcome], TableError>?]) -> [StorageFailure.Kind?] {
        results.map { if case .failure(let error)? = $0 { error.storageKind } else { nil } }
    }

    @Test("Every one is told the failure, nothing of any is there or delivered, and the next ones are taken")
    func everyone() throws {
        for (fault, kind) in [(Fault.full, StorageFailure.Kind.full), (.unsynced, .inputOutput)] {
            let disk = try FaultyFileSystem()
            let hand = HandDelay()
            let store = try SQLiteTableStore.open(.directory(disk.path), delay: hand.delay)
            defer { store.close() }
            try store.createTable(TestTable.schema)
            try store.put(TestTable.item("p", "before"))
            let delivered = Locked(0)
            store.subscribe { changes in delivered.withLock { $0 += changes.count } }
            let batch = (0..<12).map { Self.put("\($0)") }
            let results = store.commitTogether(batch) { disk.inject(fault) }
            disk.mend()
            #expect(Self.kinds(results) == Array(repeating: kind, count: 12))
            #expect(try store.items(TestTable.name).map { $0["SK"] } == ["before"])
            #expect(store.lastSequence == 1 && delivered.withLock { $0 } == 0)
            try hand.passUntilWritten(store)
            #expect(store.commitTogether(batch).allSatisfy { (try? $0?.get()) != nil })
            #expect(store.lastSequence == 13 && delivered.withLock { $0 } == 12)
            #expect(try store.verify().problems == [])
        }
    }

    @Test("Those are told alone who fail alone, up to eight; with an eighth the rest is not tried", arguments: [7, 8])
    func alone(_ failing: Int) throws {
        let disk = try FaultyFileSystem()
        let hand = HandDelay()
        let store = try SQLiteTableStore.open(.directory(disk.path), delay: hand.delay)
        defer { store.close() }
        try store.createTable(TestTable.schema)
        for number in 0..<failing { try store.transactAndWait(Self.put("stale-\(number)"), principal: .anonymous) }
        let vandal = try DatabaseConnection(
            path: disk.path + "/flags.db", mode: .readWrite, busyTimeoutMilliseconds: 1000)
        // Their entries stay: what is put in their places the file does not allow.
        try vandal.execute("DELETE FROM item")
        vandal.close()
        let stale = (0..<failing).map { Self.put("stale-\($0)") }
        let results = store.commitTogether([Self.put("first")] + stale + (0..<6).map { Self.put("last-\($0)") })
        #expect(results.allSatisfy { $0 != nil })
        let succeeded = results.map { (try? $0?.get()) != nil }
        #expect(Array(succeeded.prefix(1 + failing)) == [true] + stale.map { _ in false })
        #expect(succeeded.suffix(6).allSatisfy { $0 == (failing < 8) })
        #expect(try store.items(TestTable.name).count == (failing < 8 ? 7 : 1))
        try hand.passUntilWritten(store)
    }
}

@Suite("A file in doubt")
struct DoubtTests {
    private typealias Fault = FaultyFileSystem.Fault

    /// Waiting that ends by hand, and for how long it would have been.
    private final class NotedDelay: Sendable {
        let hand = HandDelay()
        private let lengths = Locked<[Int]>([])

        var milliseconds: [Int] { lengths.withLock { $0 } }

        var delay: Delay {
            let delay = hand.delay
            return Delay { [lengths] milliseconds, queue, body in
                lengths.withLock { $0.append(milliseconds) }
                delay.call(milliseconds, queue, body)
            }
        }
    }

    /// A store of which nothing is in memory, and nothing in the log.
    private func withStore(_ body: (SQLiteTableStore, FaultyFileSystem, NotedDelay) throws -> Void) throws {
        let disk = try FaultyFileSystem()
        let filled = try SQLiteTableStore.open(.directory(disk.path))
        try filled.createTable(TestTable.schema)
        for number in 0..<60 {
            try filled.put(
                TestTable.item("p", "\(number)", ["owner": "o", "v": .binary([UInt8](repeating: 7, count: 3000))]))
        }
        filled.close()
        let noted = NotedDelay()
        let store = try SQLiteTableStore.open(.directory(disk.path), delay: noted.delay)
        defer { store.close() }
        try body(store, disk, noted)
    }

    private func put(_ name: String, _ store: SQLiteTableStore) -> TableError? {
        do { try store.put(TestTable.item("q", name)) } catch { return error as? TableError }
        return nil
    }

    /// Has a page contradict itself for the one who reads it now.
    private func raiseDoubt(_ store: SQLiteTableStore, _ disk: FaultyFileSystem) {
        let failure = disk.whileFailing(Fault(effect: .fail(SQLITE_CORRUPT), calls: [.read])) { put("doubtful", store) }
        #expect(failure?.storageKind == .corrupt)
    }

    /// Puts something into the file that contradicts its pages: only who looks at all of it finds that.
    ///
    /// - Returns: what the file was before.
    private func damage(_ path: String) throws -> [UInt8] {
        let bytes = try read(path)
        // How many free pages there are, says its head.
        try overwrite(path, from: 36, count: 4)
        return bytes
    }

    @Test("What the verification of the whole file finds keeps it from being written, until the file is in order")
    func verdict() throws {
        try withStore { (store, disk, noted) throws in
            raiseDoubt(store, disk)
            let path = disk.path + "/flags.db"
            let whole = try damage(path)
            for _ in 0..<2 {
                #expect(noted.hand.passAndAwaitAnother())
                let refusal = put("refused", store)
                #expect(refusal?.storageKind == .corrupt)
                #expect(refusal?.description.contains("cannot go on writing \(path)") == true, "\(refusal as Any)")
                #expect(store.writeTrouble == refusal)
            }
            try write(whole, to: path)
            try noted.hand.passUntilWritten(store)
            #expect(put("taken", store) == nil)
            #expect(try store.verify().problems == [])
        }
    }

    @Test("A verification that could not read the file verifies nothing: the next one looks at the whole file again")
    func unreadable() throws {
        try withStore { (store, disk, noted) throws in
            raiseDoubt(store, disk)
            _ = try damage(disk.path + "/flags.db")
            disk.inject(.unreadable)
            #expect(noted.hand.passAndAwaitAnother())
            disk.mend()
            #expect(put("refused", store)?.storageKind == .inputOutput)
            #expect(noted.hand.passAndAwaitAnother())
            #expect(put("refused", store)?.description.contains("cannot go on writing") == true)
        }
    }

    @Test("A file that did not pass is left alone for ten times as long as that took, and for a second at least")
    func rest() throws {
        try withStore { (store, disk, noted) throws in
            raiseDoubt(store, disk)
            _ = try damage(disk.path + "/flags.db")
            #expect(noted.milliseconds == [1000])
            let took = Locked(Duration.zero)
            // A slow disk: half a second for the first page.
            let slow = Fault.Effect.delay {
                let start = ContinuousClock.now
                usleep(500_000)
                took.withLock { $0 = start.duration(to: .now) }
            }
            disk.inject(Fault(effect: slow, calls: [.read], files: [.database], striking: 1))
            #expect(noted.hand.passAndAwaitAnother())
            #expect(disk.mend() == 1)
            try #require(noted.milliseconds.count == 2)
            #expect(noted.milliseconds[1] >= Int(took.withLock { $0 } / .milliseconds(1)) * 10)
            #expect(noted.hand.passAndAwaitAnother())
            #expect(noted.milliseconds.last.map { $0 >= 1000 } == true && noted.milliseconds.count == 3)
        }
    }

    @Test("What another process writes while the file is in doubt is delivered before the next own change")
    func foreignChanges() throws {
        try withStore { (store, disk, noted) throws in
            let delivered = Locked<[Int64]>([])
            store.subscribe { changes in delivered.withLock { $0 += changes.map(\.sequence) } }
            let last = store.lastSequence
            raiseDoubt(store, disk)
            let other = try SQLiteTableStore.open(.directory(disk.path))
            try other.put(TestTable.item("q", "theirs"), TestTable.item("q", "theirs, too"))
            other.close()
            try noted.hand.passUntilWritten(store)
            #expect(put("ours", store) == nil)
            #expect(delivered.withLock { $0 } == [last + 1, last + 2, last + 3])
            #expect(try store.verify().problems == [])
        }
    }
}
