import Dispatch
import Platform
import TestSupport
import Testing

@testable import DynamoModel
@testable import TableEngine

@Suite("How far long work on a table is")
struct WorkWatchTests {
    fileprivate struct Told {
        var (expected, done) = (0, 0)
        /// Whether more was ever done than there was to do, as far as that was told.
        var isAhead = false
    }

    private static let count = 4_000

    private func table() throws -> SQLiteTableStore {
        let store = try SQLiteTableStore.open(.memory)
        try store.createTable(TestTable.schema)
        let text = AttributeValue.string(String(repeating: "x", count: 200))
        for start in stride(from: 0, to: Self.count, by: 100) {
            try store.transactAndWait(
                (start..<start + 100).map {
                    .put(table: TestTable.name, item: TestTable.item("\($0)", "s", ["text": text]))
                }, principal: .anonymous)
        }
        return store
    }

    private func watch(_ told: Locked<[Told]>) -> WorkWatch {
        WorkWatch(
            isCancelled: { false },
            expect: { count in told.withLock { $0.append(($0.last ?? Told()).expecting(count)) } },
            note: { count in told.withLock { $0.append(($0.last ?? Told()).noting(count)) } })
    }

    @Test("A backup tells the items that it has written, in steps, and in the end all")
    func backup() throws {
        let store = try table()
        defer { store.close() }
        let told = Locked<[Told]>([])
        _ = try store.createBackup(of: TestTable.name, name: "b", watch: watch(told))
        try expectSteps(told, to: Self.count)
    }

    @Test("A restore tells the items that it has written, and looked at again for the indexes")
    func restore() throws {
        let store = try table()
        defer { store.close() }
        let backup = try store.createBackup(of: TestTable.name, name: "b")
        let told = Locked<[Told]>([])
        let done = DispatchSemaphore(value: 0)
        _ = try store.restore(
            backup: backup.id, to: "copy", replacing: false, adjust: { $0 }, watch: watch(told)
        ) { _ in done.signal() }
        done.wait()
        try expectSteps(told, to: 2 * Self.count)
    }

    private func expectSteps(_ told: Locked<[Told]>, to total: Int) throws {
        let steps = told.withLock { $0 }
        let last = try #require(steps.last)
        #expect(last.expected == total && last.done == total)
        #expect(steps.contains { $0.done > 0 && $0.done < total }, "there is a middle")
        #expect(!steps.contains { $0.isAhead })
    }
}

extension WorkWatchTests.Told {
    fileprivate func expecting(_ count: Int) -> Self {
        var next = self
        next.expected += count
        return next
    }

    fileprivate func noting(_ count: Int) -> Self {
        var next = self
        next.done += count
        next.isAhead = next.done > next.expected
        return next
    }
}
