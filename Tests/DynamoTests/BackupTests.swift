import Dispatch
import Glibc
import Platform
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

/// Waits for a restore.
func restored(
    _ begin: (@escaping @Sendable (Result<TableDescription, TableError>) -> Void) throws -> Void
) throws -> TableDescription {
    let done = DispatchSemaphore(value: 0)
    let answer = Locked<Result<TableDescription, TableError>?>(nil)
    try begin { result in
        answer.withLock { $0 = result }
        done.signal()
    }
    done.wait()
    return try #require(answer.withLock { $0 }).get()
}

extension SQLiteTableStore {
    /// All items of a table.
    func items(_ table: String, index: String? = nil) throws -> [Item] {
        var items: [Item] = []
        var scan = Scan(table: table, index: index)
        repeat {
            let page = try self.scan(scan)
            items += page.items
            scan.exclusiveStart = page.lastEvaluatedKey
        } while scan.exclusiveStart != nil
        return items
    }
}

@Suite("Backups")
struct BackupTests {
    static let copy = "copy"

    private static func item(_ number: Int) -> Item {
        TestTable.item(
            "p\(number % 7)", "\(number)",
            ["owner": .string("o\(number % 5)"), "group": "g", "rank": .number(Int64(number)), "n": .number(1)])
    }

    @Test("A restored backup is the table as it was, with its indexes", arguments: StoreKind.allCases)
    func roundTrip(_ kind: StoreKind) throws {
        try kind.withStore { (store) throws in
            for number in 0..<300 { try store.put(Self.item(number)) }
            let before = try store.items(TestTable.name)
            let backup = try store.createBackup(of: TestTable.name, name: "first")
            for number in 0..<50 {
                try store.transactAndWait(
                    [.delete(table: TestTable.name, key: TestTable.key("p\(number % 7)", "\(number)"))],
                    principal: .anonymous)
            }
            try store.put(TestTable.item("later", "x"))
            #expect(backup.table.content.items == 300)
            #expect(backup.table.content.bytes == before.reduce(0) { $0 + Int64(ItemSize.of($1)) })
            #expect(try store.listBackups(BackupFilter()) == [.available(backup)])
            #expect(try store.describeBackup(backup.id) == .available(backup))
            let table = try restored {
                _ = try store.restore(
                    backup: backup.id, to: Self.copy, replacing: false, adjust: { $0 }, completion: $0)
            }
            #expect(table == (try store.describeTable(Self.copy)))
            #expect(try store.items(Self.copy) == before)
            for index in TestTable.schema.indexes {
                #expect(try store.items(Self.copy, index: index.name).count == 0 || index.name != "by-tag")
            }
            #expect(try store.items(Self.copy, index: "by-owner").count == 300)
            #expect(try store.restoreSummary(Self.copy)?.backup == backup.id)
            #expect(try store.restoreSummary(Self.copy)?.isInProgress == false)
            #expect(try store.restoreSummary(TestTable.name) == nil)
            #expect(try store.deleteBackup(backup.id) == .available(backup))
            #expect(try store.listBackups(BackupFilter()) == [])
            #expect(throws: TableError.backup(.notFound(backup.id))) { try store.describeBackup(backup.id) }
            #expect(throws: TableError.backup(.notFound(backup.id))) { try store.deleteBackup(backup.id) }
        }
    }

    @Test("A backup that is made while others write holds whole transactions only")
    func online() throws {
        try StoreKind.file.withStore { (store) throws in
            // Each transaction raises the same number in 20 items.
            let keys = (0..<20).map { TestTable.key("p\($0)", "x") }
            let isOver = Locked(false)
            let group = DispatchGroup()
            DispatchQueue.global().async(group: group) {
                while !isOver.withLock({ $0 }) {
                    let operations = keys.map {
                        WriteOperation.update(table: TestTable.name, key: $0, actions: [.add("n", 1)])
                    }
                    _ = try? store.transactAndWait(operations, principal: .anonymous)
                }
            }
            for round in 0..<5 {
                let backup = try store.createBackup(of: TestTable.name, name: "b")
                let target = "copy\(round)"
                _ = try restored {
                    _ = try store.restore(
                        backup: backup.id, to: target, replacing: false, adjust: { $0 }, completion: $0)
                }
                let numbers = Set(try store.items(target).compactMap { $0["n"]?.int64Value })
                #expect(numbers.count <= 1)
            }
            isOver.withLock { $0 = true }
            group.wait()
        }
    }

