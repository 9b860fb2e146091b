import Glibc

/// The `Date` field of answers (RFC 9110 §5.6.7), written anew once a second, and behind it the fields that every
/// answer of the server has: all of them are written with one copy.
struct DateLine: ~Copyable {
    /// `Date: Sun, 06 Nov 1994 08:49:37 GMT` and its line end.
    static let length = 37

    private let count: Int
    private let text: UnsafeMutablePointer<UInt8>
    private var second: Int64 = .min

    /// A line for no time yet.
    ///
    /// - Parameter fields: What stands behind it in every answer.
    init(followedBy fields: [(name: StaticString, value: StaticString)] = []) {
        let lines = Array(fields.map { "\($0.name): \($0.value)\r\n" }.joined().utf8)
        count = DateLine.length + lines.count
        text = .allocate(capacity: count)
        text.initialize(repeating: 0x20, count: DateLine.length)
        (text + DateLine.length).initialize(from: lines, count: lines.count)
    }

    deinit {
        text.deallocate()
    }

    /// The line's bytes; valid until the next `update`.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: text, count: count) }

    /// Sets the time.
    ///
    /// - Parameter milliseconds: Since 1970.
    @inline(__always)
    mutating func update(_ milliseconds: Int64) {
        let now = milliseconds / 1000
        if now != second { write(now) }
    }

    private mutating func write(_ now: Int64) {
        second = now
        var seconds = time_t(now)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        put("Date: ", at: 0)
        put("SunMonTueWedThuFriSat", from: Int(parts.tm_wday) * 3, count: 3, at: 6)
        put(", ", at: 9)
        put(Int(parts.tm_mday), digits: 2, at: 11)
        put(" ", at: 13)
        put("JanFebMarAprMayJunJulAugSepOctNovDec", from: Int(parts.tm_mon) * 3, count: 3, at: 14)
        put(" ", at: 17)
        put(Int(parts.tm_year) + 1900, digits: 4, at: 18)
        put(" ", at: 22)
        put(Int(parts.tm_hour), digits: 2, at: 23)
        put(":", at: 25)
        put(Int(parts.tm_min), digits: 2, at: 26)
        put(":", at: 28)
        put(Int(parts.tm_sec), digits: 2, at: 29)
        put(" GMT\r\n", at: 31)
    }

    private func put(_ piece: StaticString, at offset: Int) {
        put(piece, from: 0, count: piece.utf8CodeUnitCount, at: offset)
    }

    private func put(_ piece: StaticString, from start: Int, count: Int, at offset: Int) {
        memcpy(text + offset, piece.utf8Start + start, count)
    }

    private func put(_ number: Int, digits: Int, at offset: Int) {
        var rest = number
        for position in stride(from: digits - 1, through: 0, by: -1) {
            text[offset + position] = 0x30 + UInt8(rest % 10)
            rest /= 10
        }
    }
}
