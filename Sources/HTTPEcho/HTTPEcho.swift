import Glibc
import HTTPTransport
import Platform

/// `GET /` answers `hello`, `POST /echo` the request's content. Each event loop has a handler of its own, which needs
/// no locks.
final class EchoHandler: HTTPHandler {
    /// Asked by a request's head: what is answered here has its content never read.
    func admit(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) -> Admission {
        switch (request.method, request.path.isEquivalent(toPath: "/echo")) {
        case _ where exchange.isLate: exchange.shed()
        case (.post, true): return .taken
        case (_, true): exchange.respondMethodNotAllowed(allowing: "POST")
        case _ where !request.path.isEquivalent(toPath: "/"):
            exchange.respond(error: .notFound, detail: "There is nothing here; try GET / or POST /echo.")
        case (.get, false), (.head, false):
            exchange.respond(.ok, contentType: "text/plain; charset=utf-8", text: "hello")
        default: exchange.respondMethodNotAllowed(allowing: "GET, HEAD")
        }
        return .answered
    }

    /// Called with the whole content of what was taken.
    func handle(_ request: borrowing HTTPRequest, _ token: UInt64, _ exchange: inout Exchange) {
        exchange.respond(.ok, body: request.body) { $0.add("Content-Type", "application/octet-stream") }
    }

    /// Other threads have nothing to say to this handler.
    func receive(_ message: Never) {}
}

/// The command `http-echo [PORT]`: a server on HTTPTransport alone.
@main
enum HTTPEcho {
    static func main() throws {
        // Before there is any other thread.
        let signals = ProcessSignals()
        let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 8080
        var configuration = HTTPServerConfiguration(addresses: [.tcp(host: "127.0.0.1", port: port)], loops: 1)
        configuration.limits.bodyBytes = 1 << 20
        configuration.timeouts.idle = .seconds(30)
        let server = try HTTPServer<Never>(configuration: configuration)
        // Called once for each loop.
        server.start { _ in EchoHandler() }
        print("http-echo listens on 127.0.0.1:\(server.port)")
        fflush(nil)
        // Other signals ask for what this program does not do.
        while true { if case .stop = signals.next() { break } }
        // What is under way is finished.
        server.drain(within: .seconds(10)) { exit(0) }
        while true { pause() }
    }
}
