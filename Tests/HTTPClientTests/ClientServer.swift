import Dispatch
import Foundation
import Glibc
import HTTPTransport
import Platform

/// A server of our own for the client to ask, on a port that the system chooses.
final class ClientServer: Sendable {
    let server: HTTPServer<Never>
    let origin: String

    init(tls: TLSConfiguration? = nil) throws {
        var configuration = HTTPServerConfiguration(addresses: [.tcp(host: "127.0.0.1", port: 0)], loops: 1)
        configuration.tls = tls
        server = try HTTPServer(configuration: configuration)
        server.start { _ in ClientServerHandler() }
        origin = "\(tls == nil ? "http://127.0.0.1" : "https://localhost"):\(server.port)"
    }

    deinit {
        server.drain(within: .zero) {}
    }

    /// How many connections there have been.
    var connections: UInt64 { server.statistics().reduce(0) { $0 + $1.connectionsAccepted } }
}

/// Answers as the path says.
final class ClientServerHandler: HTTPHandler {
    private var waiting: [DeferredResponse] = []

    func handle(_ request: borrowing HTTPRequest, _ token: UInt64, _ exchange: inout Exchange) {
        let query = request.query.map { String(decoding: $0, as: UTF8.self) } ?? ""
        switch String(decoding: request.path, as: UTF8.self) {
        case "/never": waiting.append(exchange.deferred())
        case "/text":
            exchange.respond(
                .ok, contentType: "text/plain", body: [UInt8](repeating: UInt8(ascii: "a"), count: Int(query) ?? 0))
        case "/elsewhere":
            exchange.respond(
                HTTPResponse(status: HTTPStatus(302), fields: [("Location", "http://127.0.0.1:1/")], body: []))
        default:
            var text = "\(String(decoding: request.methodName, as: UTF8.self)) \(request.body.count)\n"
            request.forEachField { name, value in
                text += "\(String(decoding: name, as: UTF8.self)): \(String(decoding: value, as: UTF8.self))\n"
            }
            exchange.respond(.ok, contentType: "text/plain", body: Array(text.utf8))
        }
    }

    func receive(_ message: Never) {}
}

/// A listener that sends fixed bytes to whoever connects and closes, or says nothing at all.
final class CannedListener: Sendable {
    let port: Int
    private let socket: Int32
    private let queue = DispatchQueue(label: "canned")

    /// - Parameter answer: what is sent, after a request's first bytes; nil for silence.
    init(_ answer: String?) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.socket = socket
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutableBytes(of: &address) { bytes -> Int32 in
            guard let place = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return -1 }
            return bind(socket, place, length) | listen(socket, 8) | getsockname(socket, place, &length)
        }
        guard status == 0 else { throw CocoaError(.fileReadUnknown) }
        port = Int(UInt16(bigEndian: address.sin_port))
        guard let answer else { return }
        queue.async {
            while true {
                let connection = accept(socket, nil, nil)
                guard connection >= 0 else { return }
                var request = [UInt8](repeating: 0, count: 4096)
                _ = recv(connection, &request, request.count, 0)
                let bytes = Array(answer.utf8)
                _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
                shutdown(connection, Int32(SHUT_WR))
                while recv(connection, &request, request.count, 0) > 0 {}
                close(connection)
            }
        }
    }

    deinit {
        // Whoever accepts ends by this; only then is the number of the socket free for another one, whose connections
        // would be accepted in its place.
        shutdown(socket, Int32(SHUT_RDWR))
        queue.async { [socket] in _ = close(socket) }
    }
}

/// A private issuer: its certificate, and with it as its own issuer a server's for `localhost`.
struct PrivateCertificate {
    let certificate: String
    let key: String

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "client-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        certificate = folder + "/server.pem"
        key = folder + "/server.key"
        let command =
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=private"
            + " -addext subjectAltName=DNS:localhost -keyout \(key) -out \(certificate) 2>/dev/null"
        // Not Foundation's `Process`, each run of which leaks 32 bytes on Linux.
        pclose(popen(command, "r"))
    }
}
