import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Backups of what the program keeps beside a table")
struct CompanionBackupTests {
    private static let history = InternalTables.name("history", of: TestTable.name)
    private static let setting = "dealt.by"

    /// A store whose test table has a companion of some items.
    private static func store(_ directory: TemporaryDirectory, items: Int) throws -> SQLiteTableStore {
        let store = try SQLiteTableStore.open(.directory(directory.path), settingsOfBackups: [setting])
        try store.createTable(TestTable.schema)
        try store.createTable(TableSchema(name: history, partitionKey: KeyAttribute("PK"), sortKey: KeyAttribute("SK")))
        for number in 0..<items { try store.note("\(number)") }
        return store
    }

    private static func file(_ backup: BackupDescription, _ directory: TemporaryDirectory) -> String {
        "\(directory.path)/backups/\(backup.id).backup"
    }

    @Test("Another store has it after a restore, and the settings by which the table is to be read")
    func elsewhere() throws {
        let (here, there) = (try TemporaryDirectory(), try TemporaryDirectory())
        let store = try Self.store(here, items: 3000)
        defer { store.close() }
        try store.setSetting(Self.setting, to: "7")
        try store.put(TestTable.item("p", "1"))
        let backup = try store.createBackup(of: TestTable.name, name: "b")
        let other = try SQLiteTableStore.open(.directory(there.path), settingsOfBackups: [Self.setting])
        defer { other.close() }
        _ = try restored { done in
            _ = try other.restore(
                file: Self.file(backup, here), to: TestTable.name, replacing: false, adjust: { $0 },
                watch: .nobody, completion: done)
        }
        #expect(try other.items(Self.history) == store.items(Self.history))
        #expect(try other.setting(Self.setting) == "7")
        #expect(try other.verify().problems == [])
        try other.note("afterwards")
        #expect(try other.items(Self.history).count == 3001)
    }

    @Test("A store that reads the table otherwise refuses the restore, and says what differs")
    func otherSetting() throws {
        let (here, there) = (try TemporaryDirectory(), try TemporaryDirectory())
        let store = try Self.store(here, items: 1)
        defer { store.close() }
        try store.setSetting(Self.setting, to: "7")
        let backup = try store.createBackup(of: TestTable.name, name: "b")
        let other = try SQLiteTableStore.open(.directory(there.path))
        defer { other.close() }
        try other.setSetting(Self.setting, to: "8")
        #expect(throws: TableError.backup(.otherSetting(name: Self.setting, ofBackup: "7", ofStore: "8"))) {
            _ = try other.restore(
                file: Self.file(backup, here), to: TestTable.name, replacing: false, adjust: { $0 },
                watch: .nobody
            ) { _ in }
        }
        #expect(try other.listTables() == [])
    }

    @Test("The store that the backup is of keeps its own, which knows what came after")
    func sameStore() throws {
        let here = try TemporaryDirectory()
        let store = try Self.store(here, items: 3)
        defer { store.close() }
        let backup = try store.createBackup(of: TestTable.name, name: "b")
        try store.note("later")
        _ = try restored { done in
            _ = try store.restore(
                backup: backup.id, to: TestTable.name, replacing: true, adjust: { $0 }, completion: done)
        }
        #expect(try store.items(Self.history).count == 4)
        // A table of another name has none yet.
        _ = try restored { done in
            _ = try store.restore(backup: backup.id, to: "copy", replacing: false, adjust: { $0 }, completion: done)
        }
        #expect(try store.items(InternalTables.name("history", of: "copy")).count == 3)
        #expect(try store.verify().problems == [])
    }

    @Test("Where a table of another store is replaced, what accompanied that one goes with it")
    func replaced() throws {
        let (here, there) = (try TemporaryDirectory(), try TemporaryDirectory())
        let store = try Self.store(here, items: 5)
        defer { store.close() }
        let backup = try store.createBackup(of: TestTable.name, name: "b")
        let other = try Self.store(there, items: 0)
        defer { other.close() }
        try other.note("of the other")
        _ = try restored { done in
            _ = try other.restore(
                file: Self.file(backup, here), to: TestTable.name, replacing: true, adjust: { $0 },
                watch: .nobody, completion: done)
        }
        #expect(try other.items(Self.history) == store.items(Self.history))
        #expect(try other.verify().problems == [])
    }

    @Test("Damage of it in a backup is found")
    func damage() throws {
        let here = try TemporaryDirectory()
        let store = try Self.store(here, items: 50)
        defer { store.close() }
        let backup = try store.createBackup(of: TestTable.name, name: "b")
        #expect(try store.verify().problems == [])
        // The table itself has no items: what stands behind the head is the companion's.
        try overwrite(Self.file(backup, here), from: 40, count: 1)
        #expect(try store.verify().problems.count == 1)
    }
}

extension SQLiteTableStore {
    /// Puts an item into the companion of the test table.
    fileprivate func note(_ name: String) throws {
        try transactAndWait(
            [.put(table: InternalTables.name("history", of: TestTable.name), item: TestTable.item("h", name))],
            principal: .anonymous)
    }
}
