import Access
import ChangeControl
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

/// Changes that are to be made at an instant.
enum ScheduleRoutes {
    private static let reading = RoutePolicy.reading("schedules")
    /// Whoever changes something needs what its operation needs, which its body says.
    private static let changing = reading.with { $0.audit = .change }

    /// The routes.
    static let routes = [
        AdministrationRoute(.get, "/api/schedules", "listSchedules", reading, list),
        AdministrationRoute(.post, "/api/schedules", "createSchedule", changing, create),
        AdministrationRoute(.get, "/api/schedules/{scheduleId}", "getSchedule", reading, get),
        AdministrationRoute(.patch, "/api/schedules/{scheduleId}", "patchSchedule", changing, patch),
        AdministrationRoute(.delete, "/api/schedules/{scheduleId}", "cancelSchedule", changing, cancel),
    ]

    private static func list(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let stored = try request.stored(administration)
        let text = request.query["state"] ?? Schedule.State.waiting.rawValue
        guard let selection = ScheduleQuery.Selection(text) else {
            throw .invalidQuery([
                .init(pointer: "?state", detail: "must be one of \(ScheduleQuery.Selection.names), not \"\(text)\"")
            ])
        }
        let query = ScheduleQuery(
            selection, in: stored.environment, flagKey: try request.text("flag", .flagKey),
            tenant: request.caller.tenant, limit: try request.limit(), cursor: request.cursor)
        let page = try administration.onSchedules { () throws(ScheduleError) in
            try administration.schedules.page(query)
        }
        return .respond(
            .json([
                "schedules": .array(page.schedules.map(\.json)),
                "nextCursor": page.nextCursor.map { .string($0) } ?? .null,
            ]))
    }

    private static func create(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let now = administration.now()
        let draft = try request.draft { json throws(DefinitionIssues) in try ScheduleDraft(json: json, at: now) }
        if let named = draft.environment, let other = draft.operation.bodyEnvironment, named != other {
            throw .invalidBody([
                .init(
                    pointer: "/operation/body/environment",
                    detail: "is \(other.rawValue), but the schedule is for \(named.rawValue)")
            ])
        }
        let environment = try request.environment(
            administration, body: draft.environment ?? draft.operation.bodyEnvironment)
        let scope = try request.scope(
            doing: draft.operation, in: environment, administration, because: draft.reason ?? draft.operation.reason)
        let planned = try administration.schedule(draft, in: scope, bodyAt: "/operation/body")
        return .respond(.planned(planned, status: .created))
    }

    private static func get(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let schedule = try request.schedule(administration)
        return request.isKnown(schedule.entityTag) ? .notModified(schedule.entityTag) : .respond(.schedule(schedule))
    }

    private static func patch(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let now = administration.now()
        let edit = try request.draft { json throws(DefinitionIssues) in try ScheduleEdit(json: json, at: now) }
        let (schedule, scope) = try request.waitingSchedule(administration)
        return .respond(.schedule(try administration.reschedule(schedule, edit, in: scope)))
    }

    private static func cancel(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let (schedule, scope) = try request.waitingSchedule(administration)
        let cancelled = schedule.ended(
            .cancelled, at: scope.instant, because: request.reason, by: scope.principal)
        try administration.onSchedules { () throws(ScheduleError) in
            try administration.schedules.replace(schedule, by: cancelled, as: scope.principal)
        }
        return .respond(.schedule(cancelled))
    }
}

extension AdministrationRequest {
    /// The schedule in the path, for whoever may see it.
    fileprivate func schedule(_ administration: Administration) throws(Problem) -> Schedule {
        let id = path["scheduleId"] ?? ""
        let schedule = try administration.onSchedules { () throws(ScheduleError) in
            try administration.schedules.find(id)
        }
        let change = schedule.change
        guard caller.readScope(in: change.environment) != nil else { throw .forbidden(.read, in: change.environment) }
        guard caller.mayReach(change.operation) else { throw change.operation.obstacle }
        return schedule
    }

    /// The schedule in the path, which waits, for whoever may do what it does, and has the version that `If-Match`
    /// names.
    fileprivate func waitingSchedule(
        _ administration: Administration
    ) throws(Problem) -> (Schedule, WriteScope) {
        let schedule = try schedule(administration)
        let change = schedule.change
        let scope = try scope(doing: change.operation, in: change.environment, administration, because: nil)
        guard schedule.state == .waiting else { throw Problem(ScheduleError.ended(schedule.id, schedule.state)) }
        try requireVersion(of: "schedule", schedule.entityTag)
        return (schedule, scope)
    }

    /// The leave to do an operation, for a route that is not about one kind alone.
    fileprivate func scope(
        doing operation: FlagOperation, in environment: Environment, _ administration: Administration,
        because reason: String?
    ) throws(Problem) -> WriteScope {
        guard caller.mayReach(operation) else { throw operation.obstacle }
        if let source = operation.readEnvironment, caller.readScope(in: source) == nil {
            throw .forbidden(.read, in: source)
        }
        return try scope(in: environment, administration, because: reason, needing: operation.permissions)
    }

    /// What is to be done later of a change that is asked for, where the query says when; nil for now.
    func schedule(of operation: FlagOperation, _ administration: Administration) throws(Problem) -> ScheduleDraft? {
        guard let at = try time("at") else {
            guard query["onConflict"] == nil else {
                throw .invalidQuery([.init(pointer: "?onConflict", detail: "has no meaning without at")])
            }
            return nil
        }
        if let complaint = ScheduleDraft.complaint(about: at, at: administration.now()) {
            throw .invalidQuery([.init(pointer: "?at", detail: complaint)])
        }
        let rule = query["onConflict"].map { Schedule.ConflictRule(rawValue: $0) } ?? .refuse
        guard let rule else {
            throw .invalidQuery([.init(pointer: "?onConflict", detail: "must be \(Schedule.ConflictRule.names)")])
        }
        return ScheduleDraft(operation, at: at, onConflict: rule)
    }
}

extension FlagOperation {
    /// Why somebody may not reach it who is bound to one tenant.
    fileprivate var obstacle: Problem { kind.isOfTenant ? .otherTenant : .boundToTenant }
}

extension HTTPResponse {
    fileprivate static func schedule(_ schedule: Schedule) -> HTTPResponse {
        .json(schedule.json, fields: [("ETag", schedule.entityTag)])
    }

    /// A schedule that was just made.
    static func planned(_ made: (schedule: Schedule, warning: String?), status: HTTPStatus) -> HTTPResponse {
        var json = made.schedule.json.objectValue ?? [:]
        json["warning"] = made.warning.map { .string($0) }
        return .json(
            .object(json), status: status,
            fields: [("Location", "/api/schedules/\(made.schedule.id)"), ("ETag", made.schedule.entityTag)])
    }
}
