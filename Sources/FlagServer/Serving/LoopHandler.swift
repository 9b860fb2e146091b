import Access
import Bytes
import DynamoModel
import Evaluation
import FlagCache
import HTTPRouting
import HTTPTransport
import Telemetry

/// What one event loop does with requests: it decides by the head whether a request may come in, has evaluations
/// answered at once, and hands everything that can block to worker queues.
///
/// One for each loop and used on that loop only, so nothing in it is locked.
final class LoopHandler: HTTPHandler {
    /// What other threads send to a loop.
    enum Message: Sendable {
        /// What the cache feed loaded for this loop, or what changed in the store.
        case cache(CacheUpdate)
        /// The loop's own: the turn has come in which its cache goes on with what waits.
        case turn
        /// Somebody waits for what this loop counted, and is told when it can be read.
        case publish(done: @Sendable () -> Void)
    }

    /// What the handlers of all loops share.
    struct Parts: Sendable {
        /// The routes with what they do.
        let routes: ServedRoutes
        /// Where things are counted.
        let metrics: ServerMetrics
        /// Where work may block.
        let workers: WorkerPool
        /// What `/health` says.
        let health: Health
        /// The OpenAPI document.
        let document: APIDocument
        /// What clients may call the server by.
        let hosts: ServedHosts
        /// Bytes that the content of a request may have, where its route says nothing else.
        let contentBytes: Int
        /// Who calls where no request says who does; nil where each has to.
        let anybody: Caller?
        /// Told of each administrative request when it is answered, with the status.
        let reportAdministration: @Sendable (AdministrationEvent, UInt16) -> Void
    }

    let parts: Parts
    /// Answers evaluations.
    let evaluator: Evaluator
    /// This loop's counters.
    let counters: CounterBlock
    /// Whether requests name this server.
    private var hostCheck: HostCheck

    /// A handler over an evaluator of the same loop.
    init(_ parts: Parts, evaluator: Evaluator, counters: CounterBlock) {
        self.parts = parts
        self.evaluator = evaluator
        self.counters = counters
        hostCheck = HostCheck(parts.hosts)
    }

    func receive(_ message: Message) {
        switch message {
        case .cache(let update): evaluator.apply(update)
        case .turn: evaluator.takeTurn()
        case .publish(let done):
            evaluator.publishStatistics()
            done()
        }
    }

    // MARK: - Admission

    /// Decides on a request before its content is read: which route, for whom, from where, and whether there is time.
    func admit(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) -> Admission {
        // Whatever the path: no resource knows it (RFC 9110 section 9.1).
        guard request.method != .other else { return refuse(&exchange, .unknownMethod) }
        let match = parts.routes.router.match(request.method, request.path)
        guard case .route(let route, _) = match else { return answer(request, without: match, &exchange) }
        if exchange.isLate, !route.policy.isEssential {
            exchange.shed()
            return .answered
        }
        if let problem = refusal(of: request, route.policy.access, exchange.peer) {
            return refuse(&exchange, problem)
        }
        if !route.isForEveryPage, BrowserOrigin.isForeign(request) { return refuse(&exchange, .foreignOrigin) }
        return .taken(token: UInt64(truncatingIfNeeded: route.number), upload: route.policy.content.upload)
    }

    /// Why whoever asks may not come in; nil when they may.
    @inline(__always)
    private func refusal(
        of request: borrowing HTTPRequest, _ access: RouteAccess, _ peer: PeerAddress
    ) -> Problem? {
        guard hostCheck.admits(request, from: peer) else { return .unknownHost }
        return switch access.verdict(on: parts.anybody) {
        case .admitted: nil
        case .unknownCaller: .unauthorized
        case .forbidden: .forbidden
        }
    }

    /// Answers a request that no route takes.
    private func answer(
        _ request: borrowing HTTPRequest, without match: Router.Match, _ exchange: inout Exchange
    ) -> Admission {
        if let problem = refusal(of: request, .anyCaller, exchange.peer) { return refuse(&exchange, problem) }
        if case .methodNotAllowed(let allow) = match { return refuse(request, allowing: allow, &exchange) }
        // The whole server is meant (RFC 9110 section 9.3.7).
        guard request.path.hasSameBytes(as: "*") else { return refuse(&exchange, .routeNotFound) }
        count(parts.routes.router.noLabel, 204, exchange)
        exchange.respond(HTTPResponse(status: .noContent, fields: [("Allow", Router.methods)]))
        return .answered
    }

    /// A path that has other methods: 405, or the list of them for `OPTIONS` (RFC 9110 section 9.3.7).
    private func refuse(
        _ request: borrowing HTTPRequest, allowing allow: String, _ exchange: inout Exchange
    ) -> Admission {
        if request.method == .options {
            count(parts.routes.router.noLabel, 204, exchange)
            // RFC 5789 section 3.1.
            let changes = allow.contains("PATCH") ? [("Accept-Patch", MediaType.ofChanges)] : []
            exchange.respond(HTTPResponse(status: .noContent, fields: [("Allow", allow)] + changes))
            return .answered
        }
        let method = String(decoding: request.methodName, as: UTF8.self)
        return refuse(
            &exchange,
            Problem(
                .methodNotAllowed, "\(method) is not allowed here; allowed are \(allow)",
                headerFields: [("Allow", allow)]))
    }

    /// Answers with a problem, whatever the content is.
    private func refuse(_ exchange: inout Exchange, _ problem: Problem) -> Admission {
        refuse(&exchange, parts.routes.router.noLabel, problem)
        return .answered
    }

    /// Answers with a problem.
    func refuse(_ exchange: inout Exchange, _ label: Int, _ problem: Problem) {
        count(label, problem.code.status, exchange)
        exchange.respond(HTTPResponse(problem, requestID: exchange.requestID))
    }

    /// Counts an answer that is about to be given.
    func count(_ label: Int, _ status: UInt16, _ exchange: borrowing Exchange) {
        parts.metrics.requests.count(label, status, exchange.elapsedMicroseconds, in: counters)
    }
}

extension RoutePolicy.Content {
    /// What the transport allows it.
    fileprivate var upload: HTTPUpload? {
        if case .upload(let bytes, let time) = self { HTTPUpload(bytes: bytes, time: time) } else { nil }
    }
}

extension Problem {
    /// A path without a route.
    static let routeNotFound = Problem(
        .routeNotFound, "no route of this server has this path; GET /openapi.json lists them all")

    /// A method that this server does not know.
    static let unknownMethod = Problem(.notImplemented, "no route of this server has this method")

    /// A request that would have to prove who sends it.
    static let unauthorized = Problem(
        .unauthorized,
        "authentication is on (--auth on), but this version of flag-server has no API keys yet, so every request but "
            + "/health is refused; to use it, listen on a loopback address with --auth off",
        headerFields: [("WWW-Authenticate", "Bearer realm=\"flag-server\"")])

    /// A caller who may not do this in any environment.
    static let forbidden = Problem(.forbidden, "whoever sent this may not do it in any environment")
}
