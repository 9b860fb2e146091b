/// What a person signs in by, and what stands with what they change: never used for another person.
package struct UserName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The name, which is ASCII.
    package let text: String

    /// What is expected, for messages.
    package static let expectation =
        "1 to 64 of the small letters a to z, digits, '.', '_' and '-', and begins with a letter or a digit"
    private static let length = 1...64

    /// Reads a name; nil for what is none. O(length), which is bounded.
    package init?(_ text: String) {
        let bytes = text.utf8
        guard Self.length.contains(bytes.count), let first = bytes.first, Self.isAlphanumeric(first),
            bytes.allSatisfy({ Self.isAlphanumeric($0) || [0x2D, 0x2E, 0x5F].contains($0) })
        else { return nil }
        self.text = text
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }

    package static func < (left: UserName, right: UserName) -> Bool { left.text < right.text }

    package var description: String { text }
}
