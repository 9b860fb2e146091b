import CLinux
import Glibc

/// Listening sockets that systemd, or another parent, opened for this process (sd_listen_fds(3)).
package enum ActivatedSockets {
    /// Descriptors begin behind standard input, output and error.
    private static let first: Int32 = 3

    /// The sockets handed over; none when `LISTEN_PID` means another process.
    ///
    /// - Parameters:
    ///   - process: This process's number.
    ///   - variable: Looks up an environment variable.
    package static func addresses(
        process: Int32 = getpid(), variable: (String) -> String? = ActivatedSockets.inEnvironment
    ) -> [SocketAddress] {
        guard let owner = variable("LISTEN_PID"), Int32(owner) == process, let text = variable("LISTEN_FDS"),
            let count = Int32(text), (1...1024).contains(count)
        else { return [] }
        return (first..<first + count).map { .inherited(descriptor: $0) }
    }

    /// Whether only this machine can reach the socket; false also when it is no socket.
    package static func isLoopback(_ descriptor: Int32) -> Bool {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return status == 0 && PeerAddress(storage).isLoopback
    }

    /// The process's environment.
    package static func inEnvironment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
