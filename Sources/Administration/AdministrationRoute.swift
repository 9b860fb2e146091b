import Access
import AccessStore
import FlagStore
import HTTPRouting
import HTTPTransport

/// A route of administration: what it demands, and what it does.
package struct AdministrationRoute: Sendable {
    /// What a route does. Runs on a worker and may block; what it throws is the response.
    typealias Action = @Sendable (AdministrationRequest, Administration) throws(Problem) -> Outcome

    /// What it demands.
    package let declaration: RouteDeclaration
    private let action: Action

    init(
        _ method: HTTPMethod, _ pattern: StaticString, _ operationID: String, _ policy: RoutePolicy,
        _ action: @escaping Action
    ) {
        declaration = RouteDeclaration(method, pattern, operationID, policy)
        self.action = action
    }

    /// All of them.
    package static let all =
        FlagRoutes.routes + SegmentRoutes.routes + TenantOverrideRoutes.routes + KillSwitchRoutes.routes
        + HistoryRoutes.routes + ScheduleRoutes.routes + FreezeRoutes.routes + ProposalRoutes.routes
        + TransferRoutes.routes + KeyRoutes.routes + AccessKeyRoutes.routes + UserRoutes.routes + AccountRoutes.routes
        + TokenRoutes.routes + SessionRoutes.routes + AuditRoutes.routes + HookRoutes.routes + ofTables

    /// Those that need no flags.
    package static let ofTables = BackupRoutes.routes + AtRestRoutes.routes + WorkRoutes.routes

    /// Does what the route does, and answers: now, or when what it wrote is durable.
    package func run(
        _ request: AdministrationRequest, _ administration: Administration, _ reply: Reply
    ) throws(Problem) {
        if declaration.policy.wantsReason, !administration.reasonRequired.isEmpty, request.reason == nil,
            (request.query["reason"] ?? "").isEmpty
        {
            throw .reasonRequired
        }
        switch try action(request, administration) {
        case .respond(let response): reply(response)
        case .passwordWork(let origin, let work):
            let isTaken = administration.accounts.line.submit(origin) {
                // Nothing is used up, and no password replaced, for somebody who is told nothing of it any more.
                guard request.isAwaited() else { return reply(.failure(.passwordsWait)) }
                do throws(Problem) { reply(try work()) } catch { reply(.failure(error)) }
            }
            if !isTaken { throw .passwordsWait }
        case .write(let operation, let scope, let render):
            if try request.isDryRun {
                reply(try administration.check(operation, in: scope).response(render))
            } else if let draft = try request.schedule(of: operation, administration) {
                reply(.planned(try administration.schedule(draft, in: scope), status: .accepted))
            } else {
                let lane = declaration.policy.lane
                switch try administration.admit(operation, in: scope, asked: request) {
                case .now(let scope): administration.apply(operation, in: scope, lane, reply, render)
                case .withLeave: reply(try administration.propose(operation, in: scope))
                }
            }
        }
    }
}

/// What an action comes to.
enum Outcome: Sendable {
    /// This is the response.
    case respond(HTTPResponse)
    /// Digests of passwords are to be computed, which takes long and much memory: on a line of their own, one after the
    /// other. What the work throws is the response.
    case passwordWork(PasswordLine.Origin, @Sendable () throws(Problem) -> HTTPResponse)
    /// A change is to be made; then what it leaves is the response.
    case write(FlagOperation, WriteScope, render: @Sendable (Written) -> HTTPResponse)
}

extension Written {
    /// The response to a change that was checked and not made.
    fileprivate func response(_ render: (Written) -> HTTPResponse) -> HTTPResponse {
        var response = render(self)
        response.fields.removeAll { ["ETag", "Location"].contains($0.name) }
        response.fields.append(("Flag-Server-Dry-Run", "true"))
        return response
    }
}

extension RoutePolicy {
    /// The same for what may take long, of which whoever waits can be told how far it is.
    var inLongWork: RoutePolicy {
        with {
            $0.lane = .long
            $0.responseTime = FlagTransfer.workTime
            $0.tellsProgress = true
        }
    }

    /// The same for what computes digests of passwords: a few at most, behind those of 15 others, each of which takes a
    /// third of a second of a core that has nothing else to do, and seconds of one that has.
    var behindPasswords: RoutePolicy { with { $0.responseTime = .seconds(60) } }

    /// What only looks at what administrators see.
    static func reading(_ label: String) -> RoutePolicy { RoutePolicy(label, .needs(.read)) }

    /// What changes something.
    static func changing(_ label: String, _ permissions: Permissions) -> RoutePolicy {
        RoutePolicy(label, .needs(permissions)).with { $0.audit = .change }
    }
}
