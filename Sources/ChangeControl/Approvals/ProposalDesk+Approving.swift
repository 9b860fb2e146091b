import Access
import DynamoModel
import FlagCore
import FlagStore
import Platform

extension ProposalDesk {
    /// Agrees to a proposal; makes the change when enough have agreed. To agree twice is to agree once.
    ///
    /// That it was made is stored in the transaction of the change, against the version that it was proposed for: of
    /// two who agree at once, one makes it. What takes several transactions is first stored as begun, which only one
    /// does, and goes on after a stop.
    ///
    /// - Throws: also why it cannot be made; then whoever asked has not agreed.
    package func approve(
        _ id: String, by caller: Caller, _ circumstances: ChangeCircumstances
    ) throws(ProposalError) -> Proposal {
        let principal = caller.principal.with(circumstances)
        for _ in 0..<Self.attempts {
            let proposal = try proposals.find(id)
            try requireOther(caller, than: proposal)
            try require(caller, for: proposal)
            try requireOpen(proposal)
            let hasAgreed = proposal.approvals.contains { $0.by == principal }
            let approved = hasAgreed ? proposal : proposal.approved(by: principal, at: now())
            let missing = approvalsNeeded(for: proposal) - approved.approvals.count { counts($0, for: proposal) }
            if missing > 0 {
                if hasAgreed { return proposal }
                guard try proposals.replace(proposal, by: approved, as: principal) else { continue }
                report(.approved(approved, by: principal, missing: missing))
                return approved
            }
            // Somebody else has taken a step meanwhile: it is looked at again.
            guard let applied = try make(proposal, approved, principal) else { continue }
            report(.applied(applied))
            return applied
        }
        throw .busy(id)
    }

    /// Whether somebody who agreed earlier may still. Of whom that cannot be told, who come by another issuer's token,
    /// it is what held then.
    private func counts(_ approval: Proposal.Act, for proposal: Proposal) -> Bool {
        let principal = approval.by
        if let caller = caller(principal, now()) {
            return caller.permissions(in: proposal.environment).isSuperset(of: proposal.kind.permissions)
        }
        return principal.kind == .account && UserName(principal.name) == nil
    }

    // MARK: - Making the change

    /// Makes the change of a proposal that enough have agreed to.
    ///
    /// - Returns: nil when somebody else was faster with something.
    private func make(
        _ proposal: Proposal, _ approved: Proposal, _ approver: Principal
    ) throws(ProposalError) -> Proposal? {
        let instant = now()
        if let freeze = gate.freezes.active(in: proposal.environment, at: instant) {
            gate.noteFrozen(proposal.environment)
            throw .frozen(freeze)
        }
        let content = try proposals.content(of: proposal)
        let scope = try leave(for: approved, content, at: instant)
        let operation = content.change.operation
        let applied = approved.ended(.applied, at: instant, by: approver)
        if operation.kind.isOneTransaction {
            let companion = proposals.replacement(of: proposal, by: applied)
            do throws(FlagStoreError) {
                let together = repository.accompanied(by: [companion])
                try together.applyAndWait(operation, in: scope, listed: listed)
                return applied
            } catch {
                if case .overtaken = error { return nil }
                throw try failure(error, of: proposal)
            }
        }
        // What can be seen to fail is seen before anything is begun.
        do throws(FlagStoreError) { _ = try repository.check(operation, in: scope, listed: listed) } catch {
            throw try failure(error, of: proposal)
        }
        let begun = approved.begun()
        return try whileUnderWay(proposal.id) { () throws(ProposalError) in
            guard try proposals.replace(proposal, by: begun, as: approver) else { return nil }
            do throws(FlagStoreError) {
                try repository.applyAndWait(operation, in: scope, listed: listed)
            } catch {
                // What was half done goes on in `resume`; what was not begun waits as before.
                if isOfNothingDone(error) { _ = try proposals.replace(begun, by: begun.reopened(), as: approver) }
                throw try failure(error, of: proposal)
            }
            let ended = begun.ended(.applied, at: now(), by: approver)
            return try proposals.replace(begun, by: ended, as: approver) ? ended : nil
        }
    }

    private func whileUnderWay(
        _ id: String, _ body: () throws(ProposalError) -> Proposal?
    ) throws(ProposalError) -> Proposal? {
        _ = proposals.underWay.withLock { $0.insert(id) }
        defer { _ = proposals.underWay.withLock { $0.remove(id) } }
        return try body()
    }

