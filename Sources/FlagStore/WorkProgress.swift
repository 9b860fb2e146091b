import Platform

/// How far a long piece of work is, and whether it is to go on: shared by whoever does it and whoever watches it. From
/// any thread.
///
/// Who does it asks between two steps that each leave everything consistent, so that work which is told to stop does so
/// at such a point.
package final class WorkProgress: Sendable {
    /// Why work ends before it is done.
    package enum StopReason: Sendable, Equatable {
        /// Somebody wanted it: who.
        case cancelled(by: String)
        /// The process is to end.
        case serverStops
        /// Whoever asked for it waits for it no longer.
        case abandoned
    }

    private struct State {
        var done = 0
        var total = 0
        var reason: StopReason?
    }

    private let state = Locked(State())
    private let isAbandoned: @Sendable () -> Bool

    /// Work that has not begun.
    ///
    /// - Parameter isAbandoned: says whether nobody waits for it any more; asked at each step, so it must be quick.
    package init(isAbandoned: @escaping @Sendable () -> Bool = { false }) {
        self.isAbandoned = isAbandoned
    }

    /// How many changes are durable, and how many there will be as far as is known: 0 before that is known.
    package var counts: (done: Int, total: Int) { state.withLock { ($0.done, $0.total) } }

    /// There are so many changes to make, beside those that were known of.
    package func expect(_ count: Int) { state.withLock { $0.total += count } }

    /// So many more changes are durable.
    package func note(done count: Int) { state.withLock { $0.done += count } }

    /// Has the work end at its next step. The first reason stays.
    package func stop(_ reason: StopReason) { state.withLock { $0.reason = $0.reason ?? reason } }

    /// Why the work is to end; nil while it is to go on.
    package var stopReason: StopReason? {
        if let reason = state.withLock({ $0.reason }) { return reason }
        guard isAbandoned() else { return nil }
        stop(.abandoned)
        return state.withLock { $0.reason }
    }

    /// Goes on, or not: to be called where everything is consistent.
    ///
    /// - Throws: `stopped` when the work is to end.
    package func check() throws(FlagStoreError) {
        guard let reason = stopReason else { return }
        let (done, total) = counts
        throw .stopped(WorkStopped(reason: reason, done: done, total: total))
    }
}

/// Why work ended before it was done, and how much of it is done: that is durable.
package struct WorkStopped: Sendable, Equatable, CustomStringConvertible {
    /// Why.
    package let reason: WorkProgress.StopReason
    /// How many changes were made.
    package let done: Int
    /// How many there would have been; 0 when that was not known yet.
    package let total: Int

    /// As in "stopped after 1200 of 10000 changes because the server is stopping; import the same file again to do the
    /// rest": what counts changes is an import.
    package var description: String {
        guard done > 0 else { return "stopped before anything was changed because \(reason)" }
        return "stopped after \(done) of \(total) changes because \(reason); import the same file again to do the rest"
    }
}

extension WorkProgress.StopReason: CustomStringConvertible {
    /// Completes the sentence "it was stopped because …".
    package var description: String {
        switch self {
        case .cancelled(let name): "it was cancelled by \(name)"
        case .serverStops: "the server is stopping"
        case .abandoned: "nobody waits for its end any more (the client has left)"
        }
    }
}
