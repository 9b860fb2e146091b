import HTTPRouting

extension ProblemCode {
    /// Nothing is changed there for now.
    static let frozen = ProblemCode("frozen", 409, "Nothing is changed there for now")
    /// Others have to agree to it first.
    static let approvalRequired = ProblemCode("approval_required", 409, "Others have to agree to it first")
    /// An emergency needs a reason.
    static let emergencyWithoutReason = ProblemCode("emergency_without_reason", 400, "An emergency needs a reason")
    /// There is no such freeze.
    static let freezeNotFound = ProblemCode("freeze_not_found", 404, "There is no such freeze")
    /// The freeze is one of the configuration.
    static let freezeConfigured = ProblemCode("freeze_configured", 409, "The freeze is one of the configuration")
    /// There are too many freezes.
    static let tooManyFreezes = ProblemCode("too_many_freezes", 409, "There are too many freezes")
    /// There is no such proposal.
    static let proposalNotFound = ProblemCode("proposal_not_found", 404, "There is no such proposal")
    /// The proposal has ended.
    static let proposalEnded = ProblemCode("proposal_ended", 409, "The proposal has ended")
    /// The proposal is of whoever asks.
    static let ownProposal = ProblemCode("own_proposal", 403, "The proposal is of whoever asks")
    /// What the proposal is about was changed since.
    static let changedMeanwhile = ProblemCode(
        "changed_meanwhile", 409, "What the proposal is about was changed since it was made")
    /// The author of the proposal may not make the change any more.
    static let authorForbidden = ProblemCode(
        "author_forbidden", 409, "The author of the proposal may not make the change any more")
    /// Whoever asks cannot propose a change.
    static let authorUnknown = ProblemCode("author_unknown", 403, "Whoever asks cannot propose a change")
    /// There are too many proposals.
    static let tooManyProposals = ProblemCode("too_many_proposals", 409, "There are too many proposals")
    /// The proposal has too many comments.
    static let tooManyComments = ProblemCode("too_many_comments", 409, "The proposal has too many comments")
}
