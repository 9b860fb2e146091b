/// What a verification has found.
package struct VerificationReport: Sendable, Equatable {
    /// How many items there are.
    package var items = 0
    /// How many index entries there are.
    package var entries = 0
    /// How many changes the change stream has.
    package var changes = 0
    /// How many backups there are.
    package var backups = 0
    /// How many changes the logs of continuous backups have.
    package var loggedChanges = 0
    /// What is wrong, at most 100 of it; nothing when all is in order.
    package private(set) var problems: [String] = []

    /// Notes a problem, unless there are enough.
    mutating func note(_ problem: @autoclosure () -> String) {
        if problems.count < 100 { problems.append(problem()) }
    }

    /// Notes what `body` throws of damaged files; other errors keep the verification from going on.
    mutating func notingDamage(_ body: (inout VerificationReport) throws(TableError) -> Void) throws(TableError) {
        do throws(TableError) {
            try body(&self)
        } catch {
            switch error {
            case .backup(.damaged): note(error.description)
            case .storage(let failure) where failure.kind == .corrupt: note(error.description)
            default: throw error
            }
        }
    }
}
