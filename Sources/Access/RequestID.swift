/// What names a request in answers, problems and logs: of its client's making, or of ours.
package struct RequestID: Sendable, Hashable, CustomStringConvertible {
    /// The name, 1 to 128 visible characters of ASCII.
    package let text: String

    /// A name of the length and the characters that one may have; nil for another text.
    package init?(_ text: String) {
        guard (1...128).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return nil
        }
        self.text = text
    }

    /// The name of a request that has none.
    package static let none = RequestID(unchecked: "-")

    private init(unchecked text: String) { self.text = text }

    package var description: String { text }
}
