import Dispatch
import Glibc
import HTTPTransport
import Platform
import Testing

@testable import HTTPClient

@Suite("What a client makes of answers and failures")
struct ClientResponseTests {
    private func send(
        _ answer: String, _ change: (inout HTTPClientSettings) -> Void = { _ in }
    ) throws -> Result<HTTPClientResponse, HTTPClientError> {
        let listener = try CannedListener(answer)
        var settings = HTTPClientSettings(userAgent: "tests/1")
        change(&settings)
        let client = try HTTPClient(settings)
        return Result { () throws(HTTPClientError) in
            try client.send(HTTPClientRequest("GET", "http://127.0.0.1:\(listener.port)/"))
        }
    }

    @Test("Fields are kept in their order, without blanks around their values; those of interim answers are not")
    func fields() throws {
        let answer = try send(
            "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                + "HTTP/1.1 201 Created\r\nX-One: \t a b \t\r\nX-Empty:\r\nX-Colon: a:b\r\nx-one: 2\r\n"
                + "Content-Length: 2\r\n\r\nhi"
        ).get()
        #expect(answer.status == 201 && answer.body == Array("hi".utf8))
        #expect(answer.fields.map(\.name) == ["X-One", "X-Empty", "X-Colon", "x-one", "Content-Length"])
        #expect(answer.fields.map(\.value) == ["a b", "", "a:b", "2", "2"])
        #expect(answer.field("x-ONE") == "a b" && answer.field("X-Interim") == nil)
    }

