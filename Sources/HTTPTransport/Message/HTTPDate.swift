import Bytes

/// A date as header fields have it, in whole seconds (RFC 9110 §5.6.7).
package struct HTTPDate: Sendable, Hashable, Comparable {
    /// Seconds since 1970.
    package let seconds: Int64

    /// The second in which `milliseconds` since 1970 lie.
    package init(milliseconds: Int64) {
        seconds = milliseconds / 1000
    }

    private init(seconds: Int64) {
        self.seconds = seconds
    }

    package static func < (left: HTTPDate, right: HTTPDate) -> Bool { left.seconds < right.seconds }

    /// As it is written today: `Sun, 06 Nov 1994 08:49:37 GMT`.
    package var text: [UInt8] {
        var line = DateLine()
        line.update(seconds * 1000)
        return Array(line.bytes.dropFirst(6).dropLast(2))
    }

    /// Reads any of the three forms that RFC 9110 §5.6.7 requires a recipient to accept; nil for anything else.
    ///
    /// - Parameters:
    ///   - bytes: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`.
    ///   - now: The current time: a year of two digits that would lie more than 50 years ahead is in the last century.
    package init?(_ bytes: UnsafeRawBufferPointer, now: HTTPDate) {
        let words = bytes.split(separator: 0x20).map { Array($0) }
        let date: HTTPDate?
        switch words.count {
        case 6 where words[0].count == 4 && words[0][3] == 0x2C && words[5] == Array("GMT".utf8):
            date = HTTPDate(day: words[1], month: words[2], year: words[3], time: words[4])
        case 4 where words[0].last == 0x2C && words[3] == Array("GMT".utf8):
            date = HTTPDate(obsolete: words[1], time: words[2], now: now)
        case 5: date = HTTPDate(day: words[2], month: words[1], year: words[4], time: words[3])
        default: date = nil
        }
        guard let date else { return nil }
        self = date
    }

    /// `06-Nov-94`.
    private init?(obsolete date: [UInt8], time: [UInt8], now: HTTPDate) {
        let parts = date.split(separator: 0x2D).map { Array($0) }
        guard parts.count == 3, parts[2].count == 2, let short = HTTPDate.number(parts[2], digits: 2...2) else {
            return nil
        }
        let century = HTTPDate.year(of: now) / 100 * 100
        var year = century + short
        if year > HTTPDate.year(of: now) + 50 { year -= 100 }
        self.init(day: parts[0], month: parts[1], year: Array("\(year)".utf8), time: time)
    }

    private init?(day: [UInt8], month: [UInt8], year: [UInt8], time: [UInt8]) {
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let clock = time.split(separator: 0x3A).map { HTTPDate.number(Array($0), digits: 2...2) }
        guard let month = names.firstIndex(where: { Array($0.utf8) == month }),
            let day = HTTPDate.number(day, digits: 1...2),
            let year = HTTPDate.number(year, digits: 4...4), (1...31).contains(day), clock.count == 3,
            let hour = clock[0], let minute = clock[1], let second = clock[2], hour < 24, minute < 60, second <= 60
        else { return nil }
        let days = CivilDate(year: year, month: month + 1, day: day).daysSinceEpoch
        seconds = Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
    }

    private static func number(_ digits: [UInt8], digits count: ClosedRange<Int>) -> Int? {
        guard count.contains(digits.count), digits.allSatisfy(ByteClass.isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private static func year(of date: HTTPDate) -> Int {
        CivilDate(daysSinceEpoch: Int(date.seconds / 86_400)).year
    }
}
