import DynamoModel
import JSON

/// The expressions of a request, or of one part of it, with the placeholders that they share.
struct RequestExpressions {
    private let request: RequestReader
    private var context: ExpressionContext

    /// Reads the placeholders.
    ///
    /// - Parameter possible: the expressions that the operation takes, in the order in which DynamoDB names them.
    /// - Throws: `ValidationException` when a placeholder is not spelled as one or its value is none, or when there is
    ///   no expression that it could stand in.
    init(_ request: RequestReader, _ possible: [ExpressionParameter]) throws(ProtocolError) {
        self.request = request
        let given = possible.filter { request.has($0.member) }
        let names = request.member("ExpressionAttributeNames")
        let values = request.member("ExpressionAttributeValues")
        do throws(TableError) {
            try ExpressionContext.checkPlaceholders(
                hasNames: names != nil, hasValues: values != nil, possible: possible, given: given)
        } catch {
            throw ProtocolError(error)
        }
        context = try Self.context(names, values)
    }

    private static func context(_ names: JSONView?, _ values: JSONView?) throws(ProtocolError) -> ExpressionContext {
        var texts: [String: String]?
        if let names {
            var read: [String: String] = [:]
            for (name, value) in names.members { read[String(decoding: name, as: UTF8.self)] = value.string ?? "" }
            texts = read
        }
        var attributes: [String: AttributeValue]?
        if let values {
            var read: [String: AttributeValue] = [:]
            for (name, value) in values.members {
                let name = String(decoding: name, as: UTF8.self)
                do throws(ProtocolError) {
                    read[name] = try converting { () throws(TableError) in try AttributeValueReader.value(value) }
                } catch {
                    guard error.code == .validation, let message = error.message else { throw error }
                    try checkSpelling(names, values)
                    throw .validation(
                        "ExpressionAttributeValues contains invalid value: \(message) for key \(name)")
                }
            }
            attributes = read
        }
        do throws(TableError) {
            return try ExpressionContext(names: texts, values: attributes)
        } catch {
            throw ProtocolError(error)
        }
    }

    /// Checks the placeholders by themselves: DynamoDB does before it looks at any value.
    private static func checkSpelling(_ names: JSONView?, _ values: JSONView) throws(ProtocolError) {
        func texts(_ view: JSONView?) -> [String: String]? {
            view.map { Dictionary($0.members.map { (String(decoding: $0.name, as: UTF8.self), "n") }) { $1 } }
        }
        let placeholders = texts(values)?.mapValues { _ in AttributeValue.null }
        do throws(TableError) {
            _ = try ExpressionContext(names: texts(names), values: placeholders)
        } catch {
            throw ProtocolError(error)
        }
    }

    /// The condition that an expression says; nil when there is none.
    mutating func condition(_ parameter: ExpressionParameter) throws(ProtocolError) -> Condition? {
        guard let text = request.text(parameter.member) else { return nil }
        do throws(TableError) {
            return try Condition(parsing: text, as: parameter, context: &context)
        } catch {
            throw ProtocolError(error)
        }
    }

    /// What an update expression does; nil when there is none.
    mutating func update() throws(ProtocolError) -> [UpdateAction]? {
        guard let text = request.text(ExpressionParameter.update.member) else { return nil }
        do throws(TableError) {
            return try [UpdateAction](parsing: text, context: &context)
        } catch {
            throw ProtocolError(error)
        }
    }

    /// What a key-condition expression asks; nil when there is none.
    mutating func keyCondition() throws(ProtocolError) -> KeyCondition? {
        guard let text = request.text(ExpressionParameter.keyCondition.member) else { return nil }
        do throws(TableError) {
            return try KeyCondition(parsing: text, context: &context)
        } catch {
            throw ProtocolError(error)
        }
    }

    /// What a projection expression, or `AttributesToGet`, takes of items; nil when there is neither.
    mutating func projection() throws(ProtocolError) -> ItemProjection? {
        guard let text = request.text(ExpressionParameter.projection.member) else { return try attributesToGet() }
        do throws(TableError) {
            return try ItemProjection(parsing: text, context: &context)
        } catch {
            throw ProtocolError(error)
        }
    }

    /// What a list of whole attributes takes of items; nil when there is none. Nothing in the names is a path.
    private func attributesToGet() throws(ProtocolError) -> ItemProjection? {
        guard let names = request.texts("AttributesToGet") else { return nil }
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw .validation(
                "One or more parameter values were invalid: Duplicate value in attribute name: \(name)")
        }
        return ItemProjection(names.map { DocumentPath(AttributeName($0)) })
    }

    /// Checks that all placeholders were used; to be called when every expression has been read.
    func finish() throws(ProtocolError) {
        do throws(TableError) {
            try context.finish()
        } catch {
            throw ProtocolError(error)
        }
    }
}

extension ExpressionParameter {
    /// The parameter's name as a member of a request.
    var member: StaticString {
        switch self {
        case .update: "UpdateExpression"
        case .condition: "ConditionExpression"
        case .keyCondition: "KeyConditionExpression"
        case .filter: "FilterExpression"
        case .projection: "ProjectionExpression"
        }
    }
}
