import Access
import Evaluation
import HTTPRouting
import HTTPTransport
import Platform
import Telemetry

extension LoopHandler {
    /// Answers one request that was admitted, as its route does.
    func handle(_ request: borrowing HTTPRequest, _ token: UInt64, _ exchange: inout Exchange) {
        let route = dependencies.routes.router.routes[Int(truncatingIfNeeded: token & 0xFFFF)]
        guard let parameters = route.pattern.match(request.path) else {
            return counter.refuse(&exchange, route.label, .routeNotFound)
        }
        let caller = caller(of: token, request, isSecure: exchange.isSecure)
        // A key that ended while the content was under way.
        guard caller != nil || route.policy.access == .open || gate.isForListedAddress(route, request, exchange) else {
            return counter.refuse(&exchange, route.label, .unauthorized)
        }
        switch dependencies.routes.actions[route.number] {
        case .evaluate(let kind):
            guard request.hasContentCoding else {
                return evaluator.answer(
                    kind, of: caller ?? .stranger, label: route.label, request, parameters, &exchange)
            }
            answerCoded(request, route, &exchange) { request, exchange in
                evaluator.answer(
                    kind, of: caller ?? .stranger, label: route.label, request, parameters, &exchange)
            }
        case .onLoop(let action): action(self, route, caller ?? .stranger, &exchange)
        case .onWorker(let action):
            do throws(Problem) {
                try dependencies.handover(request, parameters, route, of: caller ?? .stranger, action, &exchange)
            } catch {
                counter.refuse(&exchange, route.label, error)
            }
        }
    }

    /// Answers on the loop with content that was coded.
    @inline(never)
    private func answerCoded(
        _ request: borrowing HTTPRequest, _ route: Route, _ exchange: inout Exchange,
        _ respond: (borrowing HTTPRequest, inout Exchange) -> Void
    ) {
        guard !request.body.isEmpty else { return respond(request, &exchange) }
        let content: [UInt8]
        do throws(Problem) {
            content = try CodedContent.decoded(
                request.body, request.contentCoding, atMost: dependencies.handover.contentMaximum(of: route))
        } catch {
            return counter.refuse(&exchange, route.label, error)
        }
        content.withUnsafeBytes { respond(request.withContent($0), &exchange) }
    }
}
