import Access
import ChangeControl
import DynamoModel
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

/// Changes that others are asked to agree to.
enum ProposalRoutes {
    /// The routes. Who may agree to something is decided by what that is: whoever may do it themselves.
    static let routes = [
        AdministrationRoute(.get, "/api/proposals", "listProposals", reading, list),
        AdministrationRoute(.get, "/api/proposals/{proposalId}", "getProposal", reading, get),
        AdministrationRoute(.delete, "/api/proposals/{proposalId}", "withdrawProposal", deciding, withdraw),
        AdministrationRoute(.post, "/api/proposals/{proposalId}/approve", "approveProposal", deciding, approve),
        AdministrationRoute(.post, "/api/proposals/{proposalId}/reject", "rejectProposal", deciding, reject),
        AdministrationRoute(.post, "/api/proposals/{proposalId}/comments", "commentProposal", deciding, comment),
        AdministrationRoute(.post, "/api/proposals/{proposalId}/rebase", "rebaseProposal", deciding, rebase),
    ]

    private static let reading = RoutePolicy.reading("proposals")
    private static let deciding = RoutePolicy.changing("proposals", .changeOverrides)

    private static func list(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let stored = try request.stored(administration)
        var state: Proposal.State?
        if let text = request.query["state"] {
            guard let named = Proposal.State(rawValue: text) else {
                let names = Proposal.State.allCases.map(\.rawValue).joined(separator: ", ")
                throw .invalidQuery([.init(pointer: "?state", detail: "must be one of \(names), not \"\(text)\"")])
            }
            state = named
        }
        let query = ProposalQuery(
            in: stored.environment, state: state, flagKey: try request.text("flag", .flagKey),
            tenant: request.caller.tenant, limit: try request.limit(), cursor: request.cursor)
        let now = administration.now()
        let desk = administration.desk
        let page: ProposalPage
        do throws(ProposalError) { page = try desk.proposals.page(query, at: now) } catch {
            if case .notFound = error { throw Problem(FlagStoreError.invalidCursor, in: stored.environment) }
            throw Problem(error)
        }
        return .respond(
            .json([
                "proposals": .array(page.proposals.map { $0.json(at: now, needed: desk.approvalsNeeded(for: $0)) }),
                "nextCursor": page.nextCursor.map { .string($0) } ?? .null,
            ]))
    }

    private static func get(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let proposal = try administration.onProposals { (desk) throws(ProposalError) in
            try desk.proposals.find(request.proposalId)
        }
        let caller = request.caller
        guard caller.permissions(in: proposal.environment).contains(.read) else {
            throw .forbidden(.read, in: proposal.environment)
        }
        if let tenant = caller.tenant, !proposal.subject.isOverride(of: tenant) { throw .boundToTenant }
        return .respond(try .proposal(proposal, administration))
    }

    private static func approve(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let id = request.proposalId
        try request.requireNoContent()
        let proposal = try administration.onProposals { (desk) throws(ProposalError) in
            try desk.approve(id, by: request.caller, request.circumstances)
        }
        return .respond(try .proposal(proposal, administration))
    }

    private static func reject(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let reason = try request.reasonInBody()
        var circumstances = request.circumstances
        if let reason { circumstances.reason = reason }
        let proposal = try administration.onProposals { [circumstances] (desk) throws(ProposalError) in
            try desk.reject(
                request.proposalId, because: circumstances.reason, by: request.caller, circumstances)
        }
        return .respond(try .proposal(proposal, administration))
    }

    private static func withdraw(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let circumstances = request.circumstances
        let proposal = try administration.onProposals { (desk) throws(ProposalError) in
            try desk.withdraw(request.proposalId, because: circumstances.reason, by: request.caller, circumstances)
        }
        return .respond(try .proposal(proposal, administration))
    }

    private static func comment(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let text = try request.draft { json throws(DefinitionIssues) in
            var reader = FieldReader(body: json, #"such as {"text": "Why not in staging first?"}"#)
            let text = reader.text("text", .reason, isRequired: true)
            try reader.finish()
            return text ?? ""
        }
        let proposal = try administration.onProposals { (desk) throws(ProposalError) in
            try desk.comment(request.proposalId, text, by: request.caller, request.circumstances)
        }
        return .respond(try .proposal(proposal, administration, status: .created))
    }

    private static func rebase(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        try request.requireNoContent()
        let (proposal, _) = try administration.onProposals { (desk) throws(ProposalError) in
            try desk.renew(request.proposalId, by: request.caller, request.circumstances)
        }
        return .respond(try .proposal(proposal, administration))
    }
}

extension AdministrationRequest {
    fileprivate var proposalId: String { path["proposalId"] ?? "" }

    /// Accepts a body without anything in it, for routes that take none.
    fileprivate func requireNoContent() throws(Problem) {
        if body.isEmpty { return }
        _ = try draft { json throws(DefinitionIssues) in
            var reader = FieldReader(body: json, "without members, or nothing")
            try reader.finish()
        }
    }

    /// `{"reason"?}`; nil also where there is no body.
    fileprivate func reasonInBody() throws(Problem) -> String? {
        if body.isEmpty { return nil }
        return try draft { json throws(DefinitionIssues) in
            var reader = FieldReader(body: json, #"such as {"reason": "not before the audit"}"#)
            let reason = reader.text("reason", .reason)
            try reader.finish()
            return reason
        }
    }
}

extension HTTPResponse {
    /// A proposal as a response, with all that it is about and, while it is open, what was changed since.
    fileprivate static func proposal(
        _ proposal: Proposal, _ administration: Administration, status: HTTPStatus = .ok
    ) throws(Problem) -> HTTPResponse {
        let now = administration.now()
        let json = try administration.onProposals { (desk) throws(ProposalError) in
            let content = try desk.proposals.content(of: proposal)
            let changes = proposal.state(at: now) == .open ? try desk.changesSince(proposal, content) : nil
            return proposal.json(
                at: now, needed: desk.approvalsNeeded(for: proposal), content, changedMeanwhile: changes)
        }
        return .json(json, status: status, fields: [("ETag", proposal.entityTag)])
    }
}
