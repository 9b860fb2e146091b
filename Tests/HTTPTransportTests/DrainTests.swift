import Dispatch
import Testing

@testable import HTTPTransport

@Suite("Drain")
struct DrainTests {
    @Test("What is in flight is finished with a last answer, what is idle is closed, nobody new is let in")
    func graceful() throws {
        let server = try TestServer(loops: 1)
        let idle = try server.client()
        idle.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try idle.answer().fields["connection"] == nil)
        let partial = try server.client()
        partial.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
        let deferred = try server.client()
        deferred.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        try server.wait(for: 1, of: \.deferredResponses)
        try server.wait(for: 105, of: \.bytesRead)

        let stopped = server.beginStop()
        #expect(idle.isClosed())
        partial.send("b")
        let last = try partial.answer()
        #expect(last.body == "POST /p|ab" && last.fields["connection"] == "close")
        server.server.send(1, toLoop: 0)
        #expect(try deferred.answer().fields["connection"] == "close")
        partial.end()
        deferred.end()
        stopped.wait()
        #expect(throws: (any Error).self) { try server.client() }
    }

    @Test("A request that has just arrived on an idle connection is still answered")
    func raced() throws {
        for _ in 0..<50 {
            let server = try TestServer(loops: 1)
            let client = try server.client()
            client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
            let stopped = server.beginStop()
            #expect(try client.answer().body == "GET /x|")
            client.end()
            stopped.wait()
        }
    }

    @Test("A connection on which no request has come yet has a moment for its first, and is closed then")
    func unused() throws {
        let server = try TestServer(loops: 1)
        let (used, late, silent) = (try server.client(), try server.client(), try server.client())
        used.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try used.answer()
        try server.wait(for: 3, of: \.connectionsAccepted)
        let stopped = server.beginStop()
        #expect(used.isClosed())
        late.send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n")
        let last = try late.answer()
        #expect(last.body == "GET /late|" && last.fields["connection"] == "close")
        late.end()
        #expect(silent.isClosed())
        stopped.wait()
    }

    @Test("The deadline ends what does not finish")
    func deadline() throws {
        let server = try TestServer(loops: 1)
        let client = try server.client()
        client.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
        try server.wait(for: 1, of: \.deferredResponses)
        server.stop(within: .milliseconds(50))
        #expect(client.isClosed())
    }
}
