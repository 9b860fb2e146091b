import Bytes
import HTTPTransport

/// `GET /` answers `hello`, `POST /echo` the request's content, `GET /peer` who asks, and `GET /stream?N` N letters in
/// pieces.
final class EchoHandler: HTTPHandler {
    private static let greeting: StaticString = "hello"
    /// Of the greeting, which is the same in every process.
    private static let greetingTag: StaticString = "\"hello-1\""

    private let context: LoopContext
    /// The greeting is as old as the process, for all that this knows.
    private let started: HTTPDate

    init(context: LoopContext, started: HTTPDate) {
        self.context = context
        self.started = started
    }

    func handle(_ request: borrowing HTTPRequest, _ token: UInt64, _ exchange: inout Exchange) {
        answer(request, &exchange)
    }

    private func answer(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) {
        if request.method == .other {
            exchange.respond(error: .notImplemented, detail: "The method is not known here.")
        } else if request.path.isEquivalent(toPath: "/echo") {
            answerEcho(request, &exchange)
        } else if request.path.isEquivalent(toPath: "/") {
            answerRoot(request, &exchange)
        } else if request.path.hasSameBytes(as: "/stream") {
            answerStream(request, &exchange)
        } else if request.path.hasSameBytes(as: "/peer") {
            answerPeer(request, &exchange)
        } else if request.path.hasSameBytes(as: "*") {
            exchange.respond(.noContent) { $0.add("Allow", "GET, HEAD, OPTIONS, POST") }
        } else {
            exchange.respond(error: .notFound, detail: "There is nothing here; try GET / or POST /echo.")
        }
    }

    /// Only what POST /echo is sent makes a difference to anything.
    func admit(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) -> Admission {
        if exchange.isLate {
            exchange.shed()
            return .answered
        }
        let isReading = request.method == .get || request.method == .head
        let isEcho = request.path.isEquivalent(toPath: "/echo")
        guard isEcho ? request.method != .post : !isReading else { return .taken }
        answer(request, &exchange)
        return .answered
    }

    /// This handler takes no messages.
    func receive(_ message: Never) {}

    private func answerRoot(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) {
        guard request.method == .get || request.method == .head else {
            return answerOther(request.method, allowed: "GET, HEAD, OPTIONS", &exchange)
        }
        let validators = Validators(entityTag: EchoHandler.greetingTag, lastModified: started)
        switch request.isConditional ? request.precondition(validators, now: now) : .proceed {
        case .proceed:
            exchange.respond(.ok, contentType: "text/plain; charset=utf-8", text: EchoHandler.greeting) {
                addValidators(to: $0)
            }
        case .notModified: exchange.respond(.notModified) { addValidators(to: $0) }
        case .failed: refuseCondition(&exchange)
        }
    }

    /// As many letters as the query says, written as fast as the client reads.
    private func answerStream(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) {
        guard request.method == .get || request.method == .head else {
            return answerOther(request.method, allowed: "GET, HEAD, OPTIONS", &exchange)
        }
        let text = request.query.map { String(decoding: $0, as: UTF8.self) } ?? "1000"
        guard let count = Int(text), count >= 0 else {
            return exchange.respond(error: .badRequest, detail: "The query is how many letters to send.")
        }
        let letters = LetterStream(count: count)
        letters.begin(exchange.stream(.ok, contentType: "text/plain; charset=utf-8", onRoom: { letters.go() }))
    }

    private func answerPeer(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) {
        guard request.method == .get || request.method == .head else {
            return answerOther(request.method, allowed: "GET, HEAD, OPTIONS", &exchange)
        }
        let client = Array(exchange.client(of: request).description.utf8)
        exchange.respond(.ok, contentType: "text/plain; charset=utf-8", body: client)
    }

    private func answerEcho(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) {
        guard request.method == .post else {
            return answerOther(request.method, allowed: "OPTIONS, POST", &exchange)
        }
        if request.isConditional, request.precondition(.none, now: now) != .proceed {
            return refuseCondition(&exchange)
        }
        // The content is what the client called it, in whatever coding; nothing of it is interpreted.
        let contentType = request.field("content-type")
        let coding = request.field("content-encoding")
        exchange.respond(.ok, body: request.body) { fields in
            if let contentType {
                fields.add("Content-Type", bytes: contentType)
            } else {
                fields.add("Content-Type", "application/octet-stream")
            }
            if let coding { fields.add("Content-Encoding", bytes: coding) }
        }
    }

    private func answerOther(_ method: HTTPMethod, allowed: StaticString, _ exchange: inout Exchange) {
        switch method {
        case .options: exchange.respond(.noContent) { $0.add("Allow", allowed) }
        default: exchange.respondMethodNotAllowed(allowing: allowed)
        }
    }

    private func refuseCondition(_ exchange: inout Exchange) {
        exchange.respond(error: .preconditionFailed, detail: "The resource is not as the request requires it to be.")
    }

    /// Answers 200 and 304 have the same ones (RFC 9110 §15.4.5).
    private func addValidators(to fields: borrowing FieldWriter) {
        fields.add("ETag", EchoHandler.greetingTag)
        fields.add("Last-Modified", started.text)
    }

    private var now: HTTPDate { HTTPDate(milliseconds: context.wallMilliseconds) }
}
