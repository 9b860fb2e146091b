import FlyingFox
import Foundation

/// `POST /echo` answers the content, `GET /` a greeting. Argument: the port. It speaks no TLS.
@main
struct FlyingFoxPeer {
    static func main() async throws {
        let server = HTTPServer(
            address: try .inet(ip4: "127.0.0.1", port: UInt16(CommandLine.arguments[1]) ?? 0))
        await server.appendRoute("GET /") { _ in HTTPResponse(statusCode: .ok, body: Data("hello".utf8)) }
        await server.appendRoute("POST /echo") { request in
            HTTPResponse(
                statusCode: .ok, headers: [.contentType: "application/json"], body: try await request.bodyData)
        }
        try await server.run()
    }
}
