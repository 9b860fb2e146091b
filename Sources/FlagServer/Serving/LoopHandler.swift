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
        let handover: RouteHandover
        /// What `/health` says.
        let health: Health
        /// The OpenAPI document.
        let document: APIDocument
        /// What clients may call the server by.
        let hosts: ServedHosts
        /// Who calls where no request says who does; nil where each has to.
        let anybody: Caller?
    }

    let parts: Parts
    /// Answers evaluations.
    let evaluator: Evaluator
    /// Where requests are counted that it answers by itself.
    let counter: RequestCounter
    /// Decides who comes in.
    private var gate: RouteGate

    /// A handler over an evaluator of the same loop.
    init(_ parts: Parts, evaluator: Evaluator, counters: CounterBlock) {
        self.parts = parts
        self.evaluator = evaluator
        counter = RequestCounter(parts.metrics.requests, in: counters)
        gate = RouteGate(
            parts.routes.router, counter, hosts: parts.hosts,
            strangers: .unauthorized)
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

    /// Decides on a request before its content is read.
    func admit(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) -> Admission {
        gate.admit(request, of: parts.anybody, &exchange)
    }
}

extension Problem {
    /// A request that would have to prove who sends it.
    static let unauthorized = Problem(
        .unauthorized,
        "authentication is on (--auth on), but this version of flag-server has no API keys yet, so every request but "
            + "/health is refused; to use it, listen on a loopback address with --auth off",
        headerFields: [("WWW-Authenticate", "Bearer realm=\"flag-server\"")])
}
