/// Reads the syntax of an expression from its tokens; what the words mean is looked at afterwards.
///
/// All kinds of expressions share paths, functions and operands. Nothing recurses deeper than there may be operators.
struct ExpressionParser {
    private let bytes: [UInt8]
    private let tokens: [ExpressionToken]
    private let keywords: [String]
    /// Whether a path may begin with one in parentheses, as in `(a.b).c`: not in an update.
    private let allowsPathGroups: Bool
    private var position = 0
    private var operatorCount = 0
    /// Whether parentheses stood directly within parentheses: an error, but one of syntax comes first.
    private(set) var hasRedundantParentheses = false

    /// The most bytes of an expression. Source: Amazon DynamoDB developer guide, "Expression parameters", quotas.
    static let bytesMax = 4096
    /// The most operators and functions of an expression; same source.
    static let operatorsMax = 300
    /// The largest position in a list that may be written.
    private static let indexMax = Int(Int32.max)

    /// A parser of `text`.
    ///
    /// - Throws: `empty`, `tooLong`.
    init(_ text: String, _ parameter: ExpressionParameter) throws(ExpressionError) {
        bytes = Array(text.utf8)
        guard bytes.count <= Self.bytesMax else { throw .tooLong(bytes: bytes.count) }
        tokens = ExpressionToken.tokens(of: bytes)
        keywords = parameter.keywords
        allowsPathGroups = parameter != .update
        if tokens.count == 1 { throw .empty }
    }
}

// MARK: - Tokens

extension ExpressionParser {
    /// The kind of the next token.
    var next: ExpressionToken.Kind { tokens[position].kind }

    /// The kind of the token after the next.
    var second: ExpressionToken.Kind { position + 1 < tokens.count ? tokens[position + 1].kind : .end }

    /// The next token as it is written.
    var text: String { String(decoding: bytes[tokens[position].range], as: UTF8.self) }

    /// Goes on behind the next token and answers its text.
    @discardableResult
    mutating func take() -> String {
        let text = text
        if position + 1 < tokens.count { position += 1 }
        return text
    }

    /// Goes on if the next token is of this kind, and says whether it was.
    mutating func take(if kind: ExpressionToken.Kind) -> Bool {
        guard next == kind else { return false }
        position += 1
        return true
    }

    /// Goes on if the next token is of this kind.
    ///
    /// - Throws: `syntax` when it is another.
    mutating func expect(_ kind: ExpressionToken.Kind) throws(ExpressionError) {
        guard take(if: kind) else { throw syntaxError }
    }

    /// The keyword that the next token is, in capitals; nil when it is none.
    var keyword: String? {
        guard next == .word else { return nil }
        let word = bytes[tokens[position].range]
        return keywords.first { keyword in
            // Without bit 5 a letter is a capital; nothing else of a word becomes one.
            keyword.utf8.count == word.count && zip(word, keyword.utf8).allSatisfy { $0 & 0xDF == $1 }
        }
    }

    /// Goes on if the next token is this keyword, and says whether it was.
    mutating func take(keyword: String) -> Bool {
        guard self.keyword == keyword else { return false }
        position += 1
        return true
    }

    /// The error of a token that may not stand where it does, with its neighbours.
    var syntaxError: ExpressionError {
        let token = tokens[position]
        let first = position > 0 ? tokens[position - 1].range.lowerBound : token.range.lowerBound
        let isLast = token.kind == .end || tokens[position + 1].kind == .end
        let last = isLast ? token.range.upperBound : tokens[position + 1].range.upperBound
        // Up to the end of the token before, when there is none after it: white space behind is not shown.
        let upper = token.kind == .end && position > 0 ? tokens[position - 1].range.upperBound : last
        return .syntax(
            token: token.kind == .end ? "<EOF>" : text, near: String(decoding: bytes[first..<upper], as: UTF8.self))
    }

    /// Counts an operator or function.
    ///
    /// - Throws: `tooManyOperators`.
    mutating func countOperator() throws(ExpressionError) {
        operatorCount += 1
        if operatorCount > Self.operatorsMax { throw .tooManyOperators(count: operatorCount) }
    }

    /// Notes that a pair of parentheses closed directly around another.
    mutating func noteRedundantParentheses() { hasRedundantParentheses = true }
}

// MARK: - Paths and operands

extension ExpressionParser {
    /// A path: a name, then members and positions.
    mutating func path() throws(ExpressionError) -> PathSyntax {
        var path = PathSyntax(elements: [try name()])
        try extend(&path)
        return path
    }

    /// Reads the members and positions that follow, if any.
    mutating func extend(_ path: inout PathSyntax) throws(ExpressionError) {
        while true {
            if take(if: .dot) {
                path.elements.append(try name())
            } else if take(if: .openBracket) {
                guard next == .number else { throw syntaxError }
                let digits = take()
                try expect(.closeBracket)
                guard let index = Int(digits), index <= Self.indexMax else { throw .indexOutOfRange(digits) }
                path.elements.append(.index(index))
            } else {
                return
            }
        }
    }

    private mutating func name() throws(ExpressionError) -> PathSyntax.Element {
        switch next {
        case .name: return .name(take())
        case .word where keyword == nil: return .word(take())
        default: throw syntaxError
        }
    }

    /// A path, a value or a function, without parentheses around it.
    mutating func bareOperand() throws(ExpressionError) -> OperandSyntax {
        if next == .value { return .value(take()) }
        if next == .word, second == .open, keyword == nil { return .function(try function()) }
        return .path(try path())
    }

    /// A path, a value or a function, with or without parentheses around it.
    mutating func operand() throws(ExpressionError) -> OperandSyntax {
        var depth = 0
        while take(if: .open) { depth += 1 }
        let operand = try bareOperand()
        return depth == 0 ? operand : try closing(operand, depth)
    }

    /// Reads the ends of the parentheses around an operand.
    private mutating func closing(
        _ operand: OperandSyntax, _ depth: Int
    ) throws(ExpressionError) -> OperandSyntax {
        var operand = operand
        var wraps = 0
        for _ in 0..<depth {
            try expect(.close)
            wraps += 1
            if wraps > 1 { noteRedundantParentheses() }
            if try extend(&operand) { wraps = 0 }
        }
        return operand
    }

    /// Reads what follows a path in parentheses, as in `(a.b).c`; says whether something did.
    mutating func extend(_ operand: inout OperandSyntax) throws(ExpressionError) -> Bool {
        guard case .path(var path) = operand, allowsPathGroups, next == .dot || next == .openBracket else {
            return false
        }
        try extend(&path)
        operand = .path(path)
        return true
    }

    /// A function with its operands, of which there is at least one.
    mutating func function() throws(ExpressionError) -> FunctionSyntax {
        try countOperator()
        let name = take()
        return FunctionSyntax(name: name, operands: try list())
    }

    /// Operands in parentheses, separated by commas.
    mutating func list() throws(ExpressionError) -> [OperandSyntax] {
        try expect(.open)
        var operands = [try operand()]
        while take(if: .comma) { operands.append(try operand()) }
        try expect(.close)
        return operands
    }
}
