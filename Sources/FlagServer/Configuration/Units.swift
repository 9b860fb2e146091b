import Platform

/// How sizes and lengths of time are written in settings and shown in messages.
enum Units {
    private static let sizes: [(suffix: String, bytes: Int)] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
    private static let times: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000),
    ]

    /// Reads `4096`, `64KiB`, `1MiB` or `4GiB`; nil for anything else, for a negative number and for one that does not
    /// fit.
    static func bytes(_ text: String) -> Int? {
        for (suffix, factor) in sizes where text.hasSuffix(suffix) {
            guard let count = digits(text.dropLast(suffix.count)) else { return nil }
            let (bytes, overflow) = Int(count).multipliedReportingOverflow(by: factor)
            return overflow ? nil : bytes
        }
        return number(text)
    }

    /// Reads a whole number of nothing but digits; nil for anything else: `Int("+5")` would be five.
    static func number(_ text: String) -> Int? {
        digits(text[...]).map(Int.init)
    }

    /// Reads `500ms`, `30s`, `5m` or `1h`; nil without a unit, since a bare number says nothing to the next reader.
    static func duration(_ text: String) -> Duration? {
        for (suffix, factor) in times where text.hasSuffix(suffix) {
            // "30s" ends in "s", and so does "30ms": the digits decide which of them it is.
            guard let count = digits(text.dropLast(suffix.count)) else { continue }
            let (milliseconds, overflow) = count.multipliedReportingOverflow(by: factor)
            return overflow ? nil : .milliseconds(milliseconds)
        }
        return nil
    }

    /// Writes a size in the largest unit that needs no fraction.
    static func size(_ bytes: Int) -> String {
        for (suffix, factor) in sizes where bytes != 0 && bytes % factor == 0 {
            return "\(bytes / factor)\(suffix)"
        }
        return "\(bytes)"
    }

    /// Writes a time in the largest unit that needs no fraction, with a precision of milliseconds.
    static func time(_ duration: Duration) -> String {
        let milliseconds = Int64(duration.milliseconds)
        for (suffix, factor) in times.reversed() where milliseconds % factor == 0 && milliseconds >= factor {
            return "\(milliseconds / factor)\(suffix)"
        }
        return "\(milliseconds)ms"
    }

    /// Nothing but ASCII digits, at least one, and a value that fits.
    private static func digits(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text)
    }
}
