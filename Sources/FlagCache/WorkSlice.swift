import Platform

/// A stretch of a loop's time, by the monotonic clock, that goes to work which can wait: other requests are served
/// between one and the next. Whoever works asks between two pieces of work whether it is over.
package struct WorkSlice {
    /// Nanoseconds of a clock that never goes back.
    package typealias Clock = @Sendable () -> UInt64

    /// How long one is: a tenth of what a request may keep a loop, since a piece of work is not interrupted, and
    /// compiling the largest flag takes several times as long.
    package static let nanoseconds: UInt64 = 5_000_000

    /// The system's clock (`CLOCK_MONOTONIC`).
    package static let systemClock: Clock = { UInt64(SystemClock.monotonicMicroseconds) &* 1000 }

    private let clock: Clock
    private let end: UInt64

    /// A slice that begins now.
    package init(_ clock: @escaping Clock) {
        self.clock = clock
        end = clock() &+ WorkSlice.nanoseconds
    }

    /// Whether no time is left.
    package var isOver: Bool { clock() >= end }
}

/// The one slice that each turn of a loop has, whoever works in it. Begins when somebody first asks.
struct TurnSlice {
    private let clock: WorkSlice.Clock
    private var slice: WorkSlice
    private var turn = Int64.min

    /// No turn's slice yet.
    init(_ clock: @escaping WorkSlice.Clock) {
        self.clock = clock
        slice = WorkSlice(clock)
    }

    /// Whether no time is left in this turn: false the first time, so that each turn gets something done.
    ///
    /// - Parameter turn: the loop's time in milliseconds, read when the turn began.
    mutating func isOver(in turn: Int64) -> Bool {
        guard turn == self.turn else {
            self.turn = turn
            slice = WorkSlice(clock)
            return false
        }
        return slice.isOver
    }
}
