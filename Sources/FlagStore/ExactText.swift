/// A text that equals another only when every byte does, as keys of the table do. Swift's own `String` takes
/// canonically equivalent spellings for equal: `é` as one scalar and as two would be one flag.
struct ExactText: Sendable, Hashable, Comparable {
    /// The text.
    let text: String

    init(_ text: String) {
        self.text = text
    }

    static func == (left: ExactText, right: ExactText) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    static func < (left: ExactText, right: ExactText) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
