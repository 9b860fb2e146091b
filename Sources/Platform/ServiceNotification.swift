import Glibc

/// Tells systemd how the service is doing: the protocol of sd_notify(3), one datagram a message.
package struct ServiceNotification: Sendable {
    /// What a service becomes.
    package enum State: Sendable {
        /// It answers requests now.
        case ready
        /// It reads its settings again.
        case reloading
        /// It has begun to stop.
        case stopping
        /// Nothing else than it was: it is alive.
        case alive
    }

    private let socketPath: String?
    /// In how many microseconds systemd gives up a service that has not said that it is alive (sd_watchdog_enabled(3));
    /// nil where it does not watch this process.
    package let watchdogMicroseconds: Int64?

    /// What the process's environment says: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    package init(environment: [String: String]) {
        socketPath = environment["NOTIFY_SOCKET"]
        let isForThis = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
        let time = environment["WATCHDOG_USEC"].flatMap { Int64($0) }
        watchdogMicroseconds = isForThis && socketPath != nil ? time.flatMap { $0 > 0 ? $0 : nil } : nil
    }

    /// Tells what the service is now, and for people what it is about. Does nothing where nobody listens.
    ///
    /// A message that cannot be sent is lost in silence, as sd_notify's own callers are advised: the service works
    /// either way.
    package func send(_ state: State, _ status: String? = nil) {
        var message = state.message
        if let status { message += "\nSTATUS=\(status)" }
        send(message)
    }

    private func send(_ message: String) {
        guard let socketPath, let address = UnixAddress(socketPath) else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(message.utf8)
        _ = address.withSockaddr { sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, $1) }
    }
}

extension ServiceNotification.State {
    fileprivate var message: String {
        switch self {
        case .ready: "READY=1"
        // systemd wants to know since when, to tell this reload from one before (sd_notify(3)).
        case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(SystemClock.monotonicMicroseconds)"
        case .stopping: "STOPPING=1"
        case .alive: "WATCHDOG=1"
        }
    }
}
