import Access
import AccessStore
import Bytes
import DynamoModel
import Evaluation
import FlagCache
import FlagCore
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
        /// Keys have changed.
        case keys(KeyRing)
        /// The signature of a token was checked.
        case token(TokenVerdict)
        /// An issuer of tokens has other keys.
        case issuerKeys
        /// Sessions have changed.
        case sessions(SessionRing)
        /// Accounts have changed.
        case users(UserRing)
        /// The operator lets in other pages and other readers of metrics.
        case doors(PageOrigins, readers: [AddressRange])
        /// Somebody waits for what this loop counted, and is told when it can be read.
        case publish(done: @Sendable () -> Void)
    }

    /// What the handlers of all loops share.
    struct Dependencies: Sendable {
        /// The routes with what they do.
        let routes: ServedRoutes
        /// Where things are counted.
        let metrics: ServerMetrics
        /// Where work may block.
        let handover: RouteHandover
        /// What `/health` says.
        let health: Health
        /// The OpenAPI document.
        let document: APIDocument
        /// What clients may call the server by.
        let hosts: ServedHosts
        /// The origins whose pages may have flags evaluated.
        let pages: PageOrigins
        /// From where metrics are read without a key.
        let readers: [AddressRange]
        /// What callers are checked by; nil where everybody may do everything.
        let access: ServedAccess?
        /// Told of whoever is refused for lack of rights; nil where nobody wants to know.
        let noteRefusal: RouteGate.NoteRefusal?
    }

    let dependencies: Dependencies
    /// Answers evaluations.
    let evaluator: Evaluator
    /// Where requests are counted that it answers by itself.
    let counter: RequestCounter
    /// Decides who comes in.
    private(set) var gate: RouteGate
    /// Who has shown a key on this loop; nil where nobody is asked for one.
    var callers: CallerTable?
    /// Requests whose tokens are being checked.
    var waitingTokens = WaitingTokens()
    /// The loop itself.
    let loop: LoopContext
    /// Sends the handler a message from any thread.
    let sendToSelf: @Sendable (Message) -> Void

    /// A handler over an evaluator of the same loop.
    ///
    /// - Parameters:
    ///   - loop: the loop itself.
    ///   - sendToSelf: sends the handler a message from any thread.
    init(
        _ dependencies: Dependencies, evaluator: Evaluator, counters: CounterBlock, loop: LoopContext,
        sendToSelf: @escaping @Sendable (Message) -> Void
    ) {
        self.dependencies = dependencies
        self.loop = loop
        self.sendToSelf = sendToSelf
        self.evaluator = evaluator
        counter = RequestCounter(dependencies.metrics.requests, in: counters)
        gate = RouteGate(
            dependencies.routes.router, counter, hosts: dependencies.hosts, pages: dependencies.pages,
            throttles: dependencies.access?.throttles, readers: dependencies.readers,
            noteRefusal: dependencies.noteRefusal)
        callers = dependencies.access.map {
            CallerTable($0.keys.ring, $0.digests, tokens: $0.tokens, noteUse: $0.keys.noteUse)
        }
        if let access = dependencies.access {
            callers?.replace(access.users.ring)
            callers?.replace(access.sessions.ring)
        }
    }

    func receive(_ message: Message) {
        switch message {
        case .cache(let update): evaluator.apply(update)
        case .turn: evaluator.takeTurn()
        case .keys(let ring): callers?.replace(ring)
        case .token(let verdict): take(verdict)
        case .issuerKeys: callers?.forgetTokens()
        case .sessions(let ring): callers?.replace(ring)
        case .users(let ring): callers?.replace(ring)
        case .doors(let pages, let readers): gate.replace(pages: pages, readers: readers)
        case .publish(let done):
            evaluator.publishStatistics()
            done()
        }
    }

    /// Decides on a request before its content is read.
    func admit(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) -> Admission {
        guard callers != nil else {
            return gate.admit(request, of: .anonymous, &exchange, stranger: .unauthorized)
        }
        let found = identify(request, isSecure: exchange.isSecure)
        guard case .caller(let caller, let ticket)? = found else {
            if case .unchecked(let token)? = found { return decide(on: token, request, &exchange) }
            return gate.admit(request, of: nil, &exchange, stranger: .unauthorized(found, request))
        }
        if let end = caller.endsAt { tell(of: end, &exchange) }
        let admission = gate.admit(request, of: caller, &exchange, stranger: .unauthorized)
        guard case .taken(let route, let upload) = admission else { return admission }
        return .taken(token: route | ticket.bits << 16, upload: upload)
    }

    /// Refuses a token that was found wrong elsewhere, or has its request wait until that is known.
    @inline(never)
    private func decide(
        on token: PresentedToken, _ request: borrowing HTTPRequest, _ exchange: inout Exchange
    ) -> Admission {
        guard let fault = waitingTokens.takeFault(of: token.digest) else { return park(token, request, &exchange) }
        return gate.admit(request, of: nil, &exchange, stranger: .refused(fault))
    }

    /// Who sent a request that was admitted; nil when they may not come in any more.
    func caller(of token: UInt64, _ request: borrowing HTTPRequest, isSecure: Bool) -> Caller? {
        // Asked in place: a copy of the table would hold all that is in it.
        guard callers != nil else { return .anonymous }
        let now = evaluator.now.millisecondsSinceEpoch
        if let caller = callers?.caller(CallerTable.Ticket(bits: token >> 16), now: now) { return caller }
        guard case .caller(let caller, _)? = identify(request, isSecure: isSecure) else { return nil }
        return caller
    }

    /// Has the response say when the caller's key ends, where that is soon.
    @inline(__always)
    private func tell(of end: Timestamp, _ exchange: inout Exchange) {
        let left = end.millisecondsSinceEpoch - evaluator.now.millisecondsSinceEpoch
        guard left < KeyRing.noticeMilliseconds else { return }
        exchange.attach(AttachedFields([("API-Key-Expires", end.rfc3339)]))
    }

    /// Whoever the request's credential is of; nil when it shows none.
    @inline(__always)
    private func identify(_ request: borrowing HTTPRequest, isSecure: Bool) -> CallerTable.Found? {
        let now = evaluator.now.millisecondsSinceEpoch
        return Credential.with(of: request) { credential in
            switch credential {
            case .none: findSession(request, isSecure: isSecure, now: now)
            case .key(let text): callers?.find(text, now: now)
            case .otherScheme, .ambiguous: .unknown
            }
        }
    }
}

