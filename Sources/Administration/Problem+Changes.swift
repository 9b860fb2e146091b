import ChangeControl
import FlagCore
import FlagStore
import HTTPRouting
import JSON

extension Problem {
    /// A change of what does not change for now.
    static func frozen(_ freeze: Freeze) -> Problem {
        Problem(
            .frozen,
            "\(freeze.environment.rawValue) is frozen until \(freeze.endsAt) (\(freeze.id)): \(freeze.reason). Kill "
                + "switches and rollbacks work; who administers may make a change at once in an emergency "
                + "(\(AdministrationRequest.emergencyField): true, with a reason) or end the freeze")
    }

    /// What is said of freezes, for whoever asked.
    init(_ error: FreezeError) {
        switch error {
        case .notFound(let id): self.init(.freezeNotFound, "there is no freeze \(id)")
        case .configured(let id):
            self.init(
                .freezeConfigured,
                "\(id) is in the server's configuration (freeze): take it out there, and start the server again")
        case .tooMany(let count): self.init(.tooManyFreezes, "\(count) freezes are to come or hold: end some first")
        case .store(let error): self.init(error)
        }
    }

    /// What is said of proposals, for whoever asked.
    init(_ error: ProposalError) {
        let code: ProblemCode
        switch error {
        case .frozen(let freeze):
            self = .frozen(freeze)
            return
        case .flags(let error, let environment):
            self.init(error, in: environment)
            return
        case .store(let error):
            self.init(error)
            return
        case .forbidden(let permissions, let environment):
            self = .forbidden(permissions, in: environment)
            return
        case .notFound: code = .proposalNotFound
        case .ended: code = .proposalEnded
        case .ownProposal: code = .ownProposal
        case .notAuthor: code = .forbidden
        case .authorForbidden: code = .authorForbidden
        case .authorUnknown: code = .authorUnknown
        case .changedMeanwhile: code = .changedMeanwhile
        case .tooMany: code = .tooManyProposals
        case .tooLarge: code = .contentTooLarge
        case .tooManyComments: code = .tooManyComments
        case .busy: code = .conflict
        case .damaged: code = .internalError
        }
        var advice = ""
        if case .changedMeanwhile(let id, _) = error {
            advice =
                ": GET /api/proposals/\(id) shows what in changedMeanwhile; its author makes it anew for what there is "
                + "now with POST /api/proposals/\(id)/rebase"
        }
        self.init(code, "\(error)\(advice)")
    }
}
