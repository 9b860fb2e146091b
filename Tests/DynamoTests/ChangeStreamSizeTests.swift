import Platform
import SQLite
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("The size of the change stream")
struct ChangeStreamSizeTests {
    private static let minute: Int64 = 60_000

    /// A store on disk whose clock is moved by hand.
    private final class Bench {
        let directory: TemporaryDirectory
        let time = Locked<Int64>(1_700_000_000_000)
        var limits = TableLimits()
        private(set) var store: SQLiteTableStore

        init(bytesMax: Int64 = 0) throws {
            directory = try TemporaryDirectory()
            limits.changeBytesMax = bytesMax
            store = try Self.open(directory, limits, time)
            try store.createTable(TestTable.schema)
        }

        deinit { store.close() }

        private static func open(
            _ directory: TemporaryDirectory, _ limits: TableLimits, _ time: Locked<Int64>
        ) throws -> SQLiteTableStore {
            try SQLiteTableStore.open(.directory(directory.path), limits: limits) { time.withLock { $0 } }
        }

        func reopen(_ body: () throws -> Void = {}) throws {
            store.close()
            try body()
            store = try Self.open(directory, limits, time)
        }

        func pass(_ milliseconds: Int64) { time.withLock { $0 += milliseconds } }

        /// Writes `count` items of about a kilobyte, over and over the same few.
        func write(_ count: Int) throws {
            for number in 0..<count {
                try store.put(
                    TestTable.item(
                        "p", "\(number % 10)",
                        [
                            "v": .binary((0..<1000).map { UInt8(truncatingIfNeeded: $0 &* number) }),
                            "n": .number(Int64(number)),
                        ]))
            }
        }

        /// What the file says if every change is counted.
        func counted() throws -> Int64 {
            try store.backups.parts.readers.read { (connection) throws(TableError) in
                try convertingErrors { () throws(SQLiteError) in
                    try ChangeJournal.bytes(connection, in: 0...Int64.max)
                }
            }
        }

        var sequences: [Int64] { get throws { try store.changes(after: 0, limit: 100_000).map(\.sequence) } }

        /// Has the store look whether changes are to be let go, as often as there may be something to do.
        func prune() throws {
            for _ in 0..<20 {
                pass(4000)
                try store.setSetting("nothing", to: "changed")
            }
        }
    }

    @Test("It is counted as changes come, go and are let go, and after a restart")
    func counting() throws {
        let bench = try Bench()
        try bench.write(50)
        #expect(try bench.store.changeStream().bytes == bench.counted())
        try bench.store.transactAndWait(
            [.delete(table: TestTable.name, key: TestTable.key("p", "3"))], principal: Principal(.account, "ädä"))
        #expect(try bench.store.changeStream().bytes == bench.counted())
        #expect(try bench.store.changeStream().changes == 51)
        try bench.reopen()
        #expect(try bench.store.changeStream().bytes == bench.counted())
        bench.pass(24 * 60 * Self.minute + 1)
        try bench.write(5)
        try bench.prune()
        #expect(try bench.sequences == [52, 53, 54, 55, 56])
        #expect(try bench.store.changeStream().bytes == bench.counted())
        try bench.store.deleteTable(TestTable.name)
        bench.store.backups.waitForSweep()
        #expect(try bench.store.changeStream().bytes == bench.counted())
        try bench.reopen()
        #expect(try bench.store.changeStream().bytes == bench.counted())
    }

    @Test("Beyond its bound the oldest changes are let go, however new they are, and no gap is made")
    func bound() throws {
        let bench = try Bench(bytesMax: 100_000)
        try bench.write(300)
        #expect(try bench.store.changeStream().bytes > 200_000)
        bench.pass(Self.minute)
        try bench.prune()
        let statistics = try bench.store.changeStream()
        #expect((90_000...100_000).contains(statistics.bytes))
        #expect(statistics.bytes == (try bench.counted()) && statistics.bytesMax == 100_000)
        #expect(try bench.sequences == Array((301 - statistics.changes)...300))
        #expect(try bench.store.verify().problems == [])
    }

