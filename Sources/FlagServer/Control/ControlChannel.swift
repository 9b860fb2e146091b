import Glibc
import JSON

/// Why a conversation over the control socket failed.
enum ControlError: Error, Equatable, CustomStringConvertible {
    /// Nobody listens.
    case unreachable(path: String, reason: String)
    /// The conversation broke off.
    case broken(String)
    /// The other side did not speak or listen in time.
    case timedOut
    /// A message is larger than is allowed.
    case tooLarge(bytes: Int, maximum: Int)
    /// What was said makes no sense.
    case malformed(String)

    var description: String {
        switch self {
        case .unreachable(let path, let reason): "no server answers on \(path): \(reason)"
        case .broken(let reason): "the conversation with the server broke off: \(reason)"
        case .timedOut: "the server did not answer in time"
        case .tooLarge(let bytes, let maximum):
            "the message has \(bytes) bytes; \(Units.size(maximum)) are the most that fits"
        case .malformed(let reason): "the message makes no sense: \(reason)"
        }
    }
}

/// One end of a conversation over the control socket.
///
/// A message is its length as four bytes, the most significant first, and that many bytes of JSON. Calls block, within
/// bounds of time and size.
struct ControlChannel: ~Copyable {
    private let descriptor: Int32

    /// A message with flags for a whole company fits; a runaway one does not take the server's memory.
    static let maximumMessageBytes = 64 << 20

    /// Takes over a connected socket that does not block, and closes it at the end.
    init(adopting descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Who is at the other end, as the kernel vouches for it.
    func peer() -> (process: Int32, user: UInt32)? {
        UnixConnection.peer(descriptor)
    }

    /// Sends a message.
    ///
    /// - Parameter timeout: For the whole message to be taken.
    func send(_ message: JSONValue, within timeout: Duration) throws(ControlError) {
        let body = Array(message.serialized().utf8)
        guard body.count <= Self.maximumMessageBytes else {
            throw .tooLarge(bytes: body.count, maximum: Self.maximumMessageBytes)
        }
        let deadline = ContinuousClock.now + timeout
        let length = UInt32(body.count)
        try send([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }, before: deadline)
        try send(body, before: deadline)
    }

    /// Waits for a message.
    ///
    /// - Parameter timeout: Until the whole message is there.
    func receive(within timeout: Duration) throws(ControlError) -> JSONValue {
        let deadline = ContinuousClock.now + timeout
        let length = Int(try receive(4, before: deadline).reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        guard length <= Self.maximumMessageBytes else {
            throw .tooLarge(bytes: length, maximum: Self.maximumMessageBytes)
        }
        let body = try receive(length, before: deadline)
        do {
            return try JSONValue(parsing: body, options: JSONParseOptions(maximumDepth: 512))
        } catch {
            throw .malformed("\(error)")
        }
    }

    private func send(_ bytes: [UInt8], before deadline: ContinuousClock.Instant) throws(ControlError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else {
                try waitAfterFailure(errno, for: POLLOUT, before: deadline)
            }
        }
    }

    private func receive(_ count: Int, before deadline: ContinuousClock.Instant) throws(ControlError) -> [UInt8] {
        var bytes: [UInt8] = []
        // Room is made as bytes arrive: a length alone reserves nothing.
        let step = 1 << 16
        while bytes.count < count {
            let before = bytes.count
            let wanted = min(step, count - before)
            bytes.append(contentsOf: repeatElement(0, count: wanted))
            var failure: Int32 = 0
            let got = bytes[before...].withUnsafeMutableBytes { buffer in
                let got = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                failure = errno
                return got
            }
            bytes.removeLast(wanted - max(0, got))
            if got == 0 { throw .broken("the other side closed it") }
            if got < 0 { try waitAfterFailure(failure, for: POLLIN, before: deadline) }
        }
        return bytes
    }

    private func waitAfterFailure(
        _ code: Int32, for events: Int32, before deadline: ContinuousClock.Instant
    ) throws(ControlError) {
        if code == EINTR { return }
        guard code == EAGAIN || code == EWOULDBLOCK else { throw .broken(String(cString: strerror(code))) }
        let remaining = Units.milliseconds(deadline - .now)
        guard remaining > 0 else { throw .timedOut }
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        // Whatever poll says, the next attempt finds out; only time is decided here.
        if poll(&entry, 1, Int32(clamping: remaining)) == 0 { throw .timedOut }
    }
}
