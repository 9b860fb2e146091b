/// A text that equals another only when every byte does, as names in JSON (RFC 8259 section 8.3) and keys of items do.
///
/// Swift's own `String` takes canonically equivalent spellings for equal: `é` as one scalar and as two would be one
/// flag, and a request that holds both would confuse a dictionary.
package struct ExactText: Sendable, Hashable, Comparable {
    /// The text.
    package let text: String

    /// Wraps a text.
    package init(_ text: String) { self.text = text }

    /// Whether both have the same bytes.
    package static func == (left: ExactText, right: ExactText) -> Bool { left.text.isExactly(right.text) }

    /// Whether `left` comes first in the order of bytes.
    package static func < (left: ExactText, right: ExactText) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    /// Hashes the bytes.
    package func hash(into hasher: inout Hasher) {
        text.withBytes { hasher.combine(bytes: $0) }
    }
}

extension String {
    /// Whether both texts are the same code points, in the same normal form.
    package func isExactly(_ other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        return withBytes { left in other.withBytes { left.hasSameBytes(as: $0) } }
    }

    /// Calls `body` with the UTF-8 of the string.
    @inlinable
    @inline(__always)
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var text = self
        return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}
