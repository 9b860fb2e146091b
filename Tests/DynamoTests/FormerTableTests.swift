import Dispatch
import Glibc
import Platform
import SQLite
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Tables that are replaced or deleted")
struct FormerTableTests {
    private static let copy = "copy"
    private static let day: Int64 = 24 * 3600 * 1000

    /// Some who put items of ever other keys into the test table until they are told to stop, and what was answered.
    private final class Writers {
        private let acknowledged = Locked<Set<TableKey>>([])
        private let isOver = Locked(false)
        private let group = DispatchGroup()

        init(_ count: Int, _ store: SQLiteTableStore) {
            for writer in 0..<count {
                DispatchQueue.global().async(group: group) { [acknowledged, isOver] in
                    var number = 0
                    while !isOver.withLock({ $0 }) {
                        let item = TestTable.item("written by \(writer)", "\(number)")
                        number += 1
                        guard (try? store.put(item)) != nil else { continue }
                        acknowledged.withLock { _ = $0.insert(FormerTableTests.key(item)) }
                    }
                }
            }
        }

        /// How many writes were answered so far.
        var count: Int { acknowledged.withLock { $0.count } }

        /// Waits until so many more writes were answered.
        func waitForMore(_ more: Int) {
            let wanted = count + more
            _ = eventually { count >= wanted }
        }

        /// Ends all of them.
        ///
        /// - Returns: the keys of what was written.
        func stop() -> Set<TableKey> {
            isOver.withLock { $0 = true }
            group.wait()
            return acknowledged.withLock { $0 }
        }
    }

    private static func key(_ item: Item) -> TableKey { TableKey(item["PK"] ?? .null, item["SK"] ?? .null) }

    private func keys(_ table: String, _ store: SQLiteTableStore) throws -> Set<TableKey> {
        Set(try store.items(table).map(Self.key))
    }

    /// The keys of the items in a backup.
    private func keys(inBackup id: String, _ store: SQLiteTableStore) throws -> Set<TableKey> {
        let target = "copy-\(UInt32.random(in: 0 ... .max))"
        _ = try restored {
            _ = try store.restore(backup: id, to: target, replacing: false, adjust: { $0 }, completion: $0)
        }
        defer { try? store.deleteTable(target) }
        return try keys(target, store)
    }

    private func lastBackups(_ store: SQLiteTableStore) throws -> [BackupDescription] {
        var filter = BackupFilter()
        filter.kind = .system
        return try store.listBackups(filter).compactMap(\.description)
    }

    @Test("Whatever was answered is in the restored table or in the backup of the one it has replaced")
    func replacingUnderWrites() throws {
        try StoreKind.file.withStore { (store) throws in
            for start in stride(from: 0, to: 2000, by: 100) {
                try store.transactAndWait(
                    (start..<(start + 100)).map {
                        .put(table: TestTable.name, item: TestTable.item("first", "\($0)"))
                    }, principal: .anonymous)
            }
            let backup = try store.createBackup(of: TestTable.name, name: "before")
            let writers = Writers(4, store)
            for _ in 0..<3 {
                writers.waitForMore(20)
                _ = try restored {
                    _ = try store.restore(
                        backup: backup.id, to: TestTable.name, replacing: true, adjust: { $0 }, completion: $0)
                }
            }
            writers.waitForMore(20)
            let acknowledged = writers.stop()
            var kept = try keys(TestTable.name, store)
            let backups = try lastBackups(store)
            #expect(backups.map(\.name) == Array(repeating: "things$ReplacedTableBackup", count: 3))
            for backup in backups { kept.formUnion(try keys(inBackup: backup.id, store)) }
            #expect(acknowledged.subtracting(kept) == [])
        }
    }

    @Test("Whatever was answered before a table was deleted is in the last backup of it")
    func deletingUnderWrites() throws {
        try StoreKind.file.withStore { (store) throws in
            _ = try store.setContinuousBackups(of: TestTable.name, enabled: true)
            let writers = Writers(4, store)
            writers.waitForMore(200)
            try store.deleteTable(TestTable.name)
            let acknowledged = writers.stop()
            let backup = try #require(try lastBackups(store).first)
            #expect(backup.name == "things$DeletedTableBackup")
            #expect(backup.table.content.items == acknowledged.count)
            #expect(try keys(inBackup: backup.id, store) == acknowledged)
        }
    }

