import DynamoModel
import Glibc
import Platform

/// The clocks of a store: the wall clock, whose time is kept with what is written, and one that nobody sets, by which
/// the jumps of the first are told.
final class StoreClock: Sendable {
    /// The time that the wall clock shows, in milliseconds since 1970.
    let wall: @Sendable () -> Int64
    /// The milliseconds since some moment, of a clock that runs evenly and also while the machine sleeps.
    let elapsed: @Sendable () -> Int64

    private struct State {
        var anchor: (wall: Int64, elapsed: Int64)
        /// What the clocks showed when it was last looked for a jump that is to be told.
        var seen: (wall: Int64, elapsed: Int64)?
        let openedAt: Int64
        var history = ClockHistory()
    }

    private let state: Locked<State>
    private let subscribers = Locked<[@Sendable (ClockJump) -> Void]>([])

    /// How long a store is open before anything in it is too old: a machine may begin with a wrong clock and have it
    /// put right soon.
    private static let settlingMilliseconds: Int64 = 3_600_000

    /// The clocks of a store that is being opened.
    ///
    /// - Parameter elapsed: nil where the wall clock is known to run evenly.
    init(wall: @escaping @Sendable () -> Int64, elapsed: (@Sendable () -> Int64)?) {
        self.wall = wall
        self.elapsed = elapsed ?? wall
        let now = self.elapsed()
        state = Locked(State(anchor: (wall(), now), openedAt: now))
    }

    /// The jumps of the wall clock that are stored, or will be with the next change.
    var history: ClockHistory {
        get { state.withLock { $0.history } }
        set { state.withLock { $0.history = newValue } }
    }

    /// What the wall clock would show now if it had not jumped since the last change.
    var expected: Int64 { state.withLock { [elapsed] in $0.anchor.wall + (elapsed() - $0.anchor.elapsed) } }

    /// From now on `wall` is what the clock showed when the other one showed `elapsed`.
    func anchor(wall: Int64, elapsed: Int64) { state.withLock { $0.anchor = (wall, elapsed) } }

    /// The present time as far as something may be forgotten for its age by it: the earlier of what the clock shows and
    /// what it should show. Nil for the first hour of a store.
    var timeForForgetting: Int64? {
        let (shown, now) = (wall(), elapsed())
        return state.withLock { state in
            guard now - state.openedAt >= Self.settlingMilliseconds else { return nil }
            return min(shown, state.anchor.wall + (now - state.anchor.elapsed))
        }
    }

    /// Calls `deliver` with each jump of more than a second that a write notices, once; from the writer's queue, which
    /// must not be kept waiting.
    func subscribe(_ deliver: @escaping @Sendable (ClockJump) -> Void) { subscribers.withLock { $0.append(deliver) } }

    /// Looks whether the wall clock, which shows `now`, has jumped since it was last looked, and tells of it.
    ///
    /// - Parameters:
    ///   - sequence: the last change.
    ///   - time: when that was committed: for the first look, the clock is set back if it shows less.
    func look(_ now: Int64, after sequence: Int64, notBefore time: Int64) {
        let elapsed = elapsed()
        let expected = state.withLock { state in
            defer { state.seen = (now, elapsed) }
            return state.seen.map { $0.wall + (elapsed - $0.elapsed) } ?? max(time, now)
        }
        let jump = ClockJump(after: sequence, from: expected, to: now)
        guard jump.distance.magnitude > UInt64(ClockHistory.toleranceMilliseconds) else { return }
        for deliver in subscribers.withLock({ $0 }) { deliver(jump) }
    }
}
