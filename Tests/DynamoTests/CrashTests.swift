import DynamoModel
import Glibc
import TableEngine
import TestSupport
import Testing

@Suite("After a crash")
struct CrashTests {
    @Test("A log cut off anywhere leaves the state after some whole transaction, and the indexes agree")
    func cutLog() throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteTableStore.open(.directory(directory.path))
        try store.createTable(TestTable.schema)
        let count = 40
        for number in 1...count {
            try store.transactAndWait(
                [
                    .put(table: TestTable.name, item: TestTable.item("a", "\(number)", ["owner": "o"])),
                    .put(table: TestTable.name, item: TestTable.item("b", "\(number)", ["owner": "o"])),
                    .update(table: TestTable.name, key: TestTable.key("c", "count"), actions: [.add("n", 1)]),
                ], principal: .anonymous)
        }
        // What a crash leaves: the file and the log as they are, while the store is open.
        let file = try read(directory.path + "/flags.db")
        let log = try read(directory.path + "/flags.db-wal")
        store.close()
        var random = SeededGenerator(seed: 20)
        var statesSeen: Set<Int64> = []
        for round in 0..<40 {
            let cut = round == 0 ? log.count : Int.random(in: 100_000..<log.count, using: &random)
            let state = try recover(file, Array(log[..<cut]), damagingLastPage: round % 2 == 1)
            if round == 0 { #expect(state == Int64(count)) }
            statesSeen.insert(state)
        }
        #expect(statesSeen.count > 5)
    }

    /// Opens what a crash has left, and checks that it is the state after a whole transaction.
    ///
    /// - Returns: how many transactions are in it.
    private func recover(_ file: [UInt8], _ log: [UInt8], damagingLastPage: Bool) throws -> Int64 {
        let directory = try TemporaryDirectory()
        var log = log
        if damagingLastPage { for index in log.indices.suffix(100) { log[index] = 0x55 } }
        try write(file, to: directory.path + "/flags.db")
        try write(log, to: directory.path + "/flags.db-wal")
        let store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        #expect(try store.verify().problems == [])
        let count = try store.getItem(table: TestTable.name, key: TestTable.key("c", "count"))?["n"]?.int64Value ?? 0
        for partition in ["a", "b"] {
            #expect(
                try store.query(Query(table: TestTable.name, partition: .string(partition))).items.count == Int(count))
        }
        let changes = try store.changes(after: 0, limit: 1000)
        #expect(changes.map(\.sequence) == Array(stride(from: 1, through: 3 * count, by: 1)))
        try store.put(TestTable.item("d", "goes on"))
        #expect(store.lastSequence == 3 * count + 1)
        return count
    }
}
