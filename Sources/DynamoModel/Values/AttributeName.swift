import Bytes

/// The name of an attribute of an item, or of a member of a map.
///
/// Two names are the same when their bytes of UTF-8 are, as in DynamoDB. Swift's own `String` takes canonically
/// equivalent spellings for equal: `é` as one scalar and as two would be one key of a dictionary.
package struct AttributeName: Sendable {
    /// The name.
    package let text: String

    /// The name that is spelled `text`.
    package init(_ text: String) { self.text = text }

    /// The bytes of the name.
    package var utf8: String.UTF8View { text.utf8 }

    /// Whether the bytes of this name sort before those of `other`.
    package func precedes(_ other: AttributeName) -> Bool { text.precedes(other.text) }
}

extension AttributeName: Hashable {
    package static func == (left: AttributeName, right: AttributeName) -> Bool {
        left.text.isExactly(right.text)
    }

    package func hash(into hasher: inout Hasher) {
        text.withBytes { hasher.combine(bytes: $0) }
    }
}

extension AttributeName: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self.init(value) }
}

extension AttributeName: CustomStringConvertible {
    package var description: String { text }
}

extension [AttributeName: AttributeValue] {
    /// The value of the name that is spelled `name`.
    package subscript(name: String) -> AttributeValue? {
        get { self[AttributeName(name)] }
        set { self[AttributeName(name)] = newValue }
    }
}
