import DynamoModel

/// Something that became of a proposal, for whoever looks after the server.
package enum ProposalEvent: Sendable {
    /// Somebody asks others to agree to a change.
    case proposed(Proposal)
    /// Somebody agreed; so many more have to.
    case approved(Proposal, by: Principal, missing: Int)
    /// It was made: who agreed stands in it.
    case applied(Proposal)
    /// It ended in another way.
    case ended(Proposal)
    /// It was begun before a stop, and goes on.
    case resumed(Proposal)
    /// What is to be done beside requests could not be done: it is tried again.
    case failed(String)
}