    @Test("A list holds what is asked for, sorted by age")
    func filters() throws {
        let time = Locked<Int64>(1_700_000_000_000)
        let store = try SQLiteTableStore.open(.memory) { time.withLock { $0 } }
        defer { store.close() }
        try store.createTable(TestTable.schema)
        try store.createTable(TestTable.schema.named("other"))
        var backups: [BackupDescription] = []
        for table in [TestTable.name, "other", TestTable.name] {
            time.withLock { $0 += 1000 }
            backups.append(try store.createBackup(of: table, name: "same"))
        }
        func list(_ change: (inout BackupFilter) -> Void) throws -> [BackupDescription] {
            var filter = BackupFilter()
            change(&filter)
            return try store.listBackups(filter).compactMap(\.description)
        }
        #expect(try list { _ in } == backups)
        #expect(try list { $0.table = "other" } == [backups[1]])
        #expect(try list { $0.kind = .system } == [])
        #expect(try list { $0.from = backups[1].createdAt } == Array(backups[1...]))
        #expect(try list { $0.to = backups[1].createdAt } == [backups[0]])
    }

    @Test("What cannot be restored is refused at once, and nothing is left of it")
    func refusals() throws {
        try StoreKind.file.withStore { (store) throws in
            try store.put(Self.item(1))
            let backup = try store.createBackup(of: TestTable.name, name: "b")
            func restore(_ id: String, to target: String) throws {
                _ = try store.restore(backup: id, to: target, replacing: false, adjust: { $0 }, completion: { _ in })
            }
            #expect(throws: TableError.tableExists(TestTable.name)) { try restore(backup.id, to: TestTable.name) }
            #expect(throws: TableError.self) { try restore(backup.id, to: "!") }
            for id in ["none", "../flags.db", "01489602797149-73d8d5bc"] {
                #expect(throws: TableError.backup(.notFound(id))) { try restore(id, to: Self.copy) }
            }
            #expect(throws: TableError.tableNotFound("none")) { try store.createBackup(of: "none", name: "b") }
            #expect(store.restoring.isEmpty)
            #expect(try store.listTables() == [TestTable.name])
        }
    }

    @Test("A table that is replaced is another for all at once, and a backup of the old one is kept")
    func replacing() throws {
        try StoreKind.file.withStore { (store) throws in
            for number in 0..<20 { try store.put(Self.item(number)) }
            let backup = try store.createBackup(of: TestTable.name, name: "good")
            for number in 0..<10 { try store.put(Self.item(number).merging(["bad": true]) { $1 }) }
            let identity = store.storeID
            let id = try store.describeTable(TestTable.name).id
            let replaced = Locked<[String]>([])
            store.subscribeToReplacedTables { name in replaced.withLock { $0.append(name) } }
            _ = try restored {
                _ = try store.restore(
                    backup: backup.id, to: TestTable.name, replacing: true, adjust: { $0 }, completion: $0)
            }
            #expect(try store.items(TestTable.name).allSatisfy { $0["bad"] == nil })
            #expect(try store.items(TestTable.name, index: "by-owner").count == 20)
            #expect(replaced.withLock { $0 } == [TestTable.name])
            #expect(store.storeID != identity)
            #expect(try store.describeTable(TestTable.name).id != id)
            var filter = BackupFilter()
            filter.kind = .system
            let kept = try #require(try store.listBackups(filter).first?.description)
            #expect(kept.name == "things$ReplacedTableBackup")
            _ = try restored {
                _ = try store.restore(backup: kept.id, to: Self.copy, replacing: false, adjust: { $0 }, completion: $0)
            }
            #expect(try store.items(Self.copy).filter { $0["bad"] == true }.count == 10)
            try store.put(Self.item(21))
        }
    }

