extension Condition {
    /// Whether the condition holds for an item; nil is an item without attributes.
    func holds(for item: Item?) -> Bool {
        switch self {
        case .attributeExists(let path): path.value(in: item) != nil
        case .attributeNotExists(let path): path.value(in: item) == nil
        case .attributeType(let path, let type): path.value(in: item)?.type == type
        case .comparison(let left, let comparison, let right):
            comparison.holds(left.value(in: item), right.value(in: item))
        case .between(let operand, let lower, let upper):
            Comparison.greaterOrEqual.holds(operand.value(in: item), lower.value(in: item))
                && Comparison.lessOrEqual.holds(operand.value(in: item), upper.value(in: item))
        case .isIn(let operand, let choices):
            choices.contains { Comparison.equal.holds(operand.value(in: item), $0.value(in: item)) }
        case .beginsWith(let operand, let beginning):
            operand.value(in: item)?.begins(with: beginning.value(in: item)) ?? false
        case .contains(let operand, let part):
            operand.value(in: item)?.contains(part.value(in: item)) ?? false
        case .and(let conditions): conditions.allSatisfy { $0.holds(for: item) }
        case .or(let conditions): conditions.contains { $0.holds(for: item) }
        case .not(let condition): !condition.holds(for: item)
        }
    }
}

extension Operand {
    /// The operand's value, nil when the item has none.
    func value(in item: Item?) -> AttributeValue? {
        switch self {
        case .value(let value): value
        case .path(let path): path.value(in: item)
        case .size(let path): path.value(in: item)?.elementCount.map { .number(Int64($0)) }
        }
    }
}

extension Comparison {
    /// Whether the comparison of two values holds; either may be absent.
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

    fileprivate func begins(with beginning: AttributeValue?) -> Bool {
        switch (self, beginning) {
        case (.string(let text), .string(let beginning)): text.utf8.starts(with: beginning.utf8)
        case (.binary(let bytes), .binary(let beginning)): bytes.starts(with: beginning)
        default: false
        }
    }

    fileprivate func contains(_ part: AttributeValue?) -> Bool {
        switch (self, part) {
        case (.string(let text), .string(let part)): Array(text.utf8).containsRun(of: Array(part.utf8))
        case (.binary(let bytes), .binary(let part)): bytes.containsRun(of: part)
        case (.stringSet(let set), .string(let element)): set.contains(element)
        case (.numberSet(let set), .number(let element)): set.contains(element)
        case (.binarySet(let set), .binary(let element)): set.contains(element)
        case (.list(let values), .some(let element)): values.contains(element)
        default: false
        }
    }
}

extension [UInt8] {
    /// Whether `part` occurs in the bytes. O(n × m), both bounded by the size of an item.
    fileprivate func containsRun(of part: [UInt8]) -> Bool {
        guard let first = part.first else { return true }
        guard part.count <= count else { return false }
        return (0...(count - part.count)).contains { start in
            self[start] == first && self[start..<(start + part.count)].elementsEqual(part)
        }
    }
}
