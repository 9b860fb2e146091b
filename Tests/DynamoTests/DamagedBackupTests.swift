import Glibc
import Platform
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Backups whose files are damaged")
struct DamagedBackupTests {
    /// What can become of a file.
    enum Damage: CaseIterable {
        case cutShort, emptied, overwritten, aFolder

        func happen(to file: String) throws {
            switch self {
            case .cutShort: try write(Array(try read(file).dropLast(20)), to: file)
            case .emptied: try write([], to: file)
            case .overwritten: try write([UInt8](repeating: 0x55, count: 4000), to: file)
            case .aFolder:
                try #require(unlink(file) == 0)
                try #require(mkdir(file, 0o700) == 0)
            }
        }
    }

    private func withStore(_ body: (SQLiteTableStore, _ folder: String) throws -> Void) throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        try store.createTable(TestTable.schema)
        for number in 0..<10 { try store.put(TestTable.item("p", "\(number)")) }
        try body(store, directory.path + "/backups")
    }

    @Test(
        "A damaged backup is listed as such, hides no other, and verify names it", arguments: Damage.allCases)
    func listed(_ damage: Damage) throws {
        try withStore { store, folder in
            let made = try (0..<3).map { try store.createBackup(of: TestTable.name, name: "b\($0)") }
            let file = "\(folder)/\(made[1].id).backup"
            try damage.happen(to: file)
            let listed = try store.listBackups(BackupFilter())
            #expect(Set(listed.map(\.id)) == Set(made.map(\.id)))
            for backup in listed where backup.id != made[1].id { #expect(backup.description != nil) }
            guard case .damaged(let damaged) = try store.describeBackup(made[1].id) else {
                Issue.record("it is not told")
                return
            }
            #expect(listed.contains(.damaged(damaged)))
            #expect(damaged.reason.contains(file))
            #expect(abs(damaged.createdAt - made[1].createdAt) < 1000)
            #expect(try store.verify().problems.count == 1)
            #expect(try store.verify().problems.allSatisfy { $0.contains(file) })
            var filter = BackupFilter()
            filter.table = "another"
            // Nobody can tell that it is not of that table.
            #expect(try store.listBackups(filter) == [.damaged(damaged)])
            filter.to = made[0].createdAt - 1000
            #expect(try store.listBackups(filter) == [])
        }
    }

    @Test("A damaged backup is deleted by its id", arguments: [Damage.cutShort, .emptied, .overwritten])
    func deleted(_ damage: Damage) throws {
        try withStore { store, folder in
            let made = try (0..<2).map { try store.createBackup(of: TestTable.name, name: "b\($0)") }
            try damage.happen(to: "\(folder)/\(made[0].id).backup")
            #expect(try store.deleteBackup(made[0].id).id == made[0].id)
            #expect(try store.listBackups(BackupFilter()) == [.available(made[1])])
            #expect(try store.verify().problems == [])
        }
    }

    @Test("Files that are no backups disturb nobody, and stay")
    func foreignFiles() throws {
        try withStore { store, folder in
            let backup = try store.createBackup(of: TestTable.name, name: "b")
            let names = ["notes.txt", "copy of it.backup", "0123.backup", ".hidden", "\(backup.id).backup.gpg"]
            for name in names { try write([1, 2, 3], to: "\(folder)/\(name)") }
            #expect(try store.listBackups(BackupFilter()) == [.available(backup)])
            #expect(try store.verify().problems == [])
            #expect(try store.verify().backups == 1)
            store.backups.removeExpired()
            for name in names { #expect(access("\(folder)/\(name)", F_OK) == 0) }
        }
    }

    @Test("A backup is known by the name of its file: a copy of it is another one")
    func renamed() throws {
        try withStore { store, folder in
            let backup = try store.createBackup(of: TestTable.name, name: "b")
            let other = "09999999999999-0123abcd"
            try write(try read("\(folder)/\(backup.id).backup"), to: "\(folder)/\(other).backup")
            #expect(try store.listBackups(BackupFilter()).map(\.id) == [backup.id, other])
            #expect(try store.deleteBackup(other).id == other)
            #expect(try store.listBackups(BackupFilter()) == [.available(backup)])
        }
    }

    @Test("What has expired is removed although another backup is damaged, which is kept")
    func expiry() throws {
        let directory = try TemporaryDirectory()
        let start: Int64 = 1_700_000_000_000
        var store = try SQLiteTableStore.open(.directory(directory.path)) { start }
        try store.createTable(TestTable.schema)
        let damaged = try store.createBackup(of: TestTable.name, name: "first")
        _ = try store.setContinuousBackups(of: TestTable.name, enabled: true)
        try store.deleteTable(TestTable.name)
        try Damage.cutShort.happen(to: "\(directory.path)/backups/\(damaged.id).backup")
        #expect(try store.listBackups(BackupFilter()).count == 2)
        store.close()
        let time = Locked(start + ContinuousLog.retentionMax)
        store = try SQLiteTableStore.open(.directory(directory.path)) { time.withLock { $0 } }
        defer { store.close() }
        // A clock that has run for less than an hour is not believed to make anything old.
        store.backups.removeExpired()
        #expect(try store.listBackups(BackupFilter()).count == 2)
        time.withLock { $0 += 3_600_000 }
        store.backups.removeExpired()
        #expect(try store.listBackups(BackupFilter()).map(\.id) == [damaged.id])
        #expect(try store.endedContinuousBackups().isEmpty)
    }

    @Test("A file that says that it was made at the end of all time is a backup that does not expire")
    func endOfTime() throws {
        let definition = TableDefinition(
            schema: TestTable.schema, createdAt: 0, space: 1, startSequence: 0, indexSpaces: [2, 3, 4])
        let image = TableImage(
            label: TableImage.Label(id: "x", name: "x", kind: .system), createdAt: .max, definition: definition,
            tableID: "", sequence: 0, committedAt: 0, itemCount: 0, itemBytes: 0)
        #expect(image.backup(sizeBytes: 1).expiresAt == nil)
    }
}
