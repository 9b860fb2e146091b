import Bytes
import Glibc

/// The `Date` field of responses (RFC 9110 §5.6.7), written anew once a second, and behind it the fields that every
/// answer of the server has: all of them are written with one copy.
struct DateLine: ~Copyable {
    /// `Date: Sun, 06 Nov 1994 08:49:37 GMT` and its line end.
    static let length = 37

    private let count: Int
    private let text: UnsafeMutablePointer<UInt8>
    private var second: Int64 = .min

    /// A line for no time yet.
    ///
    /// - Parameter fields: What stands behind it in every response.
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
        let time = Int((now % 86_400 + 86_400) % 86_400)
        let days = (Int(now) - time) / 86_400
        let date = CivilDate(daysSinceEpoch: days)
        // 1970 began on a Thursday.
        let weekday = ((days + 4) % 7 + 7) % 7
        put("Date: ", at: 0)
        put("SunMonTueWedThuFriSat", from: weekday * 3, count: 3, at: 6)
        put(", ", at: 9)
        put(date.day, digits: 2, at: 11)
        put(" ", at: 13)
        put("JanFebMarAprMayJunJulAugSepOctNovDec", from: (date.month - 1) * 3, count: 3, at: 14)
        put(" ", at: 17)
        put(date.year, digits: 4, at: 18)
        put(" ", at: 22)
        put(time / 3600, digits: 2, at: 23)
        put(":", at: 25)
        put(time / 60 % 60, digits: 2, at: 26)
        put(":", at: 28)
        put(time % 60, digits: 2, at: 29)
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
