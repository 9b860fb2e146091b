import Platform
import Testing

@testable import HTTPTransport

@Suite("Targets, lengths of lines, and what goes on afterwards")
struct EarlyLookTests {
    @Test("A connection goes on behind a request whose content was asked for")
    func goesOn() throws {
        let server = try TestServer(loops: 1)
        let client = try server.client()
        for _ in 0..<2 {
            client.send("POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            #expect(try client.bytes(25) == "HTTP/1.1 100 Continue\r\n\r\n")
            client.send("hello")
            let answer = try client.answer()
            #expect(answer.status == 200 && answer.body == "POST /x|hello")
            #expect(answer.fields["connection"] != "close")
        }
        server.stop()
    }

    @Test("A request line has as many bytes as it may have, and no more", arguments: [-1, 0, 1, 2])
    func lineLength(more: Int) throws {
        var limits = HTTPLimits()
        limits.requestLineBytes = 256
        let rest = "GET / HTTP/1.1".utf8.count
        let path = "/" + String(repeating: "x", count: limits.requestLineBytes - rest + more)
        let request = Array("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let expected = more > 0 ? "! requestLineTooLong" : "GET \(path)|"
        #expect(try MachineBench.transcript([request], limits: limits).first == expected)
        #expect(try MachineBench.transcript(request.map { [$0] }, limits: limits).first == expected)
    }

    @Test(
        "A target is what it says, in each of its forms",
        arguments: [
            ("GET /p?a=%zz", "GET /p?a=%zz|"), ("GET /p?%", "GET /p?%|"), ("GET /%zz", "! malformedTarget"),
            ("OPTIONS http://a", "OPTIONS *|"), ("OPTIONS http://a?x", "OPTIONS /?x|"), ("OPTIONS *", "OPTIONS *|"),
            ("GET http://a", "GET /|"), ("GET http://a?x", "GET /?x|"),
        ])
    func targets(_ line: String, _ expected: String) throws {
        let request = Array("\(line) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(try MachineBench.transcript([request]).first == expected)
    }

    @Test("Whoever waits for room in a stream hears it when nobody reads any more")
    func closedStream() {
        let calls = Locked(0)
        let stream = ResponseStream(capacity: 4, isClosed: false, announce: {}, onRoom: { calls.withLock { $0 += 1 } })
        #expect(stream.write([1, 2, 3]) == .taken)
        #expect(stream.write([4, 5]) == .full)
        #expect(calls.withLock { $0 } == 0)
        stream.close()
        #expect(calls.withLock { $0 } == 1)
        #expect(stream.write([4]) == .closed)
        // Who was told is not told again.
        stream.close()
        #expect(calls.withLock { $0 } == 1)
    }
}
