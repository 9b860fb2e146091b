/// What an access key of DynamoDB's protocol is called: `AKIA` and 16 of the letters and of 2 to 7, as in AWS, so that
/// tools take it for one.
package enum AccessKeyID {
    private static let prefix = "AKIA"
    private static let length = 16
    private static let characters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")

    /// A new one: 80 random bits.
    package static func make(random: inout some RandomNumberGenerator) -> String {
        prefix + String((0..<length).map { _ in characters[Int.random(in: 0..<characters.count, using: &random)] })
    }

    /// Whether a text is spelled as one.
    package static func isOne(_ text: String) -> Bool {
        text.hasPrefix(prefix) && text.count == prefix.count + length
            && text.dropFirst(prefix.count).allSatisfy(characters.contains)
    }
}
