extension [UpdateAction] {
    /// Parses an update expression and checks all that can be known without an item.
    ///
    /// - Parameters:
    ///   - text: the expression.
    ///   - context: the request's placeholders.
    /// - Throws: `validation` with DynamoDB's text.
    package init(parsing text: String, context: inout ExpressionContext) throws(TableError) {
        do throws(ExpressionError) {
            var parser = try ExpressionParser(text, .update)
            let sections = try parser.update()
            if parser.hasRedundantParentheses { throw .redundantParentheses }
            let actions = sections.flatMap(\.actions)
            try UpdateAnalysis.checkWords(actions)
            try UpdateAnalysis.checkOnce(sections.map(\.keyword))
            self = try UpdateAnalysis.actions(actions, &context)
        } catch {
            throw ExpressionParameter.update.invalid(error)
        }
    }
}

/// Makes updates of their syntax. What is wrong with the whole comes first: words, sections, names, values, paths; then
/// the operands of ADD and DELETE; then those of functions.
enum UpdateAnalysis {
    /// Checks reserved words, then functions.
    static func checkWords(_ actions: [ActionSyntax]) throws(ExpressionError) {
        for action in actions {
            for path in action.paths {
                if let error = path.reservedWord { throw error }
            }
        }
        for function in actions.flatMap(\.functions) where UpdateFunction(rawValue: function.name) == nil {
            throw ConditionFunction(rawValue: function.name) == nil
                ? .unknownFunction(function.name) : .functionInUpdate(function.name)
        }
        for case .set(_, let value) in actions { try value.checkNesting() }
    }

    /// Checks that no section stands twice.
    static func checkOnce(_ keywords: [String]) throws(ExpressionError) {
        var seen: Set<String> = []
        for keyword in keywords where !seen.insert(keyword).inserted { throw .repeatedSection(keyword) }
    }

    /// The actions that are written so.
    static func actions(
        _ syntax: [ActionSyntax], _ context: inout ExpressionContext
    ) throws(ExpressionError) -> [UpdateAction] {
        // All names before all values.
        for path in syntax.flatMap(\.paths) { _ = try context.path(path) }
        var actions: [UpdateAction] = []
        for action in syntax { actions.append(try self.action(action, &context)) }
        try actions.map(\.path).checkDistinct()
        for action in actions { try action.checkSectionOperand() }
        for action in syntax { try action.checkFunctions(&context) }
        return actions
    }

    private static func action(
        _ syntax: ActionSyntax, _ context: inout ExpressionContext
    ) throws(ExpressionError) -> UpdateAction {
        let path = try context.path(syntax.path)
        switch syntax {
        case .set(_, .operand(let operand)): return .set(path, try value(operand, &context))
        case .set(_, .sum(let left, let right)):
            return .set(path, .plus(try value(left, &context), try value(right, &context)))
        case .set(_, .difference(let left, let right)):
            return .set(path, .minus(try value(left, &context), try value(right, &context)))
        case .remove: return .remove(path)
        case .add(_, let placeholder): return .add(path, try context.value(placeholder))
        case .delete(_, let placeholder): return .delete(path, try context.value(placeholder))
        }
    }

    /// The value of an operand. Of a function with wrong operands it is some value: they are checked afterwards.
    private static func value(
        _ syntax: OperandSyntax, _ context: inout ExpressionContext
    ) throws(ExpressionError) -> SetValue {
        switch syntax {
        case .path(let path): return .path(try context.path(path))
        case .value(let placeholder): return .value(try context.value(placeholder))
        case .function(let function):
            var operands: [SetValue] = []
            for operand in function.operands { operands.append(try value(operand, &context)) }
            guard operands.count == UpdateFunction.operandCount else { return .value(.null) }
            if function.name == UpdateFunction.listAppend.rawValue { return .listAppend(operands[0], operands[1]) }
            guard case .path(let path) = operands[0] else { return .value(.null) }
            return .ifNotExists(path, operands[1])
        }
    }
}

