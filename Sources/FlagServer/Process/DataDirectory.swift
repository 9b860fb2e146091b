import FlagCore
import Glibc
import JSON

/// A data directory that belongs to this process: nobody else opens its files as long as the value lives.
///
/// Ownership is a `flock(2)` on a file in the directory, which the kernel gives back whatever becomes of the process.
/// The file's contents say who holds it, for the message to the second one.
final class DataDirectory: Sendable {
    /// The directory's path, as it was given.
    let path: String
    private let lock: Int32

    static let lockName = "owner.lock"
    /// How long a server that starts waits for a command that is at work in the directory.
    private static let patience = Duration.seconds(10)

    private init(path: String, lock: Int32) {
        self.path = path
        self.lock = lock
    }

    deinit {
        close(lock)
    }

    /// Creates the directory where it is missing, readable by nobody else, and takes possession of it.
    ///
    /// - Parameters:
    ///   - path: The directory; missing parents are created as well.
    ///   - command: What this process is, `serve` for example, for others to read.
    /// - Throws: `.owned` when another process has it; else what is wrong with the directory and what to do.
    static func open(_ path: String, for command: String) throws(DataDirectoryError) -> DataDirectory {
        try create(path)
        let file = path + "/" + lockName
        let descriptor = Glibc.open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path, "written to", errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            // Who only looks at the directory shares the lock, and is not the one whose name is in the file.
            let isLookedAt = code == EWOULDBLOCK && flock(descriptor, LOCK_SH | LOCK_NB) == 0
            close(descriptor)
            if isLookedAt { throw .owned(path: path, owner: nil) }
            guard code == EWOULDBLOCK else { throw failure(path, "locked", code) }
            throw .owned(path: path, owner: Owner(readingFrom: file))
        }
        let directory = DataDirectory(path: path, lock: descriptor)
        let owner = Owner(process: getpid(), command: command, startedAt: Timestamp.systemClock)
        guard ftruncate(descriptor, 0) == 0 else { throw failure(path, "written to", errno) }
        do {
            try FileBytes.write(Array(owner.json.serialized().utf8), to: descriptor, path: file)
        } catch {
            throw .unusable(path: path, reason: "could not be taken: \(error)")
        }
        return directory
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

/// The process that has a data directory.
struct Owner: Sendable, Equatable {
    var process: Int32
    var command: String
    var startedAt: Timestamp

    init(process: Int32, command: String, startedAt: Timestamp) {
        self.process = process
        self.command = command
        self.startedAt = startedAt
    }

    /// Whether it is a server, which stays, and not a command, which is done soon.
    var isServer: Bool { [ServeCommand.name, DynamoDBCommand.name].contains(command) }

    /// What the owner wrote of itself; nil in the moment before it has done so.
    init?(readingFrom file: String) {
        guard let bytes = try? FileBytes.read(file, atMost: 4096),
            let value = try? JSONValue(parsing: bytes, options: JSONParseOptions()),
            case .object(let object) = value,
            case .number(let process)? = object["process"], let number = process.int64,
            let command = object["command"]?.stringValue,
            let startedAt = object["startedAt"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) })
        else { return nil }
        self.init(process: Int32(truncatingIfNeeded: number), command: command, startedAt: startedAt)
    }

    var json: JSONValue {
        .object([
            "process": .number(JSONNumber(Int64(process))), "command": .string(command),
            "startedAt": .string(startedAt.rfc3339),
        ])
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
