import FoundationEssentials
import SQLite
import TestSupport
import Testing

@testable import DynamoModel
@testable import TableEngine

/// A store on disk whose key can be exchanged, and what lies in its directory.
final class EncryptedBench {
    let directory: TemporaryDirectory
    private(set) var store: SQLiteTableStore

    /// What all values have that are looked for.
    static let marker = "marked-value"

    init(_ keys: AtRestKeys, in directory: TemporaryDirectory? = nil) throws {
        let directory = try directory ?? TemporaryDirectory()
        self.directory = directory
        store = try Self.open(directory, keys)
        if try store.listTables().isEmpty { try store.createTable(TestTable.schema) }
    }

    deinit { store.close() }

    static func open(_ directory: TemporaryDirectory, _ keys: AtRestKeys) throws -> SQLiteTableStore {
        try SQLiteTableStore.open(.directory(directory.path), keys: { () throws(TableError) in keys })
    }

    func close() { store.close() }

    /// Closes the store and opens it by other keys.
    func reopen(_ keys: AtRestKeys) throws {
        store.close()
        store = try Self.open(directory, keys)
    }

    static func item(_ number: Int, _ version: Int = 0) -> Item {
        TestTable.item(
            "p\(number % 7)", "\(number)",
            ["note": .string("\(marker)-\(number)-\(version)"), "owner": .string("o\(number % 3)")])
    }

    func fill(_ numbers: Range<Int>, version: Int = 0) throws {
        for number in numbers { try store.put(Self.item(number, version)) }
    }

    /// The files in the directory that hold a text.
    func files(with text: String = EncryptedBench.marker) throws -> [String] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: directory.path)
        return names.filter { name in
            let path = "\(directory.path)/\(name)"
            var isFolder = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder else { return false }
            return contains(FileManager.default.contents(atPath: path).map { [UInt8]($0) } ?? [], text)
        }.sorted()
    }

    private func contains(_ bytes: [UInt8], _ text: String) -> Bool {
        let wanted = Array(text.utf8)
        guard bytes.count >= wanted.count else { return false }
        return (0...(bytes.count - wanted.count)).contains { start in
            bytes[start] == wanted[0] && bytes[start..<(start + wanted.count)].elementsEqual(wanted)
        }
    }

    /// The content of the database's file and of its log.
    func content() throws -> [[UInt8]] {
        try ["flags.db", "flags.db-wal"].map { name in
            FileManager.default.fileExists(atPath: "\(directory.path)/\(name)")
                ? try read("\(directory.path)/\(name)") : []
        }
    }
}

@Suite("Encrypted stores")
struct EncryptedStoreTests {
    @Test("No value is to be seen in any file: not of items, changes, backups or logs, whether it is open or closed")
    func nothingToSee() throws {
        let bench = try EncryptedBench(.test())
        _ = try bench.store.setContinuousBackups(of: TestTable.name, enabled: true)
        try bench.fill(0..<300)
        try bench.fill(0..<100, version: 1)
        for number in 0..<20 {
            try bench.store.transactAndWait(
                [.delete(table: TestTable.name, key: TestTable.key("p\(number % 7)", "\(number)"))],
                principal: .anonymous)
        }
        _ = try bench.store.createBackup(of: TestTable.name, name: "one")
        try bench.store.backups.archive.flush()
        #expect(try bench.files() == [])
        // Keys can be read: that is what finds the items.
        #expect(try bench.files(with: "p3") != [])
        #expect(try bench.store.verify().problems == [])
        bench.close()
        #expect(try bench.files() == [])
        #expect(try SQLiteTableStore.verify(directory: bench.directory.path, keys: .test()).problems == [])
    }

    @Test("What is not encrypted is found by the same look")
    func theLookFinds() throws {
        let bench = try EncryptedBench(.none)
        try bench.fill(0..<10)
        #expect(try bench.files() == ["flags.db-wal"])
    }

