/// What the placeholders of a request's expressions stand for, and which of them were used.
///
/// One context serves all expressions of a request: a placeholder is used when any of them has it.
package struct ExpressionContext: Sendable {
    private var names: [String: Entry<AttributeName>]
    private var values: [String: Entry<AttributeValue>]

    private struct Entry<Content: Sendable>: Sendable {
        let content: Content
        var isUsed = false
    }

    /// The context of a request.
    ///
    /// - Parameters:
    ///   - names: `ExpressionAttributeNames`, nil when absent.
    ///   - values: `ExpressionAttributeValues`, nil when absent.
    /// - Throws: `validation` with DynamoDB's text when one is empty, or a placeholder is not spelled as one.
    package init(names: [String: String]? = nil, values: [String: AttributeValue]? = nil) throws(TableError) {
        self.names = [:]
        self.values = [:]
        if let names {
            try Self.check(names.keys, prefix: UInt8(ascii: "#"), of: "ExpressionAttributeNames")
            for (name, text) in names {
                try ItemValidation.validate(name: AttributeName(text))
                self.names[name] = Entry(content: AttributeName(text))
            }
        }
        if let values {
            try Self.check(values.keys, prefix: UInt8(ascii: ":"), of: "ExpressionAttributeValues")
            for (name, value) in values { self.values[name] = Entry(content: value) }
        }
    }

    /// Checks that all placeholders were used; to be called when every expression has been parsed.
    ///
    /// - Throws: `validation` with DynamoDB's text, which names those that were not.
    package func finish() throws(TableError) {
        try Self.checkUsed(names.filter { !$0.value.isUsed }.keys, of: "ExpressionAttributeNames")
        try Self.checkUsed(values.filter { !$0.value.isUsed }.keys, of: "ExpressionAttributeValues")
    }

    /// The name that a placeholder stands for.
    ///
    /// - Throws: `undefinedName`.
    mutating func name(_ placeholder: String) throws(ExpressionError) -> AttributeName {
        guard let entry = names[placeholder] else { throw .undefinedName(placeholder) }
        if !entry.isUsed { names[placeholder]?.isUsed = true }
        return entry.content
    }

    /// The value that a placeholder stands for.
    ///
    /// - Throws: `undefinedValue`.
    mutating func value(_ placeholder: String) throws(ExpressionError) -> AttributeValue {
        guard let entry = values[placeholder] else { throw .undefinedValue(placeholder) }
        if !entry.isUsed { values[placeholder]?.isUsed = true }
        return entry.content
    }

    /// The path that is written so.
    ///
    /// - Throws: `undefinedName`, `pathTooDeep`.
    mutating func path(_ syntax: PathSyntax) throws(ExpressionError) -> DocumentPath {
        var attribute: AttributeName?
        var steps: [DocumentPath.Step] = []
        for element in syntax.elements {
            let name: AttributeName
            switch element {
            case .index(let index):
                steps.append(.element(index))
                continue
            case .word(let word): name = AttributeName(word)
            case .name(let placeholder): name = try self.name(placeholder)
            }
            if attribute == nil { attribute = name } else { steps.append(.member(name)) }
        }
        guard syntax.elements.count <= Self.levelsMax else { throw .pathTooDeep(levels: syntax.elements.count) }
        return DocumentPath(attribute ?? "", steps)
    }

    /// The most elements of a path: the attribute, and as many steps as values may nest below it.
    private static let levelsMax = 32

    private static func check(
        _ placeholders: some Collection<String>, prefix: UInt8, of parameter: String
    ) throws(TableError) {
        if placeholders.isEmpty { throw .validation("\(parameter) must not be empty") }
        let wrong = placeholders.filter { name in
            let name = name.utf8
            return name.count < 2 || name.first != prefix || !name.dropFirst().allSatisfy(\.isWordPart)
        }
        if let first = wrong.min() {
            throw .validation("\(parameter) contains invalid key: Syntax error; key: \"\(first)\"")
        }
    }

    private static func checkUsed(_ unused: some Collection<String>, of parameter: String) throws(TableError) {
        guard unused.isEmpty else {
            throw .validation(
                "Value provided in \(parameter) unused in expressions:"
                    + " keys: {\(unused.sorted().joined(separator: ", "))}")
        }
    }
}

extension ExpressionContext {
    /// Checks that a request has expressions in which its placeholders could stand.
    ///
    /// - Parameters:
    ///   - hasNames: whether it has `ExpressionAttributeNames`.
    ///   - hasValues: whether it has `ExpressionAttributeValues`.
    ///   - possible: the expressions that the operation takes, in the order in which DynamoDB names them.
    ///   - given: those that the request has.
    /// - Throws: `validation` with DynamoDB's text.
    package static func checkPlaceholders(
        hasNames: Bool, hasValues: Bool, possible: [ExpressionParameter], given: [ExpressionParameter]
    ) throws(TableError) {
        if hasNames, given.isEmpty {
            throw .validation("ExpressionAttributeNames can only be specified when using expressions")
        }
        let withValues = possible.filter { $0 != .projection }
        if hasValues, !withValues.isEmpty, !withValues.contains(where: given.contains) {
            let names = withValues.map(\.rawValue).joined(separator: " and ")
            throw .validation(
                "ExpressionAttributeValues can only be specified when using expressions: \(names)"
                    + " \(withValues.count > 1 ? "are" : "is") null")
        }
    }
}
