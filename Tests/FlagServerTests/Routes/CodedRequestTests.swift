import HTTPTransport
import Testing

@testable import FlagServer
@testable import HTTPTransport

@Suite("Content that is coded with gzip")
struct CodedRequestTests {
    /// A text as gzip codes it.
    static func gzip(_ text: String) -> [UInt8] {
        var coder = GzipCoder(level: 9)
        var coded: [UInt8] = []
        Array(text.utf8).withUnsafeBytes { bytes in coder.compress(bytes) { coded = $0.map { Array($0) } ?? [] } }
        return coded
    }

    private func send(_ path: String, _ content: [UInt8], _ server: RouteServer) throws -> TestResponse {
        let fields = [("Content-Encoding", "gzip"), ("Content-Type", "application/json")]
        let connection = try server.connect()
        let head = TestConnection.request("POST", path, nil, fields + [("Content-Length", "\(content.count)")])
        try connection.write(Array(head.utf8) + content)
        return try connection.readResponse()
    }

    @Test(
        "It may be as large as any other when it is decoded, and no larger, whoever decodes it: a loop or a worker",
        arguments: ["/ofrep/v1/evaluate/flags/f", "/api/flags"])
    func bound(path: String) throws {
        let server = try RouteServer()
        try server.create("f")
        let body =
            path.hasPrefix("/ofrep") ? "{}" : #"{"flagKey":"g","description":"d","owner":"o","defaultEnabled":true}"#
        let limit = HTTPLimits().bodyBytes
        let whole = body + String(repeating: " ", count: limit - body.utf8.count)
        #expect(try send(path, Self.gzip(whole), server).status == (path.hasPrefix("/ofrep") ? 200 : 201))
        let tooLarge = try send(path, Self.gzip(whole + " "), server)
        #expect(tooLarge.status == 413)
        #expect(tooLarge.body.contains("more than \(limit) bytes when it is decoded"))
        #expect(try send(path, Array("no gzip".utf8), server).status == 400)
    }

    @Test("A file that is imported may be larger than other content, also when it is decoded")
    func file() throws {
        let server = try RouteServer()
        let file = #"{"flags":[]}"# + String(repeating: " ", count: HTTPLimits().bodyBytes + 1)
        #expect(try send("/api/import", Self.gzip(file), server).status == 200)
    }
}
