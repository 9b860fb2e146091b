import Dispatch
import Glibc
import Platform
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("The log of one table fails, and that of another does not")
struct LogRetryTests {
    private static let other = "other"

    /// Changes are gathered for no time at all; retries wait until a test says so.
    private final class HeldRetries: Sendable {
        private struct State {
            /// How long each was to wait, in milliseconds.
            var lengths: [Int] = []
            var held: [@Sendable () -> Void] = []
        }

        private let state = Locked(State())

        var lengths: [Int] { state.withLock { $0.lengths } }

        var delay: Delay {
            Delay { [state] milliseconds, queue, body in
                guard milliseconds >= FollowerTiming().retryMilliseconds else { return queue.async(execute: body) }
                state.withLock { state in
                    state.lengths.append(milliseconds)
                    state.held.append { queue.async(execute: body) }
                }
            }
        }

        func release() {
            let held = state.withLock { state in
                defer { state.held = [] }
                return state.held
            }
            for retry in held { retry() }
        }
    }

    /// A store with two tables whose changes go into logs, and how many writes were asked for of that of the test table
    /// since it fails.
    private struct Bench {
        let store: ContinuousBench
        let retries = HeldRetries()
        let device = WatchedDevice()
        let tries = Locked(0)
        let life: String

        init() throws {
            store = try ContinuousBench(.file, device.calls, retries.delay)
            try store.store.createTable(
                TableSchema(
                    name: LogRetryTests.other, partitionKey: KeyAttribute("PK"), sortKey: KeyAttribute("SK"),
                    indexes: []))
            try store.turnOn()
            _ = try store.store.setContinuousBackups(of: LogRetryTests.other, enabled: true)
            life = try #require(try store.store.setting("continuous.\(TestTable.name)"))
        }

        /// From now on the log of the test table cannot be written.
        func fail() {
            device.watch { [life, tries] path in
                guard path.contains("/\(life)/log-") else { return true }
                tries.withLock { $0 += 1 }
                return false
            }
        }

        /// Writes an item of each table.
        func write(_ name: String) throws {
            store.pass(ContinuousBench.second)
            try store.put(name)
            try store.store.transactAndWait(
                [.put(table: LogRetryTests.other, item: TestTable.item("o", name))], principal: .anonymous)
        }

        /// Whether the log of a table has every change, which nobody brings about by asking.
        func follows(_ table: String) throws -> Bool {
            let contents = try store.store.backups.archive.current().first { $0.table == table }
            return contents?.position == store.store.lastSequence
        }

        var report: FollowerReport? {
            store.store.followers.first { $0.name == ContinuousArchive.followerName }
        }
    }

    @Test("The healthy one follows at its usual pace; the other is tried after longer and longer pauses, and named")
    func pace() throws {
        let bench = try Bench()
        try bench.write("before")
        #expect(try eventually { try bench.follows(Self.other) && bench.follows(TestTable.name) })
        bench.fail()
        try bench.write("0")
        #expect(eventually { bench.retries.lengths == [1_000] })
        for number in 1...4 {
            let tries = bench.tries.withLock { $0 }
            for part in 0..<3 {
                try bench.write("\(number)-\(part)")
                #expect(try eventually { try bench.follows(Self.other) })
            }
            // Meanwhile nobody has touched the one that fails.
            #expect(bench.tries.withLock { $0 } == tries)
            #expect(bench.store.store.backupTrouble?.description.contains(bench.life) == true)
            #expect(bench.report?.failures == UInt64(number))
            #expect(bench.report?.lagMilliseconds != 0)
            bench.retries.release()
            #expect(eventually { bench.retries.lengths.count == number + 1 })
        }
        #expect(bench.retries.lengths == [1_000, 2_000, 4_000, 8_000, 8_000])
        bench.device.mend()
        bench.retries.release()
        #expect(try eventually { try bench.follows(TestTable.name) && bench.store.store.backupTrouble == nil })
        #expect(bench.report?.pendingChanges == 0)
        #expect(try bench.store.items(at: .latest).count == 14)
        #expect(try bench.store.store.verify().problems == [])
        // The next failure is the first one again.
        bench.fail()
        try bench.write("again")
        #expect(eventually { bench.retries.lengths.count == 6 })
        #expect(bench.retries.lengths.last == 1_000)
    }

    @Test("What the failing log lacks stays in the stream, however old it becomes while the other follows")
    func kept() throws {
        let bench = try Bench()
        bench.fail()
        let first = bench.store.store.lastSequence + 1
        for number in 0..<10 { try bench.write("\(number)") }
        #expect(try eventually { try bench.follows(Self.other) })
        for number in 0..<10 {
            bench.store.pass(ContinuousBench.day)
            try bench.write("later, \(number)")
        }
        #expect(try eventually { try bench.follows(Self.other) })
        #expect(try bench.store.store.changes(after: 0, limit: 1).first?.sequence == first)
        // Who cannot wait for the retry has it tried now, and learns why it fails; no other retry comes of that.
        let tries = bench.tries.withLock { $0 }
        #expect(throws: TableError.self) { try bench.store.store.backups.archive.flush() }
        #expect(bench.tries.withLock { $0 } > tries)
        #expect(bench.retries.lengths == [1_000])
        bench.device.mend()
        try bench.store.store.backups.archive.flush()
        #expect(bench.store.store.backupTrouble == nil)
        // The retry that is left over does nothing.
        bench.retries.release()
        #expect(try bench.store.items(at: .latest).count == 20)
        #expect(try bench.store.state().damages == [])
        #expect(try bench.store.store.verify().problems == [])
    }

    @Test("A log that fails at the end of its store is tried a last time, and the next start has the rest")
    func ending() throws {
        let bench = try Bench()
        bench.fail()
        try bench.write("0")
        #expect(eventually { bench.retries.lengths == [1_000] })
        let tries = bench.tries.withLock { $0 }
        try bench.store.reopen {}
        #expect(bench.tries.withLock { $0 } > tries)
        #expect(try bench.store.items(at: .latest).count == 1)
        #expect(try bench.store.store.verify().problems == [])
    }
}
