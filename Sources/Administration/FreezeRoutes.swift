import Access
import ChangeControl
import DynamoModel
import FlagCore
import HTTPRouting
import HTTPTransport
import JSON

/// Times in which an environment stays as it is.
enum FreezeRoutes {
    /// The routes.
    static let routes = [
        AdministrationRoute(.get, "/api/freezes", "listFreezes", .reading("freezes"), list),
        AdministrationRoute(.post, "/api/freezes", "createFreeze", changing, create),
        AdministrationRoute(.delete, "/api/freezes/{freezeId}", "endFreeze", changing, end),
    ]

    private static let changing = RoutePolicy.changing("freezes", .administer)

    private static func list(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let environment = try request.namedEnvironment()
        if let environment, request.caller.readScope(in: environment) == nil {
            throw .forbidden(.read, in: environment)
        }
        let now = administration.now()
        let freezes = try administration.onFreezes { $0.all }.filter { freeze in
            (environment ?? freeze.environment) == freeze.environment
                && request.caller.permissions(in: freeze.environment).contains(.read)
        }
        return .respond(.json(["freezes": .array(freezes.map { $0.json(at: now) })]))
    }

    private static func create(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let now = administration.now()
        let draft = try request.draft { json throws(DefinitionIssues) in try FreezeDraft(json: json, at: now) }
        let scope = try request.scope(in: draft.environment, administration, because: draft.reason)
        let freeze = try administration.onFreezes { (freezes) throws(FreezeError) in
            try freezes.create(draft, by: scope.principal, at: now)
        }
        return .respond(
            .json(freeze.json(at: now), status: .created, fields: [("Location", "/api/freezes/\(freeze.id)")]))
    }

    private static func end(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let id = request.path["freezeId"] ?? ""
        let found = try administration.onFreezes { (freezes) throws(FreezeError) in try freezes.find(id) }
        let scope = try request.scope(in: found.environment, administration)
        let freeze = try administration.onFreezes { (freezes) throws(FreezeError) in
            try freezes.end(id, by: scope.principal, at: scope.instant)
        }
        return .respond(.json(freeze.json(at: scope.instant)))
    }
}

extension Administration {
    /// Works with freezes; what goes wrong becomes a problem.
    fileprivate func onFreezes<Result>(
        _ work: (FreezeStore) throws(FreezeError) -> Result
    ) throws(Problem) -> Result {
        do throws(TableError) { try gate.start() } catch { throw Problem(error) }
        do throws(FreezeError) { return try work(gate.freezes) } catch { throw Problem(error) }
    }
}
