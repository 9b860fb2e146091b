import Dispatch
import Glibc
import Platform
import SQLite
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("When the disk fails", .serialized)
struct FailureTests {
    /// A store on a faulty file system, whose waiting ends by hand.
    private struct FaultyStore {
        let disk: FaultyFileSystem
        let store: SQLiteTableStore
        let time = Locked<Int64>(100_000_000)
        let hand = HandDelay()

        init() throws {
            disk = try FaultyFileSystem()
            let time = self.time
            store = try SQLiteTableStore.open(
                .directory(disk.path), clock: { time.withLock { $0 } }, delay: hand.delay)
            try store.createTable(TestTable.schema)
            try store.put(TestTable.item("p", "before"))
        }

        func put(_ name: String) -> TableError? {
            do {
                try store.put(TestTable.item("p", name, ["owner": "o"]))
                return nil
            } catch {
                return error as? TableError
            }
        }

        var names: [String] {
            get throws {
                try store.query(Query(table: TestTable.name, partition: "p")).items.compactMap { $0["SK"]?.stringValue }
            }
        }
    }

    @Test("After a failed sync nothing is written until the file was opened again and verified; reads go on")
    func failedSync() throws {
        let faulty = try FaultyStore()
        defer { faulty.store.close() }
        let failure = faulty.disk.whileFailing(.unsynced) { faulty.put("lost") }
        #expect(failure?.storageKind == .inputOutput)
        #expect(failure?.description.contains("dmesg") == true)
        // The disk is well again, but the second is not over after which the store looks.
        #expect(faulty.put("refused")?.storageKind == .inputOutput)
        #expect(throws: TableError.self) { try faulty.store.setSetting("refused", to: "too") }
        #expect(try faulty.names == ["before"])
        #expect(faulty.store.lastSequence == 1)
        try faulty.hand.passUntilWritten(faulty.store)
        #expect(faulty.put("after") == nil)
        #expect(try faulty.names == ["after", "before"])
        #expect(try faulty.store.verify().problems == [])
    }

