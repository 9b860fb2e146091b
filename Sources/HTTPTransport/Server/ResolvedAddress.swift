import CLinux
import Glibc

/// A socket address as system calls take it.
struct ResolvedAddress {
    /// `AF_INET`, `AF_INET6` or `AF_UNIX`.
    let family: Int32
    private let bytes: [UInt8]

    /// Resolves a host name; of several addresses an IPv4 one is preferred.
    ///
    /// - Throws: `TransportError.addressNotAvailable` for a name nobody knows or a path that is too long.
    init(_ address: SocketAddress) throws(TransportError) {
        switch address {
        case .tcp(let host, let port):
            (family, bytes) = try ResolvedAddress.resolve(host, port, address)
        case .inherited(let descriptor):
            (family, bytes) = try ResolvedAddress.name(of: descriptor, address)
        case .unix(let path):
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            let room = MemoryLayout.size(ofValue: name.sun_path)
            guard !path.isEmpty, path.utf8.count < room else {
                throw .addressNotAvailable(address, reason: "the path of a socket has 1 to \(room - 1) bytes")
            }
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
            family = AF_UNIX
            bytes = withUnsafeBytes(of: &name) { Array($0) }
        }
    }

    /// Calls `body` with the address as a system call wants it.
    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        return withUnsafeMutableBytes(of: &storage) { raw in
            raw.copyBytes(from: bytes)
            return raw.withMemoryRebound(to: sockaddr.self) { rebound in
                guard let address = rebound.baseAddress else { preconditionFailure("the storage is not empty") }
                return body(address, socklen_t(bytes.count))
            }
        }
    }

    private static func name(
        of socket: Int32, _ address: SocketAddress
    ) throws(TransportError) -> (Int32, [UInt8]) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        guard status == 0 else { throw .addressNotAvailable(address, reason: String(cString: strerror(errno))) }
        return (Int32(storage.ss_family), withUnsafeBytes(of: &storage) { Array($0.prefix(Int(length))) })
    }

    private static func resolve(
        _ host: String, _ port: Int, _ address: SocketAddress
    ) throws(TransportError) -> (Int32, [UInt8]) {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0, let list else {
            throw .addressNotAvailable(address, reason: String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(list) }
        var chosen = list
        var next: UnsafeMutablePointer<addrinfo>? = list
        while let candidate = next {
            if candidate.pointee.ai_family == AF_INET, chosen.pointee.ai_family != AF_INET { chosen = candidate }
            next = candidate.pointee.ai_next
        }
        let bytes = UnsafeRawBufferPointer(
            start: chosen.pointee.ai_addr, count: Int(chosen.pointee.ai_addrlen))
        return (chosen.pointee.ai_family, Array(bytes))
    }
}
