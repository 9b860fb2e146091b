import Bytes

/// A time zone whose clocks change on the same days every year, or never: POSIX's `TZ` text, as a tz database file ends
/// with it (RFC 8536 section 3.3.1), such as `CET-1CEST,M3.5.0,M10.5.0/3`.
struct YearlyTimeZone: Sendable, Equatable {
    /// A day of the year and a time of it.
    private struct Moment: Equatable {
        enum Day: Equatable {
            /// 1 to 365, February 29 is never counted.
            case julian(Int)
            /// 0 to 365, February 29 is counted.
            case ordinal(Int)
            /// The weekday (0 is Sunday) of a week (5 is the last) of a month.
            case weekday(month: Int, week: Int, day: Int)
        }

        var day: Day
        /// Seconds from midnight; may be negative, or more than a day.
        var second: Int64

        /// The moment in a year, in seconds of the local clock since 1970-01-01T00:00.
        func localSecond(in year: Int) -> Int64 { Int64(dayNumber(in: year)) * 86_400 + second }

        private func dayNumber(in year: Int) -> Int {
            let newYear = CivilDate(year: year, month: 1, day: 1).daysSinceEpoch
            switch day {
            case .julian(let number):
                let march = CivilDate(year: year, month: 3, day: 1).daysSinceEpoch
                return number < 60 ? newYear + number - 1 : march + number - 60
            case .ordinal(let number):
                return newYear + number
            case .weekday(let month, let week, let day):
                let first = CivilDate(year: year, month: month, day: 1).daysSinceEpoch
                let next =
                    month == 12
                    ? CivilDate(year: year + 1, month: 1, day: 1).daysSinceEpoch
                    : CivilDate(year: year, month: month + 1, day: 1).daysSinceEpoch
                // 1970-01-01 was a Thursday, 4 when Sunday is 0.
                let weekday = ((first + 4) % 7 + 7) % 7
                var number = first + (day - weekday + 7) % 7 + (week - 1) * 7
                while number >= next { number -= 7 }
                return number
            }
        }
    }

    private struct Summer: Equatable {
        var offset: Int64
        var start: Moment
        var end: Moment
    }

    private let standardOffset: Int64
    private let summer: Summer?

    /// Reads the text; nil when it is not of that form.
    init?(posix text: [UInt8]) {
        var reader = Reader(text: text[...])
        guard reader.name(), let west = reader.time() else { return nil }
        standardOffset = -west
        if reader.text.isEmpty {
            summer = nil
            return
        }
        guard reader.name() else { return nil }
        var offset = standardOffset + 3_600
        if let next = reader.text.first, next != UInt8(ascii: ",") {
            guard let west = reader.time() else { return nil }
            offset = -west
        }
        guard let start = reader.moment(), let end = reader.moment(), reader.text.isEmpty else { return nil }
        summer = Summer(offset: offset, start: start, end: end)
    }

    /// Seconds ahead of UTC at an instant.
    func offset(at instant: Int64) -> Int64 {
        guard let summer else { return standardOffset }
        let (start, end) = changes(summer, in: year(of: instant))
        let isSummer = start < end ? (start..<end).contains(instant) : !(end..<start).contains(instant)
        return isSummer ? summer.offset : standardOffset
    }

    /// The next change of the clocks; nil when there is none.
    func nextChange(after instant: Int64) -> Int64? {
        guard let summer else { return nil }
        let year = year(of: instant)
        for year in year...year + 1 {
            let (start, end) = changes(summer, in: year)
            if let next = [start, end].filter({ $0 > instant }).min() { return next }
        }
        return nil
    }

    private func year(of instant: Int64) -> Int {
        let local = instant + standardOffset
        return CivilDate(daysSinceEpoch: Int((local >= 0 ? local : local - 86_399) / 86_400)).year
    }

    private func changes(_ summer: Summer, in year: Int) -> (start: Int64, end: Int64) {
        (summer.start.localSecond(in: year) - standardOffset, summer.end.localSecond(in: year) - summer.offset)
    }

    /// Reads the text from left to right.
    private struct Reader {
        var text: ArraySlice<UInt8>

        /// Skips a zone's abbreviation: letters, or anything in angle brackets.
        mutating func name() -> Bool {
            if text.first == UInt8(ascii: "<") {
                guard let end = text.firstIndex(of: UInt8(ascii: ">")) else { return false }
                text = text[(end + 1)...]
                return true
            }
            let count = text.prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) }.count
            text = text.dropFirst(count)
            return count >= 3
        }

        private mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard text.first == UInt8(ascii: character) else { return false }
            text = text.dropFirst()
            return true
        }

        private mutating func number(atMost maximum: Int) -> Int? {
            let digits = text.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard (1...3).contains(digits.count) else { return nil }
            text = text.dropFirst(digits.count)
            let value = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            return value <= maximum ? value : nil
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func time() -> Int64? {
            let isNegative = skip("-")
            if !isNegative { _ = skip("+") }
            guard let hours = number(atMost: 167) else { return nil }
            var seconds = Int64(hours) * 3_600
            if skip(":") {
                guard let minutes = number(atMost: 59) else { return nil }
                seconds += Int64(minutes) * 60
                if skip(":") {
                    guard let rest = number(atMost: 59) else { return nil }
                    seconds += Int64(rest)
                }
            }
            return isNegative ? -seconds : seconds
        }

        /// `,Mm.w.d`, `,Jn` or `,n`, with `/time` or at two o'clock.
        mutating func moment() -> Moment? {
            guard skip(","), let day = day() else { return nil }
            guard skip("/") else { return Moment(day: day, second: 7_200) }
            return time().map { Moment(day: day, second: $0) }
        }

        private mutating func day() -> Moment.Day? {
            if skip("M") {
                guard let month = number(atMost: 12), month > 0, skip("."), let week = number(atMost: 5), week > 0,
                    skip("."), let day = number(atMost: 6)
                else { return nil }
                return .weekday(month: month, week: week, day: day)
            }
            if skip("J") { return number(atMost: 365).flatMap { $0 > 0 ? .julian($0) : nil } }
            return number(atMost: 365).map { .ordinal($0) }
        }
    }
}
