/// How two values are compared.
package enum Comparison: Sendable, Hashable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
}

/// What a condition looks at.
package enum Operand: Sendable, Hashable {
    /// The value at a path of the item; absent when there is none.
    case path(DocumentPath)
    /// A value given with the condition.
    case value(AttributeValue)
    /// The size of the value at a path: characters of a string, bytes of a binary value, members of a list, map or set.
    case size(DocumentPath)
}

/// A truth about an item, as in DynamoDB's condition and filter expressions.
package indirect enum Condition: Sendable, Hashable {
    /// There is a value at the path.
    case attributeExists(DocumentPath)
    /// There is no value at the path.
    case attributeNotExists(DocumentPath)
    /// There is a value of this type at the path.
    case attributeType(DocumentPath, AttributeType)
    /// The comparison holds. Values of different types, and absent ones, are unequal and in no order; of two absent
    /// ones `equal` is false and `notEqual` is true.
    case comparison(Operand, Comparison, Operand)
    /// The first operand is neither below the second nor above the third.
    case between(Operand, lower: Operand, upper: Operand)
    /// The first operand equals one of the others.
    case isIn(Operand, [Operand])
    /// The first operand, a string or binary value, begins with the second.
    case beginsWith(Operand, Operand)
    /// The first operand contains the second: as part of a string or binary value, or as element of a set or list.
    case contains(Operand, Operand)
    /// All of these hold.
    case and([Condition])
    /// At least one of these holds.
    case or([Condition])
    /// This does not hold.
    case not(Condition)
}

extension Condition {
    /// Compares the value at `path` with `value`.
    package static func compare(
        _ path: DocumentPath, _ comparison: Comparison, _ value: AttributeValue
    ) -> Condition {
        .comparison(.path(path), comparison, .value(value))
    }

    /// The value at `path` is `value`.
    package static func equals(_ path: DocumentPath, _ value: AttributeValue) -> Condition {
        .compare(path, .equal, value)
    }
}