    @Test("A file that does not pass the verification is not written again")
    func failedVerification() throws {
        let faulty = try FaultyStore()
        defer { faulty.store.close() }
        for number in 0..<100 { #expect(faulty.put("\(number)") == nil) }
        #expect(faulty.disk.whileFailing(.unsynced) { faulty.put("lost") } != nil)
        // Nothing was moved out of the log yet: its end is the newest form of most pages.
        let log = faulty.disk.path + "/flags.db-wal"
        try overwrite(log, from: try read(log).count - 200_000, count: 200_000)
        #expect(faulty.hand.passAndAwaitAnother())
        #expect(faulty.put("refused")?.storageKind == .corrupt)
        #expect(faulty.hand.passAndAwaitAnother())
        #expect(faulty.put("still refused")?.description.contains("does not hold what was committed") == true)
    }

    @Test("A full disk fails the whole batch with a hint, undoes nothing before it, and is over when there is space")
    func fullDisk() throws {
        let faulty = try FaultyStore()
        defer { faulty.store.close() }
        let told = Locked<[Bool]>([])
        faulty.store.subscribeToWriteTrouble { trouble in told.withLock { $0.append(trouble != nil) } }
        let (failure, names) = try faulty.disk.whileFailing(.full) { (faulty.put("lost"), try faulty.names) }
        #expect(faulty.store.writeTrouble?.storageKind == .full)
        #expect(failure?.storageKind == .full)
        #expect(failure?.description.contains("Free space") == true)
        #expect(names == ["before"])
        #expect(faulty.put("after") == nil)
        #expect(faulty.store.writeTrouble == nil)
        #expect(told.withLock { $0 } == [true, false])
        #expect(try faulty.names == ["after", "before"])
        #expect(try faulty.store.changes(after: 0, limit: 10).map(\.sequence) == [1, 2])
        #expect(try faulty.store.verify().problems == [])
    }

    @Test("A disk that is full when the log's index grows is told as a full disk, also where a commit finds out")
    func fullForIndex() throws {
        let disk = try FaultyFileSystem()
        let store = try SQLiteTableStore.open(.directory(disk.path))
        defer { store.close() }
        try store.createTable(TestTable.schema)
        // Keeps the log from beginning anew, so that it outgrows the first part of its index.
        let reader = try DatabaseConnection(
            path: disk.path + "/flags.db", mode: .readOnly, busyTimeoutMilliseconds: 1000)
        defer { reader.close() }
        try reader.execute("BEGIN; SELECT count(*) FROM sqlite_schema")
        var failure: TableError?
        disk.whileFailing(.fullForIndex) {
            for number in 0..<1000 where failure == nil {
                let value = AttributeValue.binary([UInt8](repeating: 7, count: 40_000))
                do { try store.put(TestTable.item("p", "\(number)", ["v": value])) } catch {
                    failure = error as? TableError
                }
            }
        }
        #expect(failure?.storageKind == .full)
        #expect(failure?.description.contains("cannot commit to") == true)
        #expect(failure?.description.contains("the disk is full (SQLite 4874, No space left on device)") == true)
    }

    @Test("A clock that is set back keeps no write waiting after a failed sync")
    func clockSetBack() throws {
        let faulty = try FaultyStore()
        defer { faulty.store.close() }
        #expect(faulty.disk.whileFailing(.unsynced) { faulty.put("lost") } != nil)
        faulty.time.withLock { $0 -= 2 * 60 * 60 * 1000 }
        try faulty.hand.passUntilWritten(faulty.store)
        #expect(faulty.put("after") == nil)
    }

    @Test("A device without space: writes fail, reads go on, and when space returns so do writes")
    func fullDevice() throws {
        let directory = try TemporaryDirectory()
        guard mount("tmpfs", directory.path, "tmpfs", 0, "size=2m") == 0 else {
            print("skipped: a small file system cannot be mounted here (\(String(cString: strerror(errno))))")
            return
        }
        defer { umount2(directory.path, Int32(MNT_DETACH)) }
        let filler = directory.path + "/filler"
        try write([UInt8](repeating: 1, count: 700_000), to: filler)
        let store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        try store.createTable(TestTable.schema)
        var stored = 0
        var failure: TableError?
        while failure == nil, stored < 100_000 {
            do {
                try store.put(TestTable.item("p", "\(stored)", ["v": .binary([UInt8](repeating: 7, count: 1000))]))
                stored += 1
            } catch {
                failure = error as? TableError
            }
        }
        #expect(stored > 10)
        #expect(failure?.storageKind == .full)
        let key = TestTable.key("p", "\(stored - 1)")
        #expect(try store.getItem(table: TestTable.name, key: key) != nil)
        #expect(try store.getItem(table: TestTable.name, key: TestTable.key("p", "\(stored)")) == nil)
        unlink(filler)
        try store.put(TestTable.item("p", "\(stored)"))
        #expect(try store.verify().problems == [])
        #expect(try store.verify().items == stored + 1)
    }

    @Test("That writes succeed again is known within a second or two, though nobody writes")
    func probing() throws {
        let disk = try FaultyFileSystem()
        let store = try SQLiteTableStore.open(.directory(disk.path))
        defer { store.close() }
        for fault in [FaultyFileSystem.Fault.full, .unsynced] {
            let recovered = DispatchSemaphore(value: 0)
            store.subscribeToWriteTrouble { if $0 == nil { recovered.signal() } }
            #expect(throws: TableError.self) {
                try disk.whileFailing(fault) { try store.setSetting("name", to: "lost") }
            }
            #expect(recovered.wait(timeout: .now() + 20) == .success)
            #expect(store.writeTrouble == nil)
        }
        #expect(try store.setting("name") == nil)
    }

