import Bytes

extension Condition {
    /// Whether the condition holds for an item; nil is an item without attributes.
    ///
    /// - Parameter work: what the expressions of the request have cost so far.
    /// - Throws: `validation` when they cost too much.
    package func holds(for item: Item?, _ work: inout ExpressionWork) throws(TableError) -> Bool {
        switch self {
        case .attributeExists(let path): return path.value(in: item) != nil
        case .attributeNotExists(let path): return path.value(in: item) == nil
        case .attributeType(let path, let type): return path.value(in: item)?.type == type
        case .comparison(let left, let comparison, let right):
            return try comparison.holds(left.value(in: item, &work), right.value(in: item, &work), &work)
        case .between(let operand, let lower, let upper):
            let value = try operand.value(in: item, &work)
            guard try Comparison.greaterOrEqual.holds(value, lower.value(in: item, &work), &work) else { return false }
            return try Comparison.lessOrEqual.holds(value, upper.value(in: item, &work), &work)
        case .isIn(let operand, let choices):
            let value = try operand.value(in: item, &work)
            for choice in choices {
                if try Comparison.equal.holds(value, choice.value(in: item, &work), &work) { return true }
            }
            return false
        case .beginsWith(let operand, let beginning):
            return try operand.value(in: item, &work)?.begins(with: beginning.value(in: item, &work), &work) ?? false
        case .contains(let operand, let part):
            return try operand.value(in: item, &work)?.contains(part.value(in: item, &work), &work) ?? false
        case .and(let conditions):
            for condition in conditions where try !condition.holds(for: item, &work) { return false }
            return true
        case .or(let conditions):
            for condition in conditions where try condition.holds(for: item, &work) { return true }
            return false
        case .not(let condition):
            return try !condition.holds(for: item, &work)
        }
    }
}

extension Operand {
    /// The operand's value, nil when the item has none.
    func value(in item: Item?, _ work: inout ExpressionWork) throws(TableError) -> AttributeValue? {
        switch self {
        case .value(let value): return value
        case .path(let path): return path.value(in: item)
        case .size(let path):
            guard let value = path.value(in: item) else { return nil }
            // Of all sizes only a text's must be counted.
            if case .string = value { try work.add(value) }
            return value.elementCount.map { .number(Int64($0)) }
        }
    }
}

extension Comparison {
    /// Whether the comparison of two values holds; either may be absent.
    func holds(
        _ left: AttributeValue?, _ right: AttributeValue?, _ work: inout ExpressionWork
    ) throws(TableError) -> Bool {
        if let left, let right, left.type == right.type { try work.add(left.isShorter(than: right) ? left : right) }
        return holds(left, right)
    }

    /// The same for values that cost nothing to look at.
    func holds(_ left: AttributeValue?, _ right: AttributeValue?) -> Bool {
        switch self {
        // Of two absent values neither is known, so that they are not equal, and therefore `notEqual`.
        case .equal: left != nil && left == right
        case .notEqual: left == nil || left != right
        case .less: order(left, right).map { $0 < 0 } ?? false
        case .lessOrEqual: order(left, right).map { $0 <= 0 } ?? false
        case .greater: order(left, right).map { $0 > 0 } ?? false
        case .greaterOrEqual: order(left, right).map { $0 >= 0 } ?? false
        }
    }

    /// Below, at or above zero as `left` sorts; nil where values have no order.
    private func order(_ left: AttributeValue?, _ right: AttributeValue?) -> Int? {
        switch (left, right) {
        case (.string(let left), .string(let right)): left.compareBytes(to: right)
        case (.binary(let left), .binary(let right)): left.compareBytes(to: right)
        case (.number(let left), .number(let right)): left < right ? -1 : left == right ? 0 : 1
        default: nil
        }
    }
}

extension AttributeValue {
    /// What the function `size` answers: characters (UTF-16 code units), bytes or members; nil for types that have no
    /// size. Source: Amazon DynamoDB developer guide, "Comparison operator and function reference".
    var elementCount: Int? {
        switch self {
        case .string(let text): text.utf16.count
        case .binary(let bytes): bytes.count
        case .list(let values): values.count
        case .map(let members): members.count
        case .stringSet(let set): set.count
        case .numberSet(let set): set.count
        case .binarySet(let set): set.count
        case .number, .bool, .null: nil
        }
    }

    /// Whether this text or these bytes are shorter: then no more of the other is looked at.
    fileprivate func isShorter(than other: AttributeValue) -> Bool {
        switch (self, other) {
        case (.string(let text), .string(let other)): text.utf8.count < other.utf8.count
        case (.binary(let bytes), .binary(let other)): bytes.count < other.count
        default: false
        }
    }

    fileprivate func begins(
        with beginning: AttributeValue?, _ work: inout ExpressionWork
    ) throws(TableError) -> Bool {
        switch (self, beginning) {
        case (.string(let text), .string(let start)):
            try work.add(beginning)
            return text.utf8.starts(with: start.utf8)
        case (.binary(let bytes), .binary(let start)):
            try work.add(beginning)
            return bytes.starts(with: start)
        default: return false
        }
    }

    fileprivate func contains(
        _ part: AttributeValue?, _ work: inout ExpressionWork
    ) throws(TableError) -> Bool {
        switch (self, part) {
        case (.string(let text), .string(let part)):
            try work.add(text.utf8.count + part.utf8.count)
            return text.withBytes { text in part.withBytes { text.firstOffset(of: $0) != nil } }
        case (.binary(let bytes), .binary(let part)):
            try work.add(bytes.count + part.count)
            return bytes.withUnsafeBytes { bytes in part.withUnsafeBytes { bytes.firstOffset(of: $0) != nil } }
        case (.stringSet(let set), .string(let element)):
            // A binary search looks at some twenty elements, each no longer than is compared.
            try work.add(20 * element.utf8.count)
            return set.contains(element)
        case (.numberSet(let set), .number(let element)): return set.contains(element)
        case (.binarySet(let set), .binary(let element)):
            try work.add(20 * element.count)
            return set.contains(element)
        case (.list(let values), .some(let element)):
            try work.add(self)
            return values.contains(element)
        default: return false
        }
    }
}
