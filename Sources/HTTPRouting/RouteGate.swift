import Access
import Bytes
import HTTPTransport
import Telemetry

/// Where the requests of one event loop are counted.
package struct RequestCounter {
    private let metrics: RequestMetrics
    private let block: CounterBlock

    /// Counts in a block that the loop owns.
    package init(_ metrics: RequestMetrics, in block: CounterBlock) {
        self.metrics = metrics
        self.block = block
    }

    /// Counts a response that is about to be given.
    package func count(_ label: Int, _ status: UInt16, _ exchange: borrowing Exchange) {
        metrics.count(label, status, exchange.elapsedMicroseconds, in: block)
    }

    /// Answers with a problem.
    package func refuse(_ exchange: inout Exchange, _ label: Int, _ problem: Problem) {
        count(label, problem.code.status, exchange)
        exchange.respond(HTTPResponse(problem, requestID: exchange.requestID))
    }
}

/// Decides on one event loop by the head of a request whether it may come in, before its content is read: which route,
/// for whom, from where, and whether there is time.
package struct RouteGate {
    package let router: Router
    package let counter: RequestCounter
    /// What is said where no route is.
    private let nowhere: Problem
    /// How often callers may ask; nil for as often as they like.
    private let throttles: Throttles?
    /// Bytes of files, in place of what the routes say; nil for that.
    private let uploadBytes: Int?
    /// Whether requests name this server.
    private var hostCheck: HostCheck
    /// Which pages of other origins come in; nil for none.
    private var pages: PageGate?
    /// From where the routes are asked without a credential that say so.
    private var readers: [AddressRange]
    private let noteRefusal: NoteRefusal?

    /// Told of whoever is refused for lack of rights, on the loop: it must not block.
    package typealias NoteRefusal = @Sendable (RouteRefusal) -> Void

    /// A gate in front of a table of routes.
    ///
    /// - Parameters:
    ///   - hosts: what clients may call the server by.
    ///   - pages: the origins whose pages may call the routes that say so.
    ///   - nowhere: what is said where no route is.
    ///   - throttles: how often callers may ask; nil for as often as they like.
    ///   - uploadBytes: bytes of files, in place of what the routes say.
    ///   - readers: from where the routes are asked without a credential that say so.
    ///   - noteRefusal: told of whoever is refused for lack of rights.
    package init(
        _ router: Router, _ counter: RequestCounter, hosts: ServedHosts, pages: PageOrigins = .none,
        nowhere: Problem = .routeNotFound, throttles: Throttles? = nil, uploadBytes: Int? = nil,
        readers: [AddressRange] = [], noteRefusal: NoteRefusal? = nil
    ) {
        self.noteRefusal = noteRefusal
        self.readers = readers
        self.router = router
        self.counter = counter
        self.nowhere = nowhere
        self.throttles = throttles
        self.uploadBytes = uploadBytes
        hostCheck = HostCheck(hosts)
        self.pages = PageGate(pages)
    }

    /// Lets in other pages, and other readers of what is read without a credential, from the next request on.
    package mutating func replace(pages: PageOrigins, readers: [AddressRange]) {
        self.pages = PageGate(pages)
        self.readers = readers
    }

    /// Decides on a request; a route that takes it is known by the token, which is its number.
    ///
    /// - Parameters:
    ///   - caller: who sent it; nil for a stranger.
    ///   - stranger: what is said to a stranger who must first say who they are.
    @inline(__always)
    package mutating func admit(
        _ request: borrowing HTTPRequest, of caller: Caller?, _ exchange: inout Exchange,
        stranger: @autoclosure () -> Problem
    ) -> Admission {
        // Whatever the path: no resource knows it (RFC 9110 section 9.1).
        guard request.method != .other else { return refuse(&exchange, .unknownMethod) }
        let match = router.match(request.method, request.path)
        guard case .route(let route, _) = match else {
            return answer(request, without: match, of: caller, &exchange, stranger())
        }
        exchange.note(route: route.number, of: request)
        let isListedPage = route.policy.isForListedPages && pages?.admits(request, of: caller, &exchange) ?? false
        if exchange.isLate, !route.policy.isEssential {
            counter.count(route.label, 503, exchange)
            exchange.shed()
            return .answered
        }
        if let problem = refusal(of: request, route.policy.access, caller, exchange, stranger(), route) {
            note(problem, request, caller, exchange)
            return refuse(&exchange, problem, route.label)
        }
        if !route.isForEveryPage, !isListedPage, BrowserOrigin.isForeign(request) {
            return refuse(&exchange, .foreignOrigin, route.label)
        }
        if let throttles, let caller {
            switch throttles.take(caller, route.policy.rate, now: exchange.beganMicroseconds) {
            case .allowed(nil): break
            case .allowed(let left?): exchange.attach(left)
            case .refused(let problem): return refuse(&exchange, problem, route.label)
            }
        }
        return .taken(
            token: UInt64(truncatingIfNeeded: route.number), upload: route.policy.content.upload(uploadBytes))
    }

    /// Why whoever asks may not come in; nil when they may.
    @inline(__always)
    private mutating func refusal(
        of request: borrowing HTTPRequest, _ access: RouteAccess, _ caller: Caller?,
        _ exchange: borrowing Exchange, _ stranger: @autoclosure () -> Problem, _ route: Route? = nil
    ) -> Problem? {
        guard hostCheck.admits(request, from: exchange.peer) else { return .unknownHost }
        let verdict = access.verdict(on: caller)
        if verdict != .admitted, let route, isForListedAddress(route, request, exchange) { return nil }
        return switch verdict {
        case .admitted: nil
        case .unknownCaller: throttled(request, exchange) ?? stranger()
        case .forbidden: .forbidden
        }
    }

    /// Tells of whoever is refused for lack of rights.
    @inline(never)
    private func note(
        _ problem: Problem, _ request: borrowing HTTPRequest, _ caller: Caller?, _ exchange: borrowing Exchange
    ) {
        guard let noteRefusal, problem.code.status == 401 || problem.code.status == 403 else { return }
        noteRefusal(RouteRefusal(request, of: caller, from: exchange.client(of: request), exchange.requestID))
    }

    /// Whether a request comes from where its route is asked without a credential.
    package func isForListedAddress(
        _ route: Route, _ request: borrowing HTTPRequest, _ exchange: borrowing Exchange
    ) -> Bool {
        guard route.policy.isForListedAddresses, !readers.isEmpty else { return false }
        let client = exchange.client(of: request)
        // Whoever hides from a proxy who they are must not pass for the proxy.
        if client == exchange.peer, exchange.comesThroughProxy { return false }
        return readers.contains { $0.contains(client) }
    }

    /// Why a stranger is not even told who they would have to be; nil when they are.
    @inline(never)
    private func throttled(_ request: borrowing HTTPRequest, _ exchange: borrowing Exchange) -> Problem? {
        throttles?.refusal(ofStrangerAt: exchange.client(of: request), now: exchange.beganMicroseconds)
    }

    /// Answers a request that no route takes.
    private mutating func answer(
        _ request: borrowing HTTPRequest, without match: Router.Match, of caller: Caller?, _ exchange: inout Exchange,
        _ stranger: Problem
    ) -> Admission {
        if answersPreflight(request, of: caller, &exchange) { return .answered }
        if let problem = refusal(of: request, .anyCaller, caller, exchange, stranger) {
            note(problem, request, caller, exchange)
            return refuse(&exchange, problem)
        }
        if case .methodNotAllowed(let allow) = match { return refuse(request, allowing: allow, &exchange) }
        // The whole server is meant (RFC 9110 section 9.3.7).
        guard request.path.hasSameBytes(as: "*") else { return refuse(&exchange, nowhere) }
        counter.count(router.noLabel, 204, exchange)
        exchange.respond(HTTPResponse(status: .noContent, fields: [("Allow", Router.methods)]))
        return .answered
    }

    /// Answers a browser that asks, without a credential of its page, whether that may call a route of this path. Any
    /// other response at such a path is a page's to read as the route's own are.
    private mutating func answersPreflight(
        _ request: borrowing HTTPRequest, of caller: Caller?, _ exchange: inout Exchange
    ) -> Bool {
        guard let pages, let methods = router.methodsForListedPages(at: request.path) else { return false }
        guard hostCheck.admits(request, from: exchange.peer),
            pages.answersPreflight(request, of: caller, allowing: methods, &exchange)
        else {
            _ = pages.admits(request, of: caller, &exchange)
            return false
        }
        counter.count(router.noLabel, 204, exchange)
        return true
    }

    /// A path that has other methods: 405, or the list of them for `OPTIONS` (RFC 9110 section 9.3.7).
    private func refuse(
        _ request: borrowing HTTPRequest, allowing allow: String, _ exchange: inout Exchange
    ) -> Admission {
        if request.method == .options {
            counter.count(router.noLabel, 204, exchange)
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
    private func refuse(_ exchange: inout Exchange, _ problem: Problem, _ label: Int? = nil) -> Admission {
        counter.refuse(&exchange, label ?? router.noLabel, problem)
        return .answered
    }
}

extension RoutePolicy.Content {
    /// What the transport allows it.
    ///
    /// - Parameter bytes: in place of the route's own.
    fileprivate func upload(_ bytes: Int?) -> HTTPUpload? {
        guard case .upload(let own, let time) = self else { return nil }
        return HTTPUpload(bytes: bytes ?? own, time: time)
    }
}

extension Problem {
    /// A path without a route.
    package static let routeNotFound = Problem(
        .routeNotFound, "no route of this server has this path; GET /openapi.json lists them all")

    /// A method that this server does not know.
    package static let unknownMethod = Problem(.notImplemented, "no route of this server has this method")

    /// A caller who may not do this in any environment, or not in all where that is needed.
    package static let forbidden = Problem(
        .forbidden,
        "whoever sent this may not do it in any environment, or not in all where all are concerned; a person with a "
            + "first password, or without the second factor that their roles need, sees to that first (/api/account, "
            + "or `flag-server account`)")
}
