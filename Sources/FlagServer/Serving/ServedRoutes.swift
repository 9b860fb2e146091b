import Access
import Administration
import CAPIDocument
import Evaluation
import HTTPRouting
import HTTPTransport
import JSON

/// All routes of the program with what each does: put together once, shared by all event loops.
struct ServedRoutes: Sendable {
    /// How a request is answered.
    enum Action: Sendable {
        /// By the loop's evaluator.
        case evaluate(EvaluationKind)
        /// At once, on the event loop: must not block.
        case onLoop(@Sendable (LoopHandler, borrowing Route, Caller, inout Exchange) -> Void)
        /// On a worker queue, with a copy of the request: may block. What it throws is the response; else it answers
        /// through the reply, now or later.
        case onWorker(@Sendable (AdministrationRequest, Reply) throws(Problem) -> Void)
    }

    /// The routing table.
    let router: Router
    /// What each route does, by its number.
    let actions: [Action]

    /// All routes, those of evaluation first.
    ///
    /// - Parameters:
    ///   - document: what describes them.
    ///   - administration: what those of administration work with.
    ///   - metrics: makes the response of `GET /metrics`; may block.
    init(
        _ document: APIDocument, _ administration: Administration, metrics: @escaping @Sendable () -> HTTPResponse
    ) {
        var table = EvaluationRoute.all.map { ($0.declaration, Action.evaluate($0.kind)) }
        table += ServedRoutes.operations(metrics)
        table += AdministrationRoute.all.map { route in
            (
                route.declaration,
                .onWorker { (request, reply) throws(Problem) in try route.run(request, administration, reply) }
            )
        }
        router = Router(table.map(\.0), describedBy: document)
        actions = table.map(\.1)
    }

    /// The rows of the table alone.
    static var declarations: [RouteDeclaration] {
        EvaluationRoute.all.map(\.declaration)
            + operations { HTTPResponse(status: .ok) }.map(\.0) + AdministrationRoute.all.map(\.declaration)
    }

    /// The patterns of their paths, by their numbers.
    static var patterns: [String] { declarations.map(\.pattern.text.description) }

    /// What their requests are counted under.
    static var labels: [String] { Router.labels(of: declarations) }

    /// What operators and their machines ask: health, metrics, and the description of all routes.
    private static func operations(
        _ metrics: @escaping @Sendable () -> HTTPResponse
    ) -> [(RouteDeclaration, Action)] {
        let health = RoutePolicy("health", .open).with {
            $0.audit = .none
            $0.rate = .none
            $0.isEssential = true
        }
        let scrape = RoutePolicy("metrics", .needsEverywhere(.read)).with {
            $0.isEssential = true
            $0.isForListedAddresses = true
        }
        let report: Action = .onLoop { handler, route, caller, exchange in
            handler.reportHealth(route, to: caller, &exchange)
        }
        return [
            (RouteDeclaration(.get, "/health", "getHealth", health), report),
            (
                RouteDeclaration(.get, "/health/live", "getLiveness", health),
                .onLoop { handler, route, _, exchange in handler.reportLife(route, &exchange) }
            ),
            (RouteDeclaration(.get, "/health/ready", "getReadiness", health), report),
            (RouteDeclaration(.get, "/metrics", "getMetrics", scrape), .onWorker { _, reply in reply(metrics()) }),
            (
                RouteDeclaration(.get, "/openapi.json", "getOpenAPI", RoutePolicy("openapi", .anyCaller)),
                .onLoop { handler, route, _, exchange in handler.describeRoutes(route, &exchange) }
            ),
        ]
    }
}

extension APIDocument {
    /// The document that is compiled into the program.
    ///
    /// - Parameter version: the program's.
    static func ofProgram(version: String) -> APIDocument {
        let bytes = UnsafeRawBufferPointer(start: api_document_bytes, count: Int(api_document_count))
        do throws(JSONError) { return try APIDocument(bytes, version: version) } catch {
            preconditionFailure("the API document is no JSON: \(error)")
        }
    }
}
