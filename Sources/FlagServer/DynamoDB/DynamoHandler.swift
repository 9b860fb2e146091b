import Bytes
import DynamoModel
import DynamoService
import HTTPRouting
import HTTPTransport
import JSON

/// DynamoDB's protocol on one event loop: `POST /` with the operation in `X-Amz-Target`.
///
/// A read of one item is answered on the loop, as long as nobody holds up the readers; a write is handed to the writer
/// from the loop and answered when it is durable, so that the connections of all loops share its commits; everything
/// else, and what has a large body, is done by a worker.
final class DynamoHandler: HTTPHandler {
    private let endpoint: DynamoEndpoint
    private let loop: LoopContext
    private let tape = TableService.makeTape()
    private var requestIDs = RequestIDSource()
    private var hostCheck: HostCheck

    /// Bodies from this size on are parsed by a worker, so that others on the loop do not wait.
    private static let largeBodyBytes = 32 * 1024

    /// A handler of the endpoint on one loop.
    init(endpoint: DynamoEndpoint, loop: LoopContext) {
        self.endpoint = endpoint
        self.loop = loop
        hostCheck = HostCheck(endpoint.hosts)
    }

    /// This handler takes no messages.
    func receive(_ message: Never) {}

    func handle(_ request: borrowing HTTPRequest, _ token: UInt64, _ exchange: inout Exchange) {
        let content = Content(request)
        let origin = request.field("origin")
        let isAllowedPage = origin.map { endpoint.pages.contain($0) } ?? false
        let answer = DynamoAnswer(
            id: requestIDs.next(), isPlainJSON: content != .protocolJSON,
            pageOrigin: isAllowedPage ? origin.map { Array($0) } : nil)
        guard hostCheck.admits(request, from: exchange.peer) else {
            return answer.write(ProtocolResponse(Self.unknownHost), status: HTTPStatus(421), to: &exchange)
        }
        guard isAllowedPage || !BrowserOrigin.isForeign(request) else {
            return answer.write(ProtocolResponse(Self.foreignPage), status: HTTPStatus(403), to: &exchange)
        }
        let isRoot = request.path.hasSameBytes(as: "/")
        let scope = CredentialScope(request)
        if let scope, !scope.isOfDynamoDB {
            return answer.write(OtherService.refusal(of: request, signedFor: scope.service), to: &exchange)
        }
        switch request.method {
        case .post where isRoot && content != .other: perform(request, scope?.region, answer, &exchange)
        case .options where isAllowedPage: answerPreflight(request, answer, &exchange)
        case .get where isRoot, .head where isRoot:
            answer.write(Self.healthy, contentType: "text/plain", to: &exchange)
        default: answer.write(OtherService.refusalOfNoCall(request), to: &exchange)
        }
    }

    private static let unknownHost = ProtocolError(
        .accessDenied,
        "Host names another server: this one answers only to localhost, loopback addresses and the names in its setting"
            + " hosts")
    private static let foreignPage = ProtocolError(
        .accessDenied,
        "A browser sent this for a page of another site, and nobody is asked for a credential here; `flag-server "
            + "dynamodb --cors-origin ORIGIN` lets pages of an origin call")
    private static let healthy = ProtocolResponse(body: Array("healthy: dynamodb.us-east-1.amazonaws.com ".utf8))

    /// What the content is said to be.
    private enum Content {
        case protocolJSON
        case plainJSON
        /// There is none, and nothing is said of it.
        case none
        case other

        init(_ request: borrowing HTTPRequest) {
            guard let type = request.field("content-type") else {
                self = request.body.isEmpty ? .none : .other
                return
            }
            let end = type.firstIndex { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: " ") } ?? type.count
            let name = UnsafeRawBufferPointer(rebasing: type[..<end])
            if name.equalsIgnoringCase("application/x-amz-json-1.0") {
                self = .protocolJSON
            } else {
                self = name.equalsIgnoringCase("application/json") ? .plainJSON : .other
            }
        }
    }

    /// The fields that clients of DynamoDB send, browsers' own aside.
    private static let clientFields: StaticString = """
        authorization, content-type, x-amz-date, x-amz-security-token, x-amz-target, x-amz-user-agent, \
        x-amz-content-sha256, amz-sdk-invocation-id, amz-sdk-request
        """

    /// A browser asks whether a page of another origin may call (https://fetch.spec.whatwg.org, "CORS-preflight").
    private func answerPreflight(
        _ request: borrowing HTTPRequest, _ answer: DynamoAnswer, _ exchange: inout Exchange
    ) {
        exchange.respond(.ok) { fields in
            fields.add("x-amzn-RequestId", answer.id)
            answer.addPageFields(to: fields)
            fields.add("Access-Control-Allow-Headers", Self.clientFields)
            fields.add("Access-Control-Allow-Methods", "POST")
            fields.add("Access-Control-Max-Age", decimal: 7200)
        }
    }

    private func refuseOperation(
        _ request: borrowing HTTPRequest, _ answer: DynamoAnswer, _ exchange: inout Exchange
    ) {
        endpoint.requests.count(nil, status: 400)
        let isJSON = request.body.isEmpty || (try? tape.parse(request.body)) != nil
        let error = isJSON ? OtherService.refusalOfOperation(request) : .serialization(nil)
        answer.write(ProtocolResponse(error), to: &exchange)
    }

    private func perform(
        _ request: borrowing HTTPRequest, _ region: String?, _ answer: DynamoAnswer, _ exchange: inout Exchange
    ) {
        guard let operation = request.field("x-amz-target").flatMap({ DynamoOperation(target: $0) }) else {
            return refuseOperation(request, answer, &exchange)
        }
        let host = request.field("host").map { String(decoding: $0, as: UTF8.self) } ?? "localhost"
        let call = TableService.Request(
            operation, body: request.body, principal: .anonymous, host: host, region: region)
        let isLarge = request.body.count >= Self.largeBodyBytes
        if operation.manner == .pointRead, !isLarge,
            let response = endpoint.service.performWithoutWaiting(call, tape: tape)
        {
            endpoint.requests.count(operation, status: response.status)
            return answer.write(response, to: &exchange)
        }
        let peer = exchange.peer
        let deferred = exchange.deferred()
        // What the log is told is read from the body once more, by the thread that does the work: bodies may be large.
        let reply = { @Sendable [endpoint] (body: UnsafeRawBufferPointer?) -> TableService.Answer in
            let change = body.flatMap {
                DynamoChange(operation, body: $0, flagTable: endpoint.flagTable, by: .anonymous, from: peer)
            }
            return { response in
                endpoint.requests.count(operation, status: response.status)
                change?.report(response.status, to: endpoint.logger)
                deferred.complete(answer.response(response))
            }
        }
        if operation.manner == .write, !isLarge {
            endpoint.service.perform(call, tape: tape, answer: reply(request.body))
            return
        }
        let body = Array(request.body)
        let isTaken = endpoint.workers.submit(isLarge ? .large : .usual) { [service = endpoint.service] in
            body.withUnsafeBytes { body in
                let call = TableService.Request(
                    operation, body: body, principal: .anonymous, host: host, region: region)
                service.perform(call, tape: TableService.makeTape(), answer: reply(body))
            }
        }
        if !isTaken {
            reply(nil)(
                ProtocolResponse(
                    ProtocolError(.throttling, "Too many requests wait for the store; try again in a second")))
        }
    }
}

