import Glibc
import JSON
import Platform

/// Why a conversation over the control socket failed.
enum ControlError: Error, Equatable, CustomStringConvertible {
    /// Nobody listens.
    case unreachable(path: String, reason: String)
    /// Something else stands in the place of the socket: what it is, with its article.
    case notASocket(path: String, kind: String)
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
        case .notASocket(let path, let kind): "\(path) is \(kind), and must be a socket: move it away"
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
/// A message is the lengths of its two parts, four bytes each and the most significant first, then the header, which is
/// JSON, then the payload, which is whatever the header says. Calls block, within bounds of time and size.
struct ControlChannel: ~Copyable {
    /// The socket.
    let descriptor: Int32

    /// What a header may have: a list of ten thousand mistakes fits.
    static let maximumHeaderBytes = 16 << 20
    /// What a payload may have: a million overrides fit, and a runaway file does not take the server's memory.
    static let maximumPayloadBytes = 256 << 20

    /// Takes over a connected socket that does not block, and closes it at the end.
    init(adopting descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Has the side that waits for a message hear that there will be none. From any thread, while the channel is there.
    static func interrupt(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_RD)) }

    /// Whether the other side has closed the connection. From any thread, while the channel is there; does not wait.
    static func isLeft(_ descriptor: Int32) -> Bool {
        // POLLHUP is told unasked.
        var entry = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&entry, 1, 0) > 0 && Int32(entry.revents) & (POLLHUP | POLLERR) != 0
    }

    /// Who is at the other end, as the kernel vouches for it.
    func peer() -> (process: Int32, user: UInt32)? {
        UnixConnection.peer(descriptor)
    }

    /// Sends a message.
    ///
    /// - Parameter timeout: For the whole message to be taken.
    func send(_ message: ControlMessage, within timeout: Duration) throws(ControlError) {
        let header = message.header.serializedBytes()
        try Self.check(headerBytes: header.count, payloadBytes: message.payload.count)
        let deadline = ContinuousClock.now + timeout
        try send(Self.bytes(of: header.count) + Self.bytes(of: message.payload.count) + header, before: deadline)
        try send(message.payload, before: deadline)
    }

    /// Waits for a message.
    ///
    /// - Parameter timeout: Until the whole message is there.
    func receive(within timeout: Duration) throws(ControlError) -> ControlMessage {
        let deadline = ContinuousClock.now + timeout
        let (header, payloadBytes) = try receiveHeader(within: timeout)
        return ControlMessage(header: header, payload: try receive(payloadBytes, before: deadline))
    }

    /// Waits for the first part of a message.
    ///
    /// - Returns: the header, and how many bytes the payload behind it has: they are to be received next.
    func receiveHeader(within timeout: Duration) throws(ControlError) -> (header: JSONValue, payloadBytes: Int) {
        let deadline = ContinuousClock.now + timeout
        let lengths = try receive(8, before: deadline)
        let (headerBytes, payloadBytes) = (Self.length(in: lengths.prefix(4)), Self.length(in: lengths.suffix(4)))
        try Self.check(headerBytes: headerBytes, payloadBytes: payloadBytes)
        let header = try receive(headerBytes, before: deadline)
        do throws(JSONError) { return (try JSONValue(parsing: header), payloadBytes) } catch {
            throw .malformed("\(error)")
        }
    }

    /// Waits for the payload of a message, whose header was received.
    func receivePayload(_ count: Int, within timeout: Duration) throws(ControlError) -> [UInt8] {
        try receive(count, before: ContinuousClock.now + timeout)
    }

    private static func check(headerBytes: Int, payloadBytes: Int) throws(ControlError) {
        if headerBytes > maximumHeaderBytes { throw .tooLarge(bytes: headerBytes, maximum: maximumHeaderBytes) }
        if payloadBytes > maximumPayloadBytes { throw .tooLarge(bytes: payloadBytes, maximum: maximumPayloadBytes) }
    }

    private static func bytes(of length: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
    }

    private static func length(in bytes: ArraySlice<UInt8>) -> Int {
        bytes.reduce(0) { $0 << 8 | Int($1) }
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
            if got < 0 {
                try waitAfterFailure(failure, for: POLLIN, before: deadline)
            } else if bytes.count < count, ContinuousClock.now >= deadline {
                // Whoever sends byte by byte always has sent something.
                throw .timedOut
            }
        }
        return bytes
    }

    private func waitAfterFailure(
        _ code: Int32, for events: Int32, before deadline: ContinuousClock.Instant
    ) throws(ControlError) {
        if code == EINTR { return }
        guard code == EAGAIN || code == EWOULDBLOCK else { throw .broken(String(cString: strerror(code))) }
        let remaining = (deadline - .now).milliseconds
        guard remaining > 0 else { throw .timedOut }
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        // Whatever poll says, the next attempt finds out; only time is decided here.
        if poll(&entry, 1, Int32(clamping: remaining)) == 0 { throw .timedOut }
    }
}
