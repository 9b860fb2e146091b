import Glibc

/// Why a server could not be set up.
package enum TransportError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Somebody listens on the address already.
    case addressInUse(SocketAddress)
    /// The process may not listen there.
    case permissionDenied(SocketAddress)
    /// No interface of this machine has the address, or the host name is unknown.
    case addressNotAvailable(SocketAddress, reason: String)
    /// A certificate or its key cannot be used.
    case certificate(file: String, reason: String)
    /// A setting is out of its bounds.
    case invalidConfiguration(String)
    /// A system call failed for another reason.
    ///
    /// - Parameters:
    ///   - operation: The call, for example `epoll_create1`.
    ///   - code: Its `errno`.
    case system(operation: String, code: Int32)

    /// What happened, and what the operator can do.
    package var description: String {
        switch self {
        case .addressInUse(let address):
            "\(address) is in use by another process; stop it (`ss -ltnp` names it) or choose another address"
        case .permissionDenied(let address):
            "no permission to listen on \(address); ports below 1024 need CAP_NET_BIND_SERVICE, a socket file needs a "
                + "directory that this user may write to"
        case .addressNotAvailable(let address, let reason):
            "cannot listen on \(address): \(reason); `ip address` lists the addresses of this machine"
        case .certificate(let file, let reason):
            "\(file): \(reason); TLS needs a PEM file with the certificate and those of its issuers, and one with its "
                + "private key, both readable by this user"
        case .invalidConfiguration(let detail):
            detail
        case .system(let operation, let code):
            "\(operation) failed: \(String(cString: strerror(code))) (errno \(code))"
        }
    }
}
