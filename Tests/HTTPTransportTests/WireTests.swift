import Testing

@testable import HTTPTransport

@Suite("On the wire")
struct WireTests {
    private func send(_ wire: WireCase, _ pieces: [[UInt8]]) throws {
        let client = try TestServer.shared.get().client()
        for piece in pieces { client.send(piece) }
        for status in wire.statuses {
            let answer = try client.answer()
            #expect(answer.status == status)
            #expect(answer.fields["date"] != nil)
            #expect(answer.fields["content-length"] != nil)
            if status >= 400 { #expect(answer.fields["connection"] == "close") }
        }
        if wire.closes {
            #expect(client.isClosed())
        } else {
            client.send("GET /still-open HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.answer().body == "GET /still-open|")
        }
    }

    @Test("Every case gets its answers, and the connection closes or stays open as it should", arguments: WireCase.all)
    func whole(wire: WireCase) throws {
        try send(wire, [wire.bytes])
    }

    @Test("In random pieces as well", arguments: WireCase.all)
    func pieces(wire: WireCase) throws {
        try send(wire, wire.bytes.split(seed: 11))
    }

    @Test("Byte by byte as well", arguments: WireCase.all.filter { $0.bytes.count < 200 })
    func byteByByte(wire: WireCase) throws {
        try send(wire, wire.bytes.map { [$0] })
    }

    @Test("A fault's answer survives input that nobody reads (RFC 9112 §9.6)")
    func unreadInput() throws {
        let client = try TestServer.shared.get().client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n")
        for _ in 0..<8 { client.send([UInt8](repeating: 0x61, count: 65_536)) }
        #expect(try client.answer().status == 413)
        client.end()
        #expect(client.isClosed())
    }

    @Test("HEAD answers GET's head without its body (RFC 9110 §9.3.2)")
    func head() throws {
        let client = try TestServer.shared.get().client()
        client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer(toHead: true).fields["content-length"] == "8")
        #expect(try client.answer().body == "GET /y|")
    }

    @Test("204 and 304 have no body and no false length (RFC 9110 §8.6)")
    func bodyless() throws {
        let client = try TestServer.shared.get().client()
        client.send("GET /empty HTTP/1.1\r\nHost: a\r\n\r\nGET /unchanged HTTP/1.1\r\nHost: a\r\n\r\n")
        let empty = try client.answer()
        #expect(empty.status == 204 && empty.fields["content-length"] == nil)
        let unchanged = try client.answer()
        #expect(unchanged.status == 304 && unchanged.fields["content-length"] == nil)
        #expect(unchanged.fields["etag"] == "\"1\"")
    }

    @Test("A field's value cannot begin another field (RFC 9110 §5.5)")
    func responseSplitting() throws {
        let client = try TestServer.shared.get().client()
        client.send("GET /fields HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = try client.answer()
        #expect(answer.status == 201)
        #expect(answer.fields["x-text"] == "a  X-Injected: b")
        #expect(answer.fields["x-injected"] == nil && answer.fields["x-other"] == "c")
    }

    @Test("405 says what is allowed (RFC 9110 §15.5.6)")
    func allow() throws {
        let client = try TestServer.shared.get().client()
        client.send("PUT /method HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = try client.answer()
        #expect(answer.status == 405 && answer.fields["allow"] == "GET, HEAD")
    }

    @Test("An HTTP/1.0 client that asks for it is told that the connection stays open (RFC 9112 §C.2.2)")
    func keepAlive10() throws {
        let client = try TestServer.shared.get().client()
        client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(try client.answer().fields["connection"] == "keep-alive")
        client.send("GET / HTTP/1.0\r\n\r\n")
        #expect(try client.answer().fields["connection"] == "close")
        #expect(client.isClosed())
    }

    @Test("A peer that ends its side still gets all its answers (RFC 9112 §9.6)")
    func halfClose() throws {
        let client = try TestServer.shared.get().client()
        client.send(
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        client.end()
        #expect(try client.answer().body == "GET /1|")
        #expect(try client.answer().body == "GET /later|")
        #expect(try client.answer().body == "GET /3|")
        #expect(client.isClosed())
    }

    @Test("The largest body is taken, and given back")
    func largestBody() throws {
        let client = try TestServer.shared.get().client()
        let body = String(repeating: "0123456789abcdef", count: 65_536)
        client.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        #expect(try client.answer().body == "POST /p|" + body)
    }

    @Test("A thousand pipelined requests are answered in order")
    func pipelining() throws {
        let client = try TestServer.shared.get().client()
        client.send((0..<1000).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
        for number in 0..<1000 { #expect(try client.answer().body == "GET /\(number)|") }
    }

    @Test("A reader that is slower than its pipelined answers gets every byte")
    func slowReader() throws {
        let client = try TestServer.shared.get().client()
        client.shrinkReceiveBuffer()
        client.send(String(repeating: "GET /large?300000 HTTP/1.1\r\nHost: a\r\n\r\n", count: 40))
        for _ in 0..<40 { #expect(try client.answer().body.utf8.count == 300_000) }
        client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer().body == "GET /x|")
    }
}