extension Problem {
    /// How to say who sends a request (RFC 9110 section 11.6.1).
    private static let challenge = [("WWW-Authenticate", "Bearer realm=\"flag-server\"")]

    /// A request that would have to show who sends it.
    static let unauthorized = Problem(
        .unauthorized,
        "send an API key: Authorization: Bearer KEY, or X-API-Key: KEY; on the server's machine `flag-server keys "
            + "create --help` makes one",
        headerFields: challenge)

    /// Why what was shown does not do.
    static func unauthorized(_ found: CallerTable.Found?, _ request: borrowing HTTPRequest) -> Problem {
        switch found {
        case nil where request.query.map(hasKey) ?? false:
            Problem(
                .keyInQuery,
                "an API key in a URL ends up in logs and histories: revoke it, and send another as Authorization: "
                    + "Bearer KEY")
        case nil, .caller, .unchecked: .unauthorized
        case .refused(let fault): .refused(fault)
        case .foreignPage: .foreignOrigin
        case .unknown where Credential.isAmbiguous(in: request):
            Problem(
                .ambiguousCredential,
                "several credentials came with this: send one Authorization field, or one X-API-Key, and not both with "
                    + "different keys")
        case .unknown:
            Problem(
                .unauthorized,
                "this is no API key of this server, or it ended days ago, or was mistyped or cut off; "
                    + "`flag-server keys create` makes one",
                headerFields: challenge)
        case .expired(let time):
            Problem(
                .unauthorized, "this API key ended at \(time); `flag-server keys create` makes another",
                headerFields: challenge)
        case .replaced(let time):
            Problem(
                .unauthorized, "this secret was replaced (keys rotate), and ended at \(time): use the new one",
                headerFields: challenge)
        case .revoked: Problem(.unauthorized, "this API key was revoked", headerFields: challenge)
        }
    }

    private static func hasKey(_ query: UnsafeRawBufferPointer) -> Bool {
        String(decoding: query, as: UTF8.self).contains(KeyText.prefix)
    }
}
