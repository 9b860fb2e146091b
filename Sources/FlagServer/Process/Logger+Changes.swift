import ChangeControl
import DynamoModel
import FlagCore
import Logging

extension Logger {
    /// Tells of a change that is made at once because of an emergency: for everybody to see.
    func report(_ event: ChangeGateEvent) {
        critical(
            "EMERGENCY: a change is made at once that would have had to wait",
            metadata: [
                "change": "\(event.what)", "environment": "\(event.environment.rawValue)", "by": "\(event.principal)",
                "reason": "\(event.principal.circumstances?.reason ?? "none")",
                "request": "\(event.principal.circumstances?.requestID ?? "none")",
            ])
    }

    /// Tells of what became of a proposal.
    func report(_ event: ProposalEvent) {
        switch event {
        case .proposed(let proposal): notice("proposed", metadata: metadata(proposal))
        case .approved(let proposal, let principal, let missing):
            var metadata = metadata(proposal)
            metadata["by"] = "\(principal)"
            metadata["missing"] = .stringConvertible(missing)
            notice("proposal approved", metadata: metadata)
        case .applied(let proposal):
            var metadata = metadata(proposal)
            metadata["approvedBy"] = "\(proposal.approvals.map { "\($0.by)" }.joined(separator: ", "))"
            notice("proposal applied", metadata: metadata)
        case .ended(let proposal):
            var metadata = metadata(proposal)
            if let by = proposal.end?.by { metadata["by"] = "\(by)" }
            if let detail = proposal.end?.detail { metadata["reason"] = "\(detail)" }
            log(
                level: proposal.state == .refused ? .error : .notice, "proposal \(proposal.state.rawValue)",
                metadata: metadata)
        case .resumed(let proposal):
            warning("a proposal that was begun before a stop goes on", metadata: metadata(proposal))
        case .failed(let reason):
            warning("proposals cannot be looked after; it is tried again", metadata: ["reason": "\(reason)"])
        }
    }

    private func metadata(_ proposal: Proposal) -> Metadata {
        ["proposal": "\(proposal.id)", "change": "\(proposal.summary)", "author": "\(proposal.author)"]
    }
}
