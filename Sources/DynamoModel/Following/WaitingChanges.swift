/// Changes that a follower has not taken yet: how many, and since when. A value of bounded size, however many wait.
struct WaitingChanges: Sendable {
    private struct Commit {
        /// The last change of it.
        var last: Int64
        /// When it was made, by the monotonic clock, in milliseconds.
        let since: Int64
        var count: Int
    }

    private var commits: [Commit] = []

    /// How many are told apart. Beyond that two neighbours become one, which is taken when its last change is.
    private static let commitsMaximum = 512

    /// How many changes wait, those included of which a part is taken.
    var count: Int { commits.reduce(0) { $0 + $1.count } }

    /// Since when the oldest of them waits; nil when none does.
    var since: Int64? { commits.first?.since }

    /// Adds changes.
    ///
    /// - Parameters:
    ///   - count: how many there are.
    ///   - sequence: the last of them, behind all that were added before.
    ///   - since: when they were made, by the monotonic clock, in milliseconds.
    mutating func add(_ count: Int, upTo sequence: Int64, since: Int64) {
        if commits.count == Self.commitsMaximum {
            commits = stride(from: 0, to: commits.count, by: 2).map { index in
                guard index + 1 < commits.count else { return commits[index] }
                let (first, second) = (commits[index], commits[index + 1])
                return Commit(last: second.last, since: first.since, count: first.count + second.count)
            }
        }
        commits.append(Commit(last: sequence, since: since, count: count))
    }

    /// Adds changes before all that were added.
    mutating func addFirst(_ count: Int, upTo sequence: Int64, since: Int64) {
        commits.insert(Commit(last: sequence, since: since, count: count), at: 0)
    }

    /// Everything up to `sequence` has been taken.
    mutating func take(upTo sequence: Int64) {
        let first = commits.firstIndex { $0.last > sequence } ?? commits.count
        commits.removeFirst(first)
    }
}
