import AuditStore
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
    private var senders = AdmittedSenders()

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

    /// Decides by the head, before any of the content is read: with authentication on, content comes from nobody but
    /// who names a key that is good.
    func admit(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) -> Admission {
        guard !exchange.isLate else {
            exchange.shed()
            return .answered
        }
        guard hostCheck.admits(request, from: exchange.peer) else {
            answer(to: request).write(ProtocolResponse(Self.unknownHost), status: HTTPStatus(421), to: &exchange)
            return .answered
        }
        guard isOfAllowedPage(request) || !BrowserOrigin.isForeign(request) else {
            answer(to: request).write(ProtocolResponse(Self.foreignPage), status: HTTPStatus(403), to: &exchange)
            return .answered
        }
        guard let access = endpoint.access else { return .taken }
        let scope = CredentialScope(request)
        guard scope?.isOfDynamoDB ?? true, isCall(request) else {
            answerNoCall(request, scope, answer(to: request), &exchange)
            return .answered
        }
        let address = exchange.client(of: request)
        do throws(SignatureError) {
            let sender = try access.sender(of: request, at: address, &signingKeys)
            return .taken(token: senders.keep(sender), upload: nil)
        } catch {
            refuse(request, access.refusal(error, at: address), answer(to: request), &exchange)
            return .answered
        }
    }

    func handle(_ request: borrowing HTTPRequest, _ token: UInt64, _ exchange: inout Exchange) {
        let responder = answer(to: request)
        let scope = CredentialScope(request)
        guard scope?.isOfDynamoDB ?? true, isCall(request) else {
            return answerNoCall(request, scope, responder, &exchange)
        }
        do throws(SignatureError) {
            let sender = try sender(of: request, token, region: scope?.region, at: exchange.client(of: request))
            perform(request, sender, responder, &exchange)
        } catch {
            refuse(request, ProtocolError(error), responder, &exchange)
        }
    }

    /// What the response to a request has beside its content.
    private func answer(to request: borrowing HTTPRequest) -> DynamoResponder {
        DynamoResponder(
            id: requestIDs.next(), isPlainJSON: Content(request) != .protocolJSON,
            pageOrigin: isOfAllowedPage(request) ? request.field("origin").map { Array($0) } : nil)
    }

    /// Whether a page of an origin that may call had a browser send a request.
    private func isOfAllowedPage(_ request: borrowing HTTPRequest) -> Bool {
        request.hasOrigin && request.field("origin").map { endpoint.pages.contain($0) } ?? false
    }

    /// Whether a request asks for an operation.
    private func isCall(_ request: borrowing HTTPRequest) -> Bool {
        request.method == .post && request.path.hasSameBytes(as: "/") && Content(request) != .other
    }

    /// Answers what asks for no operation of DynamoDB.
    private func answerNoCall(
        _ request: borrowing HTTPRequest, _ scope: CredentialScope?, _ responder: DynamoResponder,
        _ exchange: inout Exchange
    ) {
        if let scope, !scope.isOfDynamoDB {
            return responder.write(OtherService.refusal(of: request, signedFor: scope.service), to: &exchange)
        }
        let isRoot = request.path.hasSameBytes(as: "/")
        switch request.method {
        case .options where isOfAllowedPage(request): answerPreflight(request, responder, &exchange)
        case .get where isRoot, .head where isRoot:
            responder.write(Self.healthy, contentType: "text/plain", to: &exchange)
        default: responder.write(OtherService.refusalOfNoCall(request), to: &exchange)
        }
    }

    private static let unknownHost = ProtocolError(
        .accessDenied,
        "Host names another server: this one answers to addresses, localhost, the names that it listens on, the "
            + "machine's own and those in its setting hosts (FLAG_SERVER_HOSTS): add it there if it is this one's")
    private static let foreignPage = ProtocolError(
        .accessDenied,
        "A browser sent this for a page of another site, and pages of others may not call here; `flag-server "
            + "dynamodb --cors-origin ORIGIN` lets pages of an origin call")

    /// Whoever sent a request: with authentication on, whose signature it has.
    ///
    /// - Parameter token: what was given when it was admitted.
    private func sender(
        of request: borrowing HTTPRequest, _ token: UInt64, region: String?, at address: PeerAddress
    ) throws(SignatureError) -> RequestSender {
        guard let access = endpoint.access else { return .anonymous(region: region) }
        if let sender = senders.take(token) { return sender }
        return try access.sender(of: request, at: address, &signingKeys)
    }

    /// How what a request asks for comes about.
    private func circumstances(
        of request: borrowing HTTPRequest, _ address: PeerAddress, _ sender: RequestSender, _ responder: DynamoResponder
    ) -> ChangeCircumstances {
        var circumstances = ChangeCircumstances()
        circumstances.requestID = String(decoding: responder.id, as: UTF8.self)
        circumstances.address = "\(address)"
        circumstances.proof = sender.proof == nil ? nil : "signature"
        circumstances.userAgent = request.field("User-Agent").map { bytes in
            String(decoding: bytes.prefix(ChangeCircumstances.userAgentBytes), as: UTF8.self)
        }
        return circumstances
    }

    private func refuse(
        _ request: borrowing HTTPRequest, _ error: ProtocolError, _ responder: DynamoResponder,
        _ exchange: inout Exchange
    ) {
        let operation = request.field("x-amz-target").flatMap { DynamoOperation(target: $0) }
        let response = ProtocolResponse(error)
        endpoint.requests.count(operation, response)
        responder.write(response, to: &exchange)
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
        let sender =
            operation.manner == .pointRead
            ? sender : sender.with(circumstances(of: request, exchange.client(of: request), sender, responder))
        let host = request.field("host").map { String(decoding: $0, as: UTF8.self) } ?? "localhost"
        let call = TableService.Request(operation, body: request.body, of: sender, host: host)
        if operation.manner == .pointRead, !isLarge,
            let response = endpoint.service.performWithoutWaiting(call, tape: tape)
        {
            endpoint.requests.count(operation, response)
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
    ) -> @Sendable (UnsafeRawBufferPointer?) -> TableService.Reply {
        // What the log is told is read from the body once more, by the thread that does the work: bodies may be large.
        { [endpoint] body in
            let change = body.flatMap {
                DynamoChange(operation, body: $0, flagTable: endpoint.flagTable, by: sender.principal, from: peer)
            }
            return { response in
                endpoint.requests.count(operation, response)
                change?.report(response.status, to: endpoint.logger)
                guard let audit = endpoint.audit, let entry = change?.entry(response.status) else {
                    return deferred.complete(responder.response(response))
                }
                audit.note(entry) { deferred.complete(responder.response(response)) }
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
