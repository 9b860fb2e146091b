import FlagCore

/// Flags whose evaluation failed, gathered so that an operator reads of each at once, and then once a minute.
///
/// A value that decides what is to be said; `EvaluationFailureLog` says it.
struct EvaluationFailures {
    /// What is to be said of one flag.
    struct Report: Sendable, Equatable {
        let environment: Environment
        let flagKey: String
        /// What went wrong last.
        let error: EvaluationError
        /// How often since the last report of the flag.
        let count: Int
    }

    /// How many flags are told apart; the failures of further ones are in the metrics only.
    static let flagsMaximum = 100

    private struct Name: Hashable {
        let environment: Environment
        let flagKey: String
    }

    private struct Entry {
        var error: EvaluationError
        var count: Int
    }

    private var entries: [Name: Entry] = [:]

    /// Takes a failure; gives a report when it is the first one of the flag for at least a minute.
    mutating func note(_ error: EvaluationError, of flagKey: String, in environment: Environment) -> Report? {
        let name = Name(environment: environment, flagKey: flagKey)
        if let count = entries[name]?.count {
            entries[name] = Entry(error: error, count: count + 1)
            return nil
        }
        guard entries.count < Self.flagsMaximum else { return nil }
        entries[name] = Entry(error: error, count: 0)
        return Report(environment: environment, flagKey: flagKey, error: error, count: 1)
    }

    /// What is to be said when a minute has passed: the flags that failed again during it. Those that did not are
    /// forgotten.
    mutating func minutePassed() -> [Report] {
        let reports = entries.filter { $0.value.count > 0 }.map { name, entry in
            Report(environment: name.environment, flagKey: name.flagKey, error: entry.error, count: entry.count)
        }
        entries = entries.filter { $0.value.count > 0 }.mapValues { Entry(error: $0.error, count: 0) }
        return reports.sorted { $0.flagKey < $1.flagKey }
    }
}
