import Bytes

/// One attribute value of an item: any of DynamoDB's ten types.
///
/// Equality is DynamoDB's: strings are compared byte for byte (Swift's own `String` equality would call canonically
/// equivalent spellings equal), numbers by value.
package enum AttributeValue: Sendable {
    /// `S`: text, any UTF-8.
    case string(String)
    /// `N`: an exact decimal of at most 38 significant digits.
    case number(DynamoNumber)
    /// `B`: bytes.
    case binary([UInt8])
    /// `BOOL`.
    case bool(Bool)
    /// `NULL`.
    case null
    /// `L`: values of any types, in order.
    case list([AttributeValue])
    /// `M`: named values.
    case map([AttributeName: AttributeValue])
    /// `SS`: different strings, never none.
    case stringSet(AttributeSet<String>)
    /// `NS`: different numbers, never none.
    case numberSet(AttributeSet<DynamoNumber>)
    /// `BS`: different byte strings, never none.
    case binarySet(AttributeSet<[UInt8]>)
}

/// An item: its attributes by name.
package typealias Item = [AttributeName: AttributeValue]

/// The type of an attribute value, by the code that DynamoDB gives it.
package enum AttributeType: String, Sendable, CaseIterable {
    case string = "S"
    case number = "N"
    case binary = "B"
    case bool = "BOOL"
    case null = "NULL"
    case list = "L"
    case map = "M"
    case stringSet = "SS"
    case numberSet = "NS"
    case binarySet = "BS"
}

extension AttributeValue {
    /// The value's type.
    package var type: AttributeType {
        switch self {
        case .string: .string
        case .number: .number
        case .binary: .binary
        case .bool: .bool
        case .null: .null
        case .list: .list
        case .map: .map
        case .stringSet: .stringSet
        case .numberSet: .numberSet
        case .binarySet: .binarySet
        }
    }

    /// A whole number.
    package static func number(_ value: Int64) -> AttributeValue { .number(DynamoNumber(value)) }

    /// The text of a string, else nil.
    package var stringValue: String? { if case .string(let value) = self { value } else { nil } }

    /// The number of a number, else nil.
    package var numberValue: DynamoNumber? { if case .number(let value) = self { value } else { nil } }

    /// The whole value of a number that is one and fits, else nil.
    package var int64Value: Int64? { numberValue?.int64 }

    /// The truth of a boolean, else nil.
    package var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The elements of a list, else nil.
    package var listValue: [AttributeValue]? { if case .list(let value) = self { value } else { nil } }

    /// The members of a map, else nil.
    package var mapValue: [AttributeName: AttributeValue]? { if case .map(let value) = self { value } else { nil } }
}

extension AttributeValue: Hashable {
    package static func == (left: AttributeValue, right: AttributeValue) -> Bool {
        switch (left, right) {
        case (.string(let left), .string(let right)): left.isExactly(right)
        case (.number(let left), .number(let right)): left == right
        case (.binary(let left), .binary(let right)): left == right
        case (.bool(let left), .bool(let right)): left == right
        case (.null, .null): true
        case (.list(let left), .list(let right)): left == right
        case (.map(let left), .map(let right)): left == right
        case (.stringSet(let left), .stringSet(let right)): left == right
        case (.numberSet(let left), .numberSet(let right)): left == right
        case (.binarySet(let left), .binarySet(let right)): left == right
        default: false
        }
    }

    package func hash(into hasher: inout Hasher) {
        switch self {
        // Strings of equal bytes hash alike; strings that are merely equivalent do too, which is allowed.
        case .string(let value): hasher.combine(value)
        case .number(let value): hasher.combine(value)
        case .binary(let value): hasher.combine(value)
        case .bool(let value): hasher.combine(value)
        case .null: hasher.combine(0)
        case .list(let value): hasher.combine(value)
        case .map(let value): hasher.combine(value)
        case .stringSet(let value): hasher.combine(value)
        case .numberSet(let value): hasher.combine(value)
        case .binarySet(let value): hasher.combine(value)
        }
    }
}

extension AttributeValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .number(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}
