/// Instants as RFC 3339 section 5.6 writes them, for people as well.
package enum RFC3339 {
    /// The milliseconds since 1970 that RFC 3339 can say in UTC: those of the years 0 to 9999.
    package static let expressible: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    /// An instant in UTC: `2026-01-02T03:04:05.678Z`.
    ///
    /// - Parameter milliseconds: since 1970; what is not `expressible` is written as that number.
    package static func utc(_ milliseconds: Int64) -> String {
        guard expressible.contains(milliseconds) else { return "\(milliseconds) ms" }
        let part = Int((milliseconds % 1000 + 1000) % 1000)
        let seconds = Int((milliseconds - Int64(part)) / 1000)
        let second = (seconds % 86_400 + 86_400) % 86_400
        let date = CivilDate(daysSinceEpoch: (seconds - second) / 86_400)
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
            + "T\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
            + ".\(padded(part, 3))Z"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
