import Testing

@testable import HTTPTransport

@Suite("Deferred answers")
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

    @Test("A message to a loop can answer the exchanges that wait on it")
    func resume() throws {
        let server = try TestServer(loops: 1)
        let clients = try (0..<20).map { _ in try server.client() }
        for client in clients { client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n") }
        try server.wait(for: 20, of: \.deferredAnswers)
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
            try server.wait(for: 1, of: \.deferredAnswers)
        }
        try server.waitForConnections(atMost: 0)
        let next = try server.client()
        next.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        try server.wait(for: 2, of: \.deferredAnswers)
        server.server.send(1, toLoop: 0)
        #expect(try next.answer().body == "1")
        server.stop()
    }
}
