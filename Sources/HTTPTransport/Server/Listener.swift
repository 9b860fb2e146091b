import CLinux
import Glibc

/// A listening socket.
final class Listener: Sendable {
    /// The socket, non-blocking.
    let descriptor: Int32
    /// The TCP port; 0 for a Unix socket.
    let port: Int
    private let path: String?
    /// Whether the socket is somebody else's, who goes on listening when this server has ended.
    let isInherited: Bool

    /// Binds `address` and listens.
    ///
    /// `SO_REUSEADDR` lets a restarted server have its port back at once. `SO_REUSEPORT` is not set: with it a second
    /// server would start silently and take a part of the connections.
    ///
    /// - Throws: `TransportError`, most often `addressInUse`.
    init(_ address: SocketAddress) throws(TransportError) {
        let resolved = try ResolvedAddress(address)
        if case .inherited(let socket) = address {
            try Listener.adopt(socket, resolved, address)
            port = try Listener.port(of: socket, resolved)
            descriptor = socket
            (path, isInherited) = (nil, true)
            return
        }
        let socket = Glibc.socket(resolved.family, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw .system(operation: "socket", code: errno) }
        do throws(TransportError) {
            try Listener.prepare(socket, resolved, address)
            port = try Listener.port(of: socket, resolved)
        } catch {
            close(socket)
            throw error
        }
        descriptor = socket
        path = if case .unix(let path) = address { path } else { nil }
        isInherited = false
    }

    /// Stops listening, and removes a Unix socket's file.
    func stop() {
        if let path { unlink(path) }
        close(descriptor)
    }

    private static func prepare(
        _ socket: Int32, _ resolved: ResolvedAddress, _ address: SocketAddress
    ) throws(TransportError) {
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        if case .unix(let path) = address {
            removeAbandoned(path, resolved)
        } else {
            try set(socket, SOL_SOCKET, SO_REUSEADDR, 1, "setsockopt SO_REUSEADDR")
            // Accepted sockets inherit it: a response is one write, so waiting for more bytes only costs time.
            try set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1, "setsockopt TCP_NODELAY")
        }
        if resolved.family == AF_INET6 {
            try set(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0, "setsockopt IPV6_V6ONLY")
        }
        guard resolved.withSockaddr({ bind(socket, $0, $1) }) == 0 else { throw error(of: "bind", errno, address) }
        guard listen(socket, 4096) == 0 else { throw error(of: "listen", errno, address) }
    }

    /// Takes over a socket that listens already.
    private static func adopt(
        _ socket: Int32, _ resolved: ResolvedAddress, _ address: SocketAddress
    ) throws(TransportError) {
        var isListening: Int32 = 0
        var length = socklen_t(4)
        guard getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &length) == 0, isListening != 0 else {
            throw .addressNotAvailable(address, reason: "it is no listening stream socket")
        }
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        if resolved.family == AF_UNIX { return }
        try set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1, "setsockopt TCP_NODELAY")
    }

    private static func set(
        _ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32, _ operation: String
    ) throws(TransportError) {
        var value = value
        guard setsockopt(socket, level, option, &value, 4) == 0 else {
            throw .system(operation: operation, code: errno)
        }
    }

    private static func error(of operation: String, _ code: Int32, _ address: SocketAddress) -> TransportError {
        switch code {
        case EADDRINUSE: .addressInUse(address)
        case EACCES, EPERM: .permissionDenied(address)
        case EADDRNOTAVAIL, ENOENT, ENOTDIR:
            .addressNotAvailable(address, reason: String(cString: strerror(code)))
        default: .system(operation: operation, code: code)
        }
    }

    /// A socket file that nobody listens on is left over from a process that was killed.
    private static func removeAbandoned(_ path: String, _ resolved: ResolvedAddress) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
        let probe = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(probe) }
        if resolved.withSockaddr({ connect(probe, $0, $1) }) != 0, errno == ECONNREFUSED { unlink(path) }
    }

    private static func port(of socket: Int32, _ resolved: ResolvedAddress) throws(TransportError) -> Int {
        if resolved.family == AF_UNIX { return 0 }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        guard status == 0 else { throw .system(operation: "getsockname", code: errno) }
        // The port stands at the same place for both families, in network byte order.
        return withUnsafeBytes(of: &storage) { Int($0[2]) << 8 | Int($0[3]) }
    }
}
