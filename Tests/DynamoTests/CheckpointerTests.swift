import Dispatch
import SQLite
import Synchronization
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("When the write-ahead log is moved into the file")
struct CheckpointerTests {
    @Test(
        "It is moved when it has grown by a step since it was moved last, not at every commit from there on",
        arguments: [
            (walFrames: 0, framesMoved: 0, isDue: false),
            (999, 0, false), (1000, 0, true), (5000, 0, true),
            (1001, 1000, false), (1999, 1000, false), (2000, 1000, true),
            // It has begun anew meanwhile.
            (3, 1000, false), (999, 3500, false), (1200, 3500, true),
        ])
    func isDue(walFrames: Int, framesMoved: Int, isDue: Bool) {
        #expect(Checkpointer.isDue(walFrames: walFrames, framesMoved: framesMoved) == isDue)
    }

    /// A store, and a reader beside it.
    private struct Bench {
        let directory: TemporaryDirectory
        let store: SQLiteTableStore
        let reader: DatabaseConnection

        init() throws {
            directory = try TemporaryDirectory()
            store = try SQLiteTableStore.open(.directory(directory.path))
            try store.createTable(TestTable.schema)
            reader = try DatabaseConnection(
                path: directory.path + "/flags.db", mode: .readOnly, busyTimeoutMilliseconds: 1000)
        }

        /// Writes so many pages of the log while the reader reads one state of the file.
        func write(pages: Int) throws(TableError) {
            try reader.read(failing: TableError.init) { () throws(TableError) in
                _ = try StoreFile.definitions(reader)
                let text = AttributeValue.string(String(repeating: "a", count: 100_000))
                // Of other keys each time, since what changes nothing writes nothing.
                let partition = "\(store.lastSequence)"
                // A hundred kilobytes are some 30 pages of the log.
                for number in 0..<pages / 30 {
                    let item = TestTable.item(partition, "\(number)", ["text": text])
                    _ = try store.transactAndWait([.put(table: TestTable.name, item: item)], principal: .anonymous)
                }
            }
        }

        /// How often writers have waited for the reader in vain.
        func refused() throws -> Int { try #require(store.checkpointer).refusedRestarts.load(ordering: .relaxed) }

        func close() {
            reader.close()
            store.close()
        }
    }

    @Test("Beside somebody who reads for long, writers wait for him once a step of the log, not at every commit")
    func longReader() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.write(pages: 8_000)
        let refused = try bench.refused()
        #expect((1...20).contains(refused), "\(refused)")
    }

    @Test("Nobody waits for a reader who has said that he reads for long, until he has ended")
    func announcedReader() throws {
        let bench = try Bench()
        defer { bench.close() }
        let checkpointer = try #require(bench.store.checkpointer)
        try checkpointer.duringLongRead { () throws(TableError) in try bench.write(pages: 8_000) }
        #expect(try bench.refused() == 0)
        try bench.write(pages: 8_000)
        #expect(try bench.refused() > 0)
    }

    @Test("When the log cannot be moved, nothing is written until the file was verified")
    func failure() throws {
        let disk = try FaultyFileSystem()
        let hand = HandDelay()
        let store = try SQLiteTableStore.open(.directory(disk.path), clock: { 100_000_000 }, delay: hand.delay)
        defer { store.close() }
        try store.createTable(TestTable.schema)
        let isTold = DispatchSemaphore(value: 0)
        store.subscribeToWriteTrouble { if $0 != nil { isTold.signal() } }
        // Commits write the log; the file itself is written when the log is moved into it.
        var fault = FaultyFileSystem.Fault.unsynced
        fault.calls = [.write, .sync]
        fault.files = [.database]
        disk.inject(fault)
        let text = AttributeValue.string(String(repeating: "a", count: 100_000))
        for number in 0..<200 {
            guard (try? store.put(TestTable.item("p", "\(number)", ["text": text]))) != nil else { break }
        }
        #expect(isTold.wait(timeout: .now() + 20) == .success)
        #expect(store.writeTrouble?.storageKind == .inputOutput)
        disk.mend()
        try hand.passUntilWritten(store)
        try store.put(TestTable.item("p", "after"))
        #expect(try store.verify().problems == [])
    }
}
