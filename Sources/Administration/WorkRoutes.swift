import Access
import HTTPRouting
import HTTPTransport
import JSON

/// The long work that is under way, for whoever wants to see it or have it stop.
enum WorkRoutes {
    /// The routes.
    static let routes = [
        AdministrationRoute(.get, "/api/work", "listWork", looking, list),
        AdministrationRoute(.delete, "/api/work/{workId}", "cancelWork", stopping, cancel),
    ]

    // What is under way may be of any environment.
    private static let looking = RoutePolicy("work", .needsEverywhere(.read))
    private static let stopping = RoutePolicy("work", .needsEverywhere(.administer)).with { $0.audit = .work }

    private static func list(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        return .respond(.json(administration.work.json.serializedBytes()))
    }

    private static func cancel(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let id = request.path["workId"] ?? ""
        guard let entry = administration.work.cancel(id, by: request.clientName) else {
            throw Problem(.workNotFound, WorkList.unknown(id))
        }
        return .respond(.json(entry.json.serializedBytes(), status: .accepted))
    }
}
