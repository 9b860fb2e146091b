import Bytes
import JSON
import Testing

@testable import FlagCore

@Suite("Times, against a look at each of them")
struct TimeModelTests {
    /// A generator of its own, so that a failure can be repeated.
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    private static let origin: Int64 = 1_767_225_600_000  // 2026-01-01T00:00:00Z, a Thursday

    private static func time(_ milliseconds: Int64) -> Timestamp {
        Timestamp(millisecondsSinceEpoch: origin + milliseconds)
    }

    @Test("A place comes in, or goes out, in the millisecond that is foretold", arguments: 1...6 as ClosedRange<UInt64>)
    func ramps(_ seed: UInt64) {
        var random = Seeded(state: seed)
        for _ in 0..<200 {
            let (start, end) = (
                Int64.random(in: 0...10_000, using: &random), Int64.random(in: 0...10_000, using: &random)
            )
            let length = Int64.random(in: 1...400, using: &random)
            let isSudden = Int.random(in: 0..<5, using: &random) == 0
            let rollout = Rollout(
                json: .null, end: end, start: start, startAt: Self.time(100),
                endAt: isSudden ? nil : Self.time(100 + length), regions: nil, cohorts: nil, businessHours: nil)
            for place in [
                0, start - 1, start, end - 1, end, (start + end) / 2, Int64.random(in: 0..<10_000, using: &random),
                9_999,
            ] where (0..<10_000).contains(place) {
                func isIn(_ time: Int64) -> Bool { place < rollout.threshold(at: Self.time(time)) }
                let change = (1...600).first { isIn(Int64($0)) != isIn(Int64($0) - 1) }.map { Self.time(Int64($0)) }
                #expect(rollout.nextChange(ofPlace: place, after: Self.time(0)) == change)
                #expect(!(101...600).contains { change == Self.time(Int64($0)) } || !isSudden)
                guard let change else { continue }
                let last = Timestamp(millisecondsSinceEpoch: change.millisecondsSinceEpoch - 1)
                #expect(rollout.nextChange(ofPlace: place, after: last) == change)
                #expect(rollout.nextChange(ofPlace: place, after: change) == nil)
            }
            #expect(rollout.threshold(at: Self.time(99)) == start)
            #expect(rollout.threshold(at: Self.time(100 + length)) == end)
            #expect(rollout.followsClock == (start != end))
        }
    }

    @Test("Business hours begin and end in the second that is foretold, also over midnight and on some days only")
    func businessHours() throws {
        var random = Seeded(state: 7)
        let step: Int64 = 900
        for _ in 0..<60 {
            let (from, to) = (
                Int64.random(in: 0..<96, using: &random) * step, Int64.random(in: 1...96, using: &random) * step
            )
            if from == to { continue }
            let days = UInt8.random(in: 1..<128, using: &random)
            let hours = BusinessHours(timeZone: "UTC", days: days, from: from, to: to)
            /// Said without any arithmetic of days: hour by hour of a week that begins on a Thursday.
            func isOpen(_ quarter: Int64) -> Bool {
                let (day, second) = (quarter / 96, quarter % 96 * step)
                let weekday = (day + 3) % 7
                func has(_ weekday: Int64) -> Bool { days & 1 << UInt8(weekday) != 0 }
                if from < to { return has(weekday) && second >= from && second < to }
                return has(weekday) && second >= from || has((weekday + 6) % 7) && second < to
            }
            let begin = Self.origin / 1000
            var open = (0..<(96 * 15)).map { isOpen(Int64($0)) }
            for (quarter, isOpen) in open.enumerated() {
                #expect(hours.contains(begin + Int64(quarter) * step, in: .utc) == isOpen)
                #expect(hours.contains(begin + Int64(quarter) * step + step - 1, in: .utc) == isOpen)
            }
            open.removeLast(96)
            for quarter in stride(from: 0, to: 96 * 7, by: 5) {
                let next = open[(quarter + 1)...].firstIndex { $0 != open[quarter] }
                let told = hours.nextChange(after: begin + Int64(quarter) * step, in: .utc)
                #expect(told == next.map { begin + Int64($0) * step }, "\(hours) \(quarter)")
            }
        }
    }