    @Test("A table without continuous backups leaves nothing behind when it is deleted")
    func deletedWithoutBackup() throws {
        try StoreKind.file.withStore { (store) throws in
            for number in 0..<20 { try store.put(TestTable.item("p", "\(number)")) }
            try store.deleteTable(TestTable.name)
            store.backups.waitForSweep()
            #expect(try store.listBackups(BackupFilter()) == [])
            let open = store.backups.store
            let rows = try open.readers.read { (connection) throws(TableError) in
                try convertingErrors { () throws(SQLiteError) in
                    let count = try connection.statement("SELECT (SELECT count(*) FROM item) + count(*) FROM entry")
                    defer { count.reset() }
                    return try count.step() ? count.int64(0) : -1
                }
            }
            #expect(rows == 0)
            #expect(try FormerTable.all(open).isEmpty)
        }
    }

    @Test("The last backup of a table is made after a restart, when the process ended before")
    func restart() throws {
        let directory = try TemporaryDirectory()
        var store = try SQLiteTableStore.open(.directory(directory.path))
        try store.createTable(TestTable.schema)
        for number in 0..<20 { try store.put(TestTable.item("p", "\(number)")) }
        store.backups.waitForSweep()
        try end(TestTable.name, of: store)
        // What is to be made is listed, and its content in nobody's way.
        let due = try #require(try store.listBackups(BackupFilter()).first)
        guard case .creating(let expected) = due else {
            Issue.record("\(due)")
            return
        }
        #expect(expected.table.content.items == 20)
        #expect(try store.verify().problems == [])
        store.close()
        store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        #expect(try keys(inBackup: due.id, store).count == 20)
        store.backups.waitForSweep()
        guard case .available(let made) = try store.describeBackup(due.id) else {
            Issue.record("it is not made")
            return
        }
        #expect(made.table == expected.table && made.createdAt == expected.createdAt && made.sizeBytes > 0)
        #expect(try store.verify().problems == [])
    }

    @Test("A backup that is being made can be deleted, and then is not made")
    func givenUp() throws {
        try StoreKind.file.withStore { (store) throws in
            try store.put(TestTable.item("p", "1"))
            store.backups.waitForSweep()
            try end(TestTable.name, of: store)
            let due = try #require(try store.listBackups(BackupFilter()).first)
            #expect(try store.deleteBackup(due.id) == due)
            store.backups.former.makeBackups()
            #expect(try store.listBackups(BackupFilter()) == [])
            #expect(throws: TableError.backup(.notFound(due.id))) { try store.deleteBackup(due.id) }
        }
    }

    @Test("What is kept for a backup stays, and verify tells, when it cannot be read what is to be done")
    func unreadable() throws {
        let store = try SQLiteTableStore.open(.memory)
        defer { store.close() }
        try store.createTable(TestTable.schema)
        try store.put(TestTable.item("p", "1"))
        store.backups.waitForSweep()
        let space = try store.catalog.definition(TestTable.name).space
        try end(TestTable.name, of: store)
        try store.setSetting("store.former.\(space)", to: "AAAA")
        store.backups.former.settle()
        store.backups.waitForSweep()
        let open = store.backups.store
        let spaces = try open.readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try LeftoverSpaces.all(connection) }
        }
        #expect(spaces.contains(space))
        #expect(try store.verify().problems.contains { $0.contains("store.former.\(space)") })
    }

    /// Ends a table as its deletion does, up to where the process ends.
    private func end(_ table: String, of store: SQLiteTableStore) throws {
        let open = store.backups.store
        try open.writer.write { (connection) throws(TableError) in
            try FormerTable.end(open.catalog.definition(table), backup: "last", connection, open)
        } finish: {
            open.catalog.replace(with: open.catalog.all.filter { $0.key != table })
        }
    }

    @Test("The spaces of a restore that has just begun are no leftovers to a sweep, and are when it has failed")
    func startingRestore() throws {
        try StoreKind.file.withStore { (store) throws in
            let open = store.backups.store
            let target = try Restoration.prepare(TestTable.schema.named(Self.copy), replacing: false, open)
            store.backups.former.settle()
            store.backups.waitForSweep()
            func leftovers() throws -> Set<UInt32> {
                try open.readers.read { (connection) throws(TableError) in
                    try convertingErrors { () throws(SQLiteError) in Set(try LeftoverSpaces.all(connection)) }
                }
            }
            #expect(try leftovers() == Set(target.spaces))
            open.filling.remove(target)
            store.backups.former.settle()
            store.backups.waitForSweep()
            #expect(try leftovers() == [])
        }
    }
}

