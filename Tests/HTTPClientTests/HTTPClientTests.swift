import Dispatch
import Foundation
import HTTPTransport
import Platform
import Testing

@testable import HTTPClient

@Suite("HTTP client")
struct HTTPClientTests {
    private let server: ClientServer

    init() throws {
        server = try ClientServer()
    }

    private static func client(_ change: (inout HTTPClientSettings) -> Void = { _ in }) throws -> HTTPClient {
        var settings = HTTPClientSettings(userAgent: "tests/1")
        change(&settings)
        return try HTTPClient(settings)
    }

    /// The kind of error that a request ends with; nil when it is answered.
    private static func failure(_ client: HTTPClient, _ request: HTTPClientRequest) -> HTTPClientError? {
        do throws(HTTPClientError) {
            _ = try client.send(request)
            return nil
        } catch {
            return error
        }
    }

    @Test("A request arrives with method, fields and content, and so does its answer")
    func arrives() throws {
        let client = try Self.client()
        let request = HTTPClientRequest(
            "PATCH", server.origin + "/echo?a=b", fields: [("X-One", "1"), ("X-Empty", "")],
            body: [UInt8](repeating: 7, count: 300_000))
        let answer = try client.send(request)
        #expect(answer.status == 200)
        #expect(answer.field("content-TYPE") == "text/plain")
        let lines = Set(String(decoding: answer.body, as: UTF8.self).split(separator: "\n"))
        #expect(lines.isSuperset(of: ["PATCH 300000", "X-One: 1", "X-Empty: ", "User-Agent: tests/1"].map { $0[...] }))
        #expect(!lines.contains { $0.hasPrefix("Content-Type") })
    }

    @Test("Every method is sent as it is named", arguments: ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
    func methods(method: String) throws {
        let answer = try Self.client().send(HTTPClientRequest(method, server.origin + "/echo"))
        #expect(answer.status == 200)
        if method == "HEAD" {
            #expect(answer.body.isEmpty)
        } else {
            #expect(String(decoding: answer.body, as: UTF8.self).hasPrefix("\(method) 0\n"))
        }
    }

    @Test("An empty content is content of length 0")
    func emptyContent() throws {
        let answer = try Self.client().send(HTTPClientRequest("POST", server.origin + "/echo", body: []))
        #expect(String(decoding: answer.body, as: UTF8.self).contains("Content-Length: 0\n"))
    }

    @Test("Requests one after the other share a connection")
    func reuse() throws {
        let client = try Self.client()
        for _ in 0..<20 { _ = try client.send(HTTPClientRequest("GET", server.origin + "/echo")) }
        #expect(server.connections == 1)
    }

    @Test("Requests at the same time have as many connections as are allowed, and all are answered")
    func concurrency() throws {
        let client = try Self.client { $0.connectionsPerHost = 3 }
        let group = DispatchGroup()
        let answered = Locked(0)
        for _ in 0..<60 {
            group.enter()
            client.send(HTTPClientRequest("GET", server.origin + "/text?5000")) { result in
                if (try? result.get())?.body.count == 5000 { answered.withLock { $0 += 1 } }
                group.leave()
            }
        }
        #expect(group.wait(timeout: .now() + 20) == .success)
        #expect(answered.withLock { $0 } == 60)
        #expect(server.connections <= 3)
    }

    @Test("An answer that takes too long is given up, and may have been a request's last step")
    func timeout() throws {
        var request = HTTPClientRequest("GET", server.origin + "/never")
        request.timeout = .milliseconds(100)
        let error = try #require(Self.failure(try Self.client(), request))
        #expect(error.kind == .timeout)
        #expect(error.mayHaveArrived)
    }

    @Test("A connection that does not come about in time is given up before anything is sent")
    func connectTimeout() throws {
        let silent = try CannedListener(nil)
        let client = try Self.client { $0.connectTimeout = .milliseconds(200) }
        let error = try #require(Self.failure(client, HTTPClientRequest("GET", "https://127.0.0.1:\(silent.port)")))
        #expect(error.kind == .connectTimeout)
        #expect(!error.mayHaveArrived)
    }

    @Test("Where nobody listens, the error says so and what to check")
    func refused() throws {
        let error = try #require(
            Self.failure(try Self.client(), HTTPClientRequest("GET", "http://127.0.0.1:1/secret-path")))
        #expect(error.kind == .unreachable)
        #expect(!error.mayHaveArrived)
        #expect("\(error)".hasPrefix("http://127.0.0.1:1: "))
        #expect("\(error)".hasSuffix("; check the address, and that the server is running"))
        #expect(!"\(error)".contains("secret-path"))
    }

    @Test("A name that nobody knows is told apart")
    func unresolved() throws {
        let error = Self.failure(try Self.client(), HTTPClientRequest("GET", "http://nowhere.invalid/"))
        #expect(error?.kind == .unresolved)
    }

