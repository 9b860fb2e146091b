import DynamoModel

/// The logs that do not follow at the moment: why not, and which of them are left out of a turn because it is not their
/// time to be tried again yet.
struct FailingLogs {
    /// What is to be tried again, and after how many failures one after the other.
    struct Retry: Equatable {
        let id: Int
        let failures: Int
    }

    private struct Entry {
        var error: TableError
        var failures = 0
        /// The retry that is waited for; nil when it is due.
        var retry: Int?
        var isLeftOut = true
    }

    private var entries: [String: Entry] = [:]
    private var retries = 0
    private var hasNews = false

    /// Why a log does not follow; nil when it does.
    subscript(_ name: String) -> TableError? { entries[name]?.error }

    /// Why the first of them by name does not follow; nil when all do.
    var first: TableError? { entries.min { $0.key.precedes($1.key) }?.value.error }

    /// Whether a log is not touched in this turn.
    func leavesOut(_ name: String) -> Bool { entries[name]?.isLeftOut ?? false }

    /// A turn begins.
    ///
    /// - Parameters:
    ///   - names: the logs that there are; others are forgotten.
    ///   - all: whether those are tried, too, whose retry is not due.
    mutating func beginTurn(of names: Set<String>, all: Bool) {
        entries = entries.filter { names.contains($0.key) }
        for (name, entry) in entries { entries[name]?.isLeftOut = !all && entry.retry != nil }
    }

    /// A turn came to its end: what was tried and did not fail follows again.
    mutating func endTurn() { entries = entries.filter(\.value.isLeftOut) }

    /// Notes that a log failed.
    ///
    /// - Returns: the retry that is to be waited for; nil when one is waited for already.
    mutating func note(_ error: TableError, of name: String) -> Retry? {
        hasNews = true
        var entry = entries[name] ?? Entry(error: error)
        (entry.error, entry.isLeftOut) = (error, true)
        defer { entries[name] = entry }
        guard entry.retry == nil else { return nil }
        entry.failures += 1
        retries += 1
        entry.retry = retries
        return Retry(id: retries, failures: entry.failures)
    }

    /// A retry has been waited for.
    ///
    /// - Returns: whether there is still something to be tried again by it.
    mutating func comeDue(_ retry: Retry) -> Bool {
        guard let name = entries.first(where: { $0.value.retry == retry.id })?.key else { return false }
        entries[name]?.retry = nil
        return true
    }

    /// Nothing is left of a log.
    mutating func forget(_ name: String) { entries[name] = nil }

    /// Whether one has failed since this was asked last.
    mutating func takeNews() -> Bool {
        defer { hasNews = false }
        return hasNews
    }
}
