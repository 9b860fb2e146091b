/// Changes that a follower has not taken yet: how many, and since when. A value of bounded size, however many wait.
struct WaitingChanges: Sendable {
    /// Commits that follow one another.
    private struct Run {
        /// The last change of them.
        var last: Int64
        /// When the first of them was made, by the monotonic clock, in milliseconds.
        let since: Int64
        /// How many changes they have.
        var count: Int
        /// How many commits they are.
        var commits = 1
    }

    private var runs: [Run] = []
    /// How many commits a run takes: more the more of them wait.
    private var runCommits = 1

    /// How many runs there are at most.
    private static let runsMaximum = 512

    /// How many changes wait; with them those of the same run that are taken.
    var count: Int { runs.reduce(0) { $0 + $1.count } }

    /// Since when the oldest of them waits; nil when none does.
    var since: Int64? { runs.first?.since }

    /// Adds changes.
    ///
    /// - Parameters:
    ///   - count: how many there are.
    ///   - sequence: the last of them, behind all that were added before.
    ///   - since: when they were made, by the monotonic clock, in milliseconds.
    mutating func add(_ count: Int, upTo sequence: Int64, since: Int64) {
        if let last = runs.indices.last, runs[last].commits < runCommits {
            runs[last].last = sequence
            runs[last].count += count
            runs[last].commits += 1
            return
        }
        if runs.count == Self.runsMaximum { mergePairs() }
        runs.append(Run(last: sequence, since: since, count: count))
    }

    private mutating func mergePairs() {
        runCommits *= 2
        runs = stride(from: 0, to: runs.count, by: 2).map { index in
            guard index + 1 < runs.count else { return runs[index] }
            let (first, second) = (runs[index], runs[index + 1])
            return Run(
                last: second.last, since: first.since, count: first.count + second.count,
                commits: first.commits + second.commits)
        }
    }

    /// Adds changes before all that were added.
    mutating func addFirst(_ count: Int, upTo sequence: Int64, since: Int64) {
        runs.insert(Run(last: sequence, since: since, count: count, commits: runCommits), at: 0)
    }

    /// Everything up to `sequence` has been taken.
    mutating func take(upTo sequence: Int64) {
        runs.removeFirst(runs.firstIndex { $0.last > sequence } ?? runs.count)
        if runs.isEmpty { runCommits = 1 }
    }
}
