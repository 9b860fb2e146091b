import Glibc
import Platform
import SQLite
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Backups when the disk fails", .serialized)
struct BackupFailureTests {
    /// Runs `body` with a store on a small file system, and its directory.
    private func onSmallDevice(_ body: (SQLiteTableStore, String) throws -> Void) throws {
        let directory = try TemporaryDirectory()
        guard mount("tmpfs", directory.path, "tmpfs", 0, "size=64m") == 0 else {
            print("skipped: a small file system cannot be mounted here (\(String(cString: strerror(errno))))")
            return
        }
        defer { umount2(directory.path, Int32(MNT_DETACH)) }
        let store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        try store.createTable(TestTable.schema)
        try body(store, directory.path)
    }

    private func item(_ number: Int) -> Item {
        TestTable.item("p", "\(number)", ["owner": "o", "v": .binary([UInt8](repeating: 7, count: 1000))])
    }

    private func fill(_ path: String) throws {
        let file = try #require(fopen(path, "w"))
        defer { fclose(file) }
        let block = [UInt8](repeating: 1, count: 4096)
        while fwrite(block, 1, block.count, file) == block.count, fflush(file) == 0 {}
    }

    /// Has the log of the database begin anew, with the room that it has on the device.
    private func beginLogAnew(_ directory: String) throws {
        let connection = try DatabaseConnection(
            path: directory + "/flags.db", mode: .readWrite, busyTimeoutMilliseconds: 10_000)
        defer { connection.close() }
        while true {
            // The store's own may be under way, which is not waited for.
            do throws(SQLiteError) {
                try connection.checkpoint(.restart)
                return
            } catch {
                try #require(error.kind == .locked)
            }
        }
    }

    @Test("On a full device no backup is made and nothing is left of it; reads go on; with space it is made")
    func backup() throws {
        try onSmallDevice { store, directory in
            for number in 0..<300 { try store.put(item(number)) }
            try fill(directory + "/filler")
            let error = #expect(throws: TableError.self) { try store.createBackup(of: TestTable.name, name: "b") }
            #expect(error?.storageKind == .full)
            #expect(error?.description.contains("Free space") == true)
            #expect(try store.listBackups(BackupFilter()).isEmpty)
            #expect(throws: TableError.self) { try store.setContinuousBackups(of: TestTable.name, enabled: true) }
            #expect(try store.items(TestTable.name).count == 300)
            unlink(directory + "/filler")
            #expect(try !store.continuousBackups(of: TestTable.name).isEnabled)
            #expect(try store.createBackup(of: TestTable.name, name: "b").table.content.items == 300)
            #expect(try store.verify().problems == [])
        }
    }

    @Test("A restore that fills the device leaves no table, and gives the space back")
    func restore() throws {
        try onSmallDevice { filled, directory in
            for first in stride(from: 0, to: 8000, by: 100) {
                try filled.transactAndWait(
                    (first..<(first + 100)).map { .put(table: TestTable.name, item: item($0)) }, principal: .anonymous)
            }
            // The log of the database keeps the room that it had; it is gone when nobody has the database open.
            filled.close()
            let store = try SQLiteTableStore.open(.directory(directory))
            defer { store.close() }
            let backup = try store.createBackup(of: TestTable.name, name: "b")
            func restore() throws {
                _ = try restored {
                    _ = try store.restore(
                        backup: backup.id, to: "copy", replacing: false, adjust: { $0 }, completion: $0)
                }
            }
            try fill(directory + "/filler")
            let error = #expect(throws: TableError.self) { try restore() }
            #expect(error?.storageKind == .full)
            #expect(try store.listTables() == [TestTable.name])
            #expect(try store.items(TestTable.name).count == 8000)
            unlink(directory + "/filler")
            #expect(try store.verify().problems == [])
            try store.put(item(8000))
            try restore()
            #expect(try store.items("copy").count == 8000)
            #expect(try store.verify().problems == [])
        }
    }

    @Test("A table is replaced although its backup does not fit: that is listed, told, and made when there is space")
    func lastBackup() throws {
        try onSmallDevice { store, directory in
            let before = try store.createBackup(of: TestTable.name, name: "empty")
            // More in the table than the device has room for a second time.
            for first in stride(from: 0, to: 12_000, by: 100) {
                try store.transactAndWait(
                    (first..<(first + 100)).map { .put(table: TestTable.name, item: item($0)) }, principal: .anonymous)
            }
            let told = Locked<[Bool]>([])
            store.subscribeToLastBackupTrouble { trouble in told.withLock { $0.append(trouble != nil) } }
            // The log of the database has room for the exchange, since it begins anew, and nothing else has any.
            try beginLogAnew(directory)
            try fill(directory + "/filler")
            _ = try restored {
                _ = try store.restore(
                    backup: before.id, to: TestTable.name, replacing: true, adjust: { $0 }, completion: $0)
            }
            #expect(try store.items(TestTable.name).isEmpty)
            #expect(store.lastBackupTrouble?.storageKind == .full)
            guard case .creating(let due)? = try store.listBackups(BackupFilter()).last else {
                Issue.record("it is not listed")
                return
            }
            #expect(due.table.content.items == 12_000)
            unlink(directory + "/filler")
            store.backups.former.makeBackups()
            #expect(store.lastBackupTrouble == nil && told.withLock { $0 } == [true, false])
            guard case .available(let made) = try store.describeBackup(due.id) else {
                Issue.record("it is not made")
                return
            }
            #expect(made.table.content.items == 12_000)
            #expect(try store.verify().problems == [])
        }
    }

    @Test("A log that cannot be written says so, and has everything when there is space again")
    func log() throws {
        try onSmallDevice { store, directory in
            _ = try store.setContinuousBackups(of: TestTable.name, enabled: true)
            for number in 0..<100 { try store.put(item(number)) }
            try store.backups.archive.flush()
            let told = Locked<[Bool]>([])
            store.subscribeToBackupTrouble { trouble in told.withLock { $0.append(trouble != nil) } }
            // The log of the database has room for some writes, and nothing else has any.
            try beginLogAnew(directory)
            try fill(directory + "/filler")
            var stored = 100
            while stored < 50_000, (try? store.put(item(stored))) != nil { stored += 1 }
            #expect(stored > 100)
            #expect(throws: TableError.self) { try store.backups.archive.flush() }
            #expect(store.backupTrouble?.storageKind == .full)
            unlink(directory + "/filler")
            try store.backups.archive.flush()
            #expect(store.backupTrouble == nil)
            #expect(told.withLock { $0 } == [true, false])
            let report = try store.verify()
            #expect(report.problems == [])
            #expect(report.loggedChanges == stored)
        }
    }
}
