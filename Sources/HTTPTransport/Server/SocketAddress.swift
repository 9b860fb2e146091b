/// Where a server listens.
package enum SocketAddress: Sendable, Equatable, CustomStringConvertible {
    /// A TCP port on an address: IPv4 (`127.0.0.1`), IPv6 (`::1`; `::` takes IPv4 connections too) or a host name, of
    /// whose addresses an IPv4 one is preferred. Port 0 lets the system choose.
    case tcp(host: String, port: Int)
    /// A Unix socket at a path of at most 107 bytes. A socket file that nobody listens on is replaced.
    case unix(path: String)

    /// As an operator would write it: `127.0.0.1:3001`, `[::1]:3001`, `unix:/run/x.sock`.
    package var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