// MARK: - Continuous backups

extension FormerTableTests {
    private func names(_ store: SQLiteTableStore, at time: Int64) throws -> Set<String> {
        let target = "copy-\(UInt32.random(in: 0 ... .max))"
        _ = try restored {
            _ = try store.restore(
                table: TestTable.name, at: .time(time), to: target, replacing: false, adjust: { $0 }, completion: $0)
        }
        let items = try store.items(target)
        try store.deleteTable(target)
        return Set(items.compactMap { $0["SK"]?.stringValue })
    }

    @Test(
        "A table that has ended can be restored to every moment before, for 35 days and after a restart")
    func endedLives() throws {
        let directory = try TemporaryDirectory()
        let time = Locked(SystemClock.wallMilliseconds)
        func open() throws -> SQLiteTableStore {
            try SQLiteTableStore.open(.directory(directory.path)) { time.withLock { $0 } }
        }
        // Answers a moment between what was before and what comes.
        func pass(_ milliseconds: Int64 = 1000) -> Int64 {
            time.withLock { time in
                time += milliseconds
                return time - milliseconds / 2
            }
        }
        var store = try open()
        try store.createTable(TestTable.schema)
        _ = try store.setContinuousBackups(of: TestTable.name, enabled: true)
        try store.put(TestTable.item("p", "1"))
        let first = pass()
        try store.put(TestTable.item("p", "2"))
        let second = pass()
        // Nothing of this is in the log yet when the table ends.
        try store.put(TestTable.item("p", "3"))
        let end = pass()
        _ = try restored {
            _ = try store.restore(
                table: TestTable.name, at: .time(first), to: TestTable.name, replacing: true, adjust: { $0 },
                completion: $0)
        }
        try store.backups.archive.flush()
        let third = pass()
        try store.put(TestTable.item("p", "4"))
        let fourth = pass()
        try store.put(TestTable.item("p", "5"))
        let last = pass()
        try store.deleteTable(TestTable.name)
        store.close()
        store = try open()
        #expect(try names(store, at: first) == ["1"])
        #expect(try names(store, at: second) == ["1", "2"])
        #expect(try names(store, at: end) == ["1", "2", "3"])
        #expect(try names(store, at: third) == ["1"])
        #expect(try names(store, at: fourth) == ["1", "4"])
        #expect(try names(store, at: last) == ["1", "4", "5"])
        let ended = try store.endedContinuousBackups()
        #expect(ended.map(\.table) == [TestTable.name, TestTable.name])
        #expect(ended.map(\.endedAt) == [end + 500, last + 500])
        #expect(ended.allSatisfy { $0.trouble == nil && $0.restorable?.upperBound == $0.endedAt })
        #expect(try store.verify().problems == [])

        _ = pass(34 * Self.day)
        store.backups.removeExpired()
        #expect(try names(store, at: end) == ["1", "2", "3"])
        _ = pass(Self.day)
        store.backups.removeExpired()
        #expect(try store.endedContinuousBackups().isEmpty)
        #expect(throws: TableError.tableNotFound(TestTable.name)) { try names(store, at: second) }
        #expect(try BackupVault(directory: directory.path).files(in: "continuous") == ["lock"])
        store.close()
    }

