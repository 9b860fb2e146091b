import CLinux
import Glibc

@testable import HTTPTransport

/// A blocking socket that sends what a test says and reads answers as bytes.
final class RawClient {
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// One answer.
    struct Answer: Equatable {
        var status: Int
        /// Names in small letters.
        var fields: [String: String]
        var body: String
    }

    /// Connects; reads give up after 10 s.
    init(_ address: SocketAddress) throws {
        let resolved = try ResolvedAddress(address)
        descriptor = socket(resolved.family, Int32(SOCK_STREAM.rawValue), 0)
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard resolved.withSockaddr({ connect(descriptor, $0, $1) }) == 0 else {
            let code = errno
            close(descriptor)
            throw Failure(description: "connect: \(String(cString: strerror(code)))")
        }
    }

    convenience init(port: Int) throws {
        try self.init(.tcp(host: "127.0.0.1", port: port))
    }

    deinit {
        close(descriptor)
    }

    /// Sends all of `bytes`; what a closed connection does not take is dropped.
    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            sent += count
        }
    }

    func send(_ text: String) {
        send(Array(text.utf8))
    }

    /// Ends our side; answers can still be read.
    func end() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Has the next close send a reset.
    func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Makes the receive buffer small, so that the server's output is soon blocked. Not below a segment of the loopback
    /// interface: with less, TCP sends by its persist timer only.
    func shrinkReceiveBuffer() {
        var size: Int32 = 131_072
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
    }

    /// The next answer; without its body when it answers HEAD.
    func answer(toHead: Bool = false) throws -> Answer {
        let head = try readHead()
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: true).map(String.init)
        let statusLine = lines.removeFirst()
        guard statusLine.hasPrefix("HTTP/1.1 "), let status = Int(statusLine.dropFirst(9).prefix(3)) else {
            throw Failure(description: "no status line: \(statusLine)")
        }
        var fields: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { throw Failure(description: "no field: \(line)") }
            fields[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        let isBodyless = toHead || status < 200 || status == 204 || status == 304
        let length = isBodyless ? 0 : Int(fields["content-length"] ?? "0") ?? 0
        while buffer.count < length { try readMore() }
        let body = String(decoding: buffer.prefix(length), as: UTF8.self)
        buffer.removeFirst(length)
        return Answer(status: status, fields: fields, body: body)
    }

    /// The next `count` bytes.
    func bytes(_ count: Int) throws -> String {
        while buffer.count < count { try readMore() }
        defer { buffer.removeFirst(count) }
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    /// The bytes that come next, at least one.
    func some() throws -> [UInt8] {
        if buffer.isEmpty { try readMore() }
        defer { buffer.removeAll(keepingCapacity: true) }
        return buffer
    }

    /// How many of the bytes that come next are `letter`.
    func letters(_ letter: UInt8) throws -> Int {
        if buffer.isEmpty { try readMore() }
        defer { buffer.removeAll(keepingCapacity: true) }
        return buffer.reduce(0) { $0 + ($1 == letter ? 1 : 0) }
    }

    /// Whether the peer closes without another byte.
    func isClosed() -> Bool {
        guard buffer.isEmpty else { return false }
        return (try? readMore()) == nil && lastReadEnded
    }

    private var lastReadEnded = false

    private func readHead() throws -> String {
        var scanned = 0
        while true {
            while scanned + 3 < buffer.count {
                if buffer[scanned...].starts(with: [13, 10, 13, 10]) {
                    let head = String(decoding: buffer[..<(scanned + 2)], as: UTF8.self)
                    buffer.removeFirst(scanned + 4)
                    return head
                }
                scanned += 1
            }
            try readMore()
        }
    }

    private func readMore() throws {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &piece, piece.count, 0)
        let code = errno
        lastReadEnded = count == 0
        guard count > 0 else {
            throw Failure(description: count == 0 ? "closed" : "recv: \(String(cString: strerror(code)))")
        }
        buffer.append(contentsOf: piece[..<count])
    }
}