    @Test("Days follow each other through leap years and centuries, there and back, before and after 1970")
    func days() {
        var expected = (year: 1580, month: 1, day: 1)
        var day = CivilDate(year: 1580, month: 1, day: 1).daysSinceEpoch
        #expect(CivilDate(year: 1970, month: 1, day: 1).daysSinceEpoch == 0)
        while expected.year < 2420 {
            let date = CivilDate(daysSinceEpoch: day)
            #expect((date.year, date.month, date.day) == expected)
            #expect(date.daysSinceEpoch == day && date.isInCalendar)
            let isLeap = expected.year % 400 == 0 || expected.year % 4 == 0 && expected.year % 100 != 0
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            if expected.day == lengths[expected.month - 1] {
                #expect(!CivilDate(year: expected.year, month: expected.month, day: expected.day + 1).isInCalendar)
                expected = expected.month == 12 ? (expected.year + 1, 1, 1) : (expected.year, expected.month + 1, 1)
            } else {
                expected.day += 1
            }
            day += 1
        }
        for (year, month, day) in [(2026, 0, 1), (2026, 13, 1), (2026, 1, 0), (2023, 2, 29), (1900, 2, 29)] {
            #expect(!CivilDate(year: year, month: month, day: day).isInCalendar)
        }
    }

    @Test(
        "A time is read with its fraction and its offset, and written in milliseconds of UTC",
        arguments: [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"), ("2026-01-02t03:04:05z", "2026-01-02T03:04:05.000Z"),
            ("2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05.600Z"),
            ("2026-01-02T03:04:05.67Z", "2026-01-02T03:04:05.670Z"),
            ("2026-01-02T03:04:05.6789Z", "2026-01-02T03:04:05.678Z"),
            ("2026-01-02T03:04:05+01:30", "2026-01-02T01:34:05.000Z"),
            ("2026-01-02T03:04:05-23:59", "2026-01-03T03:03:05.000Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
            ("0000-01-01T00:00:00+00:01", nil), ("9999-12-31T23:59:59-00:01", nil), ("2026-01-02T24:00:00Z", nil),
            ("2026-01-02T03:60:00Z", nil), ("2026-01-02T03:04:61Z", nil), ("2026-01-02T03:04:05", nil),
            ("2026-01-02T03:04:05+24:00", nil), ("2026-01-02T03:04:05+01:60", nil), ("2026-01-02T03:04:05.Z", nil),
            ("2026-01-02 03:04:05Z", nil), ("2026-1-02T03:04:05Z", nil), ("2026-02-29T00:00:00Z", nil),
            ("2026-01-02T03:04:05Zx", nil), ("", nil),
        ] as [(String, String?)])
    func texts(_ text: String, _ written: String?) {
        #expect(Timestamp(rfc3339: text)?.rfc3339 == written)
    }

    @Test("Seconds are rounded down, also before 1970")
    func seconds() {
        for (milliseconds, seconds) in [(0, 0), (999, 0), (1000, 1), (-1, -1), (-1000, -1), (-1001, -2)]
            as [(Int64, Int64)]
        {
            #expect(Timestamp(millisecondsSinceEpoch: milliseconds).secondsSinceEpoch == seconds)
        }
    }
}

@Suite("Semantic versions")
struct VersionOrderTests {
    /// In their order, the smallest first (semver.org, section 11).
    private static let ordered = [
        "0.0.0-0", "0.0.0", "0.9.10", "1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-alpha", "1.0.0-alpha.1",
        "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.0.10",
        "1.1.0", "1.2.0-x", "1.2.0", "1.10.0", "2.0.0", "10.0.0", "99999999999999999999.0.0",
    ]

    private func order(_ left: String, _ right: String) -> Int? {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        return left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                guard let left = SemanticVersion(left), let right = SemanticVersion(right) else { return nil }
                return left.order(to: right).signum()
            }
        }
    }

    @Test("Each comes before those behind it")
    func order() {
        for (place, left) in Self.ordered.enumerated() {
            for (otherPlace, right) in Self.ordered.enumerated() {
                #expect(order(left, right) == (place - otherPlace).signum(), "\(left) \(right)")
            }
        }
        for (left, right) in [("1", "1.0.0"), ("v1.2", "1.2.0"), ("V1.2.3+b", "1.2.3+a.01"), ("1.0.0-a+x", "1.0.0-a")] {
            #expect(order(left, right) == 0)
        }
    }

    @Test(
        "What is no version is none",
        arguments: [
            "", "v", "1.", "01.0.0", "1.00.0", "1.0.0.0", "1.0.0-", "1.0.0-01", "1.0.0-a..b", "1.0.0+", "1.0.0+a..b",
            "1-a", "1.2-a", "1.2+b", "a.b.c", "1.0.0 ", "-1.0.0", "1.0.0-ä", "vv1.0.0",
        ])
    func refused(_ text: String) {
        #expect(order(text, "1.0.0") == nil)
    }
}