    @Test("What somebody keeps stays beyond the bound and the retention, and goes when he needs it no longer")
    func kept() throws {
        let bench = try Bench(bytesMax: 50_000)
        bench.store.keepChanges(after: 20, for: "one")
        bench.store.keepChanges(after: 60, for: "another")
        try bench.write(200)
        bench.pass(25 * 60 * Self.minute)
        try bench.prune()
        #expect(try bench.sequences.first == 21)
        #expect(try bench.store.changeStream().neededChanges == 180)
        #expect(try bench.store.changeStream().bytes > 50_000)
        bench.store.keepChanges(after: 40, for: "one")
        try bench.prune()
        #expect(try bench.sequences.first == 41)
        bench.store.keepChanges(after: 200, for: "one")
        bench.store.keepChanges(after: 200, for: "another")
        try bench.prune()
        #expect(try bench.sequences == [200])
    }

    @Test("The log of continuous backups keeps what it lacks beyond the bound")
    func keptByLog() throws {
        let bench = try Bench(bytesMax: 50_000)
        _ = try bench.store.setContinuousBackups(of: TestTable.name, enabled: true)
        try bench.write(200)
        try bench.store.backups.archive.flush()
        bench.pass(Self.minute)
        try bench.prune()
        #expect(try bench.store.changeStream().bytes <= 50_000)
        let target = try restored {
            _ = try bench.store.restore(
                table: TestTable.name, at: .latest, to: "copy", replacing: false, adjust: { $0 }, completion: $0)
        }
        #expect(target.content.items == 10)
    }

    @Test("Nothing is let go in the first minute: until then, those who need something have said so")
    func firstMinute() throws {
        let bench = try Bench(bytesMax: 50_000)
        try bench.write(100)
        bench.pass(48 * 60 * Self.minute)
        try bench.reopen()
        try bench.write(1)
        #expect(try bench.sequences.count == 101)
        bench.store.keepChanges(after: 50, for: "one")
        bench.pass(Self.minute)
        try bench.prune()
        #expect(try bench.sequences.first == 51)
    }

    @Test("A stream of whole images, as earlier versions wrote it, is read, verified, sized and let go")
    func earlierVersion() throws {
        let bench = try Bench(bytesMax: 100_000)
        for number in 0..<200 {
            try bench.store.put(
                TestTable.item(
                    "p", "1", ["v": .binary([UInt8](repeating: 7, count: 900)), "n": .number(Int64(number))]))
        }
        let changes = try bench.store.changes(after: 0, limit: 1000)
        try bench.reopen {
            let connection = try DatabaseConnection(
                path: bench.directory.path + "/flags.db", mode: .readWrite, busyTimeoutMilliseconds: 1000)
            defer { connection.close() }
            try connection.execute(
                """
                UPDATE change SET old = (SELECT new FROM change b WHERE b.sequence = change.sequence - 1)
                    WHERE old IS NOT NULL;
                DELETE FROM setting WHERE name = 'store.stream';
                """)
        }
        #expect(try bench.store.changes(after: 0, limit: 1000) == changes)
        #expect(try bench.store.verify().problems == [])
        let (estimated, counted) = (try bench.store.changeStream().bytes, try bench.counted())
        #expect(counted > 300_000)
        #expect((counted - counted / 10...counted + counted / 10).contains(estimated))
        bench.pass(Self.minute)
        try bench.prune()
        #expect(try bench.store.changeStream().bytes <= 100_000)
        bench.pass(25 * 60 * Self.minute)
        try bench.write(10)
        try bench.prune()
        #expect(try bench.store.changeStream().bytes == bench.counted())
        #expect(try bench.store.verify().problems == [])
    }

    @Test("A change of a large item takes about the bytes of the item, not twice as many")
    func oneImage() throws {
        let bench = try Bench()
        let big = [UInt8](repeating: 9, count: 100_000)
        for number in 0..<10 {
            try bench.store.put(TestTable.item("p", "1", ["v": .binary(big), "n": .number(Int64(number))]))
        }
        #expect(try bench.store.changeStream().bytes < 11 * 100_200)
    }
}

extension SQLiteTableStore {
    /// What a follower of this name says that has taken the changes up to `sequence`.
    func keepChanges(after sequence: Int64, for follower: String) {
        attach(FollowerProgress(follower, stored: sequence))
    }
}
