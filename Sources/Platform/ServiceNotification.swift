import Glibc

/// Tells systemd how the service is doing: the protocol of sd_notify(3), one datagram a message.
package enum ServiceNotification {
    /// The server answers requests now.
    package static let ready = "READY=1"
    /// The server has begun to stop.
    package static let stopping = "STOPPING=1"

    /// Sends `message` to the socket that systemd named in `NOTIFY_SOCKET`; does nothing where there is none.
    ///
    /// A message that cannot be sent is lost in silence, as sd_notify's own callers are advised: the service works
    /// either way.
    package static func send(_ message: String, to socketPath: String?) {
        guard let socketPath, let address = UnixAddress(socketPath) else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(message.utf8)
        _ = address.withSockaddr { sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, $1) }
    }
}
