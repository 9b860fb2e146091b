import Dispatch
import FlagCore
import Platform

/// Tells an operator of failed evaluations, of each flag at most once a minute. From any thread.
final class EvaluationFailureLog: Sendable {
    private let failures = Locked(EvaluationFailures())
    private let queue = DispatchQueue(label: "flag-server.evaluation-failures")
    private let report: @Sendable (EvaluationFailures.Report) -> Void

    /// A log that hands its reports to `report`, on a queue of its own.
    init(report: @escaping @Sendable (EvaluationFailures.Report) -> Void) {
        self.report = report
    }

    /// Begins to report once a minute, as long as there is a log.
    func start() {
        queue.asyncAfter(deadline: .now() + .seconds(60)) { [weak self] in
            guard let self else { return }
            for report in failures.withLock({ $0.minutePassed() }) { self.report(report) }
            start()
        }
    }

    /// Takes a failure. Never blocks for long: what is to be said is said elsewhere.
    func note(_ error: EvaluationError, of flagKey: String, in environment: Environment) {
        guard let first = failures.withLock({ $0.note(error, of: flagKey, in: environment) }) else { return }
        queue.async { [report] in report(first) }
    }
}
