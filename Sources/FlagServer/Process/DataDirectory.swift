import FlagCore
import FlagStore
import Glibc
import JSON
import Platform

/// A data directory that belongs to this process: nobody else opens its files as long as the value lives.
///
/// Ownership is a `flock(2)` on a file in the directory, which the kernel gives back whatever becomes of the process.
/// The file's contents say who holds it, for the message to the second one.
final class DataDirectory: Sendable {
    /// The directory's path without links: whatever becomes of one on the way, files of one directory are opened.
    let path: String
    /// What others can see in it, and how that is changed; nothing is the matter with serving from it.
    let warning: String?
    private let lock: Int32

    static let lockName = "owner.lock"
    /// How long a server that starts waits for a command that is at work in the directory.
    private static let patience = Duration.seconds(10)

    private init(path: String, warning: String?, lock: Int32) {
        self.path = path
        self.warning = warning
        self.lock = lock
    }

    deinit {
        close(lock)
    }

    /// Creates the directory where it is missing, readable by nobody else, and takes possession of it.
    ///
    /// - Parameters:
    ///   - path: The directory, or a link to it; missing parents are created as well.
    ///   - command: What this process is, `serve` for example, for others to read.
    /// - Throws: `.owned` when another process has it; else what is wrong with the directory, or with what is in it,
    ///   and what to do.
    static func open(_ path: String, for command: String) throws(DataDirectoryError) -> DataDirectory {
        try create(path)
        let inspection = try DataDirectoryInspection(of: try resolve(path))
        let file = inspection.path + "/" + lockName
        let lock = try openLock(path: inspection.path, creating: true)
        do throws(DataDirectoryError) {
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
                guard errno == EWOULDBLOCK else { throw failure(path, "locked", errno) }
                // Who only looks at the directory shares the lock, and is not the one whose name is in the file.
                let isLookedAt = flock(lock, LOCK_SH | LOCK_NB) == 0
                throw .owned(path: path, owner: isLookedAt ? nil : Owner(readingFrom: lock))
            }
            let warning = try inspection.check(for: command)
            let owner = Owner(process: getpid(), command: command, startedAt: Timestamp.systemClock)
            guard ftruncate(lock, 0) == 0 else { throw failure(path, "written to", errno) }
            do {
                try FileBytes.write(Array(owner.json.serialized().utf8), to: lock, path: file)
            } catch {
                throw .unusable(path: path, reason: "could not be taken: \(error)")
            }
            return DataDirectory(path: inspection.path, warning: warning, lock: lock)
        } catch {
            close(lock)
            throw error
        }
    }

    /// Opens the file that says who has a directory; -1 when there is none and it is not made.
    static func openLock(path: String, creating: Bool) throws(DataDirectoryError) -> Int32 {
        let file = path + "/" + lockName
        do throws(FileFault) {
            return try OwnFile.open(file, creating ? O_RDWR | O_CREAT : O_RDONLY)
        } catch {
            switch error {
            case .system(ENOENT) where !creating: return -1
            case .system(let code): throw failure(path, creating ? "written to" : "looked at", code)
            case .notAFile(let kind):
                throw .unusable(
                    path: path, reason: "cannot be taken: \(file) is \(kind), and must be a file: move it away")
            }
        }
    }

    static func resolve(_ path: String) throws(DataDirectoryError) -> String {
        guard let resolved = realpath(path, nil) else { throw failure(path, "read", errno) }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Has a server's store opened in a directory; a command that is at work there gets a while to finish.
    ///
    /// - Throws: What `open` throws; `.owned` at once when a server has the directory.
    static func whenNoCommandHasIt<Store>(_ open: () throws -> Store) throws -> Store {
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                return try open()
            } catch DataDirectoryError.owned(let path, let owner) {
                guard owner?.isServer != true, ContinuousClock.now < deadline else {
                    throw DataDirectoryError.owned(path: path, owner: owner)
                }
                usleep(20_000)
            }
        }
    }

    /// The server that has a directory; nil when none has, as far as this user can see.
    static func server(of path: String) -> Owner? {
        guard let lock = try? openLock(path: path, creating: false), lock >= 0 else { return nil }
        defer { close(lock) }
        guard flock(lock, LOCK_SH | LOCK_NB) != 0, let owner = Owner(readingFrom: lock), owner.isServer else {
            return nil
        }
        return owner
    }

    /// Runs `work` as the user that the directory belongs to, when this process is root and the directory is another's.
    ///
    /// For commands: whatever they create in the directory, the server's own user can open.
    static func asOwner<Result>(of path: String, _ work: () throws -> Result) throws -> Result {
        var status = stat()
        guard geteuid() == 0, stat(path, &status) == 0, status.st_uid != 0 else { return try work() }
        guard setegid(status.st_gid) == 0, seteuid(status.st_uid) == 0 else {
            throw failure(path, "opened as its owner", errno)
        }
        // Back to root cannot fail: the real user still is.
        defer {
            seteuid(0)
            setegid(0)
        }
        return try work()
    }

    private static func create(_ path: String) throws(DataDirectoryError) {
        guard !path.isEmpty else { throw .unusable(path: "\"\"", reason: "has no name: give it one with --data-dir") }
        var parent = path.hasPrefix("/") ? "/" : ""
        let components = path.split(separator: "/")
        for component in components.dropLast() {
            parent += component + "/"
            guard mkdir(parent, 0o755) == 0 || errno == EEXIST || access(parent, F_OK) == 0 else {
                throw failure(path, "created", errno)
            }
        }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure(path, "created", errno) }
        var status = stat()
        guard stat(path, &status) == 0 else { throw failure(path, "read", errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw .unusable(path: path, reason: "is not a directory: choose another path with --data-dir")
        }
        if geteuid() == 0, status.st_uid != 0 {
            throw .unusable(
                path: path,
                reason: "belongs to user \(userName(status.st_uid)), and files that root leaves in it would lock that "
                    + "user out: run as that user (sudo -u \(userName(status.st_uid)) …)")
        }
    }

    private static func failure(_ path: String, _ operation: String, _ code: Int32) -> DataDirectoryError {
        let user = userName(geteuid())
        let reason =
            switch code {
            case EACCES, EPERM:
                "cannot be \(operation): user \(user) has no permission; give it to that user "
                    + "(chown -R \(user) \(path)), or choose another with --data-dir"
            case EROFS: "cannot be \(operation): the file system is read-only; choose another with --data-dir"
            case ENOSPC, EDQUOT: "cannot be \(operation): the disk is full; make room and start again"
            case ENOTDIR: "cannot be \(operation): a part of its path is a file; choose another with --data-dir"
            case ENOLCK: "cannot be locked: its file system keeps no locks; choose a local disk with --data-dir"
            default: "cannot be \(operation): \(String(cString: strerror(code)))"
            }
        return .unusable(path: path, reason: reason)
    }

    /// The user's name, or the number of a user without one.
    private static func userName(_ user: uid_t) -> String {
        // Called before any other thread exists that could ask for another user at the same time.
        guard let entry = getpwuid(user), let name = entry.pointee.pw_name else { return "\(user)" }
        return String(cString: name)
    }
}

/// Why a data directory cannot be had.
enum DataDirectoryError: Error, Equatable, CustomStringConvertible {
    /// Another process has it.
    case owned(path: String, owner: Owner?)
    /// Something is wrong with the directory; the reason says what to do.
    case unusable(path: String, reason: String)

    var description: String {
        switch self {
        case .owned(let path, let owner?):
            "the data directory \(path) is in use by `flag-server \(owner.command)`, process \(owner.process), since "
                + "\(owner.startedAt.rfc3339): stop that one, or choose another directory with --data-dir"
        case .owned(let path, nil):
            "the data directory \(path) is in use by another process: stop that one, or choose another directory with "
                + "--data-dir"
        case .unusable(let path, let reason):
            "the data directory \(path) \(reason)"
        }
    }
}
