import Access
import Evaluation
import HTTPRouting
import HTTPTransport
import Platform
import Telemetry

extension LoopHandler {
    /// Answers one request that was admitted, as its route does.
    func handle(_ request: borrowing HTTPRequest, _ token: UInt64, _ exchange: inout Exchange) {
        let route = parts.routes.router.routes[Int(truncatingIfNeeded: token)]
        guard let parameters = route.pattern.match(request.path) else {
            return refuse(&exchange, route.label, .routeNotFound)
        }
        switch parts.routes.actions[route.number] {
        case .evaluate(let kind):
            guard request.hasContentCoding else {
                return evaluator.answer(kind, label: route.label, request, parameters, &exchange)
            }
            answerCoded(request, route, &exchange) { request, exchange in
                evaluator.answer(kind, label: route.label, request, parameters, &exchange)
            }
        case .onLoop(let action): action(self, route, &exchange)
        case .onWorker(let action): handOver(request, parameters, route, action, &exchange)
        }
    }

    /// Answers on the loop with content that was coded.
    @inline(never)
    private func answerCoded(
        _ request: borrowing HTTPRequest, _ route: Route, _ exchange: inout Exchange,
        _ answer: (borrowing HTTPRequest, inout Exchange) -> Void
    ) {
        guard !request.body.isEmpty else { return answer(request, &exchange) }
        let content: [UInt8]
        do throws(Problem) {
            content = try CodedContent.decoded(request.body, request.contentCoding, atMost: contentMaximum(of: route))
        } catch {
            return refuse(&exchange, route.label, error)
        }
        content.withUnsafeBytes { answer(request.withContent($0), &exchange) }
    }

    /// How many bytes the content of a route may have.
    private func contentMaximum(of route: Route) -> Int {
        if case .upload(let bytes, _) = route.policy.content { bytes } else { parts.contentBytes }
    }

    /// Content from this size on makes work that keeps a worker for long.
    private static let largeContentBytes = 64 * 1024

    /// Runs an action on a worker queue and answers when it replies. The connection waits meanwhile, the loop does not.
    private func handOver(
        _ request: borrowing HTTPRequest, _ parameters: PathParameters, _ route: Route,
        _ action: @escaping @Sendable (AdministrationRequest, Reply) throws(Problem) -> Void,
        _ exchange: inout Exchange
    ) {
        let watch = route.policy.answerTime.map { _ in AnswerWatch() }
        let copy: AdministrationRequest
        do throws(Problem) {
            copy = try AdministrationRequest(
                request, parameters, of: parts.anybody ?? .stranger, from: exchange.client(of: request),
                named: exchange.requestID, for: route, watch: watch)
        } catch {
            return refuse(&exchange, route.label, error)
        }
        let event = AdministrationEvent(copy, request, route.policy.audit)
        let answer = exchange.deferred(within: route.policy.answerTime, watch: watch)
        let began = exchange.beganMicroseconds
        let reply = Reply { [parts, label = route.label, requestID = copy.requestID] result in
            let response: HTTPResponse
            switch result {
            case .success(let success): response = success
            case .failure(let problem): response = HTTPResponse(problem, requestID: requestID)
            }
            parts.metrics.requests.countShared(
                label, response.status.code, SystemClock.monotonicMicroseconds - began, in: parts.metrics.workers)
            answer.complete(response)
            parts.reportAdministration(event, response.status.code)
        }
        let isLarge = route.policy.lane == .usual && request.body.count >= Self.largeContentBytes
        let maximum = contentMaximum(of: route)
        let isTaken = parts.workers.submit(isLarge ? .large : route.policy.lane) {
            do throws(Problem) {
                var request = copy
                try request.decode(atMost: maximum)
                try action(request, reply)
            } catch {
                reply(.failure(error))
            }
        }
        if !isTaken { reply(.failure(.overloaded)) }
    }
}
