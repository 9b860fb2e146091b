import Bytes
import Testing

@testable import HTTPTransport

@Suite("Uploads")
struct UploadTests {
    private static var limits: HTTPLimits {
        var limits = HTTPLimits()
        limits.bodyBytes = 10
        limits.bodyRate = 0
        return limits
    }

    private static func head(_ path: String, _ framing: String) -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n"
    }

    @Test(
        "Content of the named path may be larger, that of others not",
        arguments: [
            ("/up", 20, true), ("/up?a=b", 20, true), ("/up", 21, false), ("/upper", 11, false), ("/p", 10, true),
        ])
    func bytes(path: String, count: Int, isTaken: Bool) throws {
        let content = String(repeating: "x", count: count)
        let whole = [
            Self.head(path, "Content-Length: \(count)") + content,
            Self.head(path, "Transfer-Encoding: chunked") + "\(String(count, radix: 16))\r\n\(content)\r\n0\r\n\r\n",
        ]
        for text in whole {
            let transcript = try MachineBench.transcript([Array(text.utf8)], limits: Self.limits)
            #expect(transcript == [isTaken ? "POST \(path)|\(content)" : "! bodyTooLarge"])
            let pieces = try MachineBench.transcript(text.utf8.map { [$0] }, limits: Self.limits)
            #expect(pieces == transcript)
        }
    }

    @Test("It may take its own time, and the request after it the usual one")
    func time() throws {
        let bench = try MachineBench(limits: Self.limits)
        bench.feed(Self.head("/up", "Content-Length: 15"), at: 0)
        #expect(bench.tick(99_999) == .none)
        #expect(bench.tick(100_000) == .requestTimeout(.body))
        let next = try MachineBench(limits: Self.limits)
        next.feed(Self.head("/up", "Content-Length: 15") + String(repeating: "x", count: 15), at: 0)
        next.feed(Self.head("/up", "Content-Length: 5"), at: 1000)
        #expect(next.tick(21_000) == .requestTimeout(.body))
    }

    @Test("What is refused as too large is told what would not have been")
    func detail() throws {
        let server = try TestServer { $0.limits = Self.limits }
        for (path, bytes) in [("/up", 20), ("/p", 10)] {
            let client = try server.client()
            client.send(Self.head(path, "Content-Length: 30"))
            let answer = try client.answer()
            #expect(answer.status == 413)
            #expect(answer.body.contains("longer than \(bytes) bytes"))
        }
        server.stop()
    }

    @Test("One upload too many is refused for now, before it is sent when it asks first")
    func places() throws {
        let server = try TestServer {
            $0.limits = Self.limits
            $0.limits.uploadsAtOnce = 1
        }
        let first = try server.client()
        first.send(Self.head("/up", "Content-Length: 15\r\nExpect: 100-continue"))
        #expect(try first.answer().status == 100)
        for framing in ["Content-Length: 15", "Content-Length: 15\r\nExpect: 100-continue"] {
            let second = try server.client()
            second.send(Self.head("/up", framing))
            #expect(try second.answer().status == 503)
            #expect(second.isClosed())
        }
        first.send(String(repeating: "x", count: 15))
        #expect(try first.answer().status == 200)
        // Given back with the answer, and when the client leaves.
        for _ in 0..<3 {
            let third = try server.client()
            third.send(Self.head("/up", "Content-Length: 15\r\nExpect: 100-continue"))
            #expect(try third.answer().status == 100)
            third.end()
            #expect(try third.answer().status == 400)
        }
        server.stop()
    }

    @Test("One that is answered the same without its content is answered at once and takes no place")
    func strangers() throws {
        let server = try TestServer {
            $0.limits = Self.limits
            $0.limits.uploadsAtOnce = 1
        }
        let first = try server.client()
        first.send(Self.head("/up", "Content-Length: 15\r\nExpect: 100-continue"))
        #expect(try first.answer().status == 100)
        // What is too much to be dropped, of unknown length, or perhaps never sent.
        let framings = [
            "Content-Length: 65537", "Transfer-Encoding: chunked", "Content-Length: 15\r\nExpect: 100-continue",
        ]
        for framing in framings {
            let stranger = try server.client()
            stranger.send(Self.head("/up?stranger", framing))
            let answer = try stranger.answer()
            #expect(answer.status == 401)
            #expect(answer.fields["connection"] == "close")
            #expect(stranger.isClosed())
        }
        server.stop()
    }

    @Test("Little content of a request that was answered by its head is dropped, and the connection goes on")
    func dropped() throws {
        let server = try TestServer { $0.limits = Self.limits }
        let client = try server.client()
        client.send(Self.head("/p?stranger", "Content-Length: 65536"))
        let answer = try client.answer()
        #expect(answer.status == 401)
        #expect(answer.fields["connection"] == nil)
        client.send(String(repeating: "x", count: 65_000))
        client.send(String(repeating: "y", count: 536) + "GET /after HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer().body == "GET /after|")
        server.stop()
    }

    @Test(
        "However much content is told of, a request can be answered by its head",
        arguments: [Int.max, Int.max - 1, Int.max - 60, Int.max / 2, 1 << 40, 65_537])
    func hugeLength(length: Int) throws {
        let head = Self.head("/no", "Content-Length: \(length)")
        for pieces in [[Array(head.utf8)], head.utf8.map { [$0] }, [Array((head + "some of it").utf8)]] {
            let bench = try MachineBench(limits: Self.limits)
            bench.refuses = { _ in true }
            for piece in pieces { bench.feed(piece) }
            #expect(bench.transcript == ["refused POST /no|", "end"])
        }
        let server = try TestServer { $0.limits = Self.limits }
        let client = try server.client()
        client.send(Self.head("/p?stranger", "Content-Length: \(length)"))
        let answer = try client.answer()
        #expect(answer.status == 401 && answer.fields["connection"] == "close")
        #expect(client.isClosed())
        server.stop()
    }

    @Test("A request that is answered by its head is answered once, however its bytes come")
    func answeredByHead() throws {
        let text = Self.head("/no", "Content-Length: 5") + "12345" + Self.head("/p", "Content-Length: 2") + "ab"
        for pieces in [[Array(text.utf8)], text.utf8.map { [$0] }] {
            let bench = try MachineBench(limits: Self.limits)
            bench.refuses = { $0.path.hasSameBytes(as: "/no") }
            for piece in pieces { bench.feed(piece) }
            #expect(bench.transcript == ["refused POST /no|", "POST /p|ab"])
        }
        let closing = try MachineBench(limits: Self.limits)
        closing.refuses = { _ in true }
        closing.feed(Self.head("/no", "Transfer-Encoding: chunked") + "1\r\na\r\n0\r\n\r\n")
        #expect(closing.transcript == ["refused POST /no|", "end"])
    }
}