// MARK: - Words

extension ActionSyntax {
    /// Every path in the action, from the left.
    fileprivate var paths: [PathSyntax] {
        guard case .set(let path, let value) = self else { return [path] }
        return [path] + value.operands.flatMap(\.paths)
    }

    /// Every function in the action, the inner ones first.
    fileprivate var functions: [FunctionSyntax] {
        guard case .set(_, let value) = self else { return [] }
        return value.operands.flatMap(\.functions)
    }
}

extension OperandSyntax {
    fileprivate var paths: [PathSyntax] {
        switch self {
        case .path(let path): [path]
        case .value: []
        case .function(let function): function.operands.flatMap(\.paths)
        }
    }

    fileprivate var functions: [FunctionSyntax] {
        guard case .function(let function) = self else { return [] }
        return function.operands.flatMap(\.functions) + [function]
    }
}

extension SetSyntax {
    /// Checks that `list_append` stands by itself only: what it answers cannot be an operand.
    fileprivate func checkNesting() throws(ExpressionError) {
        for operand in operands {
            guard case .function(let function) = operand else { continue }
            if case .operand = self {} else { try operand.checkIsNoList() }
            for operand in function.operands { try operand.checkIsNoList() }
        }
    }
}

extension OperandSyntax {
    /// Checks that neither the operand nor anything in it is a `list_append`.
    fileprivate func checkIsNoList() throws(ExpressionError) {
        for function in functions where function.name == UpdateFunction.listAppend.rawValue {
            throw .misusedFunction(function.name)
        }
    }
}

// MARK: - Operands

extension UpdateAction {
    /// Checks what ADD and DELETE are given: a set, or for ADD a number.
    fileprivate func checkSectionOperand() throws(ExpressionError) {
        switch self {
        case .add(_, let value):
            guard value.type == .number || value.type.isSet else {
                throw .sectionOperandType(section: "ADD", type: value.type)
            }
        case .delete(_, let value):
            guard value.type.isSet else { throw .sectionOperandType(section: "DELETE", type: value.type) }
        case .set, .remove: break
        }
    }
}

extension ActionSyntax {
    /// Checks the operands of functions, and of sums and differences, from the left and the inner ones first.
    fileprivate func checkFunctions(_ context: inout ExpressionContext) throws(ExpressionError) {
        guard case .set(_, let value) = self else { return }
        for operand in value.operands { try operand.checkFunctions(&context) }
        switch value {
        case .operand: break
        case .sum: try OperandSyntax.check(value.operands, are: .number, for: "+", &context)
        case .difference: try OperandSyntax.check(value.operands, are: .number, for: "-", &context)
        }
    }
}

extension OperandSyntax {
    fileprivate func checkFunctions(_ context: inout ExpressionContext) throws(ExpressionError) {
        guard case .function(let function) = self else { return }
        for operand in function.operands { try operand.checkFunctions(&context) }
        guard function.operands.count == UpdateFunction.operandCount else {
            throw .operandCount(function: function.name, count: function.operands.count)
        }
        if function.name == UpdateFunction.listAppend.rawValue {
            try Self.check(function.operands, are: .list, for: function.name, &context)
        } else {
            guard case .path = function.operands[0] else { throw .needsPath(function: function.name) }
        }
    }

    /// Checks that those of the operands that are values have a type.
    fileprivate static func check(
        _ operands: [OperandSyntax], are type: AttributeType, for operator: String, _ context: inout ExpressionContext
    ) throws(ExpressionError) {
        for case .value(let placeholder) in operands {
            let value = try context.value(placeholder)
            guard value.type == type else { throw .operandType(operator: `operator`, type: value.type.rawValue) }
        }
    }
}

extension AttributeType {
    fileprivate var isSet: Bool { self == .stringSet || self == .numberSet || self == .binarySet }
}
