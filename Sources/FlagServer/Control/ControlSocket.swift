import Glibc
import Platform

/// Why there is no socket for commands.
enum ControlSocketError: Error, Equatable, CustomStringConvertible {
    /// It cannot be made, or nobody listens.
    case unreachable(path: String, reason: String)
    /// Something else stands in its place: what it is, with its article.
    case notASocket(path: String, kind: String)

    var description: String {
        switch self {
        case .unreachable(let path, let reason): "no server answers on \(path): \(reason)"
        case .notASocket(let path, let kind): "\(path) is \(kind), and must be a socket: move it away"
        }
    }
}

/// The socket in a data directory through which commands reach the server that owns it.
enum ControlSocket {
    private static let name = "control.sock"
    private static let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

    /// The socket's path, for messages.
    static func path(in directory: String) -> String { "\(directory)/\(name)" }

    /// Starts to listen, in place of whatever an earlier server left behind.
    ///
    /// - Parameter directory: One that this process owns: nobody else can be listening there.
    /// - Returns: A descriptor that does not block, and on which only this user and root can connect.
    static func listen(in directory: String) throws(ControlSocketError) -> Int32 {
        let path = path(in: directory)
        if let status = try? FileStatus(of: path) {
            guard status.isSocket else { throw .notASocket(path: path, kind: status.kind) }
            guard unlink(path) == 0 else { throw unreachable(path, errno) }
        }
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw unreachable(path, errno) }
        // The file gets the permissions that the socket has before it has a name: by its name, another could be meant.
        _ = fchmod(descriptor, 0o600)
        let result = try withAddress(in: directory) { bind(descriptor, $0, $1) }
        guard result == 0, Glibc.listen(descriptor, 16) == 0 else {
            let code = errno
            close(descriptor)
            throw unreachable(path, code)
        }
        return descriptor
    }

    /// Lends a path by which the socket can be connected to, whatever the directory is called: one whose path is too
    /// long for a socket's address is reached through its descriptor.
    ///
    /// - Throws: what `body` throws; `ControlSocketError` when something else stands in the place of the socket.
    static func withPath<Result>(in directory: String, _ body: (String) throws -> Result) throws -> Result {
        let path = path(in: directory)
        if let status = try? FileStatus(of: path), !status.isSocket {
            throw ControlSocketError.notASocket(path: path, kind: status.kind)
        }
        if UnixAddress(path) != nil, !directory.hasPrefix("@") { return try body(path) }
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreachable(path, errno) }
        defer { close(descriptor) }
        return try body("/proc/self/fd/\(descriptor)/\(name)")
    }

    /// Finds out whether somebody listens.
    ///
    /// - Parameters:
    ///   - address: a path that `withPath` lends.
    ///   - path: the socket's, for messages.
    static func tryConnecting(to address: String, named path: String) throws(ControlSocketError) {
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw unreachable(path, errno) }
        defer { close(descriptor) }
        guard let place = UnixAddress(address) else { throw .unreachable(path: path, reason: "its path is too long") }
        guard place.withSockaddr({ connect(descriptor, $0, $1) }) == 0 else { throw unreachable(path, errno) }
    }

    /// Where systemd makes the directory of a unit with `RuntimeDirectory=flag-server` (systemd.exec(5)).
    private static let runtimeDirectory = "/run/flag-server"

    /// Has commands find the socket wherever they are run: by a link in the directory that systemd made for this
    /// process's sockets. Does nothing where it made none.
    ///
    /// - Parameter environment: the process's environment.
    static func announce(_ directory: String, in environment: [String: String]) throws(ControlSocketError) {
        guard let runtime = ServiceDirectory.runtime.path(in: environment) else { return }
        let link = path(in: runtime)
        unlink(link)
        guard let absolute = try? DataDirectory.resolve(directory), symlink(path(in: absolute), link) == 0 else {
            throw unreachable(link, errno)
        }
    }

    /// Takes the announcement back.
    static func withdraw(_ environment: [String: String]) {
        if let runtime = ServiceDirectory.runtime.path(in: environment) { unlink(path(in: runtime)) }
    }

    /// The data directory of the server that runs as a service, or did; nil when none announced itself.
    static func announcedDirectory(_ environment: [String: String]) -> String? {
        let link = path(in: ServiceDirectory.runtime.path(in: environment) ?? runtimeDirectory)
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(link, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let target = String(decoding: bytes.prefix(count), as: UTF8.self)
        return target.hasSuffix("/\(name)") ? String(target.dropLast(name.utf8.count + 1)) : nil
    }

    /// Removes the socket's file.
    static func remove(in directory: String) {
        unlink(path(in: directory))
    }

    /// Lends the socket's address. A directory whose path is too long for one is reached through its descriptor.
    private static func withAddress(
        in directory: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(ControlSocketError) -> Int32 {
        if let address = UnixAddress(path(in: directory)), !directory.hasPrefix("@") {
            return address.withSockaddr(body)
        }
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreachable(path(in: directory), errno) }
        defer { close(descriptor) }
        guard let address = UnixAddress("/proc/self/fd/\(descriptor)/\(name)") else {
            throw .unreachable(path: path(in: directory), reason: "its path is too long")
        }
        return address.withSockaddr(body)
    }

    private static func unreachable(_ path: String, _ code: Int32) -> ControlSocketError {
        let reason =
            switch code {
            case ENOENT, ECONNREFUSED: "no server has it open"
            case EACCES, EPERM: "user \(geteuid()) may not use it; run the command as root or as the server's user"
            case EAGAIN: "too many commands wait for it already"
            default: String(cString: strerror(code))
            }
        return .unreachable(path: path, reason: reason)
    }
}
