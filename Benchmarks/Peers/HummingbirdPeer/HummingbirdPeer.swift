import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import NIOPosix
import NIOSSL

/// `POST /echo` answers the content, `GET /` a greeting. Arguments: the port, and for TLS 1.3 the files of the
/// certificate and its key. One event loop, as the others have.
@main
struct HummingbirdPeer {
    static func main() async throws {
        let arguments = CommandLine.arguments
        let router = Router()
        router.get("/") { _, _ in "hello" }
        router.post("/echo") { request, _ in
            let content = try await request.body.collect(upTo: 1 << 20)
            return Response(
                status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: content))
        }
        let application = Application(
            router: router, server: try server(arguments),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: Int(arguments[1]) ?? 0)),
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup(numberOfThreads: 1)))
        try await application.runService()
    }

    private static func server(_ arguments: [String]) throws -> HTTPServerBuilder {
        guard arguments.count > 3 else { return .http1() }
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(arguments[2]).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: arguments[3], format: .pem)))
        tls.minimumTLSVersion = .tlsv13
        return try .tls(.http1(), tlsConfiguration: tls)
    }
}
