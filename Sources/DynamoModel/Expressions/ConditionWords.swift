/// Looks for words of a condition that may not stand where they do, in the whole of it and before any placeholder is
/// looked up: functions that do not exist, then functions in the wrong place, then reserved words.
struct ConditionWords {
    private var unknownFunction: ExpressionError?
    private var misusedFunction: ExpressionError?
    private var reservedWord: ExpressionError?

    /// - Throws: the first error of the first kind that there is.
    static func check(_ condition: ConditionSyntax) throws(ExpressionError) {
        var words = ConditionWords()
        words.visit(condition)
        if let error = words.unknownFunction ?? words.misusedFunction ?? words.reservedWord { throw error }
    }

    private mutating func visit(_ condition: ConditionSyntax) {
        switch condition {
        case .comparison(let left, _, let right): visit(values: [left, right])
        case .between(let operand, let lower, let upper): visit(values: [operand, lower, upper])
        case .isIn(let operand, let choices): visit(values: [operand] + choices)
        case .function(let function):
            visit(function)
            // What `size` answers is a number, not a truth.
            if function.name == ConditionFunction.size.rawValue { noteMisuse(of: function) }
        case .and(let conditions), .or(let conditions):
            for condition in conditions { visit(condition) }
        case .not(let condition): visit(condition)
        }
    }

    /// Visits operands whose values are needed: of the functions only `size` has one.
    private mutating func visit(values operands: [OperandSyntax]) {
        for operand in operands { visit(operand) }
        for case .function(let function) in operands where function.name != ConditionFunction.size.rawValue {
            noteMisuse(of: function)
        }
    }

    private mutating func visit(_ operand: OperandSyntax) {
        switch operand {
        case .value: break
        case .function(let function): visit(function)
        case .path(let path):
            if reservedWord == nil { reservedWord = path.reservedWord }
        }
    }

    private mutating func visit(_ function: FunctionSyntax) {
        visit(values: function.operands)
        guard unknownFunction == nil, ConditionFunction(rawValue: function.name) == nil else { return }
        unknownFunction =
            UpdateFunction(rawValue: function.name) == nil
            ? .unknownFunction(function.name) : .functionInCondition(function.name)
    }

    private mutating func noteMisuse(of function: FunctionSyntax) {
        if misusedFunction == nil { misusedFunction = .misusedFunction(function.name) }
    }
}

extension PathSyntax {
    /// The error of the first element that is a reserved word, nil when none is.
    var reservedWord: ExpressionError? {
        for case .word(let word) in elements where ReservedWord.contains(word) { return .reservedWord(word) }
        return nil
    }
}
