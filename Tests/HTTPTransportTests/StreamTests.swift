import Dispatch
import Glibc
import Platform
import Testing

@testable import HTTPTransport

@Suite("Streamed answers", .serialized)
struct StreamTests {
    private func begin(
        _ server: TestServer, _ line: String = "GET /stream HTTP/1.1", more: String = ""
    ) throws -> (RawClient, ResponseStream) {
        TestHandler.streams.withLock { $0 = [] }
        let client = try server.client()
        client.send("\(line)\r\nHost: a\r\n\r\n\(more)")
        try waitUntil { TestHandler.streams.withLock { !$0.isEmpty } }
        return (client, TestHandler.streams.withLock { $0[0] })
    }

    @Test(
        "Pieces come as chunks as they are written, and the next request is answered behind the last",
        arguments: ["/stream", "/stream-later"])
    func chunks(path: String) throws {
        let server = try TestServer(loops: 1)
        let (client, stream) = try begin(
            server, "GET \(path) HTTP/1.1", more: "GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(stream.write(Array("data: 1\n\n".utf8)) == .taken)
        let head = try client.answer()
        #expect(head.status == 200 && head.fields["transfer-encoding"] == "chunked")
        #expect(head.fields["content-length"] == nil && head.fields["content-type"] == "text/event-stream")
        #expect(try client.bytes(14) == "9\r\ndata: 1\n\n\r\n")
        #expect(stream.write([UInt8](repeating: 0x61, count: 20)) == .taken)
        #expect(try client.bytes(26) == "14\r\naaaaaaaaaaaaaaaaaaaa\r\n")
        stream.finish()
        #expect(try client.bytes(5) == "0\r\n\r\n")
        #expect(try client.answer().body == "GET /x|")
        #expect(stream.write([1]) == .closed)
        server.stop()
    }

    @Test("HTTP/1.0 gets the bytes as they are, and the end of the connection behind them (RFC 9112 section 6.3)")
    func http10() throws {
        let server = try TestServer(loops: 1)
        let (client, stream) = try begin(server, "GET /stream HTTP/1.0")
        _ = stream.write([0x61, 0x62])
        stream.finish()
        let head = try client.answer()
        #expect(head.fields["transfer-encoding"] == nil && head.fields["connection"] == "close")
        #expect(try client.bytes(2) == "ab")
        #expect(client.isClosed())
        server.stop()
    }

    @Test("HEAD gets the head, and its stream is closed")
    func head() throws {
        let server = try TestServer(loops: 1)
        let (client, stream) = try begin(server, "HEAD /stream HTTP/1.1")
        #expect(try client.answer(toHead: true).fields["transfer-encoding"] == "chunked")
        #expect(stream.write([1]) == .closed)
        client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer().body == "GET /x|")
        server.stop()
    }

    @Test("Who reads slowly holds the writer back, and gets every byte")
    func backPressure() throws {
        let server = try TestServer(loops: 1) { $0.limits.pendingOutputBytes = 65_536 }
        let (client, stream) = try begin(server)
        client.shrinkReceiveBuffer()
        let (piece, pieces) = ([UInt8](repeating: 0x78, count: 50_000), 400)
        let taken = Locked(0)
        let write: @Sendable () -> Void = {
            taken.withLock { taken in
                while taken < pieces, stream.write(piece) == .taken { taken += 1 }
                if taken == pieces { stream.finish() }
            }
        }
        TestHandler.onRoom.withLock { $0 = write }
        write()
        // The kernel takes some megabytes; then nothing moves until somebody reads.
        var last = -1
        while last != taken.withLock({ $0 }) {
            last = taken.withLock { $0 }
            usleep(200_000)
        }
        #expect(last < pieces)
        _ = try client.answer()
        // Chunks of several pieces each: their data, and sizes of at most 10 bytes around it.
        var count = 0
        while count < piece.count * pieces { count += try client.letters(0x78) }
        #expect(count == piece.count * pieces)
        #expect(taken.withLock { $0 } == pieces)
        server.stop(within: .milliseconds(10))
    }

    @Test("A stream whose reader has left is closed")
    func left() throws {
        let server = try TestServer(loops: 1)
        let stream: ResponseStream
        do {
            let (client, begun) = try begin(server)
            stream = begun
            _ = try client.answer()
        }
        try server.waitForConnections(atMost: 0)
        #expect(stream.write([1]) == .closed)
        server.stop()
    }

    @Test("A drain ends streams")
    func drain() throws {
        let server = try TestServer(loops: 1)
        let (client, stream) = try begin(server)
        _ = stream.write([0x61])
        _ = try client.answer()
        #expect(try client.bytes(6) == "1\r\na\r\n")
        let stopped = server.beginStop()
        #expect(try client.bytes(5) == "0\r\n\r\n")
        client.end()
        stopped.wait()
        #expect(stream.write([1]) == .closed)
    }

    @Test("A stream has no end of time but that of a reader who takes nothing")
    func time() throws {
        let bench = try MachineBench()
        bench.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        bench.connection.pointee.machine.streams()
        #expect(bench.tick(10_000_000) == .none)
        bench.connection.pointee.machine.block(took: 0, bench.loop.pointee.timeouts, now: 10_000_000)
        #expect(bench.tick(10_030_000) == .close(.write))
    }
}
