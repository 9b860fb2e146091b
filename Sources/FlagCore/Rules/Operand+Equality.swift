import JSON

extension Operand {
    /// Whether both have the same type and value (`===`). 1 and 1.0 are the same; arrays and objects are compared by
    /// what they hold, where JavaScript would compare identity.
    func isStrictlyEqual(to other: Operand) -> Bool {
        switch (self, other) {
        case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
        case (.integer(let left), .integer(let right)): left == right
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.integer(let whole), .number(let value)), (.number(let value), .integer(let whole)):
            Int64(exactly: value) == whole
        default: isSameComposite(as: other)
        }
    }

    /// The rest of strict equality: arrays, objects and numbers beyond 64 bits.
    private func isSameComposite(as other: Operand) -> Bool {
        if isArray, other.isArray {
            let (left, right) = (elements, other.elements)
            return left.count == right.count && zip(left, right).allSatisfy { $0.isStrictlyEqual(to: $1) }
        }
        switch (self, other) {
        case (.view(let left), .view(let right)) where left.kind == .object && right.kind == .object:
            return left.count == right.count
                && left.members.allSatisfy { name, value in
                    right[name].map { Operand(value).isStrictlyEqual(to: Operand($0)) } ?? false
                }
        case (.view(let left), .view(let right)) where left.kind == .number && right.kind == .number:
            return left.wholeNumber != nil ? left.wholeNumber == right.wholeNumber : left.double == right.double
        case (.view(let view), .number(let value)) where view.kind == .number,
            (.number(let value), .view(let view)) where view.kind == .number:
            return view.double == value
        case (.data, .data): return true
        default: return false
        }
    }
}
