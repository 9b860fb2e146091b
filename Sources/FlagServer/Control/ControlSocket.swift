import Glibc
import Platform

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
    static func listen(in directory: String) throws(ControlError) -> Int32 {
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

    /// Connects to the server that owns the directory.
    static func connect(in directory: String) throws(ControlError) -> ControlChannel {
        let path = path(in: directory)
        if let status = try? FileStatus(of: path), !status.isSocket {
            throw .notASocket(path: path, kind: status.kind)
        }
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw unreachable(path, errno) }
        let result = try withAddress(in: directory) { Glibc.connect(descriptor, $0, $1) }
        guard result == 0 else {
            let code = errno
            close(descriptor)
            throw unreachable(path, code)
        }
        return ControlChannel(adopting: descriptor)
    }

    /// Where systemd makes the directory of a unit with `RuntimeDirectory=flag-server` (systemd.exec(5)).
    private static let runtimeDirectory = "/run/flag-server"

    /// Has commands find the socket wherever they are run: by a link in the directory that systemd made for this
    /// process's sockets. Does nothing where it made none.
    ///
    /// - Parameter environment: the process's environment.
    static func announce(_ directory: String, in environment: [String: String]) throws(ControlError) {
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
    ) throws(ControlError) -> Int32 {
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

    private static func unreachable(_ path: String, _ code: Int32) -> ControlError {
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
