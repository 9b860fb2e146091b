/// Hours of certain days, by the clocks of a time zone.
package struct BusinessHours: Sendable, Equatable {
    /// The names of the days, Monday first.
    static let dayNames = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

    /// The name of the time zone in the tz database.
    package let timeZone: String
    /// A bit for each day, Monday the lowest.
    let days: UInt8
    /// Seconds from midnight at which they begin.
    let from: Int64
    /// Seconds from midnight at which they end; not after `from` when they go on past midnight, and then belong to the
    /// day on which they began.
    let to: Int64

    /// Whether the hours hold at an instant, in seconds since 1970.
    func contains(_ instant: Int64, in zone: TimeZoneRules) -> Bool {
        let local = instant + zone.offset(at: instant)
        let day = (local >= 0 ? local : local - 86_399) / 86_400
        let second = local - day * 86_400
        // 1970-01-01 was a Thursday, 3 when Monday is 0.
        let weekday = Int(((day + 3) % 7 + 7) % 7)
        if from < to { return has(weekday) && (from..<to).contains(second) }
        return (has(weekday) && second >= from) || (has((weekday + 6) % 7) && second < to)
    }

    /// The first instant after `instant` at which the hours begin or end; nil when that never happens.
    ///
    /// They can only begin or end when a clock shows one of the two times, or when clocks are changed.
    func nextChange(after instant: Int64, in zone: TimeZoneRules) -> Int64? {
        let isOpen = contains(instant, in: zone)
        var candidate = instant
        // A week has 14 such times, and clocks are changed now and then.
        for _ in 0..<64 {
            candidate = nextCandidate(after: candidate, in: zone)
            if contains(candidate, in: zone) != isOpen { return candidate }
        }
        return nil
    }

    private func nextCandidate(after instant: Int64, in zone: TimeZoneRules) -> Int64 {
        let offset = zone.offset(at: instant)
        let local = instant + offset
        let midnight = (local >= 0 ? local : local - 86_399) / 86_400 * 86_400
        var next = Int64.max
        for time in [from, to] {
            var candidate = midnight + time - offset
            while candidate <= instant { candidate += 86_400 }
            next = min(next, candidate)
        }
        return min(next, zone.nextChange(after: instant) ?? .max)
    }

    private func has(_ weekday: Int) -> Bool { days >> UInt8(weekday) & 1 == 1 }
}
