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
    /// The file that is being checked, which problems are told with; nil where they name it themselves.
    package var subject: String?
    /// What is wrong, at most 100 of it; nothing when all is in order.
    package private(set) var problems: [String] = []

    /// A report of nothing yet.
    package init() {}

    /// Notes a problem, unless there are enough.
    package mutating func note(_ problem: @autoclosure () -> String) {
        let file = subject.map { "\($0): " } ?? ""
        if problems.count < 100 { problems.append(file + problem()) }
    }

    /// Notes what `body` throws of damaged files; other errors keep the verification from going on.
    package mutating func notingDamage(_ body: (inout VerificationReport) throws(TableError) -> Void) throws(TableError)
    {
        do throws(TableError) {
            try body(&self)
        } catch {
            switch error {
            case .backup(.damaged): break
            case .storage(let failure) where failure.kind == .corrupt: break
            default: throw error
            }
            // The description names the file.
            let subject = self.subject
            self.subject = nil
            note(error.description)
            self.subject = subject
        }
    }
}