    /// The leave of the author, as they are now.
    private func leave(
        for approved: Proposal, _ content: ProposalContent, at instant: Timestamp
    ) throws(ProposalError) -> WriteScope {
        let author = approved.author
        let permissions = approved.kind.permissions
        let denied = ProposalError.authorForbidden(author, permissions, approved.environment)
        guard let caller = caller(author, instant) else { throw denied }
        guard caller.tenant.map({ approved.subject.isOverride(of: $0) }) ?? true else { throw denied }
        if let source = content.change.operation.readEnvironment, caller.readScope(in: source) == nil { throw denied }
        var circumstances = author.circumstances ?? ChangeCircumstances()
        let names = approved.approvals.map { "\($0.by)" }.joined(separator: ", ")
        circumstances.cause = "proposal \(approved.id), approved by \(names)"
        guard let scope = caller.writeScope(permissions, in: approved.environment, at: instant, circumstances) else {
            throw denied
        }
        return scope
    }

    /// Why a change could not be made: that it is about something else now, or what the store says. One that somebody
    /// else made at the same moment has ended.
    private func failure(_ error: FlagStoreError, of proposal: Proposal) throws(ProposalError) -> ProposalError {
        switch error {
        case .versionMismatch, .alreadyExists, .segmentExists, .notFound:
            try requireOpen(try proposals.find(proposal.id))
            return .changedMeanwhile(proposal.id, proposal.subject)
        default: return .flags(error, proposal.environment)
        }
    }

    private func isOfNothingDone(_ error: FlagStoreError) -> Bool {
        switch error {
        case .versionMismatch, .notFound, .noFlagToKill, .alreadyExists, .segmentExists, .invalid, .flagArchived,
            .flagNotArchived, .nothingToRestore, .nothingToPromote, .required, .segmentUsed, .versionNotFound,
            .versionNotKept, .invalidCursor:
            true
        case .conflict, .overtaken, .stopped, .unavailable: false
        }
    }

    // MARK: - Beside requests

    /// Ends what nobody has decided in time, lets go of what ended long ago, and goes on with what was begun before a
    /// stop. What fails is tried again the next time.
    package func tidy() {
        let instant = now()
        for (id, waiting) in proposals.unended.sorted(by: { $0.key < $1.key }) {
            // One that fails keeps no other waiting.
            do throws(ProposalError) { try tidy(id, waiting, at: instant) } catch { report(.failed("\(error)")) }
        }
        proposals.removeOld(at: now())
    }

    private func tidy(
        _ id: String, _ waiting: ProposalStore.Waiting, at instant: Timestamp
    ) throws(ProposalError) {
        switch waiting.state {
        case .open where instant >= waiting.expiresAt: try expire(id, at: instant)
        case .applying: try resume(id, at: instant)
        default: break
        }
    }

    private func expire(_ id: String, at instant: Timestamp) throws(ProposalError) {
        let proposal = try proposals.find(id)
        guard proposal.state == .open, proposal.state(at: instant) == .expired else { return }
        let expired = proposal.ended(.expired, at: proposal.expiresAt)
        if try proposals.replace(proposal, by: expired, as: Self.principal) { report(.ended(expired)) }
    }

    /// Does the rest of what was begun: whoever agreed did so before the stop.
    private func resume(_ id: String, at instant: Timestamp) throws(ProposalError) {
        guard !proposals.underWay.withLock({ $0.contains(id) }) else { return }
        let proposal = try proposals.find(id)
        guard proposal.state == .applying else { return }
        report(.resumed(proposal))
        let content = try proposals.content(of: proposal)
        var operation = content.change.operation
        // The begin itself may have raised it.
        operation.expectedVersion = nil
        let ended: Proposal
        do throws(ProposalError) {
            let scope = try leave(for: proposal, content, at: instant)
            do throws(FlagStoreError) {
                try repository.applyAndWait(operation, in: scope, listed: listed)
            } catch {
                switch error {
                // It was done before the stop, and that alone was not noted.
                case .notFound where operation.kind.removes: break
                case .unavailable, .conflict, .stopped, .overtaken:
                    throw ProposalError.flags(error, proposal.environment)
                default: throw ProposalError.damaged("\(id): \(error)")
                }
            }
            ended = proposal.ended(.applied, at: instant, by: proposal.approvals.last?.by)
        } catch {
            if case .flags = error { throw error }
            ended = proposal.ended(.refused, at: instant, because: "\(error)")
        }
        if try proposals.replace(proposal, by: ended, as: Self.principal) {
            report(ended.state == .applied ? .applied(ended) : .ended(ended))
        }
    }

    private static let principal = Principal(.server, "proposals")
}