/// What the answer to one request has beside its content.
struct DynamoAnswer: Sendable {
    /// `x-amzn-RequestId`
    let id: [UInt8]
    /// Whether the request's content, and so the answer's, is said to be JSON and no more.
    let isPlainJSON: Bool
    /// The origin of the page that had a browser send the request, when that may read the answer.
    let pageOrigin: [UInt8]?

    /// The fields that such a page may read, beside those that it always may.
    static let exposedFields: StaticString = "x-amzn-RequestId, x-amz-crc32"

    /// Writes an answer at once.
    func write(_ response: ProtocolResponse, to exchange: inout Exchange) {
        write(response, contentType: contentType, to: &exchange)
    }

    /// Writes an answer at once, with a status that no operation has.
    func write(_ response: ProtocolResponse, status: HTTPStatus, to exchange: inout Exchange) {
        exchange.respond(status, contentType: contentType, body: response.body) { fields in
            fields.add("x-amzn-RequestId", id)
        }
    }

    private var contentType: StaticString { isPlainJSON ? "application/json" : "application/x-amz-json-1.0" }

    /// Refuses what was meant for another service.
    func write(_ refusal: OtherService.Refusal, to exchange: inout Exchange) {
        let type = refusal.contentType ?? contentType
        write(ProtocolResponse(status: refusal.status, body: refusal.body), contentType: type, to: &exchange)
    }

    /// Writes an answer of another type at once.
    func write(_ response: ProtocolResponse, contentType: StaticString?, to exchange: inout Exchange) {
        exchange.respond(HTTPStatus(response.status), contentType: contentType, body: response.body) { fields in
            fields.add("x-amzn-RequestId", id)
            fields.add("x-amz-crc32", decimal: Int(Checksum.crc32(response.body)))
            addPageFields(to: fields)
        }
    }

    /// Tells a browser that the page may read the answer.
    func addPageFields(to fields: borrowing FieldWriter) {
        guard let pageOrigin else { return }
        fields.add("Access-Control-Allow-Origin", pageOrigin)
        fields.add("Vary", "Origin")
        fields.add("Access-Control-Expose-Headers", Self.exposedFields)
    }

    /// An answer for later.
    func response(_ response: ProtocolResponse) -> HTTPResponse {
        var fields = [
            (name: "x-amzn-RequestId", value: String(decoding: id, as: UTF8.self)),
            (name: "x-amz-crc32", value: String(Checksum.crc32(response.body))),
        ]
        if let pageOrigin {
            fields.append((name: "Access-Control-Allow-Origin", value: String(decoding: pageOrigin, as: UTF8.self)))
            fields.append((name: "Vary", value: "Origin"))
            fields.append((name: "Access-Control-Expose-Headers", value: "\(Self.exposedFields)"))
        }
        return HTTPResponse(
            status: HTTPStatus(response.status), fields: fields,
            contentType: isPlainJSON ? "application/json" : "application/x-amz-json-1.0", body: response.body)
    }
}

/// Makes identifiers of requests as DynamoDB has them: 52 capital letters and digits.
struct RequestIDSource {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)
    // SplitMix64 (Steele, Lea, Flood 2014), seeded by the system: identifiers must differ, not be secret.
    private var state = UInt64.random(in: 0...UInt64.max)

    /// The next identifier.
    mutating func next() -> [UInt8] {
        var id: [UInt8] = []
        id.reserveCapacity(52)
        while id.count < 52 {
            var word = nextWord()
            // Twelve characters of base 36 fit 64 bits.
            for _ in 0..<min(12, 52 - id.count) {
                id.append(Self.alphabet[Int(word % 36)])
                word /= 36
            }
        }
        return id
    }

    private mutating func nextWord() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