    @Test("A read-only file system is an error that says so")
    func readOnlyDevice() throws {
        let directory = try TemporaryDirectory()
        guard mount("tmpfs", directory.path, "tmpfs", 0, "size=2m") == 0 else {
            print("skipped: a small file system cannot be mounted here (\(String(cString: strerror(errno))))")
            return
        }
        defer { umount2(directory.path, Int32(MNT_DETACH)) }
        let store = try SQLiteTableStore.open(.directory(directory.path))
        store.close()
        try #require(mount("tmpfs", directory.path, "tmpfs", UInt(MS_RDONLY | MS_REMOUNT), nil) == 0)
        let error = #expect(throws: TableError.self) { try SQLiteTableStore.open(.directory(directory.path)) }
        #expect(error?.storageKind == .readOnly || error?.storageKind == .cannotOpen)
        #expect(error?.description.contains("write") == true)
    }

    @Test("A directory that does not exist is an error that names it")
    func missingDirectory() {
        let error = #expect(throws: TableError.self) { try SQLiteTableStore.open(.directory("/tmp/there/is/none")) }
        #expect(error?.storageKind == .cannotOpen)
        #expect(error?.description.contains("/tmp/there/is/none/flags.db") == true)
    }

    @Test("A file that is no database is refused and left as it is")
    func notADatabase() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/flags.db"
        try write(
            Array("This is a text file, and somebody may want it.\n".utf8) + [UInt8](repeating: 32, count: 5000),
            to: path)
        let error = #expect(throws: TableError.self) { try SQLiteTableStore.open(.directory(directory.path)) }
        #expect(error?.storageKind == .notADatabase)
        #expect(try read(path).starts(with: Array("This is".utf8)))
    }

    @Test("The database of another program, or of a later version, is refused and left as it is")
    func foreignDatabase() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/flags.db"
        let connection = try DatabaseConnection(path: path, mode: .create, busyTimeoutMilliseconds: 0)
        try connection.execute("CREATE TABLE precious(data)")
        var error = #expect(throws: TableError.self) { try SQLiteTableStore.open(.directory(directory.path)) }
        #expect(error?.storageKind == .notADatabase)
        #expect(error?.description.contains("another program") == true)
        try connection.execute("PRAGMA application_id = 0x54424C53; PRAGMA user_version = 3;")
        error = #expect(throws: TableError.self) { try SQLiteTableStore.open(.directory(directory.path)) }
        #expect(error?.storageKind == .cannotOpen)
        #expect(error?.description.contains("layout is 3") == true)
        connection.close()
        #expect(access(path + "-wal", F_OK) != 0)
    }

    @Test("Damage is found by the verification, and a damaged item is an error of those who read it only")
    func damage() throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        try store.createTable(TestTable.schema)
        try store.put(
            TestTable.item("p", "1", ["owner": "o"]), TestTable.item("p", "2", ["owner": "o"]), TestTable.item("p", "3")
        )
        let vandal = try DatabaseConnection(
            path: directory.path + "/flags.db", mode: .readWrite, busyTimeoutMilliseconds: 1000)
        try vandal.execute("UPDATE item SET content = X'01FF' WHERE id = 1")
        try vandal.execute("DELETE FROM entry WHERE item = 2")
        try vandal.execute("INSERT INTO entry(key, item) VALUES(X'00', 3)")
        let error = #expect(throws: TableError.self) {
            try store.getItem(table: TestTable.name, key: TestTable.key("p", "1"))
        }
        #expect(error?.storageKind == .corrupt)
        #expect(try store.getItem(table: TestTable.name, key: TestTable.key("p", "2")) != nil)
        #expect(throws: TableError.self) { try store.put(TestTable.item("p", "1")) }
        try store.put(TestTable.item("p", "4"))
        let problems = try store.verify().problems
        #expect(problems.contains { $0.contains("item 1 of things cannot be read") })
        #expect(problems.contains { $0.contains("item 2 of things has no entry in by-owner") })
        #expect(problems.contains { $0.contains("the indexes have 2 entries, and the items account for 1") })
    }
}
