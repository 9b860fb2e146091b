import Bytes
import DynamoModel

/// What a part of a request names.
struct AccessedNames {
    /// Items, or their keys.
    var keys: [Item] = []
    private var named: Set<AttributeName> = []
    /// Whether whole items are answered.
    private var isOfAll = false

    var attributes: RequestedAccess.Names {
        let all = keys.reduce(into: named) { $0.formUnion($1.keys) }
        return isOfAll || all.isEmpty ? .any : .these(all.map(\.text).sorted())
    }

    mutating func addExpressions(of request: RequestReader, _ operation: DynamoOperation) throws(ProtocolError) {
        let possible: [ExpressionParameter] =
            switch operation {
            case .getItem: [.projection]
            case .query: [.projection, .filter, .keyCondition]
            case .scan: [.projection, .filter]
            case .updateItem: [.update, .condition]
            default: [.condition]
            }
        var expressions = try RequestExpressions(request, possible)
        var paths: [DocumentPath] = []
        if possible.contains(.projection) {
            if let projection = try expressions.projection() {
                paths += projection.paths
            } else if !request.isText("Select", "COUNT") {
                isOfAll = true
            }
        }
        for parameter in [ExpressionParameter.condition, .filter] where possible.contains(parameter) {
            paths += try expressions.condition(parameter)?.paths ?? []
        }
        if possible.contains(.update) { paths += try expressions.update()?.flatMap(\.paths) ?? [] }
        if possible.contains(.keyCondition), let condition = try expressions.keyCondition() {
            paths += condition.paths
        }
        named.formUnion(paths.map(\.attribute))
        let answersItem = ["ALL_OLD", "ALL_NEW"].contains(request.text("ReturnValues"))
        if answersItem || request.isText("ReturnValuesOnConditionCheckFailure", "ALL_OLD") { isOfAll = true }
    }
}

extension UpdateAction {
    /// Every path that the action changes or reads.
    fileprivate var paths: [DocumentPath] {
        switch self {
        case .set(let path, let value): [path] + value.paths
        case .remove(let path), .add(let path, _), .delete(let path, _): [path]
        }
    }
}

extension SetValue {
    fileprivate var paths: [DocumentPath] {
        switch self {
        case .value: []
        case .path(let path): [path]
        case .ifNotExists(let path, let value): [path] + value.paths
        case .listAppend(let left, let right), .plus(let left, let right), .minus(let left, let right):
            left.paths + right.paths
        }
    }
}

extension AttributeValue {
    /// A partition key as policies spell it; nil for what is none.
    var leadingKeyText: String? {
        switch self {
        case .string(let text): text
        case .number(let number): number.description
        case .binary(let bytes): String(decoding: BinaryText.encode(bytes), as: UTF8.self)
        default: nil
        }
    }
}
