import Platform
import Testing

@testable import HTTPTransport

@Suite("Deferred answers", .serialized)
struct DeferralTests {
    @Test("Answers from another queue come in the order of the requests")
    func order() throws {
        let client = try TestServer.shared.get().client()
        let targets = (0..<200).map { $0 % 3 == 0 ? "/later?\($0)" : "/now?\($0)" }
        client.send(targets.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
        for target in targets { #expect(try client.answer().body == "GET \(target)|") }
    }

    @Test("An answer given within the handler's own call is as good")
    func atOnce() throws {
        let client = try TestServer.shared.get().client()
        client.send(String(repeating: "GET /at-once HTTP/1.1\r\nHost: a\r\n\r\n", count: 3))
        for _ in 0..<3 { #expect(try client.answer().body == "at once") }
    }

    @Test("A second answer to the same exchange is dropped")
    func twice() throws {
        let client = try TestServer.shared.get().client()
        client.send("GET /twice HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer().body == "first")
        #expect(try client.answer().body == "GET /later|")
    }

    @Test("An exchange that its handler forgets is answered 500")
    func forgotten() throws {
        let client = try TestServer.shared.get().client()
        client.send("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer().status == 500)
        #expect(try client.answer().body == "GET /x|")
    }

    @Test("An exchange that is never answered gets 503 after the handler time-out, and the connection goes on")
    func handlerTimeout() throws {
        let server = try TestServer { $0.timeouts.handler = .milliseconds(30) }
        let client = try server.client()
        client.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer().status == 503)
        #expect(try client.answer().body == "GET /x|")
        #expect(server.total { $0.timeouts[.handler] ?? 0 } == 1)
        server.stop()
    }

    @Test("An answer that was given more time has it, beyond the time of requests")
    func ownTime() throws {
        let server = try TestServer(loops: 1) {
            $0.timeouts.handler = .milliseconds(30)
            $0.timeouts.request = .milliseconds(60)
        }
        let patient = try server.client()
        patient.send("GET /patient HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in 0..<3 {
            let impatient = try server.client()
            impatient.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try impatient.answer().status == 503)
        }
        server.server.send(5, toLoop: 0)
        #expect(try patient.answer().body == "5")
        server.stop()
    }

    /// A server with one loop, and a request to it whose answer is watched.
    private func watched(_ path: String = "/watched") throws -> (TestServer, RawClient, ResponseWatch) {
        let server = try TestServer(loops: 1)
        let client = try server.client()
        TestHandler.watches.withLock { $0 = [] }
        client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
        try waitUntil { !TestHandler.watches.withLock { $0.isEmpty } }
        return (server, client, TestHandler.watches.withLock { $0[0] })
    }

    @Test("Whoever works on an answer learns that its client closed the connection, or ended its side of it")
    func left() throws {
        for ending in ["reset", "close", "end"] {
            var (server, client, watch): (TestServer, RawClient?, ResponseWatch) = try watched()
            #expect(watch.isAwaited)
            if ending == "reset" { client?.resetOnClose() }
            if ending == "end" { client?.end() } else { client = nil }
            try waitUntil { !watch.isAwaited }
            server.server.send(5, toLoop: 0)
            // Who has only ended its side can still read.
            if let client { #expect(try client.answer().body == "5") }
            server.stop()
        }
    }

    @Test("Also of a client that had ended its side before its request was taken")
    func hadLeft() throws {
        let server = try TestServer(loops: 1)
        let (client, stalling) = (try server.client(), try server.client())
        TestHandler.watches.withLock { $0 = [] }
        // Both come while the loop is busy.
        stalling.send("GET /stall HTTP/1.1\r\nHost: a\r\n\r\n")
        client.send("GET /watched HTTP/1.1\r\nHost: a\r\n\r\n")
        client.end()
        try waitUntil { TestHandler.watches.withLock { $0.first?.isAwaited } == false }
        server.stop(within: .zero)
    }

    @Test("And that the transport has answered in its place; an answer that came is no reason to stop")
    func watchedTime() throws {
        let (late, impatient, lateWatch) = try watched("/watch-soon")
        #expect(try impatient.answer().status == 503)
        #expect(!lateWatch.isAwaited)
        late.stop()
        let (server, client, watch) = try watched()
        server.server.send(5, toLoop: 0)
        #expect(try client.answer().body == "5")
        #expect(watch.isAwaited)
        server.stop()
        #expect(watch.isAwaited)
    }

    @Test("A message to a loop can answer the exchanges that wait on it")
    func resume() throws {
        let server = try TestServer(loops: 1)
        let clients = try (0..<20).map { _ in try server.client() }
        for client in clients { client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n") }
        try server.wait(for: 20, of: \.deferredResponses)
        server.server.send(5, toLoop: 0)
        for client in clients {
            #expect(try client.answer().body == "5")
            #expect(try client.answer().body == "GET /x|")
        }
        server.stop()
    }

    @Test("An answer for a connection that is gone is dropped")
    func gone() throws {
        let server = try TestServer(loops: 1)
        do {
            let client = try server.client()
            client.resetOnClose()
            client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
            try server.wait(for: 1, of: \.deferredResponses)
        }
        try server.waitForConnections(atMost: 0)
        let next = try server.client()
        next.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        try server.wait(for: 2, of: \.deferredResponses)
        server.server.send(1, toLoop: 0)
        #expect(try next.answer().body == "1")
        server.stop()
    }
}
