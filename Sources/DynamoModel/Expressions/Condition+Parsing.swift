extension Condition {
    /// Parses a condition or filter expression and checks all that can be known without an item.
    ///
    /// - Parameters:
    ///   - text: the expression.
    ///   - parameter: which parameter it is: `condition`, `filter` or `keyCondition`.
    ///   - context: the request's placeholders.
    /// - Throws: `validation` with DynamoDB's text.
    package init(
        parsing text: String, as parameter: ExpressionParameter = .condition, context: inout ExpressionContext
    ) throws(TableError) {
        do throws(ExpressionError) {
            var parser = try ExpressionParser(text, parameter)
            let syntax = try parser.condition()
            if parser.hasRedundantParentheses { throw .redundantParentheses }
            try ConditionWords.check(syntax)
            self = try ConditionAnalysis.condition(syntax, &context)
        } catch {
            throw parameter.invalid(error)
        }
    }
}

/// Makes conditions of their syntax: looks up placeholders and checks operands.
///
/// Each simple condition is checked by itself, in this order: placeholders, numbers of operands, operands that are
/// the same, types of operands.
enum ConditionAnalysis {
    /// An operand whose placeholders have been looked up.
    indirect enum Resolved {
        case path(DocumentPath)
        case value(AttributeValue)
        case function(ConditionFunction, [Resolved])
    }

    /// The condition that is written so.
    ///
    /// - Throws: the first error in it.
    static func condition(
        _ syntax: ConditionSyntax, _ context: inout ExpressionContext
    ) throws(ExpressionError) -> Condition {
        switch syntax {
        case .comparison(let left, let comparison, let right):
            let operands = try check([left, right], of: comparison.symbol, &context)
            return try self.comparison(operands[0], comparison, operands[1])
        case .between(let operand, let lower, let upper):
            return try between(try check([operand, lower, upper], &context))
        case .isIn(let operand, let choices):
            let operands = try check([operand] + choices, of: "IN", &context)
            guard choices.count <= choicesMax else { throw .tooManyChoices(count: choices.count) }
            return .isIn(operands[0].operand, operands.dropFirst().map(\.operand))
        case .function(let function):
            return try self.function(function, &context)
        case .and(let conditions): return .and(try self.conditions(conditions, &context))
        case .or(let conditions): return .or(try self.conditions(conditions, &context))
        case .not(let condition): return .not(try self.condition(condition, &context))
        }
    }

    /// The most choices of an IN. Source: Amazon DynamoDB developer guide, "Comparison operator and function
    /// reference".
    private static let choicesMax = 100

    private static func conditions(
        _ syntax: [ConditionSyntax], _ context: inout ExpressionContext
    ) throws(ExpressionError) -> [Condition] {
        var conditions: [Condition] = []
        conditions.reserveCapacity(syntax.count)
        for syntax in syntax { conditions.append(try condition(syntax, &context)) }
        return conditions
    }

    /// Looks up the operands of an operator and checks all that does not depend on it.
    ///
    /// - Parameter operator: where its operands must not be the same path, nil where they may.
    private static func check(
        _ syntax: [OperandSyntax], of operator: String? = nil, _ context: inout ExpressionContext
    ) throws(ExpressionError) -> [Resolved] {
        var operands: [Resolved] = []
        for syntax in syntax { operands.append(try resolve(syntax, &context)) }
        for operand in operands { try operand.checkOperandCounts() }
        for operand in operands { try operand.checkDistinctOperands() }
        if let `operator` { try Resolved.checkDistinct(operands, `operator`) }
        for operand in operands { try operand.checkTypes() }
        return operands
    }

    private static func resolve(
        _ syntax: OperandSyntax, _ context: inout ExpressionContext
    ) throws(ExpressionError) -> Resolved {
        switch syntax {
        case .path(let path): return .path(try context.path(path))
        case .value(let placeholder): return .value(try context.value(placeholder))
        case .function(let function):
            guard let known = ConditionFunction(rawValue: function.name) else {
                throw .unknownFunction(function.name)
            }
            var operands: [Resolved] = []
            for operand in function.operands { operands.append(try resolve(operand, &context)) }
            return .function(known, operands)
        }
    }
}

// MARK: - Simple conditions

extension ConditionAnalysis {
    private static func comparison(
        _ left: Resolved, _ comparison: Comparison, _ right: Resolved
    ) throws(ExpressionError) -> Condition {
        if comparison != .equal, comparison != .notEqual {
            for operand in [left, right] { try operand.checkOrder(of: comparison.symbol) }
        }
        return .comparison(left.operand, comparison, right.operand)
    }

