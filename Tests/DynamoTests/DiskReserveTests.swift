import Dispatch
import Glibc
import Platform
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Disk space that is set aside for urgent writes", .serialized)
struct DiskReserveTests {
    private static let part = 256 << 10
    private static let bytes = 4 * part
    private let directory: TemporaryDirectory
    private var path: String { "\(directory.path)/\(DiskReserve.fileName)" }

    init() throws { directory = try TemporaryDirectory() }

    /// More bytes than the device of the directory has free.
    private func moreThanIsFree() -> Int {
        var space = statvfs()
        statvfs(directory.path, &space)
        return Int(space.f_bavail) * Int(space.f_frsize) + 1 << 40
    }

    /// How long a file is, and how much the disk keeps for it.
    private static func size(of path: String) -> (bytes: Int, allocated: Int) {
        var status = stat()
        guard stat(path, &status) == 0 else { return (-1, -1) }
        return (Int(status.st_size), Int(status.st_blocks) * 512)
    }

    /// Why an item of a name was not written; nil when it was.
    private func put(_ name: String, _ urgency: WriteUrgency, _ store: SQLiteTableStore) -> TableError? {
        let put = WriteOperation.put(table: TestTable.name, item: TestTable.item("p", name))
        let done = DispatchSemaphore(value: 0)
        let refusal = Locked<TableError?>(nil)
        store.transact([put], principal: .anonymous, urgency: urgency) { result in
            if case .failure(let error) = result { refusal.withLock { $0 = error } }
            done.signal()
        }
        done.wait()
        return refusal.withLock { $0 }
    }

    @Test("Is of real blocks, and is given away in parts until nothing is left")
    func parts() throws {
        let reserve = try DiskReserve(directory: directory.path, bytes: Self.bytes)
        #expect(reserve.isWhole)
        #expect(Self.size(of: path).allocated >= Self.bytes)
        for left in stride(from: Self.bytes - Self.part, through: 0, by: -Self.part) {
            #expect(reserve.giveUpPart())
            #expect(reserve.leftBytes == left)
            #expect(Self.size(of: path).bytes == left)
            #expect(!reserve.isWhole)
        }
        #expect(!reserve.giveUpPart())
        reserve.refill()
        #expect(reserve.isWhole)
        #expect(Self.size(of: path).allocated >= Self.bytes)
    }

    @Test("Does not count what a copy of it, which may be of holes, seems to have")
    func holes() throws {
        try write([], to: path)
        try #require(truncate(path, off_t(Self.bytes)) == 0)
        let reserve = try DiskReserve(directory: directory.path, bytes: moreThanIsFree())
        #expect(reserve.leftBytes < Self.part)
        #expect(Self.size(of: path).bytes == reserve.leftBytes)
    }

    @Test("Is made whole only where a MiB more is free than it needs")
    func atTheBrim() throws {
        guard mount("tmpfs", directory.path, "tmpfs", 0, "size=8m") == 0 else {
            print("skipped: a small file system cannot be mounted here (\(String(cString: strerror(errno))))")
            return
        }
        defer { umount2(directory.path, Int32(MNT_DETACH)) }
        // Of nothing: its file exists, and takes no more of the device from now on.
        _ = try DiskReserve(directory: directory.path, bytes: 0)
        var space = statvfs()
        try #require(statvfs(directory.path, &space) == 0)
        let most = Int(space.f_bavail) * Int(space.f_frsize) - 1 << 20
        for (bytes, isTaken) in [(most + 4096, false), (most, true)] {
            let reserve = try DiskReserve(directory: directory.path, bytes: bytes)
            #expect(reserve.isWhole == isTaken)
            #expect(Self.size(of: path).bytes == (isTaken ? bytes : 0))
        }
    }

    @Test("Takes nothing where there is too little space for all of it, and then lets urgent writes alone pass")
    func tooLarge() throws {
        var limits = TableLimits()
        limits.reserveBytes = moreThanIsFree()
        let store = try SQLiteTableStore.open(.directory(directory.path), limits: limits)
        defer { store.close() }
        #expect(Self.size(of: path).bytes == 0)
        #expect(throws: TableError.self) { try store.setSetting("usual", to: "write") }
        // It comes as far as to look for its table.
        let refusal = put("1", .urgent, store)
        #expect(refusal == .tableNotFound(TestTable.name))
    }

    @Test("On a full disk is for urgent writes alone; the others go on when there is space to make it whole again")
    func fullDisk() throws {
        let disk = try FaultyFileSystem()
        let hand = HandDelay()
        var limits = TableLimits()
        limits.reserveBytes = Self.bytes
        let store = try SQLiteTableStore.open(
            .directory(disk.path), limits: limits, clock: { 100_000_000 }, delay: hand.delay)
        defer { store.close() }
        try store.createTable(TestTable.schema)
        let reserve = "\(disk.path)/\(DiskReserve.fileName)"
        // The disk has no room until two parts are given.
        var full = FaultyFileSystem.Fault.full
        full.condition = { Self.size(of: reserve).bytes > Self.bytes - 2 * Self.part }
        disk.inject(full)
        #expect(put("usual", .usual, store)?.storageKind == .full)
        #expect(Self.size(of: reserve).bytes == Self.bytes)
        #expect(put("urgent", .urgent, store) == nil)
        #expect(Self.size(of: reserve).bytes == Self.bytes - 2 * Self.part)
        // There is room in what was given, and it is not for everybody.
        let refusal = put("usual", .usual, store)
        #expect(refusal?.storageKind == .full)
        #expect(refusal?.description.contains("for kill switches alone") == true)
        #expect(put("urgent again", .urgent, store) == nil)
        disk.mend()
        try hand.passUntilWritten(store)
        #expect(Self.size(of: reserve).bytes == Self.bytes)
        #expect(put("usual", .usual, store) == nil)
        let names = try store.query(Query(table: TestTable.name, partition: "p")).items.map { $0["SK"] }
        #expect(names == ["urgent", "urgent again", "usual"])
    }
}
