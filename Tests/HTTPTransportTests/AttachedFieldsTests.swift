import Platform
import Testing

@testable import HTTPTransport

@Suite("Fields that are attached to a request", .serialized)
struct AttachedFieldsTests {
    private static func request(_ method: String = "GET", _ target: String, _ fields: String = "") -> String {
        "\(method) \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
    }

    @Test(
        "Its answer has them whoever gives it and when, and the answers before and behind on the connection do not",
        arguments: [
            ("GET", "/x", 200), ("HEAD", "/x", 200), ("GET", "/later", 200), ("GET", "/at-once", 200),
            ("GET", "/twice", 200), ("GET", "/never", 503), ("GET", "/nothing", 500), ("GET", "/empty", 204),
            ("GET", "/unchanged", 304), ("GET", "/method", 405),
        ])
    func everyAnswer(method: String, path: String, status: Int) throws {
        let server = try TestServer { $0.timeouts.handler = .milliseconds(50) }
        let client = try server.client()
        let targets = [path, "\(path)?attached", path, "\(path)?attached", "\(path)?attached", path]
        client.send(targets.map { Self.request(method, $0) }.joined())
        for target in targets {
            let answer = try client.answer(toHead: method == "HEAD")
            #expect(answer.status == status)
            #expect(answer.fields["attached"] == (target == path ? nil : "yes"), "\(target)")
        }
        server.stop()
    }

    @Test("Nor has the answer to what is no request, behind one that has them")
    func faultBehind() throws {
        let client = try TestServer.shared.get().client()
        client.send(Self.request("GET", "/later?attached") + "GET /x\r\n\r\n")
        #expect(try client.answer().fields["attached"] == "yes")
        let fault = try client.answer()
        #expect(fault.status == 400)
        #expect(fault.fields["attached"] == nil)
    }

    @Test("So has what the transport says of the content: too much of it, too late, or none that is whole")
    func content() throws {
        let server = try TestServer {
            $0.limits.bodyBytes = 100
            $0.timeouts.body = .milliseconds(50)
        }
        for (fields, content, status) in [
            ("Content-Length: 101\r\n", "", 413), ("Transfer-Encoding: chunked\r\n", "65\r\n", 413),
            ("Transfer-Encoding: chunked\r\n", "x\r\n", 400), ("Content-Length: 9\r\n", "a", 408),
        ] {
            let client = try server.client()
            client.send(Self.request("POST", "/x?attached", fields) + content)
            let answer = try client.answer()
            #expect(answer.status == status)
            #expect(answer.fields["attached"] == "yes", "\(status)")
        }
        server.stop()
    }

    @Test("What was attached to a request that was given up is not the next connection's")
    func givenUp() throws {
        let server = try TestServer(loops: 1)
        do {
            let client = try server.client()
            client.send(Self.request("POST", "/x?attached", "Content-Length: 9\r\nExpect: 100-continue\r\n"))
            #expect(try client.answer().status == 100)
            client.resetOnClose()
        }
        try server.waitForConnections(atMost: 0)
        // It has the place of the one before.
        let next = try server.client()
        next.send("GET /x\r\n\r\n")
        #expect(try next.answer().fields["attached"] == nil)
        server.stop()
    }
}
