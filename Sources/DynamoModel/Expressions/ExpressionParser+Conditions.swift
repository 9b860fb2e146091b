extension ExpressionParser {
    /// A whole condition.
    ///
    /// NOT binds more than AND, and AND more than OR. The operators wait on a stack of their own until their operands
    /// are complete, so that deep parentheses cost no stack of the thread.
    mutating func condition() throws(ExpressionError) -> ConditionSyntax {
        var stack = ConditionStack()
        while true {
            try beginning(&stack)
            while next == .close {
                guard stack.close() else { throw syntaxError }
                take()
                if stack.closedTwice { noteRedundantParentheses() }
            }
            if next == .end { break }
            guard let keyword, let link = ConditionStack.Link(keyword: keyword) else { throw syntaxError }
            try countOperator()
            take()
            stack.push(link)
        }
        guard let condition = stack.finish() else { throw syntaxError }
        return condition
    }

    /// Reads NOT and parentheses, and then one condition without either.
    private mutating func beginning(_ stack: inout ConditionStack) throws(ExpressionError) {
        while true {
            if take(if: .open) {
                stack.pushOpen()
            } else if take(keyword: "NOT") {
                try countOperator()
                stack.pushNot()
            } else {
                break
            }
        }
        var operand = try bareOperand()
        // Parentheses that were opened directly before an operand may close around it alone.
        var wraps = 0
        while next == .close, stack.popOpen() {
            take()
            wraps += 1
            if wraps > 1 { noteRedundantParentheses() }
            if try extend(&operand) { wraps = 0 }
        }
        let condition = try comparison(of: operand)
        if case .function = condition { stack.push(condition, isGroup: wraps > 0) } else { stack.push(condition) }
    }

    /// Reads what is said of an operand; a function says something by itself.
    private mutating func comparison(of operand: OperandSyntax) throws(ExpressionError) -> ConditionSyntax {
        if case .comparison(let comparison) = next {
            try countOperator()
            take()
            return .comparison(operand, comparison, try self.operand())
        }
        if take(keyword: "BETWEEN") {
            try countOperator()
            let lower = try self.operand()
            guard take(keyword: "AND") else { throw syntaxError }
            return .between(operand, lower, try self.operand())
        }
        if take(keyword: "IN") {
            try countOperator()
            return .isIn(operand, try list())
        }
        guard case .function(let function) = operand else { throw syntaxError }
        return .function(function)
    }
}

/// The operators and parentheses of a condition that wait for their operands, and the operands.
private struct ConditionStack {
    /// What links two conditions.
    enum Link {
        case and, or

        init?(keyword: String) {
            switch keyword {
            case "AND": self = .and
            case "OR": self = .or
            default: return nil
            }
        }
    }

    private enum Waiting: Equatable {
        case open, not, and, or
    }

    private var waiting: [Waiting] = []
    private var conditions: [(syntax: ConditionSyntax, isGroup: Bool)] = []
    /// Whether the parentheses that closed last stood directly around others.
    private(set) var closedTwice = false

    mutating func pushOpen() { waiting.append(.open) }

    mutating func pushNot() { waiting.append(.not) }

    /// Takes back an opening parenthesis if nothing else came after it.
    mutating func popOpen() -> Bool {
        guard waiting.last == .open else { return false }
        waiting.removeLast()
        return true
    }

    mutating func push(_ condition: ConditionSyntax, isGroup: Bool = false) { conditions.append((condition, isGroup)) }

    /// Completes what binds more, then lets `link` wait for its second condition.
    mutating func push(_ link: Link) {
        reduce { $0 == .not || $0 == .and || (link == .or && $0 == .or) }
        waiting.append(link == .and ? .and : .or)
    }

    /// Completes a pair of parentheses; false when none was opened.
    mutating func close() -> Bool {
        reduce { $0 != .open }
        guard popOpen(), var last = conditions.popLast() else { return false }
        closedTwice = last.isGroup
        last.isGroup = true
        conditions.append(last)
        return true
    }

    /// The whole condition; nil when a parenthesis was not closed.
    mutating func finish() -> ConditionSyntax? {
        reduce { $0 != .open }
        return waiting.isEmpty ? conditions.last?.syntax : nil
    }

    private mutating func reduce(while isComplete: (Waiting) -> Bool) {
        while let last = waiting.last, isComplete(last), let right = conditions.popLast() {
            waiting.removeLast()
            let condition: ConditionSyntax
            switch last {
            case .not, .open: condition = .not(right.syntax)
            case .and, .or:
                guard let left = conditions.popLast() else { return }
                condition = last == .and ? .all(left.syntax, right.syntax) : .any(left.syntax, right.syntax)
            }
            conditions.append((condition, false))
        }
    }
}

extension ConditionSyntax {
    /// Both conditions, as one node with the members of those that are such nodes themselves.
    fileprivate static func all(_ left: ConditionSyntax, _ right: ConditionSyntax) -> ConditionSyntax {
        var members: [ConditionSyntax] = []
        for side in [left, right] {
            if case .and(let inner) = side { members += inner } else { members.append(side) }
        }
        return .and(members)
    }

    /// Either condition, as one node with the members of those that are such nodes themselves.
    fileprivate static func any(_ left: ConditionSyntax, _ right: ConditionSyntax) -> ConditionSyntax {
        var members: [ConditionSyntax] = []
        for side in [left, right] {
            if case .or(let inner) = side { members += inner } else { members.append(side) }
        }
        return .or(members)
    }
}
