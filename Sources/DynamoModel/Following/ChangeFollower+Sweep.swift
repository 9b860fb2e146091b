import Dispatch
import Platform

/// Looking at everything again, beside the changes.
extension ChangeFollower {
    /// Whether everything is, or must be, looked at again.
    struct SweepState: Sendable {
        /// How often that was asked for.
        var asked = 0
        /// How often when it was done last.
        var done = 0
        /// The position from before the last time it was asked for.
        var position: Int64 = 0
        /// Whether it is under way, or waits to be tried again.
        var isUnderWay = false
        /// How many failed one after the other.
        var failures = 0
        /// Why the last one failed.
        var failure: Consumer.Failure?

        /// Whether something is left to be looked at.
        var isDue: Bool { done < asked }
    }

    /// Has everything looked at again: what is followed has been replaced as a whole. Returns at once.
    package func sweep() {
        queue.async { [weak self] in
            guard let self else { return }
            sweep(from: state.withLock { $0.position })
        }
    }

    /// Has everything looked at that there was at a position. On the queue.
    func sweep(from position: Int64) {
        let mustBegin = state.withLock { state in
            state.sweep.asked += 1
            state.sweep.position = position
            defer { state.sweep.isUnderWay = true }
            return !state.sweep.isUnderWay
        }
        if mustBegin { sweeps.async { [weak self] in self?.runSweep() } }
    }

    /// Looks at everything. On the queue for sweeps; blocks for as long as that takes.
    private func runSweep() {
        let asked = state.withLock { $0.sweep.asked }
        do throws(Consumer.Failure) {
            try consumer.sweep(isCancelled: { state.withLock { $0.isStopped } })
            let isDone = try onQueue { () throws(Consumer.Failure) in try finishSweep(asked) }
            if !isDone { runAgain(after: 0) }
        } catch {
            progress.noteFailure()
            let failures = state.withLock { state in
                state.sweep.failures += 1
                state.sweep.failure = error
                return state.sweep.failures
            }
            queue.sync { report() }
            runAgain(after: timing.pause(afterFailures: failures))
        }
    }

    /// Stores the position from before, unless everything must be looked at once more. On the queue.
    ///
    /// - Returns: false when it must.
    private func finishSweep(_ asked: Int) throws(Consumer.Failure) -> Bool {
        let (isStopped, sweep) = state.withLock { ($0.isStopped, $0.sweep) }
        if isStopped { return true }
        guard sweep.asked == asked else { return false }
        try consumer.store(sweep.position)
        progress.note(consumer.position)
        state.withLock { state in
            (state.sweep.done, state.sweep.isUnderWay, state.sweep.failures) = (asked, false, 0)
            state.sweep.failure = nil
        }
        report()
        // What was taken meanwhile may have its position stored now.
        wake()
        return true
    }

    private func runAgain(after milliseconds: Int) {
        guard !state.withLock({ $0.isStopped }) else { return }
        let run: @Sendable () -> Void = { [weak self] in self?.runSweep() }
        if milliseconds == 0 { sweeps.async(execute: run) } else { timing.delay.call(milliseconds, sweeps, run) }
    }

    private func onQueue(
        _ body: () throws(Consumer.Failure) -> Bool
    ) throws(Consumer.Failure) -> Bool {
        let result: Result<Bool, Consumer.Failure> = queue.sync {
            do throws(Consumer.Failure) { return .success(try body()) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
