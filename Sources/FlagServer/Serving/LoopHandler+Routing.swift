import Bytes
import HTTPTransport
import JSON

extension LoopHandler {
    /// Answers one request: finds its route, asks whether it may come in, and runs the route's action.
    func handle(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) {
        // Whatever the path: no resource knows it (RFC 9110 section 9.1).
        guard request.method != .other else { return refuse(&exchange, .none, Problem.unknownMethod) }
        let match = service.router.match(request.method, request.path)
        if let problem = refusal(of: request, match, exchange.peer) { return refuse(&exchange, .none, problem) }
        switch match {
        case .route(let route, let parameters):
            switch route.action {
            case .onLoop(let action):
                guard request.hasContentCoding else { return action(self, request, parameters, &exchange) }
                answerCoded(request, parameters, route, action, &exchange)
            case .onWorker(let action): handOver(request, parameters, route, action, &exchange)
            }
        case .methodNotAllowed(let allow): refuse(request, allowing: allow, &exchange)
        case .notFound where request.path.hasSameBytes(as: "*"):
            // The whole server is meant (RFC 9110 section 9.3.7).
            counters.raise(ServiceMetrics.request(.none, 204))
            exchange.respond(HTTPResponse(status: .noContent, fields: [("Allow", Router.methods)]))
        case .notFound: refuse(&exchange, .none, Problem.routeNotFound)
        }
    }

    /// Answers a request that has no route, or may not come in, before its content is asked for.
    func answerWithoutContent(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) {
        let match = service.router.match(request.method, request.path)
        if case .route = match, refusal(of: request, match, exchange.peer) == nil { return }
        handle(request, &exchange)
    }

    /// Why a request may not come in, whatever it asks for; nil when it may.
    @inline(__always)
    private func refusal(of request: borrowing HTTPRequest, _ match: Router.Match, _ peer: PeerAddress) -> Problem? {
        guard hostCheck.admits(request, from: peer) else { return .unknownHost }
        if service.settings.requiresAuthentication, !LoopHandler.isOpen(match) { return .unauthorized }
        if case .route(let route, _) = match, !route.isForEveryPage, BrowserOrigin.isForeign(request) {
            return .foreignOrigin
        }
        return nil
    }

    /// Answers with a body from the loop's own buffer.
    @inline(__always)
    func respond(
        _ exchange: inout Exchange, _ group: RouteGroup, _ status: HTTPStatus,
        _ contentType: StaticString? = "application/json",
        _ body: UnsafeRawBufferPointer
    ) {
        counters.raise(ServiceMetrics.request(group, status.code))
        exchange.respond(status, contentType: contentType, body: body)
    }

    /// Answers with a problem.
    func refuse(_ exchange: inout Exchange, _ group: RouteGroup, _ problem: Problem) {
        counters.raise(ServiceMetrics.request(group, UInt16(problem.code.status)))
        exchange.respond(HTTPResponse(problem))
    }

    /// Whether a match may be answered without authentication: health only.
    private static func isOpen(_ match: Router.Match) -> Bool {
        if case .route(let route, _) = match { return route.group == .health }
        return false
    }

    /// A path that has other methods: 405, or the list of them for `OPTIONS` (RFC 9110 section 9.3.7).
    private func refuse(_ request: borrowing HTTPRequest, allowing allow: String, _ exchange: inout Exchange) {
        if request.method == .options {
            counters.raise(ServiceMetrics.request(.none, 204))
            // RFC 5789 section 3.1.
            let changes = allow.contains("PATCH") ? [("Accept-Patch", MediaType.ofChanges)] : []
            return exchange.respond(HTTPResponse(status: .noContent, fields: [("Allow", allow)] + changes))
        }
        let method = String(decoding: request.methodName, as: UTF8.self)
        refuse(
            &exchange, .none,
            Problem(
                .methodNotAllowed, "\(method) is not allowed here; allowed are \(allow)",
                headerFields: [("Allow", allow)]))
    }

    /// Runs an action of the loop on content that was coded.
    @inline(never)
    private func answerCoded(
        _ request: borrowing HTTPRequest, _ parameters: PathParameters, _ route: Route,
        _ action: (LoopHandler, borrowing HTTPRequest, PathParameters, inout Exchange) -> Void,
        _ exchange: inout Exchange
    ) {
        guard route.operation.body != nil, !request.body.isEmpty else {
            return action(self, request, parameters, &exchange)
        }
        let content: [UInt8]
        do throws(Problem) {
            content = try CodedContent.decoded(request.body, request.contentCoding, atMost: bodyMaximum(of: route))
        } catch {
            return refuse(&exchange, route.group, error)
        }
        content.withUnsafeBytes { action(self, request.withContent($0), parameters, &exchange) }
    }

    /// How many bytes the content of a route may have.
    private func bodyMaximum(of route: Route) -> Int { route.upload?.bytes ?? service.settings.bodyBytes }

    /// Content from this size on makes work that keeps a worker for long.
    private static let largeBodyBytes = 64 * 1024

    /// Runs an action on a worker queue and answers when it replies. The connection waits meanwhile, the loop does not.
    private func handOver(
        _ request: borrowing HTTPRequest, _ parameters: PathParameters, _ route: Route,
        _ action: @escaping @Sendable (AdministrationRequest, FlagService, Reply) throws(Problem) -> Void,
        _ exchange: inout Exchange
    ) {
        let copy: AdministrationRequest
        do throws(Problem) {
            copy = try AdministrationRequest(request, parameters, from: exchange.client(of: request), for: route)
        } catch {
            return refuse(&exchange, route.group, error)
        }
        let event = AdministrationEvent(request, by: service.principal, from: copy.client)
        let watch = route.answerTime.map { _ in AnswerWatch() }
        let answer = exchange.deferred(within: route.answerTime, watch: watch)
        let reply = Reply(watch: watch) { [service, group = route.group] result in
            let response: HTTPResponse
            switch result {
            case .success(let success): response = success
            case .failure(let problem): response = HTTPResponse(problem)
            }
            service.metrics.workers.raiseShared(ServiceMetrics.request(group, response.status.code))
            answer.complete(response)
            service.reportAdministration(event, response.status.code)
        }
        let isLarge = route.urgency == .usual && request.body.count >= Self.largeBodyBytes
        let maximum = bodyMaximum(of: route)
        let isTaken = service.workers.submit(isLarge ? .large : route.urgency) { [service] in
            do throws(Problem) {
                var request = copy
                try request.decode(atMost: maximum)
                try action(request, service, reply)
            } catch {
                reply(.failure(error))
            }
        }
        if !isTaken { reply(.failure(.overloaded)) }
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

    /// More work waits than may.
    static let overloaded = Problem(
        .overloaded, "too many requests wait for the store; try again in a second", headerFields: [("Retry-After", "1")]
    )
}