    @Test("No more of an answer is taken than may be, however well it is compressed")
    func bounded() throws {
        let client = try Self.client { $0.responseBytes = 100_000 }
        #expect(try client.send(HTTPClientRequest("GET", server.origin + "/text?100000")).body.count == 100_000)
        let error = Self.failure(client, HTTPClientRequest("GET", server.origin + "/text?100001"))
        #expect(error?.kind == .tooLarge)
        var request = HTTPClientRequest("GET", server.origin + "/text?100001")
        request.responseBytes = 100_001
        #expect(try client.send(request).field("Content-Encoding") == "gzip")
    }

    @Test(
        "What is no whole HTTP answer is told as a broken connection",
        arguments: [
            "", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        ])
    func broken(bytes: String) throws {
        let listener = try CannedListener(bytes)
        let error = Self.failure(try Self.client(), HTTPClientRequest("GET", "http://127.0.0.1:\(listener.port)/"))
        #expect(error?.kind == .broken, "\(String(describing: error))")
    }

    @Test("A header without end is not taken")
    func longHeader() throws {
        let fields = (0..<3000).map { "X-\($0): \(String(repeating: "a", count: 100))\r\n" }.joined()
        let listener = try CannedListener("HTTP/1.1 200 OK\r\n\(fields)\r\n")
        let error = Self.failure(try Self.client(), HTTPClientRequest("GET", "http://127.0.0.1:\(listener.port)/"))
        #expect(error?.kind == .tooLarge)
    }

    @Test("A redirection is an answer: nothing that a request carries goes to another host")
    func redirection() throws {
        let answer = try Self.client().send(HTTPClientRequest("GET", server.origin + "/elsewhere"))
        #expect(answer.status == 302)
        #expect(answer.field("Location") == "http://127.0.0.1:1/")
    }

    @Test(
        "What would be read as something else is not sent",
        arguments: [
            ("GET", "file:///etc/passwd", "X", "y"), ("GET", "ftp://127.0.0.1/", "X", "y"),
            ("GET", "localhost", "X", "y"),
            ("GET", "http://", "X", "y"), ("GET", "http://127.0.0.1/ HTTP/1.1\r\n", "X", "y"),
            ("GET", "http://127.0.0.1:1/", "X", "y\r\nEvil: 1"), ("GET", "http://127.0.0.1:1/", "X: y\r\nEvil", "1"),
            ("GET / HTTP/1.1\r\nEvil: 1", "http://127.0.0.1:1/", "X", "y"), ("GET", "http://127.0.0.1:x/", "X", "y"),
        ])
    func refusedRequests(method: String, url: String, name: String, value: String) throws {
        let error = Self.failure(try Self.client(), HTTPClientRequest(method, url, fields: [(name, value)]))
        #expect(error?.kind == .invalidRequest, "\(String(describing: error))")
    }

    @Test("No description has what may be secret")
    func secrets() throws {
        let request = HTTPClientRequest(
            "POST", "http://ada:s3cret@127.0.0.1:1/s3cret?s3cret", fields: [("Authorization", "s3cret")],
            body: Array("s3cret".utf8))
        let error = try #require(Self.failure(try Self.client(), request))
        let response = HTTPClientResponse(status: 200, fields: [("Set-Cookie", "s3cret")], body: Array("s3cret".utf8))
        for text in [
            "\(request)", "\(error)", String(reflecting: request), "\(response)", String(reflecting: response),
        ] {
            #expect(!text.contains("s3cret"), "\(text)")
        }
        #expect("\(request)" == "POST http://127.0.0.1:1")
    }

    @Test("A client that goes away tells those whose requests wait or are under way", arguments: [false, true])
    func closing(isUnderWay: Bool) throws {
        let done = DispatchSemaphore(value: 0)
        let kind = Locked<HTTPClientError.Kind?>(nil)
        do {
            let client = try Self.client()
            client.send(HTTPClientRequest("GET", server.origin + "/never")) { result in
                if case .failure(let error) = result { kind.withLock { $0 = error.kind } }
                done.signal()
            }
            while isUnderWay, server.connections == 0 {}
        }
        #expect(done.wait(timeout: .now() + 10) == .success)
        #expect(kind.withLock { $0 } == .closed)
    }

    @Test("A request is sent at once, also while another one waits for its answer")
    func beside() throws {
        let client = try Self.client()
        let done = DispatchSemaphore(value: 0)
        client.send(HTTPClientRequest("GET", server.origin + "/never")) { _ in done.signal() }
        let start = ContinuousClock.now
        for _ in 0..<20 { #expect(try client.send(HTTPClientRequest("GET", server.origin + "/echo")).status == 200) }
        // Were each found only when the queue looks again, which it does once a second, it would be twenty.
        #expect(ContinuousClock.now - start < .seconds(10))
    }
}
