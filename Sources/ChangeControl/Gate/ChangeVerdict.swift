/// What becomes of a change that somebody wants to make.
package enum ChangeVerdict: Sendable, Equatable {
    /// It is made at once.
    case apply
    /// So many others have to agree to it first.
    case propose(approvals: Int)
    /// Nothing is changed there for now.
    case frozen(Freeze)
}
