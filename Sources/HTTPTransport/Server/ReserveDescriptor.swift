import CLinux
import Glibc

/// A descriptor that is kept for when there is no other: given up for a moment, it lets one waiting connection be told
/// that the server is out of them. Without it such a connection would wait until its client gives up.
struct ReserveDescriptor: ~Copyable {
    private var descriptor: Int32

    init() {
        descriptor = ReserveDescriptor.open()
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    private static func open() -> Int32 { Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC) }

    /// Accepts one connection in the place of the reserve, answers it and closes it.
    ///
    /// - Returns: Whether there was one.
    mutating func refuse(on listener: Int32, with response: [UInt8]) -> Bool {
        if descriptor >= 0 { close(descriptor) }
        defer { descriptor = ReserveDescriptor.open() }
        let connection = clinux_accept_nonblocking(listener, nil, nil)
        guard connection >= 0 else { return false }
        _ = send(connection, response, response.count, Int32(MSG_NOSIGNAL))
        shutdown(connection, Int32(SHUT_WR))
        // What is unread at the close turns it into a reset, which may overtake the response.
        var dropped = [UInt8](repeating: 0, count: 16_384)
        _ = recv(connection, &dropped, dropped.count, 0)
        close(connection)
        return true
    }
}
