import DynamoModel
import Platform
import TableEngine
import Testing

@Suite("The change stream")
struct ChangeStreamTests {
    @Test(
        "A change tells what, when, by whom, from what and to what; it is delivered and kept",
        arguments: StoreKind.allCases)
    func content(_ kind: StoreKind) throws {
        try kind.withStore { (store) throws in
            let delivered = Locked<[TableChange]>([])
            store.subscribe { changes in delivered.withLock { $0 += changes } }
            let first = TestTable.item("p", "1", ["v": 1])
            let second = TestTable.item("p", "1", ["v": 2])
            let before = SystemClock.wallMilliseconds
            try store.transactAndWait(
                [.put(table: TestTable.name, item: first)], principal: Principal(.command, "import"))
            try store.transactAndWait([.put(table: TestTable.name, item: second)], principal: .anonymous)
            try store.transactAndWait(
                [.delete(table: TestTable.name, key: TestTable.key("p", "1"))], principal: Principal(.key, "k 1"))
            let changes = try store.changes(after: 0, limit: 10)
            #expect(changes == delivered.withLock { $0 })
            #expect(changes.map(\.sequence) == [1, 2, 3])
            #expect(changes.map(\.principal.description) == ["command import", "anonymous", "key k 1"])
            #expect(changes.map(\.oldItem) == [nil, first, second])
            #expect(changes.map(\.newItem) == [first, second, nil])
            #expect(changes.allSatisfy { $0.table == TestTable.name && $0.key == TestTable.key("p", "1") })
            #expect(changes.allSatisfy { $0.committedAt >= before })
            #expect(try store.changes(after: 1, limit: 1).map(\.sequence) == [2])
            #expect(store.lastSequence == 3)
        }
    }

    @Test("A write that changes nothing is no change")
    func noChange() throws {
        try StoreKind.memory.withStore { (store) throws in
            let item = TestTable.item("p", "1", ["v": 1])
            try store.put(item, item)
            try store.transactAndWait(
                [
                    .delete(table: TestTable.name, key: TestTable.key("p", "2")),
                    .update(table: TestTable.name, key: TestTable.key("p", "1"), actions: [.set("v", .value(1))]),
                ], principal: .anonymous)
            #expect(store.lastSequence == 1)
        }
    }

    @Test("A commit time is what the clock showed, also where it was set back; the order is that of the sequence")
    func clockRunsBackwards() throws {
        let directory = try TemporaryDirectory()
        let time = Locked<Int64>(1_000_000)
        for round in 0..<2 {
            let store = try SQLiteTableStore.open(.directory(directory.path)) { time.withLock { $0 } }
            if round == 0 { try store.createTable(TestTable.schema) }
            for number in 0..<3 {
                try store.put(TestTable.item("p", "\(round)-\(number)"))
                time.withLock { $0 -= 10_000 }
            }
            let changes = try store.changes(after: 0, limit: 100)
            #expect(changes.map(\.sequence) == (1...3 * (round + 1)).map { Int64($0) })
            #expect(changes.map(\.committedAt) == (0..<3 * (round + 1)).map { 1_000_000 - Int64($0) * 10_000 })
            #expect(try store.verify().problems == [])
            store.close()
        }
    }

    @Test("Changes older than a day are let go, but never the last, so that sequences go on")
    func pruning() throws {
        let directory = try TemporaryDirectory()
        let day: Int64 = 24 * 60 * 60 * 1000
        let time = Locked<Int64>(1_000_000)
        let store = try SQLiteTableStore.open(.directory(directory.path)) { time.withLock { $0 } }
        try store.createTable(TestTable.schema)
        for number in 0..<5 { try store.put(TestTable.item("p", "\(number)")) }
        time.withLock { $0 += day }
        try store.put(TestTable.item("p", "a day later"))
        #expect(try store.changes(after: 0, limit: 100).count == 6)
        time.withLock { $0 += 60_001 }
        try store.put(TestTable.item("p", "and a minute"))
        #expect(try store.changes(after: 0, limit: 100).map(\.sequence) == [6, 7])
        time.withLock { $0 += 10 * day }
        try store.setSetting("nothing", to: "changed")
        #expect(try store.changes(after: 0, limit: 100).map(\.sequence) == [7])
        store.close()
        let again = try SQLiteTableStore.open(.directory(directory.path)) { time.withLock { $0 } }
        try again.put(TestTable.item("p", "after a restart"))
        #expect(again.lastSequence == 8)
        again.close()
    }

    @Test("What another process writes is delivered once, in order, and its tables are known")
    func foreignChanges() throws {
        let directory = try TemporaryDirectory()
        let ours = try SQLiteTableStore.open(.directory(directory.path))
        let theirs = try SQLiteTableStore.open(.directory(directory.path))
        defer {
            ours.close()
            theirs.close()
        }
        let delivered = Locked<[Int64]>([])
        ours.subscribe { changes in delivered.withLock { $0 += changes.map(\.sequence) } }
        try theirs.createTable(TestTable.schema)
        try theirs.put(TestTable.item("p", "1"), TestTable.item("p", "2"))
        try ours.deliverForeignChanges()
        try ours.deliverForeignChanges()
        #expect(delivered.withLock { $0 } == [1, 2])
        #expect(ours.lastSequence == 2)
        // Also without being asked: before this store's own next change.
        try theirs.put(TestTable.item("p", "3"))
        try ours.put(TestTable.item("p", "4"))
        #expect(delivered.withLock { $0 } == [1, 2, 3, 4])
        try theirs.deliverForeignChanges()
        #expect(theirs.lastSequence == 4)
        #expect(try ours.verify().problems == [])
    }

    @Test("Thousands of changes of a table that was deleted since are not taken for the end of the stream")
    func foreignChangesOfDeletedTables() throws {
        let directory = try TemporaryDirectory()
        let ours = try SQLiteTableStore.open(.directory(directory.path))
        let theirs = try SQLiteTableStore.open(.directory(directory.path))
        defer {
            ours.close()
            theirs.close()
        }
        let delivered = Locked<[TableChange]>([])
        ours.subscribe { changes in delivered.withLock { $0 += changes } }
        try theirs.createTable(TestTable.schema)
        try theirs.createTable(TableSchema(name: "gone", partitionKey: KeyAttribute("PK")))
        for first in stride(from: 0, to: 2500, by: 100) {
            try theirs.transactAndWait(
                (first..<first + 100).map { .put(table: "gone", item: ["PK": .string("\($0)")]) },
                principal: .anonymous)
        }
        try theirs.put(TestTable.item("p", "stays"))
        try theirs.deleteTable("gone")
        try ours.deliverForeignChanges()
        #expect(delivered.withLock { $0.map(\.key) } == [TestTable.key("p", "stays")])
        #expect(ours.lastSequence == 2501)
        #expect(try ours.changes(after: 0, limit: 1).map(\.sequence) == [2501])
        try ours.put(TestTable.item("p", "goes on"))
        #expect(delivered.withLock { $0.map(\.sequence) } == [2501, 2502])
    }
}
