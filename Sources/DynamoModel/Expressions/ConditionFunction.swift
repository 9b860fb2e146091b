/// A function of condition expressions.
enum ConditionFunction: String {
    case attributeExists = "attribute_exists"
    case attributeNotExists = "attribute_not_exists"
    case attributeType = "attribute_type"
    case beginsWith = "begins_with"
    case contains
    case size

    /// How many operands it has.
    var operandCount: Int {
        switch self {
        case .attributeExists, .attributeNotExists, .size: 1
        case .attributeType, .beginsWith, .contains: 2
        }
    }
}

/// A function of update expressions.
enum UpdateFunction: String {
    case ifNotExists = "if_not_exists"
    case listAppend = "list_append"

    /// How many operands it has.
    static let operandCount = 2
}
