extension ExpressionParser {
    /// One section of an update: what begins it, and its changes.
    struct Section {
        let keyword: String
        let actions: [ActionSyntax]
    }

    /// A whole update: sections in any order.
    mutating func update() throws(ExpressionError) -> [Section] {
        var sections: [Section] = []
        repeat {
            guard let keyword else { throw syntaxError }
            take()
            var actions = [try action(keyword)]
            while take(if: .comma) { actions.append(try action(keyword)) }
            sections.append(Section(keyword: keyword, actions: actions))
        } while next != .end
        return sections
    }

    /// A whole projection: paths separated by commas.
    mutating func projection() throws(ExpressionError) -> [PathSyntax] {
        var paths = [try path()]
        while take(if: .comma) { paths.append(try path()) }
        guard next == .end else { throw syntaxError }
        return paths
    }

    private mutating func action(_ keyword: String) throws(ExpressionError) -> ActionSyntax {
        let path = try path()
        switch keyword {
        case "SET":
            try expect(.comparison(.equal))
            return .set(path, try setValue())
        case "REMOVE":
            return .remove(path)
        default:
            guard next == .value else { throw syntaxError }
            try countOperator()
            let value = take()
            return keyword == "ADD" ? .add(path, value: value) : .delete(path, value: value)
        }
    }

    /// What a SET gives: one operand, or the sum or difference of two; parentheses may stand around all of it.
    private mutating func setValue() throws(ExpressionError) -> SetSyntax {
        var depth = 0
        while next == .open {
            take()
            depth += 1
        }
        let left = try bareOperand()
        // Parentheses that close before an operator belong to the first operand.
        var wraps = 0
        while depth > 0, take(if: .close) {
            depth -= 1
            wraps += 1
            if wraps > 1 { noteRedundantParentheses() }
        }
        var value = SetSyntax.operand(left)
        if next == .plus || next == .minus {
            let isSum = next == .plus
            try countOperator()
            take()
            let right = try operand()
            value = isSum ? .sum(left, right) : .difference(left, right)
            wraps = 0
        }
        while depth > 0 {
            try expect(.close)
            depth -= 1
            wraps += 1
            if wraps > 1 { noteRedundantParentheses() }
        }
        return value
    }
}