    @Test(
        "Without the key, or with another one, it is not opened, and not a byte is changed",
        arguments: [nil, 2] as [UInt8?])
    func wrongKey(_ key: UInt8?) throws {
        let bench = try EncryptedBench(.test())
        try bench.fill(0..<20)
        bench.close()
        let before = try bench.content()
        let names = try FileManager.default.subpathsOfDirectory(atPath: bench.directory.path).sorted()
        let error = #expect(throws: TableError.self) { try EncryptedBench.open(bench.directory, .test(key)) }
        #expect(error?.storageKind == .encrypted)
        #expect(error?.description.contains("at-rest.key") ?? false)
        #expect(try bench.content() == before)
        #expect(try FileManager.default.subpathsOfDirectory(atPath: bench.directory.path).sorted() == names)
        #expect(throws: TableError.self) {
            try SQLiteTableStore.verify(directory: bench.directory.path, keys: .test(key))
        }
        try bench.reopen(.test())
        #expect(try bench.store.items(TestTable.name).count == 20)
    }

    @Test("A flipped bit is damage: it is told, found by a verification, and left as it is")
    func flippedBit() throws {
        let bench = try EncryptedBench(.test())
        try bench.fill(0..<10)
        let connection = try DatabaseConnection(
            path: bench.directory.path + "/flags.db", mode: .readWrite, busyTimeoutMilliseconds: 1000)
        try connection.execute(
            """
            UPDATE item SET content = CAST(substr(content, 1, 40) || char(1) || substr(content, 42) AS BLOB)
            WHERE id = 4
            """)
        let key = TestTable.key("p3", "3")
        let error = #expect(throws: TableError.self) { try bench.store.getItem(table: TestTable.name, key: key) }
        #expect(error?.storageKind == .corrupt)
        #expect(try bench.store.getItem(table: TestTable.name, key: TestTable.key("p4", "4")) != nil)
        #expect(try bench.store.verify().problems.contains { $0.contains("item 4 of things cannot be read") })
        #expect(try bench.store.rotateDataKey())
        #expect(try bench.store.encryptAnew(watch: .nobody) == 1)
        #expect(try bench.store.verify().problems.contains { $0.contains("item 4 of things cannot be read") })
    }

    @Test("An item in the place of another one is damage")
    func exchanged() throws {
        let bench = try EncryptedBench(.test())
        try bench.fill(0..<10)
        let connection = try DatabaseConnection(
            path: bench.directory.path + "/flags.db", mode: .readWrite, busyTimeoutMilliseconds: 1000)
        try connection.execute("UPDATE item SET content = (SELECT content FROM item WHERE id = 2) WHERE id = 4")
        #expect(throws: TableError.self) {
            try bench.store.getItem(table: TestTable.name, key: TestTable.key("p3", "3"))
        }
    }

    @Test("A write that changes nothing is no change, though it would be stored in other bytes")
    func unchanged() throws {
        let bench = try EncryptedBench(.test())
        try bench.fill(0..<1)
        let last = bench.store.lastSequence
        try bench.fill(0..<1)
        #expect(bench.store.lastSequence == last)
    }

    @Test("A backup is read by the key of its time, in the same store and in another one")
    func backups() throws {
        let bench = try EncryptedBench(.test())
        try bench.fill(0..<50)
        let before = try bench.store.items(TestTable.name)
        let backup = try bench.store.createBackup(of: TestTable.name, name: "old")
        try bench.reopen(.test(2, former: 1))
        _ = try bench.store.encryptAnew(watch: .nobody)
        try bench.reopen(.test(2))
        _ = try restored { completion in
            _ = try bench.store.restore(
                backup: backup.id, to: "copy", replacing: false, adjust: { $0 }, watch: .nobody, completion: completion)
        }
        #expect(try bench.store.items("copy") == before)
        #expect(try bench.files() == [])
        let file = "\(bench.directory.path)/backups/\(backup.id).backup"
        // A store without a key takes it in as it reads it: not encrypted.
        for keys in [AtRestKeys.test(3, former: 1), .test(1), .test(nil, former: 1)] {
            let other = try EncryptedBench(keys)
            _ = try restored { completion in
                _ = try other.store.restore(
                    file: file, to: "copy", replacing: false, adjust: { $0 }, watch: .nobody, completion: completion)
            }
            #expect(try other.store.items("copy") == before)
            #expect(try other.store.verify().problems == [])
            #expect(try other.files().isEmpty == (keys.current != nil))
        }
        let stranger = try EncryptedBench(.test(3))
        let error = #expect(throws: TableError.self) {
            _ = try restored { completion in
                _ = try stranger.store.restore(
                    file: file, to: "copy", replacing: false, adjust: { $0 }, watch: .nobody, completion: completion)
            }
        }
        #expect(error?.storageKind == .encrypted)
    }

    @Test("Points in time from before are restored after the key was exchanged")
    func pointInTime() throws {
        let bench = try EncryptedBench(.test())
        _ = try bench.store.setContinuousBackups(of: TestTable.name, enabled: true)
        try bench.fill(0..<30)
        try bench.store.backups.archive.flush()
        try bench.reopen(.test(2, former: 1))
        _ = try bench.store.encryptAnew(watch: .nobody)
        try bench.reopen(.test(2))
        try bench.fill(20..<40, version: 1)
        try bench.store.backups.archive.flush()
        _ = try restored { completion in
            _ = try bench.store.restore(
                table: TestTable.name, at: .latest, to: "copy", replacing: false, adjust: { $0 }, watch: .nobody,
                completion: completion)
        }
        #expect(try bench.store.items("copy") == bench.store.items(TestTable.name))
        #expect(try bench.store.verify().problems == [])
    }
}