    @Test("A life that ended before its log was begun is none: all that there was is in the last backup")
    func lifeWithoutLog() throws {
        try StoreKind.file.withStore { (store) throws in
            _ = try store.setContinuousBackups(of: TestTable.name, enabled: true)
            let backup = try store.createBackup(of: TestTable.name, name: "b")
            _ = try restored {
                _ = try store.restore(
                    backup: backup.id, to: TestTable.name, replacing: true, adjust: { $0 }, completion: $0)
            }
            let life = try #require(try store.setting("continuous.\(TestTable.name)"))
            try store.put(TestTable.item("p", "1"))
            try store.deleteTable(TestTable.name)
            try store.backups.archive.flush()
            let files = try store.backups.store.vault.files(in: ContinuousLog.folder(life))
            #expect(try store.endedContinuousBackups().count == (files.isEmpty ? 1 : 2))
            #expect(try lastBackups(store).map(\.table.content.items) == [0, 1])
        }
    }

    @Test("Turning continuous backups off forgets those of earlier tables of the name, too")
    func off() throws {
        try StoreKind.file.withStore { (store) throws in
            _ = try store.setContinuousBackups(of: TestTable.name, enabled: true)
            try store.put(TestTable.item("p", "1"))
            try store.deleteTable(TestTable.name)
            #expect(try store.endedContinuousBackups().count == 1)
            #expect(try !store.setContinuousBackups(of: TestTable.name, enabled: false).isEnabled)
            #expect(try store.endedContinuousBackups().isEmpty)
            #expect(throws: TableError.tableNotFound(TestTable.name)) {
                try store.setContinuousBackups(of: TestTable.name, enabled: false)
            }
        }
    }
}

// MARK: - The change stream

extension FormerTableTests {
    /// Bytes of images of changes in the stream.
    private func contentBytes(_ store: SQLiteTableStore) throws -> Int64 {
        try store.backups.store.readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                let sum = try connection.statement(
                    "SELECT coalesce(sum(coalesce(length(old), 0) + coalesce(length(new), 0)), 0) FROM change")
                defer { sum.reset() }
                return try sum.step() ? sum.int64(0) : -1
            }
        }
    }

    @Test("The changes of a deleted table leave the stream with it, in small steps and without a gap")
    func changesLeave() throws {
        try StoreKind.file.withStore { (store) throws in
            try store.createTable(TestTable.schema.named("other"))
            let kept = WriteOperation.put(table: "other", item: TestTable.item("kept", "1", ["n": 1]))
            try store.transactAndWait([kept], principal: .anonymous)
            let keptBytes = try contentBytes(store)
            for start in stride(from: 0, to: 3000, by: 100) {
                try store.transactAndWait(
                    (start..<(start + 100)).map {
                        .put(table: TestTable.name, item: TestTable.item("p", "\($0)"))
                    }, principal: .anonymous)
            }
            try store.deleteTable(TestTable.name)
            store.backups.waitForSweep()
            #expect(try contentBytes(store) == keptBytes)
            #expect(try store.changes(after: 0, limit: 10).map(\.table) == ["other"])
            #expect(store.lastSequence == 3001)
            #expect(try store.verify().changes == 3001)
            #expect(try FormerTable.all(store.backups.store).isEmpty)
        }
    }

    @Test("Changes of a deleted table stay in the stream while its log lacks them")
    func neededChangesStay() throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        try store.createTable(TestTable.schema)
        _ = try store.setContinuousBackups(of: TestTable.name, enabled: true)
        // A log that cannot be written: what stands in the way of its folder is no folder.
        let life = try #require(try store.setting("continuous.\(TestTable.name)"))
        let folder = "\(directory.path)/continuous/\(life)"
        try #require(rename(folder, folder + ".aside") == 0)
        try write([], to: folder)
        try store.put(TestTable.item("p", "1"))
        try store.deleteTable(TestTable.name)
        store.backups.waitForSweep()
        #expect(try contentBytes(store) > 0)
        #expect(store.backupTrouble != nil || (try? store.backups.archive.flush()) == nil)
        unlink(folder)
        try #require(rename(folder + ".aside", folder) == 0)
        try store.backups.archive.flush()
        store.backups.former.settle()
        store.backups.waitForSweep()
        #expect(try contentBytes(store) == 0)
        #expect(try names(store, at: try #require(try store.endedContinuousBackups().first).endedAt) == ["1"])
    }
}
