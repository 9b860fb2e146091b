/// Bytes as letters and digits that can be typed.
package enum TypableText {
    /// RFC 4648 section 6, without padding: what apps take as a secret.
    private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
    /// Without the letters that are taken for others when they are read from paper.
    private static let readable = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// The text that stands for bytes. O(bytes).
    package static func text(of bytes: [UInt8]) -> String { encode(bytes, standard) }

    /// A random text of 5 bits a character, in groups of five: as in `k7m2p-0tq4x`.
    ///
    /// - Parameters:
    ///   - groups: how many groups of five characters.
    ///   - random: gives secure random numbers.
    package static func readable(groups: Int, random: inout some RandomNumberGenerator) -> String {
        (0..<groups).map { _ in
            let characters = (0..<5).map { _ in readable[Int.random(in: 0..<32, using: &random)] }
            return String(decoding: characters, as: UTF8.self)
        }.joined(separator: "-")
    }

    private static func encode(_ bytes: [UInt8], _ alphabet: [UInt8]) -> String {
        var text: [UInt8] = []
        var (bits, count) = (UInt32(0), 0)
        for byte in bytes {
            (bits, count) = (bits << 8 | UInt32(byte), count + 8)
            while count >= 5 {
                count -= 5
                text.append(alphabet[Int(bits >> UInt32(count)) & 31])
            }
        }
        if count > 0 { text.append(alphabet[Int(bits << UInt32(5 - count)) & 31]) }
        return String(decoding: text, as: UTF8.self)
    }
}
