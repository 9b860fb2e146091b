import Platform
import SQLite
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("What is done about tables that have ended, when something comes between")
struct LastBackupTests {
    private static let other = "other"

    /// Ends a table as its deletion does, up to where the process ends.
    ///
    /// - Returns: the identifier of its last backup, which is still to be made.
    private func end(_ table: String, of store: SQLiteTableStore) throws -> String {
        let open = store.backups.store
        let before = Set(try store.backups.former.dueBackups().map(\.id))
        try open.writer.write { (connection) throws(TableError) in
            try FormerTable.end(open.catalog.definition(table), backup: "last of \(table)", connection, open)
        } finish: {
            open.catalog.replace(with: open.catalog.all.filter { $0.key != table })
        }
        return try #require(try store.backups.former.dueBackups().map(\.id).first { !before.contains($0) })
    }

    private func available(_ store: SQLiteTableStore) throws -> [String] {
        try store.listBackups(BackupFilter()).compactMap { backup in
            if case .available(let made) = backup { made.name } else { nil }
        }
    }

    @Test("A last backup that cannot be made keeps no other from being made, and is made when it can be")
    func oneFails() throws {
        let device = WatchedDevice()
        let bench = try ContinuousBench(.file, device.calls)
        let store = bench.store
        try store.createTable(TestTable.schema.named(Self.other))
        try store.put(TestTable.item("p", "1"))
        store.backups.waitForSweep()
        let first = try end(TestTable.name, of: store)
        _ = try end(Self.other, of: store)
        device.watch { !$0.contains(BackupService.file(first)) }
        store.backups.former.makeBackups()
        #expect(try available(store) == ["last of \(Self.other)"])
        #expect(store.backups.former.trouble.current != nil)
        device.mend()
        store.backups.former.makeBackups()
        #expect(Set(try available(store)) == ["last of \(Self.other)", "last of \(TestTable.name)"])
        #expect(store.backups.former.trouble.current == nil)
    }

    @Test("A last backup that somebody deletes while it is made is not there afterwards")
    func deletedMeanwhile() throws {
        let device = WatchedDevice()
        let bench = try ContinuousBench(.file, device.calls)
        let store = bench.store
        try store.put(TestTable.item("p", "1"))
        store.backups.waitForSweep()
        let backup = try end(TestTable.name, of: store)
        let deletions = Locked(0)
        device.watch { path in
            if path.contains(BackupService.file(backup)), (try? store.deleteBackup(backup)) != nil {
                deletions.withLock { $0 += 1 }
            }
            return true
        }
        store.backups.former.makeBackups()
        #expect(deletions.withLock { $0 } == 1)
        #expect(try store.listBackups(BackupFilter()) == [])
        #expect(try BackupVault(directory: bench.directory.path).files(in: "backups") == [])
    }

    @Test("Changes of a deleted table stay in the stream while somebody has not looked at them")
    func unreadChanges() throws {
        try StoreKind.file.withStore { (store) throws in
            store.keepChanges(after: 1, for: "reader")
            for number in 1...4 { try store.put(TestTable.item("p", "\(number)")) }
            try store.deleteTable(TestTable.name)
            store.backups.waitForSweep()
            #expect(try sequencesWithContent(store) == [2, 3, 4])
            store.keepChanges(after: 3, for: "reader")
            store.backups.former.settle()
            store.backups.waitForSweep()
            #expect(try sequencesWithContent(store) == [4])
            store.keepChanges(after: 4, for: "reader")
            store.backups.former.settle()
            store.backups.waitForSweep()
            #expect(try sequencesWithContent(store) == [])
            #expect(try FormerTable.all(store.backups.store).isEmpty)
        }
    }

    private func sequencesWithContent(_ store: SQLiteTableStore) throws -> [Int64] {
        try store.backups.store.readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                let rows = try connection.statement(
                    "SELECT sequence FROM change WHERE new IS NOT NULL OR old IS NOT NULL ORDER BY sequence")
                defer { rows.reset() }
                var sequences: [Int64] = []
                while try rows.step() { sequences.append(rows.int64(0)) }
                return sequences
            }
        }
    }
}