    @Test("A header has as many bytes as it may have, and no more; all interim ones count")
    func headerBytes() throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        #expect(try send(head, { $0.headerBytes = head.utf8.count }).get().status == 200)
        let error = #expect(throws: HTTPClientError.self) {
            try send(head, { $0.headerBytes = head.utf8.count - 1 }).get()
        }
        #expect(error?.kind == .tooLarge && error?.reason == "the answer's header is longer than 37 bytes")
        let interim = "HTTP/1.1 103 Early Hints\r\n\r\n"
        let both = #expect(throws: HTTPClientError.self) {
            try send(interim + head, { $0.headerBytes = head.utf8.count }).get()
        }
        #expect(both?.kind == .tooLarge)
    }

    @Test("Content has as many bytes as it may have, be its length told or not")
    func contentBytes() throws {
        for framing in ["Content-Length: 5\r\n", "Connection: close\r\n"] {
            let answer = "HTTP/1.1 200 OK\r\n\(framing)\r\nabcde"
            #expect(try send(answer, { $0.responseBytes = 5 }).get().body.count == 5)
            let error = #expect(throws: HTTPClientError.self) { try send(answer, { $0.responseBytes = 4 }).get() }
            #expect(error?.kind == .tooLarge && error?.mayHaveArrived == true)
        }
    }

    @Test("A client's own time is the request's where that has none")
    func timeout() throws {
        let server = try ClientServer()
        var settings = HTTPClientSettings(userAgent: "tests/1")
        settings.timeout = .milliseconds(50)
        let client = try HTTPClient(settings)
        var request = HTTPClientRequest("GET", server.origin + "/never")
        let error = #expect(throws: HTTPClientError.self) { try client.send(request) }
        #expect(error?.kind == .timeout)
        request.url = server.origin + "/echo"
        request.timeout = .seconds(20)
        #expect(try client.send(request).status == 200)
    }

    @Test("A server on a Unix socket is asked by its path, which names it, whatever the URL says")
    func unixSocket() throws {
        let path = "/tmp/client-\(UInt32.random(in: 0 ... .max)).sock"
        var configuration = HTTPServerConfiguration(addresses: [.unix(path: path)], loops: 1)
        configuration.tls = nil
        let server = try HTTPServer<Never>(configuration: configuration)
        server.start { _ in ClientServerHandler() }
        defer {
            server.drain(within: .zero) {}
            unlink(path)
        }
        let client = try HTTPClient(HTTPClientSettings(userAgent: "tests/1"))
        var request = HTTPClientRequest("GET", "http://localhost/echo")
        request.unixSocket = path
        #expect(try client.send(request).status == 200)
        #expect("\(request)" == "GET unix:\(path)")
        request.unixSocket = path + ".none"
        let error = #expect(throws: HTTPClientError.self) { try client.send(request) }
        #expect(error?.kind == .unreachable && error?.server == "unix:\(path).none")
    }

    @Test("Connections in all are as many as may be: others wait, and all are answered")
    func connections() throws {
        let servers = try (0..<3).map { _ in try ClientServer() }
        var settings = HTTPClientSettings(userAgent: "tests/1")
        settings.connections = 1
        let client = try HTTPClient(settings)
        let group = DispatchGroup()
        let answered = Locked(0)
        for number in 0..<12 {
            group.enter()
            client.send(HTTPClientRequest("GET", servers[number % 3].origin + "/echo")) { result in
                if (try? result.get())?.status == 200 { answered.withLock { $0 += 1 } }
                group.leave()
            }
        }
        #expect(group.wait(timeout: .now() + 20) == .success)
        #expect(answered.withLock { $0 } == 12)
    }

    @Test(
        "Only what cannot have reached the server may be sent again without a thought; each failure says what to do",
        arguments: [
            (HTTPClientError.Kind.library, false, "install libcurl"), (.invalidRequest, false, nil),
            (.unresolved, false, "name servers"), (.unreachable, false, "the server is running"),
            (.connectTimeout, false, "firewalls"), (.timeout, true, "busy"), (.proxy, false, "https_proxy"),
            (.untrusted, false, "issuer"), (.certificateFile, false, "PEM file"), (.handshake, false, "TLS 1.2"),
            (.broken, true, nil), (.tooLarge, true, nil), (.closed, true, nil), (.failed, true, nil),
        ] as [(HTTPClientError.Kind, Bool, String?)])
    func kinds(_ kind: HTTPClientError.Kind, _ mayHaveArrived: Bool, _ advice: String?) {
        let error = HTTPClientError(kind, server: "http://a:1", reason: "it failed")
        #expect(error.mayHaveArrived == mayHaveArrived)
        #expect(error.description.hasPrefix("http://a:1: it failed"))
        #expect(error.description.hasPrefix("http://a:1: it failed; ") == (advice != nil))
        if let advice { #expect(error.description.contains(advice)) }
        #expect(HTTPClientError(kind, server: "", reason: "it failed").description.hasPrefix("it failed"))
    }

    @Test(
        "A server is named by scheme, host and port, whatever else is in a URL",
        arguments: [
            ("http://a:1/x?y#z", "http://a:1"), ("HTTPS://a", "https://a"), ("http://u:p@a:1", "http://a:1"),
            ("http://u@v@a/", "http://a"), ("http://a?u@b", "http://a"), ("http://a#u@b", "http://a"),
            ("http://a\\u@b", "http://a"), ("ftp://a", ""), ("http:a", ""), ("a", ""),
        ])
    func names(_ url: String, _ server: String) {
        #expect(HTTPClientRequest("GET", url).server == server)
    }

    @Test(
        "Fields and methods are sent as far as they are tokens and texts",
        arguments: [
            ("GET", "X-a.b~c", "tab\tand ünicode", true), ("M-SEARCH", "X", "", true), ("", "X", "y", false),
            ("G T", "X", "y", false), ("GET", "", "y", false), ("GET", "X\u{7F}", "y", false),
            ("GET", "X", "a\u{0}b", false), ("GET", "X", "a\u{7F}b", false), ("GET", "X", "a\nb", false),
            ("GET", "X(", "y", false), ("GÉT", "X", "y", false),
        ])
    func tokens(_ method: String, _ name: String, _ value: String, _ isSent: Bool) {
        let request = HTTPClientRequest(method, "http://127.0.0.1/", fields: [(name, value)])
        #expect((request.fault == nil) == isSent)
        #expect(HTTPClientRequest("GET", "http://127.0.0.1/\u{7F}").fault != nil)
        #expect(HTTPClientRequest("GET", "http://@/").fault != nil)
    }
}
