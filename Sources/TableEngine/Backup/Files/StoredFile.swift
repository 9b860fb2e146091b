import DynamoModel
import Glibc
import Platform

/// What the files of backups and logs are written with: the system's calls, or what a test puts in their place.
struct FileCalls: Sendable {
    /// As `pwrite(2)`.
    var write: @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int
    /// As `fdatasync(2)`.
    var synchronize: @Sendable (_ descriptor: Int32) -> Int32
    /// As `ftruncate(2)`.
    var truncate: @Sendable (_ descriptor: Int32, _ size: Int) -> Int32

    /// The system's.
    static let system = FileCalls(
        write: { pwrite($0, $1.baseAddress, $1.count, $2) }, synchronize: { fdatasync($0) },
        truncate: { ftruncate($0, $1) })
}

/// An open file of a backup. Reads and writes name their place, so that threads may share it.
final class StoredFile: Sendable {
    /// Where it is, for messages.
    let path: String
    private let descriptor: Int32
    private let calls: FileCalls

    /// Takes over a descriptor.
    init(adopting descriptor: Int32, path: String, _ calls: FileCalls = .system) {
        self.descriptor = descriptor
        self.calls = calls
        self.path = path
    }

    /// Opens a file that somebody has named for reading.
    static func open(_ path: String) throws(TableError) -> StoredFile {
        try open(path) { () throws(FileFault) in try OwnFile.open(named: path, O_RDONLY) }
    }

    /// Opens a file of the store: one under its own name, no link to it.
    ///
    /// - Parameter flags: as for open(2).
    static func open(_ path: String, _ flags: Int32, _ calls: FileCalls) throws(TableError) -> StoredFile {
        try open(path, calls) { () throws(FileFault) in try OwnFile.open(path, flags) }
    }

    /// Opens a file of the store; nil when there is none of the name.
    static func openIfThere(
        _ path: String, _ flags: Int32, _ calls: FileCalls
    ) throws(TableError) -> StoredFile? {
        do throws(FileFault) {
            return StoredFile(adopting: try OwnFile.open(path, flags), path: path, calls)
        } catch .system(ENOENT) {
            return nil
        } catch {
            throw fault(error, path)
        }
    }

    private static func open(
        _ path: String, _ calls: FileCalls = .system, _ descriptor: () throws(FileFault) -> Int32
    ) throws(TableError) -> StoredFile {
        do throws(FileFault) {
            return StoredFile(adopting: try descriptor(), path: path, calls)
        } catch {
            throw fault(error, path)
        }
    }

    private static func fault(_ fault: FileFault, _ path: String) -> TableError {
        switch fault {
        case .system(let code): .storage(StorageFailure("open", path: path, errno: code))
        case .notAFile(let kind): .damaged(path, "\(kind) stands in the place of the file")
        }
    }

    deinit { close(descriptor) }

    /// How many bytes it has.
    func size() throws(TableError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read", errno) }
        return Int(status.st_size)
    }

    /// Writes all of `bytes` at a place.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(TableError) {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = calls.write(descriptor, rest, offset + written)
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw failure("write", errno)
            }
        }
    }

    /// Reads up to `count` bytes at a place: fewer only where the file ends.
    func read(_ count: Int, at offset: Int) throws(TableError) -> [UInt8] {
        do throws(FileFault) {
            return try readWhole(descriptor, count, at: offset)
        } catch {
            throw failure("read", error.code)
        }
    }

    /// Cuts the file off.
    func truncate(to size: Int) throws(TableError) {
        guard calls.truncate(descriptor, size) == 0 else { throw failure("cut", errno) }
    }

    /// Waits until what was written is on disk.
    func synchronize() throws(TableError) {
        guard calls.synchronize(descriptor) == 0 else { throw failure("sync", errno) }
    }

    /// Takes a lock on the file that ends with this object or the process.
    ///
    /// - Returns: false when somebody else has it.
    func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    private func failure(_ operation: String, _ code: Int32) -> TableError {
        .storage(StorageFailure(operation, path: path, errno: code))
    }
}

extension StorageFailure {
    /// The failure of a system call on a file of a backup.
    init(_ operation: String, path: String, errno code: Int32) {
        let reason = "cannot \(operation) \(path): \(String(cString: strerror(code)))"
        switch code {
        case ENOSPC, EDQUOT:
            self.init(kind: .full, reason: reason, hint: "Free space on the device of \(path), and try again")
        case EROFS:
            self.init(kind: .readOnly, reason: reason, hint: "See that the file system is not mounted read-only")
        case EACCES, EPERM:
            self.init(
                kind: .cannotOpen, reason: reason,
                hint: "Let the server's user read and write \(path) and its directory (chown)")
        case ENOENT, ENOTDIR, EMFILE, ENFILE:
            self.init(
                kind: .cannotOpen, reason: reason,
                hint: "See that the data directory exists, and how many files the process may open (ulimit -n)")
        default:
            self.init(
                kind: .inputOutput, reason: reason,
                hint: "Look for errors of the device of \(path) in the system's log (dmesg)")
        }
    }
}
