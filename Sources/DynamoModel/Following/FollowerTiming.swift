import Dispatch
import Platform

/// How a follower waits. Only by the monotonic clock: one that is set, forwards or back, keeps nobody waiting.
package struct FollowerTiming: Sendable {
    /// For how many milliseconds changes are gathered before they are taken.
    package var gatherMilliseconds = 0
    /// After how many milliseconds something that failed is tried again for the first time; each further time takes
    /// twice as long.
    package var retryMilliseconds = 1_000
    /// How long that becomes at most, in milliseconds.
    package var retryMillisecondsMax = 8_000
    /// How many changes that do not concern it may come before the follower is woken all the same to store its
    /// position: so many the stream keeps for nothing.
    package var passedMaximum: Int64 = 1_000
    /// What it waits by.
    package var delay = Delay.monotonic
    /// The clock that nobody sets, in milliseconds.
    package var now: @Sendable () -> Int64 = { SystemClock.monotonicMilliseconds }
    /// The wall clock, in milliseconds since 1970: how old changes are that an earlier process left is told by it.
    package var wall: @Sendable () -> Int64 = { SystemClock.wallMilliseconds }

    /// Changes are taken at once.
    package init() {}

    /// How long to wait after so many failures one after the other, in milliseconds.
    package func pause(afterFailures count: Int) -> Int {
        min(retryMillisecondsMax, retryMilliseconds << min(max(0, count - 1), 16))
    }
}
