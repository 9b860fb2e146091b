import Platform
import Testing

@testable import HTTPTransport

@Suite("Requests that wait to be decided on")
struct ParkedRequestTests {
    private let server: TestServer

    init() throws { server = try TestServer(loops: 1) }

    @Test("It is taken later with all its fields and its content, which was not read meanwhile")
    func taken() throws {
        let (client, other) = (try server.client(), try server.client())
        client.send("POST /x?park HTTP/1.1\r\nHost: a\r\nX-Own: mine\r\nContent-Length: 5\r\n\r\nhe")
        // The other's fields take the place of those that were found.
        other.send("GET /y HTTP/1.1\r\nHost: a\r\nX-Own: others\r\n\r\n")
        #expect(try other.answer().body == "GET /y|")
        client.send("llo")
        server.server.send(1, toLoop: 0)
        #expect(try client.answer().body == "POST /x?park|hello")
        server.stop()
    }

    @Test("What is behind it in the same connection comes behind it")
    func order() throws {
        let client = try server.client()
        client.send("GET /x?park HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n")
        try server.wait(for: 60) { $0.bytesRead }
        server.server.send(1, toLoop: 0)
        #expect(try client.answer().body == "GET /x?park|")
        #expect(try client.answer().body == "GET /y|")
        server.stop()
    }

    @Test("What nobody decides on is 503 in the time of a handler, and the connection goes on where it can")
    func late() throws {
        let server = try TestServer(loops: 1) { $0.timeouts.handler = .milliseconds(30) }
        let client = try server.client()
        client.send("POST /x?park HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nheGET /y HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer().status == 503)
        #expect(try client.answer().body == "GET /y|")
        server.server.send(1, toLoop: 0)
        client.send("GET /z HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer().body == "GET /z|")
        server.stop()
    }

    @Test("Whoever leaves meanwhile is forgotten")
    func gone() throws {
        do {
            let client = try server.client()
            client.send("GET /x?park HTTP/1.1\r\nHost: a\r\n\r\n")
            try server.wait(for: 33) { $0.bytesRead }
            client.resetOnClose()
        }
        try server.waitForConnections(atMost: 0)
        server.server.send(1, toLoop: 0)
        let other = try server.client()
        other.send("GET /y HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try other.answer().body == "GET /y|")
        server.stop()
    }
}
