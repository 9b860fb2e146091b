/// What is wrong with an expression. The descriptions are DynamoDB's own sentences, which clients match on.
package enum ExpressionError: Error, Sendable, Equatable {
    /// There is nothing but white space.
    case empty
    /// It has more bytes than an expression may have.
    case tooLong(bytes: Int)
    /// It has more operators and functions than an expression may have; counting stops there.
    case tooManyOperators(count: Int)
    /// A token that may not stand where it does, and what stands around it.
    case syntax(token: String, near: String)
    /// Parentheses directly within parentheses.
    case redundantParentheses
    /// There is no function of this name.
    case unknownFunction(String)
    /// The function exists, but its value cannot stand there.
    case misusedFunction(String)
    /// The function belongs to update expressions.
    case functionInCondition(String)
    /// The function belongs to condition expressions.
    case functionInUpdate(String)
    /// An attribute is named by a word that needs a placeholder.
    case reservedWord(String)
    /// A section of an update stands twice.
    case repeatedSection(String)
    /// A placeholder for a name that is not defined.
    case undefinedName(String)
    /// A placeholder for a value that is not defined.
    case undefinedValue(String)
    /// A path has more elements than values may nest.
    case pathTooDeep(levels: Int)
    /// A list has no such position.
    case indexOutOfRange(String)
    /// A function has too many or too few operands.
    case operandCount(function: String, count: Int)
    /// A function has another operand where a path must be.
    case needsPath(function: String)
    /// An operand has a type that the operator or function does not take.
    case operandType(operator: String, type: String)
    /// The value of an ADD or DELETE has a type that the section does not take.
    case sectionOperandType(section: String, type: AttributeType)
    /// `attribute_type` asks for a type that does not exist.
    case unknownType(String)
    /// A path is compared with itself.
    case sameOperands(operator: String, path: DocumentPath)
    /// The bounds of a BETWEEN are of different types.
    case boundTypes(lower: AttributeValue, upper: AttributeValue)
    /// The bounds of a BETWEEN are the wrong way round.
    case boundOrder(lower: AttributeValue, upper: AttributeValue)
    /// An IN has more choices than it may have.
    case tooManyChoices(count: Int)
    /// One path leads through or to the other.
    case overlap(DocumentPath, DocumentPath)
    /// The paths take the same value for a list and for a map.
    case conflict(DocumentPath, DocumentPath)
}

extension ExpressionError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .empty: "The expression can not be empty;"
        case .tooLong(let bytes):
            "Expression size has exceeded the maximum allowed size; expression size: \(bytes)"
        case .tooManyOperators(let count): "The expression contains too many operators; operator count: \(count)"
        case .syntax(let token, let near): "Syntax error; token: \"\(token)\", near: \"\(near)\""
        case .redundantParentheses: "The expression has redundant parentheses;"
        case .unknownFunction(let name): "Invalid function name; function: \(name)"
        case .misusedFunction(let name):
            "The function is not allowed to be used this way in an expression; function: \(name)"
        case .functionInCondition(let name):
            "The function is not allowed in a condition expression; function: \(name)"
        case .functionInUpdate(let name): "The function is not allowed in an update expression; function: \(name)"
        case .reservedWord(let word): "Attribute name is a reserved keyword; reserved keyword: \(word)"
        case .repeatedSection(let section):
            "The \"\(section)\" section can only be used once in an update expression;"
        case .undefinedName(let name):
            "An expression attribute name used in the document path is not defined; attribute name: \(name)"
        case .undefinedValue(let name):
            "An expression attribute value used in expression is not defined; attribute value: \(name)"
        case .pathTooDeep(let levels):
            "The document path has too many nesting levels; nesting levels: \(levels)"
        case .indexOutOfRange(let index): "List index is not within the allowable range; index: [\(index)]"
        default: operandDescription
        }
    }

    private var operandDescription: String {
        switch self {
        case .operandCount(let function, let count):
            "Incorrect number of operands for operator or function; operator or function: \(function),"
                + " number of operands: \(count)"
        case .needsPath(let function):
            "Operator or function requires a document path; operator or function: \(function)"
        case .operandType(let name, let type):
            "Incorrect operand type for operator or function; operator or function: \(name), operand type: \(type)"
        case .sectionOperandType(let section, let type):
            "Incorrect operand type for operator or function; operator: \(section), operand type: \(type.inWords)"
        case .unknownType(let type):
            "Invalid attribute type name found; type: \(type), valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
        case .sameOperands(let name, let path):
            "The first operand must be distinct from the remaining operands for this operator or function;"
                + " operator: \(name), first operand: \(path.elements)"
        case .boundTypes(let lower, let upper):
            "The BETWEEN operator requires same data type for lower and upper bounds;"
                + " lower bound operand: \(lower.operandText), upper bound operand: \(upper.operandText)"
        case .boundOrder(let lower, let upper):
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound;"
                + " lower bound operand: \(lower.operandText), upper bound operand: \(upper.operandText)"
        case .tooManyChoices(let count):
            "The IN operator is provided with too many operands; number of operands: \(count)"
        case .overlap(let one, let two):
            "Two document paths overlap with each other; must remove or rewrite one of these paths;"
                + " path one: \(one.elements), path two: \(two.elements)"
        case .conflict(let one, let two):
            "Two document paths conflict with each other; must remove or rewrite one of these paths;"
                + " path one: \(one.elements), path two: \(two.elements)"
        default: ""
        }
    }
}

extension AttributeType {
    /// The type as messages about ADD and DELETE name it.
    fileprivate var inWords: String {
        switch self {
        case .string: "STRING"
        case .number: "NUMBER"
        case .binary: "BINARY"
        case .bool: "BOOLEAN"
        case .null: "NULL"
        case .list: "LIST"
        case .map: "MAP"
        case .stringSet: "STRING_SET"
        case .numberSet: "NUMBER_SET"
        case .binarySet: "BINARY_SET"
        }
    }
}

extension AttributeValue {
    /// The value as messages about BETWEEN show it: `AttributeValue: {N:5}`.
    fileprivate var operandText: String {
        let content: String =
            switch self {
            case .string(let text): text
            case .number(let number): number.description
            case .bool(let value): value ? "true" : "false"
            case .null: "true"
            default: "…"
            }
        return "AttributeValue: {\(type.rawValue):\(content)}"
    }
}

extension DocumentPath {
    /// The path as messages show it: `[a, b, [1]]`.
    package var elements: String {
        let steps = steps.map { step in
            switch step {
            case .member(let name): name.text
            case .element(let index): "[\(index)]"
            }
        }
        return "[\(([attribute.text] + steps).joined(separator: ", "))]"
    }
}
