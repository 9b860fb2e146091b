import Bytes

/// A JSON value as a tree (RFC 8259).
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

extension JSONValue: Equatable {
    /// Whether both hold the same: members in any order, numbers in the same spelling, texts in the same normal form.
    package static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.isExactly(right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

// MARK: - Parsing

extension JSONValue {
    /// Parses a text strictly.
    ///
    /// - Throws: the first thing that is wrong, and the byte where.
    package init(
        parsing text: UnsafeRawBufferPointer, options: JSONParseOptions = JSONParseOptions()
    ) throws(JSONError) {
        let tape = JSONTape(options: options)
        try tape.parse(text)
        self = tape.root.materialized()
    }

    /// Parses a text strictly.
    package init(parsing text: [UInt8], options: JSONParseOptions = JSONParseOptions()) throws(JSONError) {
        self = try text.withUnsafeBufferPointer { (bytes) throws(JSONError) in
            try JSONValue(parsing: UnsafeRawBufferPointer(bytes), options: options)
        }
    }

    /// Parses a text strictly.
    package init(parsing text: String, options: JSONParseOptions = JSONParseOptions()) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), options: options)
    }
}

// MARK: - Accessors

extension JSONValue {
    /// The value of a boolean.
    package var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The value of a number.
    package var numberValue: JSONNumber? { if case .number(let value) = self { value } else { nil } }
    /// The value of a string.
    package var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    /// The elements of an array.
    package var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    /// The members of an object.
    package var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }
    /// Whether it is `null`.
    package var isNull: Bool { self == .null }

    /// A member of an object; nil when there is none or this is no object.
    package subscript(key: String) -> JSONValue? { objectValue?[key] }

    /// A whole number.
    package static func integer(_ value: some BinaryInteger) -> JSONValue { .number(JSONNumber(Int64(value))) }
}

// MARK: - Literals

// No nil literal: `value == nil` and `flatMap { … ? nil : value }` would silently mean JSON's null.
extension JSONValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A boolean.
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A whole number.
    package init(integerLiteral value: Int64) { self = .number(JSONNumber(value)) }
    /// A number in its shortest spelling.
    package init(floatLiteral value: Double) { self = JSONNumber(value).map { .number($0) } ?? .null }
    /// A string.
    package init(stringLiteral value: String) { self = .string(value) }
    /// An array.
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object; of equal names the last one counts.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements.lazy.map { (key: $0.0, value: $0.1) }))
    }
}

// MARK: - Writing

extension JSONValue: CustomStringConvertible {
    /// The value as JSON text: without any white space, or indented by two spaces a level.
    package func serialized(pretty: Bool = false) -> String {
        String(decoding: serializedBytes(pretty: pretty), as: UTF8.self)
    }

    /// The UTF-8 of `serialized`.
    package func serializedBytes(pretty: Bool = false) -> [UInt8] {
        var writer = JSONWriter(pretty: pretty)
        writer.value(self)
        return writer.bytes
    }

    /// The value as JSON text without white space.
    package var description: String { serialized() }
}
