import Bytes
import DynamoModel
import JSON

extension Shape {
    /// Checks that a value and all in it are of their types.
    ///
    /// - Parameter isElement: whether it is an element of a list or a value of a map: DynamoDB has other words then.
    /// - Throws: `SerializationException` in the words of DynamoDB's parser, for the first that is not.
    func checkType(_ value: JSONView, isElement: Bool = false) throws(ProtocolError) {
        if value.isNull { return }
        switch self {
        case .boolean: try Self.checkBoolean(value)
        case .integer(let type, _):
            guard value.kind == .number else { throw Self.scalar(value, type.rawValue) }
        case .text: try Self.checkText(value)
        case .attributeValue: try Self.checkAttributeValue(value, isElement: isElement)
        case .attributes:
            try Self.checkMap(value, "com.amazonaws.dynamodb.v20120810.AttributeValue")
            for (_, member) in value.members where !member.isNull {
                try Self.checkAttributeValue(member, isElement: true)
            }
        case .list(let element, _):
            try Self.checkList(value)
            for item in value.elements {
                if case .attributes = element, item.isScalar { throw Self.scalarForParameterized }
                try element.checkType(item, isElement: true)
            }
        case .map(let element, let type, let rule):
            try Self.checkMap(value, "\(type)")
            for (_, member) in value.members {
                if rule.hasParameterizedValues, member.isScalar { throw Self.scalarForParameterized }
                try element.checkType(member, isElement: true)
            }
        case .structure(let name, let members):
            try Self.checkStructure(value, "\(name)", isElement: isElement)
            for member in members {
                if let value = value[member.name] { try member.shape.checkType(value) }
            }
        }
    }

    /// What DynamoDB's parser says of a scalar where a list or map is an element of another: its own failure.
    private static let scalarForParameterized = ProtocolError.serialization(
        "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class"
            + " (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module"
            + " java.base of loader 'bootstrap')")

    private static func checkBoolean(_ value: JSONView) throws(ProtocolError) {
        switch value.kind {
        case .true, .false: return
        case .string:
            // Java's parser takes some words for truth values.
            guard value.truth == nil else { return }
            throw .serialization("Unexpected token received from parser")
        default: throw scalar(value, "Boolean")
        }
    }

    private static func checkText(_ value: JSONView) throws(ProtocolError) {
        guard value.kind == .string else { throw scalar(value, "String") }
    }

    private static func checkBlob(_ value: JSONView) throws(ProtocolError) {
        switch value.kind {
        case .string:
            guard let text = value.stringBytes else { return }
            do throws(BinaryText.Failure) {
                _ = try BinaryText.decode(text)
            } catch {
                throw .serialization(error.description)
            }
        case .null: return
        case .array: throw .serialization("Unrecognized collection type class java.nio.ByteBuffer")
        case .object: throw .serialization("Start of structure or map found where not expected")
        default: throw .serialization("only base-64-encoded strings are convertible to bytes")
        }
    }

    private static func checkList(_ value: JSONView) throws(ProtocolError) {
        switch value.kind {
        case .array: return
        case .object: throw .serialization("Start of structure or map found where not expected")
        default: throw .serialization("Unexpected field type")
        }
    }

    private static func checkMap(_ value: JSONView, _ type: String) throws(ProtocolError) {
        switch value.kind {
        case .object: return
        case .array: throw .serialization("Unrecognized collection type java.util.Map<java.lang.String, \(type)>")
        default: throw .serialization("Unexpected field type")
        }
    }

    private static func checkStructure(
        _ value: JSONView, _ name: String, isElement: Bool
    ) throws(ProtocolError) {
        switch value.kind {
        case .object: return
        case .array:
            throw .serialization("Unrecognized collection type class com.amazonaws.dynamodb.v20120810.\(name)")
        default: throw .serialization(isElement ? "Unexpected value type in payload" : "Unexpected field type")
        }
    }

    private static func checkAttributeValue(_ value: JSONView, isElement: Bool) throws(ProtocolError) {
        if value.isNull { return }
        try checkStructure(value, "AttributeValue", isElement: isElement)
        for (name, content) in value.members where !content.isNull {
            switch AttributeType(code: name) {
            case .string, .number: try checkText(content)
            case .binary: try checkBlob(content)
            case .bool, .null: try checkBoolean(content)
            case .stringSet, .numberSet:
                try checkList(content)
                for element in content.elements where !element.isNull { try checkText(element) }
            case .binarySet:
                try checkList(content)
                for element in content.elements { try checkBlob(element) }
            case .list:
                try checkList(content)
                for element in content.elements { try checkAttributeValue(element, isElement: true) }
            case .map: try attributes.checkType(content)
            case nil: continue
            }
        }
    }

    /// What is said of a value that is not the scalar it should be.
    private static func scalar(_ value: JSONView, _ type: String) -> ProtocolError {
        switch value.kind {
        case .true: .serialization("TRUE_VALUE cannot be converted to \(type)")
        case .false: .serialization("FALSE_VALUE cannot be converted to \(type)")
        case .string: .serialization("STRING_VALUE cannot be converted to \(type)")
        case .number:
            .serialization("\(value.isIntegerSpelling ? "NUMBER" : "DECIMAL")_VALUE cannot be converted to \(type)")
        case .array: .serialization("Unrecognized collection type class java.lang.\(type)")
        default: .serialization("Start of structure or map found where not expected")
        }
    }
}

extension JSONView {
    /// Whether this is neither a list nor an object, nor `null`.
    fileprivate var isScalar: Bool { kind != .array && kind != .object && !isNull }
}
