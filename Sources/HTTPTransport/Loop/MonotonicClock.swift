import Glibc

/// The system's clocks, in whole milliseconds.
enum MonotonicClock {
    /// `CLOCK_MONOTONIC`.
    static var milliseconds: Int64 { microseconds / 1000 }

    /// `CLOCK_MONOTONIC` in microseconds.
    @inline(__always)
    static var microseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1000
    }

    /// `CLOCK_REALTIME`: milliseconds since 1970. The coarse variant, a few milliseconds old at most, does for dates
    /// and costs a third.
    @inline(__always)
    static var wallMilliseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return Int64(time.tv_sec) &* 1000 &+ Int64(time.tv_nsec) / 1_000_000
    }
}
