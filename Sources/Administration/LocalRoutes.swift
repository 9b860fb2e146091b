import Access
import Bytes
import Dispatch
import DynamoModel
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON
import Platform

/// A request for a route of administration, as a command makes one.
package struct RouteRequest: Sendable {
    /// The method.
    package let method: HTTPMethod
    /// The path, percent-encoded.
    package let path: String
    /// The query's parameters, as they are.
    package let query: [(name: String, value: String)]
    /// The content; nil for none.
    package let body: [UInt8]?
    /// Why something is changed, as whoever asks says.
    package var reason: String?
    /// Whether it cannot wait for anybody.
    package var isEmergency = false
    /// Whether it may take long, and whoever asks wants to see how far it is.
    package private(set) var isLong = false

    /// The same for what may take long.
    package var inLongWork: RouteRequest {
        var request = self
        request.isLong = true
        return request
    }

    /// A request.
    package init(
        _ method: HTTPMethod, _ path: String, query: [(name: String, value: String?)] = [], body: [UInt8]? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query.compactMap { name, value in value.map { (name, $0) } }
        self.body = body
    }

    /// The query, percent-encoded; nil for none.
    package var encodedQuery: String? {
        query.isEmpty
            ? nil : query.map { "\($0.name)=\(PercentEncoding.encodedSegment($0.value))" }.joined(separator: "&")
    }
}

/// The routes of administration in this process, without a socket: for whoever opened the store itself.
package struct LocalRoutes: Sendable {
    private let administration: Administration
    private let routes = AdministrationRoute.all
    private let router: Router

    /// The routes over a store.
    package init(_ administration: Administration, describedBy document: APIDocument) {
        self.administration = administration
        router = Router(routes.map(\.declaration), describedBy: document)
    }

    /// Does what a route does. Blocks until it is done.
    ///
    /// - Parameters:
    ///   - caller: who asks.
    ///   - follow: takes what says how far long work is.
    package func answer(
        _ request: RouteRequest, of caller: Caller,
        follow: (@Sendable (@escaping @Sendable () -> JSONValue) -> Void)? = nil
    ) -> HTTPResponse {
        let id = RequestID.random()
        do throws(Problem) {
            return try run(request, of: caller, named: id, follow)
        } catch {
            return HTTPResponse(error, requestID: id)
        }
    }

    private func run(
        _ request: RouteRequest, of caller: Caller, named id: RequestID,
        _ follow: (@Sendable (@escaping @Sendable () -> JSONValue) -> Void)?
    ) throws(Problem) -> HTTPResponse {
        var (copy, route) = try copy(of: request, of: caller, named: id)
        copy.follow = follow
        try copy.give(reason: request.reason)
        copy.isEmergency = request.isEmergency
        let done = DispatchSemaphore(value: 0)
        let response = Locked<Result<HTTPResponse, Problem>?>(nil)
        let reply = Reply { result in
            response.withLock { $0 = result }
            done.signal()
        }
        let event = AdministrationEvent(
            copy, request.method.name, [request.path, request.encodedQuery].compactMap(\.self).joined(separator: "?"),
            route)
        do throws(Problem) {
            try routes[route.number].run(copy, administration, reply)
        } catch {
            record(event, error.code.status)
            throw error
        }
        done.wait()
        guard let result = response.withLock({ $0 }) else { throw Problem(.internalError, "there was no answer") }
        switch result {
        case .success(let response): record(event, response.status.code)
        case .failure(let problem): record(event, problem.code.status)
        }
        return try result.get()
    }

    /// Has the audit log told of a request, and waits until it is.
    private func record(_ event: AdministrationEvent, _ status: UInt16) {
        let done = DispatchSemaphore(value: 0)
        administration.record(event, status) { done.signal() }
        done.wait()
    }

    private func copy(
        of request: RouteRequest, of caller: Caller, named id: RequestID
    ) throws(Problem) -> (AdministrationRequest, Route) {
        let path = Array(request.path.utf8)
        let query = request.encodedQuery.map { Array($0.utf8) }
        return try path.withUnsafeBufferPointer { (path) throws(Problem) in
            guard case .route(let route, let parameters) = router.match(request.method, UnsafeRawBufferPointer(path))
            else { throw .routeNotFound }
            guard route.policy.access.verdict(on: caller) == .admitted else { throw .forbidden }
            let make = { (query: UnsafeRawBufferPointer?) throws(Problem) in
                try AdministrationRequest(
                    parameters, query, request.body ?? [], of: caller, from: .unix, named: id, for: route)
            }
            guard let query else { return (try make(nil), route) }
            return (
                try query.withUnsafeBufferPointer { (query) throws(Problem) in
                    try make(UnsafeRawBufferPointer(query))
                }, route
            )
        }
    }
}
