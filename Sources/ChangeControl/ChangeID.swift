import Bytes
import FlagCore

/// What a planned change is called: 26 signs that sort by the time when they were given, and that nobody guesses. The
/// form is that of a ULID (https://github.com/ulid/spec): 48 bits of milliseconds since 1970, and 80 at random, in
/// Crockford's base 32.
package enum ChangeID {
    /// How many signs it has.
    static let length = 26

    private static let signs = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// One that was never given.
    package static func make(at now: Timestamp) -> String {
        var random = SystemRandomNumberGenerator()
        return make(at: now, &random)
    }

    /// The same with random numbers of one's own.
    static func make(at now: Timestamp, _ random: inout some RandomNumberGenerator) -> String {
        let time = UInt64(clamping: now.millisecondsSinceEpoch) & 0xFFFF_FFFF_FFFF
        var text = (0..<10).map { signs[Int(time >> UInt64(45 - 5 * $0)) & 31] }
        text += (0..<16).map { _ in signs[Int.random(in: 0..<32, using: &random)] }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether a text has the form of one.
    package static func isOne(_ text: String) -> Bool {
        text.utf8.count == length && text.utf8.allSatisfy(signs.contains)
    }
}
