import Access
import AccessStore
import ChangeControl
import DynamoModel
import FlagCore
import FlagFiles
import FlagStore
import HTTPRouting
import HTTPTransport

/// How a change comes about that somebody has asked for.
enum ChangeAdmission {
    /// It is made at once, with this leave.
    case now(WriteScope)
    /// Others have to agree to it first.
    case withLeave
}

extension Administration {
    /// Where changes wait for others.
    package var desk: ProposalDesk {
        let callers = currentCallers
        var desk = ProposalDesk(
            proposals, gate, repository, listed: listedKeys, caller: { callers.caller($0, at: $1) }, now: now)
        desk.report = reportProposal
        return desk
    }

    /// Reads who may what, and follows it: where no server has done so. Blocks.
    package func followCallers() throws {
        try keys.start { _ in }
        try accounts.users.start { _ in }
    }

    /// Decides whether a change is made at once. The only place where a request for one flag, override or segment
    /// passes.
    ///
    /// - Throws: 409 where nothing changes for now; 403 and 400 where an emergency is claimed by who may not, or
    ///   without a reason.
    func admit(
        _ operation: FlagOperation, in scope: WriteScope, asked request: AdministrationRequest
    ) throws(Problem) -> ChangeAdmission {
        // Whatever the store does, these are not asked.
        if case .killSwitch = operation.subject { return .now(scope) }
        let verdict = try verdict { $0.verdict(on: operation, in: scope.environment, at: scope.instant) }
        if case .apply = verdict { return .now(scope) }
        if request.isEmergency || operation.isEmergency {
            let what = "\(operation.kind.rawValue) of the \(operation.subject)"
            return .now(try emergency(what, in: scope, asked: request))
        }
        if case .frozen(let freeze) = verdict { throw frozen(freeze) }
        return .withLeave
    }

    /// Refuses to schedule what will not change at that time, as far as is known now, or not without others' leave: by
    /// then nobody can be asked.
    func admit(_ operation: FlagOperation, at time: Timestamp, in scope: WriteScope) throws(Problem) {
        if case .killSwitch = operation.subject { return }
        switch try verdict({ $0.verdict(on: operation, in: scope.environment, at: time) }) {
        case .apply: break
        case .frozen(let freeze): throw frozen(freeze)
        case .propose:
            throw Problem(
                .approvalRequired,
                "others have to agree to this change first, and nobody can be asked when its time has come: propose it "
                    + "without a time, and have it approved when it is to be made")
        }
    }

    /// Refuses an import that changes what does not change for now, or not without others' leave: it is too much to
    /// wait as one change.
    ///
    /// - Returns: the leave to import.
    func admit(
        _ plan: ImportPlan, in scope: WriteScope, asked request: AdministrationRequest
    ) throws(Problem) -> WriteScope {
        let obstacle = try verdict { gate in
            plan.subjects.lazy.map { gate.verdict(on: $0, in: scope.environment, at: scope.instant) }
                .first { $0 != .apply } ?? .apply
        }
        return try obstacle == .apply ? scope : requireEmergency("import", obstacle, in: scope, asked: request)
    }

    /// Refuses to have everything replaced where something does not change for now, or not without others' leave.
    ///
    /// - Parameter table: the name of the table that is made.
    func admitRestore(of table: String, asked request: AdministrationRequest) throws(Problem) {
        guard table == repository.table else { return }
        let instant = now()
        let obstacle = try verdict { $0.verdictOnEverything(at: instant) }
        if obstacle == .apply { return }
        var environment = Environment.production
        if case .frozen(let freeze) = obstacle { environment = freeze.environment }
        let scope = request.caller.writeScope(.administer, in: environment, at: instant, request.circumstances)
        guard let scope else { throw .forbidden(.administer, in: environment) }
        _ = try requireEmergency("restore of \(table)", obstacle, in: scope, asked: request)
    }

    private func requireEmergency(
        _ what: String, _ obstacle: ChangeVerdict, in scope: WriteScope, asked request: AdministrationRequest
    ) throws(Problem) -> WriteScope {
        if request.isEmergency { return try emergency(what, in: scope, asked: request) }
        if case .frozen(let freeze) = obstacle { throw frozen(freeze) }
        throw Problem(
            .approvalRequired,
            "changes here need others' approval, and the \(what) is too much to wait for one: make the changes one by "
                + "one, or with \(AdministrationRequest.emergencyField): true (--emergency) and a reason at once")
    }

    private func frozen(_ freeze: Freeze) -> Problem {
        gate.noteFrozen(freeze.environment)
        return .frozen(freeze)
    }

    /// The leave to make a change at once that would have to wait: for who administers there, and says why.
    private func emergency(
        _ what: String, in scope: WriteScope, asked request: AdministrationRequest
    ) throws(Problem) -> WriteScope {
        let environment = scope.environment
        guard request.caller.tenant == nil, request.caller.permissions(in: environment).contains(.administer) else {
            throw Problem(
                .forbidden,
                "only who may \(Permissions.administer.inWords) in \(environment.rawValue) makes a change at once in "
                    + "an emergency; a kill switch never waits")
        }
        guard scope.principal.circumstances?.reason != nil else {
            throw Problem(
                .emergencyWithoutReason,
                #"an emergency needs a reason: "reason" in the body, or "#
                    + "\(AdministrationRequest.reasonField) (--reason)")
        }
        let scope = scope.caused(by: "emergency")
        gate.noteEmergency(what, in: environment, by: scope.principal)
        return scope
    }

    /// What the gate says; what goes wrong becomes a problem. Blocks where it is asked for the first time.
    private func verdict(_ ask: (ChangeGate) -> ChangeVerdict) throws(Problem) -> ChangeVerdict {
        do throws(TableError) { try gate.start() } catch { throw Problem(error) }
        return ask(gate)
    }

    /// Proposes a change, and answers with the proposal.
    func propose(_ operation: FlagOperation, in scope: WriteScope) throws(Problem) -> HTTPResponse {
        let (proposal, content) = try onProposals { (desk) throws(ProposalError) in
            try desk.propose(operation, in: scope)
        }
        let json = proposal.json(at: now(), needed: desk.approvalsNeeded(for: proposal), content)
        return .json(
            json, status: .accepted,
            fields: [("Location", "/api/proposals/\(proposal.id)"), ("ETag", proposal.entityTag)])
    }

    /// Works with proposals; what goes wrong becomes a problem.
    func onProposals<Result>(_ work: (ProposalDesk) throws(ProposalError) -> Result) throws(Problem) -> Result {
        let desk = desk
        do throws(ProposalError) { return try work(desk) } catch { throw Problem(error) }
    }
}
