import HTTPTransport
import JSON

/// The long work that is under way, for whoever wants to see it or have it stop.
enum WorkRoutes {
    /// The routes.
    static let routes = [
        Route(
            .get, "/api/work", in: .work,
            Operation(
                id: "listWork", summary: "Lists the long work that is under way: imports, backups, restores.",
                answers: [.init(status: 200, meaning: "All of it, the oldest first.", schema: "WorkList")]),
            .onWorker { _, service, reply in reply(.json(service.work.json.serializedBytes())) }),
        Route(
            .delete, "/api/work/{workId}", in: .work,
            Operation(
                id: "cancelWork", summary: "Has a piece of long work stop.",
                detail: "It stops between two transactions and says to whoever waits for it how much is done, which "
                    + "stays. Doing the same again does the rest.",
                answers: [.init(status: 202, meaning: "It will stop at its next step.", schema: "Work")],
                problems: [.workNotFound]),
            .onWorker(cancel)),
    ]

    private static func cancel(
        _ request: AdministrationRequest, _ service: FlagService, _ reply: Reply
    ) throws(Problem) {
        let id = request.path["workId"] ?? ""
        guard let entry = service.work.cancel(id, by: request.clientName(service)) else {
            throw Problem(.workNotFound, WorkList.unknown(id))
        }
        reply(.json(entry.json.serializedBytes(), status: .accepted))
    }
}
