import Access
import DynamoModel
import FlagCore
import FlagStore
import JSON

/// Where changes are proposed, agreed to, rejected, taken back, and made once enough have agreed.
///
/// Its functions block: not for a loop.
package struct ProposalDesk: Sendable {
    /// The proposals.
    package let proposals: ProposalStore
    let gate: ChangeGate
    let repository: FlagRepository
    /// Which keys a segment lists.
    let listed: FlagRepository.ListedKeys
    /// Who somebody is now who asked for something earlier; nil for one who may nothing, or of whom that is not known.
    let caller: @Sendable (Principal, Timestamp) -> Caller?
    /// The wall clock.
    let now: @Sendable () -> Timestamp
    /// Told of what an operator should know.
    package var report: @Sendable (ProposalEvent) -> Void = { _ in }

    /// How often a step is tried again when others take one at the same time.
    static let attempts = 16

    /// Puts the parts together.
    package init(
        _ proposals: ProposalStore, _ gate: ChangeGate, _ repository: FlagRepository,
        listed: @escaping FlagRepository.ListedKeys,
        caller: @escaping @Sendable (Principal, Timestamp) -> Caller?, now: @escaping @Sendable () -> Timestamp
    ) {
        self.proposals = proposals
        self.gate = gate
        self.repository = repository
        self.listed = listed
        self.caller = caller
        self.now = now
    }

    // MARK: - Proposing

    /// Proposes a change, for what there is now.
    ///
    /// - Parameters:
    ///   - operation: what is to be done; where it expects a version, that is what must be there.
    ///   - scope: the leave of whoever wants it.
    /// - Throws: also why it could not be done as things are.
    package func propose(
        _ operation: FlagOperation, in scope: WriteScope
    ) throws(ProposalError) -> (Proposal, ProposalContent) {
        let author = scope.principal
        guard caller(author, now()) != nil else { throw .authorUnknown(author) }
        let planned = PlannedChange(operation, in: scope.environment, by: author, at: scope.instant)
        let content = try content(of: planned, in: scope)
        let proposal = Proposal(
            content.change, id: ChangeID.make(at: scope.instant), version: content.change.operation.expectedVersion)
        try proposals.add(proposal, content, by: author)
        report(.proposed(proposal))
        return (proposal, content)
    }

    /// A change with what there is now, which it expects from then on, and what would differ.
    private func content(of planned: PlannedChange, in scope: WriteScope) throws(ProposalError) -> ProposalContent {
        var operation = planned.operation
        let reader = repository.reader(for: scope.reading)
        do throws(FlagStoreError) {
            let version = try reader.version(of: operation.subject)
            let seen = try reader.content(of: operation.subject)
            if operation.expectedVersion == nil { operation.expectedVersion = version }
            let written = try repository.check(operation, in: scope, listed: listed)
            let change = PlannedChange(operation, in: planned.environment, by: planned.author, at: planned.plannedAt)
            let difference = JSONPatch(from: seen ?? .null, to: StoredContent.of(written) ?? .null)
            return ProposalContent(change, seen: seen, difference: difference)
        } catch { throw .flags(error, planned.environment) }
    }

    /// Makes a proposal of what it is about for what there is now: whoever agreed before has to look again.
    package func renew(
        _ id: String, by caller: Caller, _ circumstances: ChangeCircumstances
    ) throws(ProposalError) -> (Proposal, ProposalContent) {
        for _ in 0..<Self.attempts {
            let proposal = try proposals.find(id)
            guard proposal.author == caller.principal else { throw .notAuthor(id) }
            try requireOpen(proposal)
            let old = try proposals.content(of: proposal).change
            var operation = old.operation
            operation.expectedVersion = nil
            let permissions = operation.permissions
            guard let scope = caller.writeScope(permissions, in: old.environment, at: now(), circumstances) else {
                throw .forbidden(permissions, old.environment)
            }
            let content = try content(
                of: PlannedChange(operation, in: old.environment, by: old.author, at: old.plannedAt), in: scope)
            let renewed = proposal.renewed(for: content.change.operation.expectedVersion, at: scope.instant)
            if try proposals.replace(proposal, by: renewed, content, as: scope.principal) { return (renewed, content) }
        }
        throw .busy(id)
    }

    // MARK: - Deciding

    /// Says what there is to say.
    package func comment(
        _ id: String, _ text: String, by caller: Caller, _ circumstances: ChangeCircumstances
    ) throws(ProposalError) -> Proposal {
        try step(id, caller, circumstances) { proposal, principal throws(ProposalError) in
            try require(caller, for: proposal)
            guard proposal.comments.count < Proposal.commentsMaximum else {
                throw .tooManyComments(Proposal.commentsMaximum)
            }
            return proposal.commented(text, by: principal, at: now())
        }
    }

    /// Says that the change is not to be made.
    package func reject(
        _ id: String, because reason: String?, by caller: Caller, _ circumstances: ChangeCircumstances
    ) throws(ProposalError) -> Proposal {
        let rejected = try step(id, caller, circumstances) { proposal, principal throws(ProposalError) in
            try requireOther(caller, than: proposal)
            try require(caller, for: proposal)
            return proposal.ended(.rejected, at: now(), by: principal, because: reason)
        }
        report(.ended(rejected))
        return rejected
    }

    /// Takes a proposal back: its author does, or whoever administers there.
    package func withdraw(
        _ id: String, because reason: String?, by caller: Caller, _ circumstances: ChangeCircumstances
    ) throws(ProposalError) -> Proposal {
        let withdrawn = try step(id, caller, circumstances) { proposal, principal throws(ProposalError) in
            let administers = caller.permissions(in: proposal.environment).contains(.administer) && caller.tenant == nil
            guard proposal.author == caller.principal || administers else {
                throw .forbidden(.administer, proposal.environment)
            }
            return proposal.ended(.withdrawn, at: now(), by: principal, because: reason)
        }
        report(.ended(withdrawn))
        return withdrawn
    }

    private func step(
        _ id: String, _ caller: Caller, _ circumstances: ChangeCircumstances,
        _ change: (Proposal, Principal) throws(ProposalError) -> Proposal
    ) throws(ProposalError) -> Proposal {
        let principal = caller.principal.with(circumstances)
        for _ in 0..<Self.attempts {
            let proposal = try proposals.find(id)
            let next = try change(proposal, principal)
            try requireOpen(proposal)
            if try proposals.replace(proposal, by: next, as: principal) { return next }
        }
        throw .busy(id)
    }

    // MARK: - Looking

    /// How many others still have to agree to a proposal, by what holds now: one at least.
    package func approvalsNeeded(for proposal: Proposal) -> Int {
        max(1, gate.approvalsNeeded(for: proposal.subject, in: proposal.environment))
    }

    /// What was changed of what a proposal is about since it was made; nil where nothing was.
    package func changesSince(_ proposal: Proposal, _ content: ProposalContent) throws(ProposalError) -> JSONPatch? {
        let scope = ReadScope.server("proposals", in: proposal.environment)
        let reader = repository.reader(for: scope)
        do throws(FlagStoreError) {
            guard try reader.version(of: proposal.subject) != content.change.operation.expectedVersion else {
                return nil
            }
            return JSONPatch(from: content.seen ?? .null, to: try reader.content(of: proposal.subject) ?? .null)
        } catch { throw .flags(error, proposal.environment) }
    }

    /// Refuses a proposal that cannot be decided any more.
    func requireOpen(_ proposal: Proposal) throws(ProposalError) {
        let state = proposal.state(at: now())
        guard state == .open else { throw .ended(proposal.id, state) }
    }

    /// Refuses who may not do themselves what a proposal is about.
    func require(_ caller: Caller, for proposal: Proposal) throws(ProposalError) {
        let permissions = proposal.kind.permissions
        guard caller.permissions(in: proposal.environment).isSuperset(of: permissions),
            caller.tenant.map({ proposal.subject.isOverride(of: $0) }) ?? true
        else { throw .forbidden(permissions, proposal.environment) }
    }

    /// Refuses whoever wants the change themselves, and nobody in particular.
    func requireOther(_ caller: Caller, than proposal: Proposal) throws(ProposalError) {
        guard caller.principal != proposal.author, caller.principal.kind != .anonymous else {
            throw .ownProposal(proposal.id)
        }
    }
}
