import JSON

extension RuleEvaluator {
    /// `+`, `*`: all arguments together. Texts count as the number they begin with.
    mutating func accumulated(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let isSum = node.pointee.operation == .add
        let count = Int(node.pointee.argumentCount)
        // JSONLogic's product has no neutral element: the product of nothing is nothing.
        guard isSum || count > 0 else { return .null }
        var total = Operand.integer(isSum ? 0 : 1)
        for index in 0..<count {
            let next = try leadingNumber(of: evaluate(argument(node, index)))
            if case .integer(let left) = total, case .integer(let right) = next {
                let (exact, overflow) =
                    isSum ? left.addingReportingOverflow(right) : left.multipliedReportingOverflow(by: right)
                if !overflow {
                    total = .integer(exact)
                    continue
                }
            }
            let (left, right) = (try number(of: total), try number(of: next))
            total = .number(isSum ? left + right : left * right)
        }
        return total
    }

    /// `-`, `/`, `%`: of two arguments; `-` of one is its negative.
    mutating func difference(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let operation = node.pointee.operation
        var left = try value(node, 0)
        var right = try value(node, 1)
        if operation == .subtract, node.pointee.argumentCount < 2 { (left, right) = (.integer(0), left) }
        if case .integer(let left) = left, case .integer(let right) = right {
            if operation == .subtract {
                let (exact, overflow) = left.subtractingReportingOverflow(right)
                if !overflow { return .integer(exact) }
            } else if operation == .remainder, right != 0, right != -1 {
                return .integer(left % right)
            }
        }
        let (leftNumber, rightNumber) = (try number(of: left), try number(of: right))
        switch operation {
        case .subtract: return .number(leftNumber - rightNumber)
        case .divide: return .number(leftNumber / rightNumber)
        default: return .number(leftNumber.truncatingRemainder(dividingBy: rightNumber))
        }
    }

    /// `min`, `max`.
    mutating func extremum(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let isMinimum = node.pointee.operation == .minimum
        var best = Operand.number(isMinimum ? .infinity : -.infinity)
        var bestNumber = isMinimum ? Double.infinity : -Double.infinity
        for index in 0..<Int(node.pointee.argumentCount) {
            let next = try evaluate(argument(node, index))
            let number = try number(of: next)
            if number.isNaN { return .number(.nan) }
            guard isMinimum ? number < bestNumber : number > bestNumber else { continue }
            bestNumber = number
            if case .integer = next { best = next } else { best = .number(number) }
        }
        return best
    }

    /// The number that a text begins with (ECMA-262, parseFloat); neither null nor booleans are numbers here.
    private mutating func leadingNumber(of value: Operand) throws(RuleFailure) -> Operand {
        switch value {
        case .integer, .number: return value
        case .null, .bool: return .number(.nan)
        case .string(let bytes): return .number(try leadingNumber(of: bytes))
        case .spelled(let view): return .number(try double(of: view))
        case .list, .array, .object, .data: return .number(try leadingNumber(of: text(of: value)))
        }
    }

    private mutating func leadingNumber(of text: UnsafeRawBufferPointer) throws(RuleFailure) -> Double {
        try step(Work.steps(converting: text.count))
        return NumericText.leadingNumber(text)
    }
}
