import Dispatch
import Platform
import SQLite
import TestSupport
import Testing

@testable import DynamoModel
@testable import TableEngine

@Suite("Rotation of data keys")
struct RotationTests {
    /// The data keys that items and changes are stored under; nil for what is not encrypted.
    private func dataKeys(_ bench: EncryptedBench) throws -> Set<UInt64?> {
        let connection = try DatabaseConnection(
            path: bench.directory.path + "/flags.db", mode: .readOnly, busyTimeoutMilliseconds: 1000)
        defer { connection.close() }
        var keys: Set<UInt64?> = []
        let items = try connection.statement("SELECT content FROM item")
        while try items.step() { keys.insert(ItemSeal.dataKey(of: items.blob(0))) }
        let changes = try connection.statement("SELECT old, new FROM change")
        while try changes.step() {
            for column in [0, 1] as [Int32] where !changes.isNull(column) {
                keys.insert(try ChangeImage.parts(changes.blob(column)).flatMap { ItemSeal.dataKey(of: $0.stored) })
            }
        }
        return keys
    }

    @Test("Afterwards everything is under the new data key")
    func rotate() throws {
        let bench = try EncryptedBench(.test())
        try bench.fill(0..<1500)
        try bench.fill(0..<100, version: 1)
        let before = try bench.store.items(TestTable.name)
        let former = try dataKeys(bench)
        #expect(former.count == 1)
        #expect(try bench.store.rotateDataKey())
        #expect(try bench.store.encryption().left == 1500 + 1600)
        let done = Locked(0)
        #expect(
            try bench.store.encryptAnew(
                watch: WorkWatch(isCancelled: { false }, note: { count in done.withLock { $0 += count } })) == 0)
        #expect(done.withLock { $0 } == 3100)
        let now = try dataKeys(bench)
        #expect(now.count == 1 && now.isDisjoint(with: former))
        #expect(try bench.store.encryption().left == nil && bench.store.encryption().dataKeyCount == 2)
        #expect(try bench.store.items(TestTable.name) == before)
        #expect(try bench.store.verify().problems == [])
        try bench.reopen(.test())
        #expect(try bench.store.items(TestTable.name) == before)
    }

    @Test("Broken off, it goes on where it was, also after the store was opened again")
    func goesOn() throws {
        let bench = try EncryptedBench(.test())
        try bench.fill(0..<1200)
        #expect(try bench.store.rotateDataKey())
        let steps = Locked(0)
        #expect(throws: TableError.closed) {
            try bench.store.encryptAnew(
                watch: WorkWatch(isCancelled: {
                    steps.withLock {
                        $0 += 1; return $0 > 2
                    }
                }))
        }
        let left = try #require(try bench.store.encryption().left)
        #expect(left > 0 && left < 2400)
        #expect(try dataKeys(bench).count == 2)
        try bench.reopen(.test())
        #expect(try bench.store.encryption().left == left)
        #expect(try !bench.store.rotateDataKey())
        #expect(try bench.store.encryptAnew(watch: .nobody) == 0)
        #expect(try dataKeys(bench).count == 1)
        #expect(try bench.store.verify().problems == [])
    }

    @Test("What is written meanwhile is neither lost nor held up")
    func underLoad() throws {
        let bench = try EncryptedBench(.test())
        try bench.fill(0..<2000)
        let store = bench.store
        let isOver = Locked(false)
        let written = Locked<[Int: Int]>([:])
        let writers = DispatchGroup()
        for writer in 0..<4 {
            writers.enter()
            DispatchQueue(label: "test.writer").async {
                defer { writers.leave() }
                var version = 1
                while !isOver.withLock({ $0 }) {
                    let number = (version * 37 + writer) % 500 * 4 + writer
                    guard (try? store.put(EncryptedBench.item(number, version))) != nil else { return }
                    written.withLock { $0[number] = version }
                    version += 1
                }
            }
        }
        for _ in 0..<3 {
            #expect(try store.rotateDataKey())
            #expect(try store.encryptAnew(watch: .nobody) == 0)
        }
        isOver.withLock { $0 = true }
        writers.wait()
        let versions = written.withLock { $0 }
        #expect(!versions.isEmpty)
        for (number, version) in versions {
            let item = try store.getItem(table: TestTable.name, key: TestTable.key("p\(number % 7)", "\(number)"))
            #expect(item == EncryptedBench.item(number, version))
        }
        #expect(try dataKeys(bench).count == 1)
        #expect(try store.verify().problems == [])
    }

    @Test("A store that was not encrypted is, and nothing is left to see of what it was")
    func turnedOn() throws {
        let bench = try EncryptedBench(.none)
        try bench.fill(0..<1000)
        try bench.fill(0..<300, version: 1)
        try bench.store.createTable(TestTable.schema.named("gone"))
        try bench.store.transactAndWait(
            [.put(table: "gone", item: EncryptedBench.item(1))], principal: .anonymous)
        try bench.store.deleteTable("gone")
        let before = try bench.store.items(TestTable.name)
        try bench.reopen(.test())
        #expect(try bench.store.items(TestTable.name) == before)
        #expect(try bench.store.encryption().mayHavePlain)
        #expect(try bench.files() != [])
        #expect(try bench.store.encryptAnew(watch: .nobody) == 0)
        #expect(try bench.files() == [])
        #expect(try !bench.store.encryption().mayHavePlain)
        #expect(try bench.store.items(TestTable.name) == before)
        #expect(try bench.store.verify().problems == [])
        let error = #expect(throws: TableError.self) { try EncryptedBench.open(bench.directory, .none) }
        #expect(error?.storageKind == .encrypted)
    }

    @Test("A program that does not know encryption refuses the file, by its layout")
    func layout() throws {
        let bench = try EncryptedBench(.test())
        bench.close()
        let connection = try StoreFile.openForLooking(bench.directory.path + "/flags.db")
        let version = try connection.statement("PRAGMA user_version")
        #expect(try version.step() && version.int64(0) == 2)
    }

    @Test("It is turned off by giving the key as the former one; then the store needs none")
    func turnedOff() throws {
        let bench = try EncryptedBench(.test())
        try bench.fill(0..<600)
        let before = try bench.store.items(TestTable.name)
        try bench.reopen(.test(nil, former: 1))
        // Until it is over, the key is needed.
        #expect(throws: TableError.self) { try EncryptedBench.open(bench.directory, .none) }
        #expect(try bench.store.encryptAnew(watch: .nobody) == 0)
        #expect(try dataKeys(bench) == [nil])
        try bench.reopen(.none)
        #expect(try bench.store.items(TestTable.name) == before)
        #expect(try bench.store.verify().problems == [])
        try bench.reopen(.test())
        #expect(try bench.store.encryptAnew(watch: .nobody) == 0)
        #expect(try bench.files() == [])
        #expect(try bench.store.items(TestTable.name) == before)
    }

    @Test("Nothing is to be rotated where nothing is encrypted")
    func off() throws {
        let bench = try EncryptedBench(.none)
        try bench.fill(0..<3)
        _ = try bench.store.rotateDataKey()
        let state = try bench.store.encryption()
        #expect(state.key == nil && state.left == nil)
    }
}
