/// Where a server listens.
package enum SocketAddress: Sendable, Equatable, CustomStringConvertible {
    /// A TCP port on an address: IPv4 (`127.0.0.1`), IPv6 (`::1`; `::` takes IPv4 connections too) or a host name, of
    /// whose addresses an IPv4 one is preferred. Port 0 lets the system choose.
    case tcp(host: String, port: Int)
    /// A Unix socket at a path of at most 107 bytes. A socket file that nobody listens on is replaced.
    case unix(path: String)
    /// A listening socket that somebody else opened: `ActivatedSockets` finds those of systemd.
    case inherited(descriptor: Int32)

    /// Reads a list such as `127.0.0.1, ::1, unix:/run/x.sock`: host names, addresses, and paths behind `unix:`.
    ///
    /// - Parameters:
    ///   - text: The list, with commas.
    ///   - port: The port of all that are not paths.
    package static func list(_ text: String, port: Int) -> [SocketAddress] {
        text.split(separator: ",").map { part in
            let name = part.filter { $0 != " " }
            if name.hasPrefix("unix:") { return .unix(path: String(name.dropFirst(5))) }
            let isBracketed = name.hasPrefix("[") && name.hasSuffix("]")
            return .tcp(host: isBracketed ? String(name.dropFirst().dropLast()) : name, port: port)
        }
    }

    /// As an operator would write it: `127.0.0.1:3001`, `[::1]:3001`, `unix:/run/x.sock`.
    package var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        case .inherited(let descriptor): "descriptor \(descriptor)"
        }
    }
}
