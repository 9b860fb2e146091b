/// What a query asks of the keys: a key-condition expression, whose operands fit no particular table yet.
///
/// The three steps are DynamoDB's order of errors: parsing comes with the other expressions of the request, then
/// `terms()` when all placeholders have been accounted for, and `bounds` once the table is known.
package struct KeyCondition: Sendable, Equatable {
    private let condition: Condition

    /// Every path that it looks at.
    package var paths: [DocumentPath] { condition.paths }

    /// Parses a key-condition expression.
    ///
    /// - Parameters:
    ///   - text: the expression.
    ///   - context: the request's placeholders.
    /// - Throws: `validation` with DynamoDB's text.
    package init(parsing text: String, context: inout ExpressionContext) throws(TableError) {
        condition = try Condition(parsing: text, as: .keyCondition, context: &context)
    }

    /// What is asked of each attribute.
    ///
    /// - Throws: `validation` with DynamoDB's text when a query cannot ask so.
    package func terms() throws(TableError) -> KeyTerms {
        var terms: [(attribute: AttributeName, condition: SortCondition)] = []
        try Self.collect(condition, into: &terms)
        guard terms.count <= 2 else { throw .validation("Conditions can be of length 1 or 2 only") }
        return KeyTerms(terms)
    }

    private static func collect(
        _ condition: Condition, into terms: inout [(attribute: AttributeName, condition: SortCondition)]
    ) throws(TableError) {
        if case .and(let conditions) = condition, !conditions.isEmpty {
            for condition in conditions { try collect(condition, into: &terms) }
            return
        }
        let term = try term(condition)
        guard !terms.contains(where: { $0.attribute == term.attribute }) else {
            throw .validation("KeyConditionExpressions must only contain one condition per key")
        }
        terms.append(term)
    }

    private static func term(
        _ condition: Condition
    ) throws(TableError) -> (attribute: AttributeName, condition: SortCondition) {
        switch condition {
        case .comparison(_, .notEqual, _): throw invalidOperator("<>")
        case .comparison(let left, let comparison, let right):
            let (attribute, values, isFirst) = try split([left, right])
            let sort = SortCondition(isFirst ? comparison : comparison.mirrored, try single(values))
            guard let sort else { throw invalidOperator(comparison.symbol) }
            return (attribute, sort)
        case .between(let operand, let lower, let upper):
            guard operand.isPathOrFunction else { throw needsKeyFirst("BETWEEN") }
            let (attribute, values, _) = try split([operand, lower, upper])
            guard values.count == 2 else { throw noAttribute }
            return (attribute, .between(values[0], values[1]))
        case .beginsWith(let operand, let beginning):
            guard operand.isPathOrFunction else { throw needsKeyFirst("begins_with") }
            let (attribute, values, _) = try split([operand, beginning])
            return (attribute, .beginsWith(try single(values)))
        case .isIn: throw invalidOperator("IN")
        case .attributeExists: throw invalidOperator("attribute_exists")
        case .attributeNotExists: throw invalidOperator("attribute_not_exists")
        case .contains: throw invalidOperator("contains")
        case .not: throw invalidOperator("NOT")
        case .or(let conditions) where !conditions.isEmpty: throw invalidOperator("OR")
        // The type of a value is known beforehand, and then nothing is left of the function but its response.
        case .attributeType, .and, .or: throw invalidOperator("attribute_type")
        }
    }

    /// The one attribute among operands, the values, and whether the attribute is the first of them.
    private static func split(
        _ operands: [Operand]
    ) throws(TableError) -> (attribute: AttributeName, values: [AttributeValue], isFirst: Bool) {
        var attribute: AttributeName?
        var values: [AttributeValue] = []
        for operand in operands {
            switch operand {
            case .size: throw .validation("KeyConditionExpressions cannot contain nested operations")
            case .value(let value): values.append(value)
            case .path(let path):
                guard attribute == nil else {
                    throw invalidCondition("Multiple attribute names used in one condition")
                }
                guard path.steps.isEmpty else {
                    throw .validation("KeyConditionExpressions cannot have conditions on nested attributes")
                }
                attribute = path.attribute
            }
        }
        guard let attribute else { throw noAttribute }
        return (attribute, values, operands.first == .path(DocumentPath(attribute)))
    }

    private static func single(_ values: [AttributeValue]) throws(TableError) -> AttributeValue {
        guard let value = values.first, values.count == 1 else { throw noAttribute }
        return value
    }

    private static var noAttribute: TableError { invalidCondition("No key attribute specified") }

    private static func needsKeyFirst(_ name: String) -> TableError {
        invalidCondition("\(name) operator must have the key attribute as its first operand")
    }

    private static func invalidCondition(_ what: String) -> TableError {
        .validation("Invalid condition in KeyConditionExpression: \(what)")
    }

    private static func invalidOperator(_ name: String) -> TableError {
        .validation("Invalid operator used in KeyConditionExpression: \(name)")
    }
}

/// What a query asks of one or two attributes.
package struct KeyTerms: Sendable {
    private let terms: [(attribute: AttributeName, condition: SortCondition)]

    fileprivate init(_ terms: [(attribute: AttributeName, condition: SortCondition)]) { self.terms = terms }

    /// The partition and the range of sort keys that are asked for.
    ///
    /// - Parameters:
    ///   - partitionKey: the partition key of the table or index.
    ///   - sortKey: its sort key, nil when it has none.
    /// - Throws: `validation` with DynamoDB's text when something else than these is asked for.
    package func bounds(
        partitionKey: KeyAttribute, sortKey: KeyAttribute?
    ) throws(TableError) -> (partition: AttributeValue, sort: SortCondition?) {
        if sortKey == nil, terms.count > 1 { throw Self.notSupported }
        guard let condition = self.condition(of: partitionKey.name) else { throw Self.missing(partitionKey) }
        try Self.check(condition, partitionKey)
        guard case .equal(let partition) = condition else { throw Self.notSupported }
        guard let sortKey else { return (partition, nil) }
        guard let sort = self.condition(of: sortKey.name) else {
            if terms.count > 1 { throw Self.missing(sortKey) }
            return (partition, nil)
        }
        try Self.check(sort, sortKey)
        return (partition, sort)
    }

    private func condition(of name: AttributeName) -> SortCondition? {
        terms.first { $0.attribute == name }?.condition
    }

    private static func check(_ condition: SortCondition, _ key: KeyAttribute) throws(TableError) {
        for value in condition.values where value.type.rawValue != key.type.rawValue {
            throw .validation(
                "One or more parameter values were invalid: Condition parameter type does not match schema type")
        }
        for value in condition.values where value.isEmptyKey {
            throw .validation(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an"
                    + " empty \(value.typeInWords) value. Key: \(key.name)")
        }
    }

    private static let notSupported = TableError.validation("Query key condition not supported")

    private static func missing(_ key: KeyAttribute) -> TableError {
        .validation("Query condition missed key schema element: \(key.name)")
    }
}

extension Operand {
    fileprivate var isPathOrFunction: Bool { if case .value = self { false } else { true } }
}

extension SortCondition {
    /// What a comparison with `value` asks; nil for `notEqual`, which no query can ask.
    fileprivate init?(_ comparison: Comparison, _ value: AttributeValue) {
        switch comparison {
        case .equal: self = .equal(value)
        case .notEqual: return nil
        case .less: self = .less(value)
        case .lessOrEqual: self = .lessOrEqual(value)
        case .greater: self = .greater(value)
        case .greaterOrEqual: self = .greaterOrEqual(value)
        }
    }
}
