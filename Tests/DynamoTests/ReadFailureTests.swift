import CSQLite
import Dispatch
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("When the disk does not read")
struct ReadFailureTests {
    private typealias Fault = FaultyFileSystem.Fault

    /// A store with a few items, on a faulty file system, whose waiting ends by hand. Nothing of it is in memory.
    private func withStore(_ body: (SQLiteTableStore, FaultyFileSystem, HandDelay) throws -> Void) throws {
        let disk = try FaultyFileSystem()
        let filled = try SQLiteTableStore.open(.directory(disk.path))
        try filled.createTable(TestTable.schema)
        for number in 0..<20 {
            try filled.put(
                TestTable.item("p", "\(number)", ["owner": "o", "v": .binary([UInt8](repeating: 7, count: 3000))]))
        }
        filled.close()
        let hand = HandDelay()
        let store = try SQLiteTableStore.open(.directory(disk.path), delay: hand.delay)
        defer { store.close() }
        try body(store, disk, hand)
    }

    private func error(_ body: () throws -> Void) -> TableError? {
        do {
            try body()
            return nil
        } catch {
            return error as? TableError
        }
    }

    /// What an operator reads must not have good data thrown away.
    private func expectDevice(_ error: TableError?) {
        #expect(error?.storageKind == .inputOutput)
        let told = error?.description ?? ""
        #expect(told.contains("dmesg") && told.contains("Input/output error"), "\(told)")
        #expect(!told.contains("malformed") && !told.contains("restore the last backup"), "\(told)")
    }

    @Test("What a device does not read is told as an error of the device, by whatever reads")
    func unreadable() throws {
        try withStore { (store, disk, _) throws in
            let key = TestTable.key("p", "7")
            disk.inject(.unreadable)
            expectDevice(error { _ = try store.getItem(table: TestTable.name, key: key) })
            expectDevice(error { _ = try store.scan(Scan(table: TestTable.name)) })
            expectDevice(error { _ = try store.changes(after: 0, limit: 100) })
            expectDevice(error { _ = try store.verify() })
            disk.mend()
            #expect(try store.getItem(table: TestTable.name, key: key) != nil)
            #expect(try store.verify().problems == [])
        }
    }

    @Test("A page that cannot be read in the middle of a verification is no damage that it finds", arguments: 0..<12)
    func verification(_ passing: Int) throws {
        try withStore { (store, disk, _) throws in
            var fault = Fault.unreadable
            fault.passing = passing
            disk.inject(fault)
            expectDevice(error { _ = try store.verify() })
        }
    }

    @Test("A file that cannot be read when it is opened is an error of the device", arguments: 0..<6)
    func opening(_ passing: Int) throws {
        try withStore { (store, disk, _) throws in
            store.close()
            var fault = Fault.unreadable
            fault.passing = passing
            disk.inject(fault)
            let failure = error { try SQLiteTableStore.open(.directory(disk.path)).close() }
            if disk.mend() > 0, failure != nil { expectDevice(failure) }
        }
    }

    @Test("What is not read once is read again, and answered")
    func readOnceMore() throws {
        try withStore { (store, disk, _) throws in
            var fault = Fault.unreadable
            fault.striking = 1
            disk.inject(fault)
            #expect(try store.getItem(table: TestTable.name, key: TestTable.key("p", "7")) != nil)
            #expect(disk.mend() == 1)
        }
    }

    @Test("Damage is told as damage")
    func damage() throws {
        try withStore { (store, disk, _) throws in
            disk.inject(Fault(effect: .fail(SQLITE_CORRUPT), calls: [.read]))
            let failure = error { _ = try store.getItem(table: TestTable.name, key: TestTable.key("p", "7")) }
            #expect(failure?.storageKind == .corrupt)
            #expect(failure?.description.contains("restore the last backup") == true)
        }
    }

    @Test("A write that something cannot be read for fails alone; the next is taken at once, without a verification")
    func readOfAWrite() throws {
        try withStore { (store, disk, hand) throws in
            disk.inject(.unreadable)
            expectDevice(error { try store.put(TestTable.item("p", "7")) })
            disk.mend()
            #expect(error { try store.put(TestTable.item("p", "8", ["owner": "p"])) } == nil)
            #expect(store.writeTrouble == nil)
            #expect(try store.verify().problems == [])
        }
    }

    @Test("While a file is verified that contradicts itself, writes are refused at once and reads go on")
    func verificationBesides() throws {
        try withStore { (store, disk, hand) throws in
            disk.inject(
                Fault(effect: .fail(SQLITE_CORRUPT), calls: [.read]))
            #expect(error { try store.put(TestTable.item("p", "7")) }?.storageKind == .corrupt)
            disk.mend()
            let isHeld = DispatchSemaphore(value: 0)
            let mayGoOn = DispatchSemaphore(value: 0)
            disk.inject(
                Fault(
                    effect: .delay {
                        isHeld.signal()
                        mayGoOn.wait()
                    }, calls: [.read], files: [.database], striking: 1))
            hand.pass()
            #expect(isHeld.wait(timeout: .now() + 20) == .success)
            #expect(error { try store.put(TestTable.item("p", "8")) }?.storageKind == .corrupt)
            #expect(try store.getItem(table: TestTable.name, key: TestTable.key("p", "8"))?["owner"] == "o")
            mayGoOn.signal()
            try hand.passUntilWritten(store)
            try store.put(TestTable.item("p", "8"))
            #expect(try store.verify().problems == [])
        }
    }

    @Test("Closing ends a verification under way")
    func closing() throws {
        try withStore { (store, disk, hand) throws in
            disk.inject(
                Fault(effect: .fail(SQLITE_CORRUPT), calls: [.read]))
            #expect(error { try store.put(TestTable.item("p", "7")) }?.storageKind == .corrupt)
            disk.mend()
            hand.pass()
            store.close()
            let again = try SQLiteTableStore.open(.directory(disk.path))
            defer { again.close() }
            #expect(try again.verify().problems == [])
        }
    }
}
