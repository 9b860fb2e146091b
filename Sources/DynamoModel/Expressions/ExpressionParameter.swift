/// Which parameter of a request an expression is; its name is part of every message about it.
package enum ExpressionParameter: String, Sendable, CaseIterable {
    case update = "UpdateExpression"
    case condition = "ConditionExpression"
    case keyCondition = "KeyConditionExpression"
    case filter = "FilterExpression"
    case projection = "ProjectionExpression"

    /// The words that are part of its grammar, so that they cannot name an attribute; in capitals.
    var keywords: [String] {
        switch self {
        case .condition, .keyCondition, .filter: ["BETWEEN", "IN", "AND", "OR", "NOT"]
        case .update: ["SET", "REMOVE", "ADD", "DELETE"]
        case .projection: []
        }
    }

    /// The error that a request with such an expression is answered with.
    package func invalid(_ error: ExpressionError) -> TableError { .validation("Invalid \(rawValue): \(error)") }
}
