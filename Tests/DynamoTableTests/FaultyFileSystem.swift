import CSQLite
import Glibc
import Synchronization

/// A file system under SQLite whose writes and syncs fail on demand, for files whose path contains `faulty`.
///
/// It stands between SQLite and the system's files for the whole process once it is in place; other paths pass through.
enum FaultyFileSystem {
    /// What fails.
    enum Fault {
        /// Every sync, as on a failing device.
        case syncs
        /// Every write, as on a full one.
        case writes
    }

    /// Runs `body` while something fails.
    static func whileFailing<Result>(_ fault: Fault, _ body: () throws -> Result) rethrows -> Result {
        switch fault {
        // The extended code of a failed fsync, a macro that Swift does not import.
        case .syncs: syncFault.store(SQLITE_IOERR | (4 << 8), ordering: .releasing)
        case .writes: writeFault.store(SQLITE_FULL, ordering: .releasing)
        }
        defer {
            syncFault.store(0, ordering: .releasing)
            writeFault.store(0, ordering: .releasing)
        }
        return try body()
    }

    // SQLite's result codes of what fails, 0 while nothing does.
    private static let syncFault = Atomic<Int32>(0)
    private static let writeFault = Atomic<Int32>(0)

    /// Puts the file system in place, once.
    static let isInPlace: Bool = {
        guard let original = sqlite3_vfs_find(nil) else { return false }
        Self.original = original
        let faulty = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        faulty.initialize(to: original.pointee)
        faulty.pointee.zName = UnsafePointer(strdup("faulty"))
        faulty.pointee.xOpen = { _, name, file, flags, answeredFlags in
            let original = FaultyFileSystem.original
            let status = original?.pointee.xOpen(original, name, file, flags, answeredFlags) ?? SQLITE_CANTOPEN
            if status == SQLITE_OK, let name, String(cString: name).contains("faulty") {
                FaultyFileSystem.wrap(file)
            }
            return status
        }
        return sqlite3_vfs_register(faulty, 1) == SQLITE_OK
    }()

    // Written once, before the file system is registered and so before anybody reads it.
    private nonisolated(unsafe) static var original: UnsafeMutablePointer<sqlite3_vfs>?

    /// Puts a copy of the system's own methods in their place, which lives until the file is closed.
    private static func wrap(_ file: UnsafeMutablePointer<sqlite3_file>?) {
        guard let file, let methods = file.pointee.pMethods else { return }
        let copies = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 2)
        copies.initialize(to: methods.pointee)
        // The original stands right behind the copy, where the replaced methods find it.
        (copies + 1).initialize(to: methods.pointee)
        copies.pointee.xSync = { file, flags in
            let fault = FaultyFileSystem.syncFault.load(ordering: .acquiring)
            guard fault == 0, let methods = file?.pointee.pMethods else { return fault }
            return (methods + 1).pointee.xSync(file, flags)
        }
        copies.pointee.xWrite = { file, bytes, count, offset in
            let fault = FaultyFileSystem.writeFault.load(ordering: .acquiring)
            guard fault == 0, let methods = file?.pointee.pMethods else { return fault }
            return (methods + 1).pointee.xWrite(file, bytes, count, offset)
        }
        copies.pointee.xClose = { file in
            guard let file, let copies = UnsafeMutablePointer(mutating: file.pointee.pMethods) else { return SQLITE_OK }
            defer { copies.deallocate() }
            file.pointee.pMethods = UnsafePointer(copies + 1)
            return (copies + 1).pointee.xClose(file)
        }
        file.pointee.pMethods = UnsafePointer(copies)
    }
}
