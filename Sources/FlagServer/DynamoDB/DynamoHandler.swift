import Bytes
import DynamoModel
import DynamoService
import HTTPRouting
import HTTPTransport
import JSON
import SigV4

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
    private var signingKeys = SigningKeyCache()

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
        let responder = DynamoResponder(
            id: requestIDs.next(), isPlainJSON: content != .protocolJSON,
            pageOrigin: isAllowedPage ? origin.map { Array($0) } : nil)
        guard hostCheck.admits(request, from: exchange.peer) else {
            return responder.write(ProtocolResponse(Self.unknownHost), status: HTTPStatus(421), to: &exchange)
        }
        guard isAllowedPage || !BrowserOrigin.isForeign(request) else {
            return responder.write(ProtocolResponse(Self.foreignPage), status: HTTPStatus(403), to: &exchange)
        }
        let isRoot = request.path.hasSameBytes(as: "/")
        let scope = CredentialScope(request)
        if let scope, !scope.isOfDynamoDB {
            return responder.write(OtherService.refusal(of: request, signedFor: scope.service), to: &exchange)
        }
        switch request.method {
        case .post where isRoot && content != .other:
            do throws(SignatureError) {
                let sender = try sender(of: request, region: scope?.region)
                perform(request, sender, responder, &exchange)
            } catch {
                refuse(request, ProtocolError(error), responder, &exchange)
            }
        case .options where isAllowedPage: answerPreflight(request, responder, &exchange)
        case .get where isRoot, .head where isRoot:
            responder.write(Self.healthy, contentType: "text/plain", to: &exchange)
        default: responder.write(OtherService.refusalOfNoCall(request), to: &exchange)
        }
    }

    private static let unknownHost = ProtocolError(
        .accessDenied,
        "Host names another server: this one answers only to localhost, loopback addresses and the names in its setting"
            + " hosts")
    private static let foreignPage = ProtocolError(
        .accessDenied,
        "A browser sent this for a page of another site, and pages of others may not call here; `flag-server "
            + "dynamodb --cors-origin ORIGIN` lets pages of an origin call")

    /// Whoever sent a request: with authentication on, whose signature it has.
    private func sender(
        of request: borrowing HTTPRequest, region: String?
    ) throws(SignatureError) -> RequestSender {
        guard let access = endpoint.access else { return .anonymous(region: region) }
        return try access.sender(of: request, &signingKeys)
    }

    private func refuse(
        _ request: borrowing HTTPRequest, _ error: ProtocolError, _ responder: DynamoResponder,
        _ exchange: inout Exchange
    ) {
        let operation = request.field("x-amz-target").flatMap { DynamoOperation(target: $0) }
        endpoint.requests.count(operation, status: error.code.status)
        responder.write(ProtocolResponse(error), to: &exchange)
    }
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
        _ request: borrowing HTTPRequest, _ responder: DynamoResponder, _ exchange: inout Exchange
    ) {
        exchange.respond(.ok) { fields in
            fields.add("x-amzn-RequestId", responder.id)
            responder.addPageFields(to: fields)
            fields.add("Access-Control-Allow-Headers", Self.clientFields)
            fields.add("Access-Control-Allow-Methods", "POST")
            fields.add("Access-Control-Max-Age", decimal: 7200)
        }
    }

    private func refuseOperation(
        _ request: borrowing HTTPRequest, _ responder: DynamoResponder, _ exchange: inout Exchange
    ) {
        endpoint.requests.count(nil, status: 400)
        // What is large was not checked yet, and is not worth it: there is nothing to be done.
        let isUnread = request.body.isEmpty || request.body.count >= Self.largeBodyBytes && endpoint.access != nil
        let isJSON = isUnread || (try? tape.parse(request.body)) != nil
        let error = isJSON ? OtherService.refusalOfOperation(request) : .serialization(nil)
        responder.write(ProtocolResponse(error), to: &exchange)
    }

    private func perform(
        _ request: borrowing HTTPRequest, _ sender: RequestSender, _ responder: DynamoResponder,
        _ exchange: inout Exchange
    ) {
        let isLarge = request.body.count >= Self.largeBodyBytes
        if !isLarge {
            do throws(ProtocolError) { try sender.check(request.body) } catch {
                return refuse(request, error, responder, &exchange)
            }
        }
        guard let operation = request.field("x-amz-target").flatMap({ DynamoOperation(target: $0) }) else {
            return refuseOperation(request, responder, &exchange)
        }
        let host = request.field("host").map { String(decoding: $0, as: UTF8.self) } ?? "localhost"
        let call = TableService.Request(operation, body: request.body, of: sender, host: host)
        if operation.manner == .pointRead, !isLarge,
            let response = endpoint.service.performWithoutWaiting(call, tape: tape)
        {
            endpoint.requests.count(operation, status: response.status)
            return responder.write(response, to: &exchange)
        }
        let reply = reply(to: operation, sender, from: exchange.peer, responder, exchange.deferred())
        if operation.manner == .write, !isLarge {
            endpoint.service.perform(call, tape: tape, reply: reply(request.body))
            return
        }
        let body = Array(request.body)
        let isTaken = endpoint.workers.submit(isLarge ? .large : .usual) { [service = endpoint.service] in
            body.withUnsafeBytes { body in
                do throws(ProtocolError) {
                    // Hashing what is large takes long: only here.
                    if isLarge { try sender.check(body) }
                    let call = TableService.Request(operation, body: body, of: sender, host: host)
                    service.perform(call, tape: TableService.makeTape(), reply: reply(body))
                } catch {
                    reply(nil)(ProtocolResponse(error))
                }
            }
        }
        if !isTaken {
            reply(nil)(
                ProtocolResponse(
                    ProtocolError(.throttling, "Too many requests wait for the store; try again in a second")))
        }
    }

    /// What takes the response to a request, given its content for the log, or nil where nothing was done.
    private func reply(
        to operation: DynamoOperation, _ sender: RequestSender, from peer: PeerAddress, _ responder: DynamoResponder,
        _ deferred: DeferredResponse
    ) -> @Sendable (UnsafeRawBufferPointer?) -> TableService.Answer {
        // What the log is told is read from the body once more, by the thread that does the work: bodies may be large.
        { [endpoint] body in
            let change = body.flatMap {
                DynamoChange(operation, body: $0, flagTable: endpoint.flagTable, by: sender.principal, from: peer)
            }
            return { response in
                endpoint.requests.count(operation, status: response.status)
                change?.report(response.status, to: endpoint.logger)
                deferred.complete(responder.response(response))
            }
        }
    }
}

extension TableService.Request {
    /// A request of somebody.
    fileprivate init(
        _ operation: DynamoOperation, body: UnsafeRawBufferPointer, of sender: RequestSender, host: String
    ) {
        self.init(
            operation, body: body, principal: sender.principal, host: host, region: sender.region,
            authorizer: sender.authorizer)
    }
}
