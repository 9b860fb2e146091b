import Access
import DynamoModel
import FlagCore
import FlagStore
import JSON

/// Why something was not done with a proposal.
package enum ProposalError: Error {
    /// There is none of this name.
    case notFound(String)
    /// Nothing can be done with it any more.
    case ended(String, Proposal.State)
    /// Whoever wants the change cannot be the one who agrees to it, or refuses it.
    case ownProposal(String)
    /// Only its author renews it.
    case notAuthor(String)
    /// Whoever asked may not do what it does.
    case forbidden(Permissions, Environment)
    /// Whoever asks for the change may not make it any more.
    case authorForbidden(Principal, Permissions, Environment)
    /// What somebody may now who asks cannot be found out later.
    case authorUnknown(Principal)
    /// Nothing is changed there for now.
    case frozen(Freeze)
    /// What it is about was changed since it was made.
    case changedMeanwhile(String, StoredThing)
    /// As many wait as may.
    case tooMany(Int)
    /// It has more bytes than may be kept of one.
    case tooLarge(maximum: Int)
    /// It has as many comments as it may have.
    case tooManyComments(Int)
    /// Others keep changing it.
    case busy(String)
    /// What is stored of it cannot be read.
    case damaged(String)
    /// The flags of an environment say so.
    case flags(FlagStoreError, Environment)
    /// The store could not read or write.
    case store(TableError)
}

extension ProposalError: CustomStringConvertible {
    /// One sentence for people.
    package var description: String {
        switch self {
        case .notFound(let id): "There is no proposal \(id)"
        case .ended(let id, .applying): "The proposal \(id) is being applied"
        case .ended(let id, let state): "The proposal \(id) has ended: it is \(state.rawValue)"
        case .ownProposal(let id):
            "The proposal \(id) is of whoever asks: somebody else approves or rejects it, its author may withdraw it"
        case .notAuthor(let id): "Only the author of the proposal \(id) renews it"
        case .forbidden(let permissions, let environment):
            "Whoever asks may not \(permissions.inWords) in \(environment.rawValue)"
        case .authorForbidden(let author, let permissions, let environment):
            "\(author), who asks for this, may not \(permissions.inWords) in \(environment.rawValue) any more"
        case .authorUnknown(let author):
            "What \(author) may can be told only while they ask, and a proposal is applied later: propose it as an "
                + "account or with an API key of this server"
        case .frozen(let freeze):
            "\(freeze.environment.rawValue) is frozen until \(freeze.endsAt): \(freeze.reason)"
        case .changedMeanwhile(let id, let thing):
            "The \(thing) was changed after the proposal \(id) was made for it"
        case .tooMany(let maximum): "\(maximum) proposals wait, and no more may"
        case .tooLarge(let maximum):
            "The change is too large to be proposed: each of what it does, of what there is and of what differs may "
                + "have \(maximum) bytes; make several of it"
        case .tooManyComments(let maximum): "The proposal has \(maximum) comments, and no more may be"
        case .busy(let id): "Others keep changing the proposal \(id); try again"
        case .damaged(let id): "What is stored of the proposal \(id) cannot be read"
        case .flags(let error, _): "\(error)"
        case .store(let error): "\(error)"
        }
    }
}