    private static func between(_ operands: [Resolved]) throws(ExpressionError) -> Condition {
        for operand in operands { try operand.checkOrder(of: "BETWEEN") }
        if case .value(let lower) = operands[1], case .value(let upper) = operands[2] {
            guard lower.type == upper.type else { throw .boundTypes(lower: lower, upper: upper) }
            guard Comparison.lessOrEqual.holds(lower, upper) else { throw .boundOrder(lower: lower, upper: upper) }
        }
        return .between(operands[0].operand, lower: operands[1].operand, upper: operands[2].operand)
    }

    private static func function(
        _ syntax: FunctionSyntax, _ context: inout ExpressionContext
    ) throws(ExpressionError) -> Condition {
        guard case .function(let function, let operands)? = try check([.function(syntax)], &context).first else {
            throw .unknownFunction(syntax.name)
        }
        switch (function, operands.first, operands.last) {
        case (.attributeExists, .path(let path), _): return .attributeExists(path)
        case (.attributeNotExists, .path(let path), _): return .attributeNotExists(path)
        case (.attributeType, .path(let path), .value(.string(let name))):
            guard let type = AttributeType(rawValue: name) else { throw .unknownType(name) }
            return .attributeType(path, type)
        case (.attributeType, let operand?, .value(.string(let name))):
            // What is no path has a type that is known already: the condition always holds, or never.
            return operand.knownType?.rawValue == name ? .and([]) : .or([])
        case (.beginsWith, let operand?, let beginning?): return .beginsWith(operand.operand, beginning.operand)
        case (.contains, let operand?, let part?): return .contains(operand.operand, part.operand)
        default: throw .misusedFunction(syntax.name)
        }
    }
}

// MARK: - Operands

extension ConditionAnalysis.Resolved {
    /// The type, nil when it depends on the item.
    fileprivate var knownType: AttributeType? {
        switch self {
        case .path: nil
        case .value(let value): value.type
        case .function(.size, _): .number
        case .function: .bool
        }
    }

    /// The operand as conditions have it.
    fileprivate var operand: Operand {
        switch self {
        case .path(let path): .path(path)
        case .value(let value): .value(value)
        case .function(_, let operands):
            switch operands.first {
            case .path(let path): .size(path)
            case .value(let value): .value(.number(Int64(value.elementCount ?? 0)))
            default: .value(.null)
            }
        }
    }

    fileprivate func checkOperandCounts() throws(ExpressionError) {
        guard case .function(let function, let operands) = self else { return }
        for operand in operands { try operand.checkOperandCounts() }
        guard operands.count == function.operandCount else {
            throw .operandCount(function: function.rawValue, count: operands.count)
        }
    }

    fileprivate func checkDistinctOperands() throws(ExpressionError) {
        guard case .function(let function, let operands) = self else { return }
        for operand in operands { try operand.checkDistinctOperands() }
        try Self.checkDistinct(operands, function.rawValue)
    }

    /// Checks that the first operand is not the same path as another.
    fileprivate static func checkDistinct(_ operands: [Self], _ operator: String) throws(ExpressionError) {
        guard case .path(let first)? = operands.first else { return }
        for case .path(let other) in operands.dropFirst() where other == first {
            throw .sameOperands(operator: `operator`, path: first)
        }
    }

    /// Checks that a value can be in an order with others.
    fileprivate func checkOrder(of operator: String) throws(ExpressionError) {
        switch knownType {
        case nil, .string, .number, .binary: return
        case let type?: throw .operandType(operator: `operator`, type: type.rawValue)
        }
    }

    /// Checks the types of the operands of functions, of the inner ones first.
    fileprivate func checkTypes() throws(ExpressionError) {
        guard case .function(let function, let operands) = self else { return }
        for operand in operands { try operand.checkTypes() }
        switch function {
        case .attributeExists, .attributeNotExists:
            guard case .path? = operands.first else { throw .needsPath(function: function.rawValue) }
        case .attributeType:
            try operands.last?.checkIsTypeName()
        case .beginsWith:
            for type in operands.compactMap(\.knownType) where type != .string && type != .binary {
                throw .operandType(operator: function.rawValue, type: type.rawValue)
            }
        case .size:
            if let type = operands.first?.knownType, [.number, .bool, .null].contains(type) {
                throw .operandType(operator: function.rawValue, type: type.rawValue)
            }
        case .contains: break
        }
    }

    private func checkIsTypeName() throws(ExpressionError) {
        let name = ConditionFunction.attributeType.rawValue
        guard let type = knownType else {
            // A path could hold anything.
            throw .operandType(operator: name, type: "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
        }
        guard case .value(.string(let text)) = self else { throw .operandType(operator: name, type: type.rawValue) }
        guard AttributeType(rawValue: text) != nil else { throw .unknownType(text) }
    }
}
