import Glibc
import Platform
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

/// A store with the test table whose clocks are moved by hand, in a directory that it can be opened in again.
final class ContinuousBench {
    static let start: Int64 = 1_700_000_000_000
    static let second: Int64 = 1000
    static let minute = 60 * second
    static let hour = 60 * minute
    static let day = 24 * hour

    let directory: TemporaryDirectory
    /// What the wall clock shows.
    let time = Locked<Int64>(ContinuousBench.start)
    /// What the clock shows that nobody sets.
    let elapsed = Locked<Int64>(0)
    private(set) var store: SQLiteTableStore
    private var life = ""

    /// Opens the store.
    ///
    /// - Parameters:
    ///   - kind: where it is.
    ///   - calls: what its backups and logs are written with.
    ///   - delay: what it waits by.
    init(_ kind: StoreKind = .file, _ calls: FileCalls = .system, _ delay: Delay = .monotonic) throws {
        directory = try TemporaryDirectory()
        store = try SQLiteTableStore(
            kind == .file ? .directory(directory.path) : .memory, TableLimits(),
            StoreClock(wall: { [time] in time.withLock { $0 } }, elapsed: { [elapsed] in elapsed.withLock { $0 } }),
            calls, delay)
        try store.createTable(TestTable.schema)
    }

    deinit { store.close() }

    /// Opens the store again, after `body` has done something to its files.
    func reopen(_ body: () throws -> Void = {}) throws {
        life = try store.setting("continuous.\(TestTable.name)") ?? life
        store.close()
        try body()
        store = try SQLiteTableStore.open(
            .directory(directory.path), elapsed: { [elapsed] in elapsed.withLock { $0 } },
            clock: { [time] in time.withLock { $0 } })
    }

    /// Ends the store, for others to look at its files.
    func close() { store.close() }

    var now: Int64 { time.withLock { $0 } }

    /// Lets time pass.
    func pass(_ milliseconds: Int64) {
        time.withLock { $0 += milliseconds }
        elapsed.withLock { $0 += milliseconds }
    }

    /// Sets the wall clock forward or back.
    func set(by milliseconds: Int64) { time.withLock { $0 += milliseconds } }

    /// Turns continuous backups of the test table on.
    func turnOn() throws { _ = try store.setContinuousBackups(of: TestTable.name, enabled: true) }

    /// What there is of them.
    func state() throws -> ContinuousBackups { try store.continuousBackups(of: TestTable.name) }

    /// The items of the table as they were at a time.
    func items(at point: RestorePoint) throws -> [Item] {
        let target = "copy-\(UInt32.random(in: 0 ... .max))"
        _ = try restored {
            _ = try store.restore(
                table: TestTable.name, at: point, to: target, replacing: false, adjust: { $0 }, completion: $0)
        }
        let items = try store.items(target)
        #expect(try store.items(target, index: "by-owner").count == items.count { $0["owner"] != nil })
        try store.deleteTable(target)
        return items
    }

    /// The names of the items of the table as they were at a time.
    func names(at point: RestorePoint) throws -> [String] {
        try items(at: point).compactMap { $0["SK"]?.stringValue }
    }

    func put(_ name: String, _ value: Int64 = 0) throws {
        try store.put(TestTable.item("p", name, ["n": .number(value), "owner": "o"]))
    }

    /// The paths of the files of the continuous backups.
    func files(_ prefix: String) throws -> [String] {
        let vault = BackupVault(directory: directory.path)
        let life = (try? store.setting("continuous.\(TestTable.name)")) ?? life
        return try vault.files(in: "continuous/\(life)").filter { $0.hasPrefix(prefix) }.map {
            "\(directory.path)/continuous/\(life)/\($0)"
        }
    }
}
