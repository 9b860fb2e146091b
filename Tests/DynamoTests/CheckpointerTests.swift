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

    @Test("Beside somebody who reads for long, writers wait for him once a step of the log, not at every commit")
    func longReader() throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        try store.createTable(TestTable.schema)
        let reader = try Connection(
            path: directory.path + "/flags.db", mode: .readOnly, busyTimeoutMilliseconds: 1000)
        defer { reader.close() }
        let pages = 8_000
        try reader.read(failing: TableError.init) { () throws(TableError) in
            _ = try StoreFile.definitions(reader)
            let text = AttributeValue.string(String(repeating: "a", count: 100_000))
            // A hundred kilobytes are some 30 pages of the log.
            for number in 0..<pages / 30 {
                _ = try store.transactAndWait(
                    [.put(table: TestTable.name, item: TestTable.item("p", "\(number)", ["text": text]))],
                    principal: .anonymous)
            }
        }
        let refused = try #require(store.checkpointer).refusedRestarts.load(ordering: .relaxed)
        #expect((1...20).contains(refused), "\(refused)")
    }
}
