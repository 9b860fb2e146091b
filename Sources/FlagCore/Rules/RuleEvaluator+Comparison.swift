import JSON

extension RuleEvaluator {
    /// Loose equality (ECMA-262, IsLooselyEqual): null equals only null; booleans and texts become numbers beside
    /// numbers; arrays and objects become texts beside anything else, and are compared by content beside each other.
    mutating func isLooselyEqual(_ left: Operand, _ right: Operand) throws(RuleFailure) -> Bool {
        switch (left, right) {
        case (.string(let left), .string(let right)):
            return try isSame(left, right)
        case (.null, _), (_, .null), (.integer, .integer), (.integer, .number), (.number, .integer),
            (.number, .number), (.bool, .bool):
            return try isStrictlyEqual(left, right)
        default:
            if left.isComposite, right.isComposite { return try isStrictlyEqual(left, right) }
            let (left, right) = (try primitive(left), try primitive(right))
            if case .string(let leftText) = left, case .string(let rightText) = right {
                return try isSame(leftText, rightText)
            }
            if left.isNumber, right.isNumber { return try isStrictlyEqual(left, right) }
            return try number(of: left) == number(of: right)
        }
    }

    /// `<`, `<=`, `>`, `>=`; the first two also between three values.
    mutating func isOrdered(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Bool {
        let operation = node.pointee.operation
        let first = try value(node, 0)
        let second = try value(node, 1)
        guard node.pointee.argumentCount > 2, operation == .less || operation == .lessOrEqual else {
            return try isOrdered(first, operation, second)
        }
        let third = try value(node, 2)
        guard try isOrdered(first, operation, second) else { return false }
        return try isOrdered(second, operation, third)
    }

    /// Two texts are compared as texts, everything else as numbers (ECMA-262, IsLessThan).
    private mutating func isOrdered(
        _ left: Operand, _ operation: RuleOperation, _ right: Operand
    ) throws(RuleFailure) -> Bool {
        if case .integer(let left) = left, case .integer(let right) = right {
            return operation.holds(left, right)
        }
        let (left, right) = (try primitive(left), try primitive(right))
        if case .string(let left) = left, case .string(let right) = right {
            try step(min(left.count, right.count) / Work.scannedBytesPerStep)
            return operation.holds(byteOrder(left, right), 0)
        }
        return operation.holds(try number(of: left), try number(of: right))
    }

    /// Arrays and objects as text, anything else as it is.
    private mutating func primitive(_ value: Operand) throws(RuleFailure) -> Operand {
        value.isComposite ? .string(try text(of: value)) : value
    }

    /// The value as a number (ECMA-262, ToNumber): blank text is 0, other text that is no number is not-a-number.
    mutating func number(of value: Operand) throws(RuleFailure) -> Double {
        switch value {
        case .null: return 0
        case .bool(let value): return value ? 1 : 0
        case .integer(let value): return Double(value)
        case .number(let value): return value
        case .string(let bytes): return try number(of: bytes)
        case .spelled(let view): return try double(of: view)
        case .list, .array, .object, .data: return try number(of: text(of: value))
        }
    }

    private mutating func number(of text: UnsafeRawBufferPointer) throws(RuleFailure) -> Double {
        try step(Work.steps(converting: text.count))
        return NumericText.number(text)
    }
}

extension Operand {
    /// Whether this is an array or an object.
    var isComposite: Bool {
        switch self {
        case .list, .array, .object, .data: true
        default: false
        }
    }
}

extension RuleOperation {
    /// Whether a comparison holds between two values that are ordered; never between not-a-numbers.
    @inline(__always)
    fileprivate func holds<Value: Comparable>(_ left: Value, _ right: Value) -> Bool {
        switch self {
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        default: left >= right
        }
    }
}
