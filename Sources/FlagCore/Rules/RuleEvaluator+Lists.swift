import Bytes
import JSON

extension RuleEvaluator {
    /// `in`: whether a list has the value as an element, or a text as a part.
    mutating func contains(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Bool {
        let needle = try value(node, 0)
        let haystack = try value(node, 1)
        if case .string(let bytes) = haystack {
            switch needle {
            case .string, .integer, .number, .bool: return try contains(bytes, text(of: needle))
            default: return false
            }
        }
        for element in haystack.elements {
            try step()
            if try isStrictlyEqual(element, needle) { return true }
        }
        return false
    }

    private mutating func contains(
        _ text: UnsafeRawBufferPointer, _ part: UnsafeRawBufferPointer
    ) throws(RuleFailure) -> Bool {
        try step((text.count + part.count) / Work.scannedBytesPerStep)
        return text.firstOffset(of: part) != nil
    }

    /// `merge`: the elements of all arguments in one list; what is no list counts as a list of one.
    mutating func merged(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let arguments = try values(node)
        let count = arguments.reduce(0) { $0 + ($1.isArray ? $1.elements.count : 1) }
        try step(count)
        let list = try scratch.allocateList(count)
        var index = 0
        for argument in arguments {
            if argument.isArray {
                for element in argument.elements {
                    list.initializeElement(at: index, to: element)
                    index += 1
                }
            } else {
                list.initializeElement(at: index, to: argument)
                index += 1
            }
        }
        return .list(UnsafeBufferPointer(list))
    }

    // MARK: For each element

    /// Evaluates argument 1 of `node` with `scope` as the data; what is outside cannot be seen from within.
    private mutating func evaluateBody(
        _ node: UnsafePointer<RuleNode>, _ scope: Scope
    ) throws(RuleFailure) -> Operand {
        let outer = self.scope
        self.scope = scope
        defer { self.scope = outer }
        try step()
        return try value(node, 1)
    }

    /// `map`, `filter`: a list made of each element, or of those that pass; of what is no list the empty one.
    mutating func transformed(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let elements = try value(node, 0).elements
        let list = try scratch.allocateList(elements.count)
        var count = 0
        for element in elements {
            let result = try evaluateBody(node, .element(element))
            if node.pointee.operation == .filter, try !isTrue(result) { continue }
            list.initializeElement(at: count, to: node.pointee.operation == .filter ? element : result)
            count += 1
        }
        return .list(UnsafeBufferPointer(rebasing: list[..<count]))
    }

    /// `reduce`: the elements folded into one value, from the third argument on.
    mutating func reduced(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let elements = try value(node, 0).elements
        var accumulator = try value(node, 2)
        for element in elements {
            accumulator = try evaluateBody(node, .reduction(current: element, accumulator: accumulator))
        }
        return accumulator
    }

    /// `all`, `some`, `none`. All of nothing is false, none of nothing is true (jsonlogic.com).
    mutating func isMatched(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Bool {
        let elements = try value(node, 0).elements
        let isAll = node.pointee.operation == .all
        guard !isAll || elements.count > 0 else { return false }
        for element in elements where try isTrue(evaluateBody(node, .element(element))) != isAll {
            return node.pointee.operation == .some
        }
        return node.pointee.operation != .some
    }
}
