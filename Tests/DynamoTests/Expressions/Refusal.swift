@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

/// The message with which a request is refused; nil when it is not.
func refusal(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch TableError.validation(let message) {
        return message
    } catch {
        return "not a validation: \(error)"
    }
}

/// A value of the type that has this code.
func sample(_ type: String) -> AttributeValue {
    switch type {
    case "S": "text"
    case "N": 1
    case "B": .binary([1])
    case "BOOL": true
    case "L": .list([])
    case "M": .map([:])
    case "SS": .stringSet(["1"])
    case "NS": .numberSet([DynamoNumber(1)])
    case "BS": .binarySet([[1]])
    default: .null
    }
}
