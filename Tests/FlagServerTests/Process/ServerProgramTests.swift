import FlagCore
import Glibc
import JSON
import Platform
import Testing

@testable import Evaluation
@testable import FlagServer

@Suite("The server as a program: what is set reaches what it is about", .timeLimit(.minutes(2)))
struct ServerProgramTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func flag(_ key: String, _ rule: String = #""defaultEnabled":true"#) -> String {
        #"{"flagKey":"\#(key)","description":"A flag","owner":"tests",\#(rule)}"#
    }

    @Test("Bounds and times of requests, compression, proxies, hosts and event loops")
    func transport() throws {
        let server = try ServerProgram(
            [
                "limits.body": "2KiB", "timeouts.idle": "7s", "gzip.minimum": "1", "trusted-proxies": "127.0.0.1",
                "hosts": "flags.internal", "loops": "3",
            ], in: directory.path)
        #expect(server.lines.contains { $0.contains("starting") && $0.contains("loops=3") })
        #expect(try server.send("GET", "/health/ready").status == 200)
        let proxy = [("X-Forwarded-For", "203.0.113.9"), ("Host", "flags.internal")]
        #expect(try server.send("POST", "/api/flags", flag("f"), proxy).status == 201)
        #expect(server.line(with: "/api/flags")?.contains("client=203.0.113.9") == true)
        #expect(try server.send("GET", "/api/flags/f", nil, [("Host", "evil.example")]).status == 421)
        let answer = try server.send("GET", "/health", nil, [("Accept-Encoding", "gzip")])
        #expect(answer.fields["content-encoding"] == "gzip")
        #expect(answer.fields["keep-alive"] == "timeout=7")
        let long = flag("g", #""defaultEnabled":true,"tags":["\#(String(repeating: "x", count: 2100))"]"#)
        #expect(try server.send("POST", "/api/flags", long).status == 413)
        // The same where it is small on its way.
        let coded = CodedRequestTests.gzip(long)
        let fields = [("Content-Encoding", "gzip"), ("Content-Length", "\(coded.count)")]
        let connection = try server.connect()
        try connection.write(Array(TestConnection.request("POST", "/api/flags", nil, fields).utf8) + coded)
        #expect(try connection.readResponse().status == 413)
    }

    @Test("Pages of the origins that are listed, and what * is worth without keys")
    func pages() throws {
        let server = try ServerProgram(["cors.origins": "https://shop.example.com, *"], in: directory.path)
        #expect(server.lines.contains { $0.contains("cors.origins: * lets in pages that show a client key") })
        for (origin, status) in [("https://shop.example.com", 200), ("https://evil.example", 403)] {
            let answer = try server.send("POST", "/ofrep/v1/evaluate/flags", "{}", [("Origin", origin)])
            #expect(answer.status == status)
            #expect(answer.fields["access-control-allow-origin"] == (status == 200 ? origin : nil))
        }
    }

    @Test("Names mean nothing on a Unix socket, and what was said there is no name elsewhere")
    func unixSocket() throws {
        let path = directory.path + "/flags.sock"
        let server = try ServerProgram(["loops": "1"], in: directory.path, host: "127.0.0.1,unix:\(path)")
        let evil = ("Host", "evil.example")
        #expect(try server.send("GET", "/health", nil, [evil]).status == 421)
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        let address = try #require(UnixAddress(path))
        try #require(address.withSockaddr { connect(socket, $0, $1) } == 0)
        let request = Array(TestConnection.request("GET", "/health", nil, [evil]).utf8)
        #expect(send(socket, request, request.count, Int32(MSG_NOSIGNAL)) == request.count)
        var answer = [UInt8](repeating: 0, count: 12)
        #expect(recv(socket, &answer, answer.count, Int32(MSG_WAITALL)) == answer.count)
        #expect(String(decoding: answer, as: UTF8.self) == "HTTP/1.1 200")
        #expect(try server.send("GET", "/health", nil, [evil]).status == 421)
    }

    @Test("With a certificate nothing is answered that is not secured")
    func secured() throws {
        let (certificate, key) = (directory.path + "/server.pem", directory.path + "/server.key")
        let command =
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=private"
            + " -keyout \(key) -out \(certificate) 2>/dev/null"
        try #require(pclose(popen(command, "r")) == 0)
        let server = try ServerProgram(["tls.certificate": certificate, "tls.key": key], in: directory.path)
        #expect(server.lines.contains { $0.contains("https://127.0.0.1:") })
        let answer = try? server.send("GET", "/health/ready")
        #expect(answer?.status != 200)
    }

    @Test("Bounds of contexts, of the answer of all flags, and of what a loop keeps")
    func evaluation() throws {
        let server = try ServerProgram(
            ["limits.context-text": "256", "limits.bulk-answer": "64KiB", "cache.capacity": "1"], in: directory.path)
        for number in 0..<20 {
            let text = String(repeating: "\(number % 10)", count: 4000)
            let rule =
                #""state":"ENABLED","variants":{"long":"\#(text)"},"defaultVariant":"long""#
            #expect(try server.send("POST", "/api/flags", flag("f\(number)", rule)).status == 201)
        }
        let one = "/ofrep/v1/evaluate/flags/f0"
        for length in [256, 257] {
            let body = #"{"context":{"text":"\#(String(repeating: "x", count: length))"}}"#
            #expect(try server.send("POST", one, body).status == (length == 256 ? 200 : 400), "\(length)")
        }
        let all = try server.send("POST", "/ofrep/v1/evaluate/flags", "{}")
        #expect(all.status == 500)
        #expect(all.body.contains("limits.bulk-answer"))
        for number in 1..<5 {
            #expect(try server.send("POST", "/ofrep/v1/evaluate/flags/f\(number)", "{}").status == 200)
        }
        let metrics = try server.send("GET", "/metrics").body
        let evictions = metrics.split(separator: "\n").filter { $0.hasPrefix("flag_server_cache_evictions_total") }
        #expect(evictions.contains { !$0.hasSuffix(" 0") })
    }

    @Test("Two stores with the same flags have other entity tags: no client keeps an answer of another store")
    func identity() throws {
        let tags = try ["one", "another"].map { name in
            let path = "\(directory.path)/\(name)"
            try #require(mkdir(path, 0o700) == 0)
            let server = try ServerProgram(in: path)
            let answers = try (0..<2).map { _ in try server.send("POST", "/ofrep/v1/evaluate/flags", "{}") }
            #expect(answers[0].status == 200 && answers[0].body == answers[1].body)
            #expect(answers[0].fields["etag"] == answers[1].fields["etag"])
            return try #require(answers[0].fields["etag"])
        }
        #expect(tags[0] != tags[1])
    }

    @Test("How subjects are put into buckets", arguments: [FractionalVersion.v2, .v3])
    func fractional(_ version: FractionalVersion) throws {
        let rule = #"""
            "state":"ENABLED","variants":{"a":"a","b":"b"},"defaultVariant":"a",
            "targeting":{"fractional":[{"var":"id"},["a",50],["b",50]]}
            """#
        let server = try ServerProgram(["evaluation.fractional": version.rawValue], in: directory.path)
        #expect(try server.send("POST", "/api/flags", flag("f", rule)).status == 201)
        let model = try RouteServer { $0.evaluation.fractional = version }
        #expect(try model.send("POST", "/api/flags", flag("f", rule)).status == 201)
        for subject in 0..<32 {
            let body = #"{"context":{"id":"subject-\#(subject)"}}"#
            let answer = try server.send("POST", "/ofrep/v1/evaluate/flags/f", body)
            #expect(answer.json["value"] == (try model.send("POST", "/ofrep/v1/evaluate/flags/f", body)).json["value"])
        }
    }

    @Test("With authentication all but health is refused, and the DynamoDB port stays closed")
    func authentication() throws {
        let server = try ServerProgram(
            ["profile": "dev", "auth": "on", "dynamodb-port": "0"], in: directory.path)
        #expect(server.lines.contains { $0.contains("the DynamoDB port stays closed") })
        #expect(!server.lines.contains { $0.contains("ready for DynamoDB clients") })
        #expect(try server.send("GET", "/health/ready").status == 200)
        #expect(try server.send("GET", "/api/flags").status == 401)
        #expect(try server.send("POST", "/ofrep/v1/evaluate/flags", "{}").status == 401)
    }

    @Test("With authentication the DynamoDB port opens with the first access key, to nobody who signs with none")
    func accessKeys() throws {
        let server = try ServerProgram(
            ["profile": "dev", "auth": "on", "dynamodb-port": "0"], in: directory.path)
        let policy = try directory.write(
            "policy.json", #"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#)
        let status = try ServerProgram.run([
            "access-keys", "create", "--name", "first", "--policy", policy, "--profile", "dev", "--data-dir",
            directory.path + "/data",
        ])
        #expect(status == 0)
        let line = try #require(server.line(with: "ready for DynamoDB clients"))
        let port = try #require(line.firstMatch(of: /127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) })
        let answer = try TestConnection(port: port).send(
            "POST", "/", "{}",
            [("X-Amz-Target", "DynamoDB_20120810.ListTables"), ("Content-Type", "application/x-amz-json-1.0")])
        #expect(answer.status == 400 && answer.errorType == "MissingAuthenticationTokenException", "\(answer.body)")
    }

    @Test("Sample flags come into a store that is empty, and do not come again")
    func sampleFlags() throws {
        let file = try directory.write("flags.json", #"{"flags":[\#(flag("sample"))]}"#)
        var server = try ServerProgram(["sample-flags": file], in: directory.path)
        #expect(try server.send("GET", "/api/flags/sample").status == 200)
        #expect(try server.send("POST", "/api/flags", flag("own")).status == 201)
        #expect(try server.send("DELETE", "/api/flags/sample").status == 204)
        server.stop()
        server = try ServerProgram(["sample-flags": file], in: directory.path)
        #expect(try server.send("GET", "/api/flags/own").status == 200)
        #expect(try server.send("GET", "/api/flags/sample").status == 404)
    }
}
