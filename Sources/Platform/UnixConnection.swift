import CLinux

/// What Linux knows of connections on Unix sockets and Swift's Glibc module does not show.
package enum UnixConnection {
    /// Who is at the other end, as the kernel vouches for it (SO_PEERCRED, unix(7)); nil when it does not say, which is
    /// to be taken as a stranger.
    package static func peer(_ socket: Int32) -> (process: Int32, user: UInt32)? {
        var process: Int32 = 0
        var user: UInt32 = 0
        guard clinux_peer_credentials(socket, &process, &user) == 0 else { return nil }
        return (process, user)
    }

    /// Accepts a connection that does not block; -1 when there is none.
    package static func accept(_ listener: Int32) -> Int32 {
        clinux_accept_nonblocking(listener, nil, nil)
    }
}
