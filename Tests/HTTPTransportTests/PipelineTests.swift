import Testing

@testable import HTTPTransport

@Suite("Requests that come together, and in pieces")
struct PipelineTests {
    /// The header fields of requests as their handler saw them.
    private final class Seen {
        var fields: [[String]] = []
    }

    private func inspecting(_ bench: MachineBench) -> Seen {
        let seen = Seen()
        bench.inspect = { request in
            var fields: [String] = []
            request.forEachField("X-Name") { fields.append(String(decoding: $0, as: UTF8.self)) }
            seen.fields.append(fields)
        }
        return seen
    }

    @Test(
        "A request whose body comes later than its head has its own fields, whoever was parsed meanwhile",
        arguments: ["Content-Length: 5\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"])
    func lateBody(_ framing: String) throws {
        let isChunked = framing.hasPrefix("T")
        let pieces = isChunked ? ["5\r\nhel", "lo\r\n0\r\n", "\r\n"] : ["he", "l", "lo"]
        for cut in 0..<pieces.count {
            let bench = try MachineBench()
            let seen = inspecting(bench)
            bench.feed(
                "POST /p HTTP/1.1\r\nHost: a\r\nX-Name: mine\r\n" + framing + pieces[..<cut].joined())
            // Another connection of the loop uses the table.
            bench.loop.pointee.fields.removeAll()
            let other = Array("GET /q HTTP/1.1\r\nHost: b\r\nX-Other: 1\r\nX-Name: theirs\r\nX-More: 2\r\n\r\n".utf8)
            var parser = HeadParser()
            other.withUnsafeBytes { bytes in
                _ = parser.parse(bytes, fields: &bench.loop.pointee.fields, limits: HTTPLimits())
            }
            for piece in pieces[cut...] { bench.feed(piece) }
            #expect(bench.transcript == ["POST /p|hello"])
            #expect(seen.fields == [["mine"]], "cut at \(cut)")
        }
    }

    @Test("Two connections of one loop, whose heads and bodies come in turns, are answered each with its own")
    func inTurns() throws {
        let server = try TestServer(loops: 1) { $0.trustedProxies = [AddressRange("127.0.0.0/8")].compactMap { $0 } }
        defer { server.stop() }
        let clients = try (0..<3).map { _ in try server.client() }
        for round in 0..<20 {
            for (number, client) in clients.enumerated() {
                client.send(
                    "POST /client HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.0.\(round).\(number)\r\n"
                        + "Content-Length: 2\r\n\r\n")
            }
            // The heads are there, in other reads than the bodies.
            try server.wait(for: UInt64(round * 3 + 1)) { $0.requests + 1 }
            for client in clients.reversed() { client.send("x") }
            for client in clients { client.send("y") }
            for (number, client) in clients.enumerated() {
                #expect(try client.answer().body == "10.0.\(round).\(number)")
            }
        }
    }

    @Test("No more requests are handled than fit what may wait for a slow reader, and all are when it reads")
    func pendingOutput() throws {
        let server = try TestServer(loops: 1) { configuration in
            configuration.limits.pendingOutputBytes = 64 * 1024
            configuration.limits.keptOutputBytes = 8 * 1024 * 1024
        }
        defer { server.stop() }
        let slow = try server.client()
        slow.shrinkReceiveBuffer()
        let requests = 400
        let request = "GET /file?100000 HTTP/1.1\r\nHost: a\r\n\r\n"
        // Some 16 KB, which come in one read; their answers have 40 MB.
        slow.send(String(repeating: request, count: requests))
        let other = try server.client()
        for _ in 0..<5 {
            other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try other.answer().status == 200)
        }
        // What the kernel takes for both sides, and one more.
        #expect(server.total(\.requests) < 200)
        for _ in 0..<requests { #expect(try slow.answer().body.utf8.count == 100_000) }
        #expect(server.total(\.requests) == UInt64(requests + 5))
        #expect(server.total(\.closedForOutput) == 0)
    }

    @Test("After the answer that closes a connection so much is read as may be, and then no more")
    func lingerBytes() throws {
        let server = try TestServer(loops: 1) { configuration in
            configuration.limits.lingerBytes = 10_000
            configuration.timeouts.linger = .seconds(60)
        }
        defer { server.stop() }
        let client = try server.client()
        client.send("NONSENSE\r\n\r\n")
        #expect(try client.answer().status == 400)
        client.send([UInt8](repeating: 0x61, count: 10_000))
        let other = try server.client()
        for _ in 0..<3 {
            other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try other.answer().status == 200)
        }
        #expect(server.total { UInt64($0.connectionsOpen) } == 2)
        client.send([0x61])
        try server.waitForConnections(atMost: 1)
        other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try other.answer().status == 200)
    }
}
