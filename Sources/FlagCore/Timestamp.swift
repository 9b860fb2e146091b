import Bytes

/// An instant: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
package struct Timestamp: Sendable, Hashable, Comparable {
    /// Milliseconds since the epoch; negative before it.
    package var millisecondsSinceEpoch: Int64

    /// The instant so many milliseconds after the epoch.
    package init(millisecondsSinceEpoch: Int64) { self.millisecondsSinceEpoch = millisecondsSinceEpoch }

    /// Whether `left` is the earlier one.
    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.millisecondsSinceEpoch < right.millisecondsSinceEpoch
    }

    /// Whole seconds since the epoch, rounded down.
    package var secondsSinceEpoch: Int64 {
        let (quotient, remainder) = millisecondsSinceEpoch.quotientAndRemainder(dividingBy: 1000)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

// MARK: - RFC 3339

extension Timestamp: CustomStringConvertible {
    /// The instants that RFC 3339 can say in UTC: those of the years 0 to 9999.
    package static let expressible = {
        let range = RFC3339.expressible
        return Timestamp(millisecondsSinceEpoch: range.lowerBound)...Timestamp(millisecondsSinceEpoch: range.upperBound)
    }()

    /// What a text must be to be read, for messages.
    package static let expectation = "a time like 2026-01-31T09:30:00.000Z (RFC 3339), of a year from 0 to 9999 in UTC"

    /// Reads a date-time of RFC 3339 section 5.6, with any offset; parts of a millisecond are cut off.
    ///
    /// A leap second (`:60`) is the second after it. Nil when the text is anything else, no date of the calendar, or a
    /// time that in UTC is not of the years 0 to 9999: what is read must be printable.
    package init?(rfc3339 text: some StringProtocol) {
        var reader = DateTimeReader(text: Array(text.utf8))
        guard let milliseconds = reader.read() else { return nil }
        self.init(millisecondsSinceEpoch: milliseconds)
        guard Timestamp.expressible.contains(self) else { return nil }
    }

    /// The instant in UTC with milliseconds: `2026-01-02T03:04:05.678Z`. An instant outside `expressible`, which only a
    /// clock can say, is written as the nearest one inside.
    package var rfc3339: String {
        let time = min(max(self, Timestamp.expressible.lowerBound), Timestamp.expressible.upperBound)
        return RFC3339.utc(time.millisecondsSinceEpoch)
    }

    /// As `rfc3339`.
    package var description: String { rfc3339 }
}

/// Reads the grammar of RFC 3339 section 5.6 from left to right.
private struct DateTimeReader {
    let text: [UInt8]
    var position = 0

    mutating func read() -> Int64? {
        guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2),
            skip("T") || skip("t"), let hour = number(2), skip(":"), let minute = number(2), skip(":"),
            let second = number(2), let milliseconds = fraction(), let offset = offset(), position == text.count
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        guard date.isInCalendar, hour < 24, minute < 60, second <= 60 else { return nil }
        let seconds = date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second - offset * 60
        return Int64(seconds) * 1000 + Int64(milliseconds)
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func digit() -> Int? {
        guard position < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) else {
            return nil
        }
        position += 1
        return Int(text[position - 1] - UInt8(ascii: "0"))
    }

    private mutating func number(_ digits: Int) -> Int? {
        var value = 0
        for _ in 0..<digits {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// The fraction of the second in milliseconds; 0 when there is none.
    private mutating func fraction() -> Int? {
        guard skip(".") else { return 0 }
        guard var value = digit() else { return nil }
        var digits = 1
        while let next = digit() {
            if digits < 3 { value = value * 10 + next }
            digits += 1
        }
        for _ in digits..<max(3, digits) { value *= 10 }
        return value
    }

    /// Minutes ahead of UTC.
    private mutating func offset() -> Int? {
        if skip("Z") || skip("z") { return 0 }
        let isNegative = skip("-")
        guard isNegative || skip("+"), let hours = number(2), skip(":"), let minutes = number(2), hours < 24,
            minutes < 60
        else { return nil }
        return (isNegative ? -1 : 1) * (hours * 60 + minutes)
    }
}
