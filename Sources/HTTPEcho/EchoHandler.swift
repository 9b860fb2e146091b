import HTTPTransport

/// `GET /` answers `hello`, `POST /echo` the request's content.
final class EchoHandler: HTTPHandler {
    func handle(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) {
        if request.path.equals("/") {
            answerRoot(request.method, &exchange)
        } else if request.path.equals("/echo") {
            answerEcho(request, &exchange)
        } else if request.path.equals("*") {
            exchange.respond(.noContent) { $0.add("Allow", "GET, HEAD, OPTIONS, POST") }
        } else {
            exchange.respond(error: .notFound, detail: "There is nothing here; try GET / or POST /echo.")
        }
    }

    /// This handler takes no messages.
    func receive(_ message: Never) {}

    private func answerRoot(_ method: HTTPMethod, _ exchange: inout Exchange) {
        switch method {
        case .get, .head: exchange.respond(.ok, contentType: "text/plain; charset=utf-8", text: "hello")
        default: answerOther(method, allowed: "GET, HEAD, OPTIONS", &exchange)
        }
    }

    private func answerEcho(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) {
        guard request.method == .post else {
            return answerOther(request.method, allowed: "OPTIONS, POST", &exchange)
        }
        // The content is what the client called it; nothing of it is interpreted.
        let contentType = request.field("content-type")
        exchange.respond(.ok, body: request.body) { fields in
            if let contentType {
                fields.add("Content-Type", bytes: contentType)
            } else {
                fields.add("Content-Type", "application/octet-stream")
            }
        }
    }

    private func answerOther(_ method: HTTPMethod, allowed: StaticString, _ exchange: inout Exchange) {
        switch method {
        case .options: exchange.respond(.noContent) { $0.add("Allow", allowed) }
        case .other: exchange.respond(error: .notImplemented, detail: "The method is not known here.")
        default: exchange.respondMethodNotAllowed(allowing: allowed)
        }
    }
}
