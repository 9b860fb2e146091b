import Glibc

/// The system's clocks (clock_gettime(2)).
public enum SystemClock {
    /// Milliseconds of a clock that never goes back (`CLOCK_MONOTONIC`).
    public static var monotonicMilliseconds: Int64 { monotonicMicroseconds / 1000 }

    /// Microseconds of a clock that never goes back (`CLOCK_MONOTONIC`).
    @inlinable
    @inline(__always)
    public static var monotonicMicroseconds: Int64 { microseconds(of: CLOCK_MONOTONIC) }

    /// Milliseconds since the machine was started, its sleep included (`CLOCK_BOOTTIME`).
    public static var bootMilliseconds: Int64 { microseconds(of: CLOCK_BOOTTIME) / 1000 }

    /// Milliseconds since 1970 (`CLOCK_REALTIME`).
    public static var wallMilliseconds: Int64 { microseconds(of: CLOCK_REALTIME) / 1000 }

    /// Milliseconds since 1970, a few milliseconds old at most (`CLOCK_REALTIME_COARSE`): for dates, at a third of the
    /// cost.
    @inlinable
    @inline(__always)
    public static var coarseWallMilliseconds: Int64 { microseconds(of: CLOCK_REALTIME_COARSE) / 1000 }

    @inlinable
    @inline(__always)
    static func microseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1000
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    public var milliseconds: Int {
        Int(components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
    }
}
