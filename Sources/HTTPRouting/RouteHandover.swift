import Access
import HTTPTransport
import Platform
import Telemetry

/// Hands requests from an event loop to workers, and their answers back: the connection waits meanwhile, the loop does
/// not.
package struct RouteHandover: Sendable {
    /// What a route does on a worker, with a copy of the request: may block. What it throws is the response; else it
    /// answers through the reply, now or later.
    package typealias Action = @Sendable (AdministrationRequest, Reply) throws(Problem) -> Void

    private let workers: WorkerPool
    private let metrics: RequestMetrics
    private let counters: CounterBlock
    private let contentBytes: Int
    private let uploadBytes: Int?
    private let report: @Sendable (AdministrationEvent, UInt16) -> Void
    private let record: Record

    /// Takes what an audit log is to have of a request, with its status, before it is answered; then it calls back. It
    /// must not block.
    package typealias Record = @Sendable (AdministrationEvent, UInt16, _ answer: @escaping @Sendable () -> Void) -> Void

    /// Content from this size on makes work that keeps a worker for long.
    private static let largeContentBytes = 64 * 1024

    /// A way to workers.
    ///
    /// - Parameters:
    ///   - counters: where answers are counted, by several threads.
    ///   - contentBytes: bytes that the content of a request may have, where its route says nothing else.
    ///   - uploadBytes: bytes of files, in place of what the routes say.
    ///   - record: takes what an audit log is to have of each.
    ///   - report: told of each request when it is answered, with the status.
    package init(
        to workers: WorkerPool, _ metrics: RequestMetrics, _ counters: CounterBlock, contentBytes: Int,
        uploadBytes: Int? = nil, record: @escaping Record = { $2() },
        report: @escaping @Sendable (AdministrationEvent, UInt16) -> Void
    ) {
        self.record = record
        self.workers = workers
        self.metrics = metrics
        self.counters = counters
        self.contentBytes = contentBytes
        self.uploadBytes = uploadBytes
        self.report = report
    }

    /// How many bytes the content of a route may have.
    package func contentMaximum(of route: Route) -> Int {
        if case .upload(let bytes, _) = route.policy.content { uploadBytes ?? bytes } else { contentBytes }
    }

    /// Runs an action on a worker and answers when it replies.
    ///
    /// - Throws: a problem when the request cannot be read; then it is not answered.
    package func callAsFunction(
        _ request: borrowing HTTPRequest, _ parameters: PathParameters, _ route: Route, of caller: Caller,
        _ action: @escaping Action, _ exchange: inout Exchange
    ) throws(Problem) {
        var copy = try AdministrationRequest(
            request, parameters, of: caller, from: exchange.client(of: request), named: exchange.requestID,
            isSecure: exchange.isSecure, for: route)
        let event = AdministrationEvent(copy, request, route)
        let began = exchange.beganMicroseconds
        let send = answering(request, route, &copy, &exchange)
        let reply = Reply {
            [metrics, counters, report, record, label = route.label, requestID = copy.requestID] result in
            let response: HTTPResponse
            switch result {
            case .success(let success): response = success
            case .failure(let problem): response = HTTPResponse(problem, requestID: requestID)
            }
            metrics.countShared(
                label, response.status.code, SystemClock.monotonicMicroseconds - began, in: counters)
            record(event, response.status.code) {
                send(response)
                report(event, response.status.code)
            }
        }
        let isLarge = route.policy.lane == .usual && request.body.count >= Self.largeContentBytes
        let maximum = contentMaximum(of: route)
        let isTaken = workers.submit(isLarge ? .large : route.policy.lane) { [copy] in
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

    /// Where the response goes: as a whole when it is there, or behind lines that tell how far the work is, where the
    /// route does long work and the client wants to know.
    private func answering(
        _ request: borrowing HTTPRequest, _ route: Route, _ copy: inout AdministrationRequest,
        _ exchange: inout Exchange
    ) -> @Sendable (HTTPResponse) -> Void {
        if route.policy.tellsProgress, ProgressStream.isWanted(by: request) {
            let stream = ProgressStream(&exchange)
            copy.isAwaited = { stream.isRead }
            copy.follow = { stream.follow($0) }
            return { stream.finish($0) }
        }
        let watch = route.policy.responseTime.map { _ in ResponseWatch() }
        if let watch { copy.isAwaited = { watch.isAwaited } }
        let response = exchange.deferred(within: route.policy.responseTime, watch: watch)
        return { response.complete($0) }
    }
}
