import Bytes
import JSON

/// Reads typed values of the protocol, whose types have been checked.
package enum AttributeValueReader {
    /// The typed values of an item, a key or of values of an expression, by name.
    ///
    /// - Throws: `validation` in DynamoDB's words for the first value that cannot be one.
    package static func attributes(_ view: JSONView, depth: Int = 0) throws(TableError) -> Item {
        var attributes: Item = Dictionary(minimumCapacity: view.count)
        for (name, value) in view.members {
            attributes[AttributeName(String(decoding: name, as: UTF8.self))] = try Self.value(value, depth: depth)
        }
        return attributes
    }

    /// One typed value.
    package static func value(_ view: JSONView, depth: Int = 0) throws(TableError) -> AttributeValue {
        var result: AttributeValue?
        var hasSeveral = false
        for (code, content) in view.members where !content.isNull {
            guard let type = AttributeType(code: code) else { continue }
            let value = try value(of: type, content, depth: depth)
            if result != nil { hasSeveral = true }
            result = value
        }
        guard let result else {
            throw .validation(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
        }
        guard !hasSeveral else {
            throw .validation(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported"
                    + " datatypes")
        }
        return result
    }

    private static func value(
        of type: AttributeType, _ content: JSONView, depth: Int
    ) throws(TableError) -> AttributeValue {
        switch type {
        case .string: return .string(content.string ?? "")
        case .number: return .number(try number(content))
        case .binary: return .binary(binary(content))
        case .bool: return .bool(content.truth ?? false)
        case .null:
            guard content.truth == true else {
                throw .validation(
                    "One or more parameter values were invalid: Null attribute value types must have the value of true")
            }
            return .null
        case .stringSet: return .stringSet(try stringSet(content))
        case .numberSet: return .numberSet(try numberSet(content))
        case .binarySet: return .binarySet(try binarySet(content))
        case .list:
            guard depth < nestingMax else { throw tooDeep }
            var values: [AttributeValue] = []
            values.reserveCapacity(content.count)
            for element in content.elements { values.append(try value(element, depth: depth + 1)) }
            return .list(values)
        case .map:
            guard depth < nestingMax else { throw tooDeep }
            return .map(try attributes(content, depth: depth + 1))
        }
    }

    /// How deep lists and maps may nest.
    private static let nestingMax = TableLimits().nestingMax

    private static var tooDeep: TableError {
        .validation(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported"
                + " limit")
    }

    private static func number(_ content: JSONView) throws(TableError) -> DynamoNumber {
        let text = content.string ?? ""
        do throws(DynamoNumberError) {
            return try DynamoNumber(text)
        } catch {
            // Of an empty text DynamoDB repeats nothing, not even the colon.
            if text.isEmpty { throw .validation("The parameter cannot be converted to a numeric value") }
            throw .validation(error.description)
        }
    }

    private static func binary(_ content: JSONView) -> [UInt8] {
        guard let text = content.stringBytes else { return [] }
        // Checked with the types.
        return (try? BinaryText.decode(text)) ?? []
    }

    private static func stringSet(_ content: JSONView) throws(TableError) -> AttributeSet<String> {
        let texts = content.elements.map { $0.string ?? "" }
        guard !texts.isEmpty else {
            throw .validation("One or more parameter values were invalid: An string set  may not be empty")
        }
        let set = AttributeSet(texts)
        guard set.count == texts.count else {
            throw .validation(
                "One or more parameter values were invalid: Input collection [\(texts.joined(separator: ", "))]"
                    + " contains duplicates.")
        }
        return set
    }

    private static func numberSet(_ content: JSONView) throws(TableError) -> AttributeSet<DynamoNumber> {
        guard content.count > 0 else {
            throw .validation("One or more parameter values were invalid: An number set  may not be empty")
        }
        var numbers: [DynamoNumber] = []
        for element in content.elements { numbers.append(try number(element)) }
        let set = AttributeSet(numbers)
        guard set.count == numbers.count else { throw .validation("Input collection contains duplicates") }
        return set
    }

    private static func binarySet(_ content: JSONView) throws(TableError) -> AttributeSet<[UInt8]> {
        guard content.count > 0 else {
            throw .validation("One or more parameter values were invalid: Binary sets should not be empty")
        }
        let set = AttributeSet(content.elements.map { binary($0) })
        guard set.count == content.count else {
            let texts = content.elements.map { $0.string ?? "" }.joined(separator: ", ")
            throw .validation(
                "One or more parameter values were invalid: Input collection [\(texts)]of type BS contains duplicates.")
        }
        return set
    }
}