    @Test("A restored table can have other indexes and another throughput")
    func adjusting() throws {
        try StoreKind.file.withStore { (store) throws in
            for number in 0..<20 { try store.put(Self.item(number)) }
            let backup = try store.createBackup(of: TestTable.name, name: "b")
            let table = try restored {
                _ = try store.restore(
                    backup: backup.id, to: Self.copy, replacing: false,
                    adjust: { schema in
                        var schema = schema
                        schema.indexes = schema.indexes.filter { $0.name == "by-owner" }
                        schema.throughput = Throughput(readUnits: 7, writeUnits: 8)
                        return schema
                    }, completion: $0)
            }
            #expect(table.schema.indexes.map(\.name) == ["by-owner"])
            #expect(table.schema.throughput == Throughput(readUnits: 7, writeUnits: 8))
            #expect(try store.items(Self.copy, index: "by-owner").count == 20)
        }
    }

    @Test("A damaged backup is told, and restores nothing", arguments: [0, 3, 200, 1500, -1, -12, -30, -200])
    func damage(_ place: Int) throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        try store.createTable(TestTable.schema)
        for number in 0..<30 { try store.put(Self.item(number)) }
        let backup = try store.createBackup(of: TestTable.name, name: "b")
        let file = "\(directory.path)/backups/\(backup.id).backup"
        let offset = place < 0 ? Int(backup.sizeBytes) + place : place
        var bytes = try read(file)
        bytes[offset] ^= 0x10
        try write(bytes, to: file)
        let error = #expect(throws: TableError.self) {
            _ = try restored {
                _ = try store.restore(
                    backup: backup.id, to: Self.copy, replacing: false, adjust: { $0 }, completion: $0)
            }
        }
        guard case .backup(.damaged) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.description.contains(file) == true)
        #expect(try store.listTables() == [TestTable.name])
        // The backup is found, and nothing else is wrong.
        #expect(try store.verify().problems.allSatisfy { $0.contains(file) })
        #expect(try store.verify().problems.count == 1)
    }

    @Test("What a restore has left that was cut off is no table, and is swept when the store is opened")
    func leftovers() throws {
        let directory = try TemporaryDirectory()
        var store = try SQLiteTableStore.open(.directory(directory.path))
        try store.createTable(TestTable.schema)
        for number in 0..<30 { try store.put(Self.item(number)) }
        let backup = try store.createBackup(of: TestTable.name, name: "b")
        // All but the end of a restore.
        let open = store.backups.store
        let target = try Restoration.prepare(TestTable.schema.named(Self.copy), replacing: false, open)
        let image = try #require(try open.vault.open("backups/\(backup.id).backup"))
        _ = try Restoration(
            store: open, source: RestoreSource(image: image), target: target, replaces: false, watch: .nobody
        ).load()
        #expect(try store.listTables() == [TestTable.name])
        #expect(try store.verify().problems == [])
        store.close()
        store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        #expect(try store.verify().problems == [])
        store.backups.waitForSweep()
        #expect(try store.verify() == (try store.verify()))
        #expect(try store.verify().items == 30)
        #expect(try store.verify().problems == [])
        #expect(try store.items(TestTable.name).count == 30)
    }

    @Test("Entries that do not fit into memory are sorted all the same")
    func sorting() throws {
        let vault = BackupVault(directory: nil)
        var random = SeededGenerator(seed: 3)
        var sorter = EntrySorter(runBytesMax: 2000) { (number) throws(TableError) in try vault.draft("run-\(number)") }
        var keys: [[UInt8]] = []
        for row in 0..<1000 {
            let key = (0..<Int.random(in: 0..<20, using: &random)).map { _ in UInt8.random(in: 0..<4, using: &random) }
            keys.append(key)
            try sorter.add(key: key, row: Int64(row))
        }
        var sorted: [EntrySorter.Entry] = []
        try sorter.drain(64) { entries in
            #expect(entries.count <= 64)
            sorted += entries
        }
        #expect(sorted.map(\.key) == keys.sorted { $0.precedes($1) })
        #expect(sorted.allSatisfy { keys[Int($0.row)] == $0.key })
        #expect(Set(sorted.map(\.row)).count == 1000)
    }
}
