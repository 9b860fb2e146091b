import Platform

/// How far a follower of a store's changes has come: what the store keeps for it, and what is told of it.
package final class FollowerProgress: Sendable {
    /// What the follower is called, in metrics too.
    package let name: String

    private struct State {
        var stored: Int64
        var waiting = WaitingChanges()
        var failures: UInt64 = 0
    }

    private let state: Locked<State>
    private let now: @Sendable () -> Int64

    /// A follower that has taken nothing.
    ///
    /// - Parameters:
    ///   - name: what it is called.
    ///   - stored: the position that is stored; 0 while that is not known.
    ///   - now: the monotonic clock, in milliseconds.
    package init(
        _ name: String, stored: Int64 = 0, now: @escaping @Sendable () -> Int64 = { SystemClock.monotonicMilliseconds }
    ) {
        self.name = name
        self.now = now
        state = Locked(State(stored: stored))
    }

    /// The first change that must stay in the stream for it; `Int64.max` when it needs none.
    package var firstNeeded: Int64 {
        let stored = state.withLock { $0.stored }
        return stored == .max ? .max : stored + 1
    }

    /// How it goes at the moment.
    package var report: FollowerReport {
        let now = now()
        return state.withLock { state in
            FollowerReport(
                name: name, lagMilliseconds: state.waiting.since.map { max(0, now - $0) } ?? 0,
                pendingChanges: state.waiting.count, failures: state.failures)
        }
    }

    /// Notes a position.
    package func note(_ position: FollowerPosition) {
        state.withLock { state in
            state.stored = position.stored
            state.waiting.take(upTo: position.taken)
        }
    }

    /// Notes changes that were just committed.
    func noteCommit(of count: Int, upTo sequence: Int64) {
        let now = now()
        state.withLock { $0.waiting.add(count, upTo: sequence, since: now) }
    }

    /// Notes changes of before the follower began, the first of which was made so many milliseconds ago.
    func noteEarlier(_ count: Int, upTo sequence: Int64, age: Int64) {
        let since = now() - max(0, age)
        state.withLock { $0.waiting.addFirst(count, upTo: sequence, since: since) }
    }

    /// Notes that something failed that is tried again.
    func noteFailure() { state.withLock { $0.failures += 1 } }
}

/// How a follower goes.
package struct FollowerReport: Sendable, Equatable {
    /// What it is called.
    package let name: String
    /// For how long the oldest change has waited that it has not taken; 0 when none waits.
    package let lagMilliseconds: Int64
    /// How many changes wait; with those of the same commits that it has taken already.
    package let pendingChanges: Int
    /// How often something failed since the start, and was tried again.
    package let failures: UInt64
}
