import DynamoModel
import FlagCore
import FlagStore
import JSON

/// A change that is not made yet: what, where, by whom and since when.
package struct PlannedChange: Sendable {
    /// What is to be done.
    package let operation: FlagOperation
    /// Where.
    package let environment: Environment
    /// Who wants it, and in what circumstances they asked for it.
    package let author: Principal
    /// When they asked for it.
    package let plannedAt: Timestamp

    /// A change of these parts.
    package init(_ operation: FlagOperation, in environment: Environment, by author: Principal, at plannedAt: Timestamp)
    {
        self.operation = operation
        self.environment = environment
        self.author = author
        self.plannedAt = plannedAt
    }
}

extension PlannedChange {
    /// The change as it is stored.
    var json: JSONObject {
        [
            "operation": operation.json, "environment": .string(environment.rawValue),
            "author": .string(author.record), "plannedAt": .string(plannedAt.rfc3339),
        ]
    }

    /// Reads what `json` wrote; nil when it is something else.
    init?(_ json: JSONObject) {
        guard let operation = json["operation"].flatMap({ try? FlagOperation(json: $0) }),
            let environment = json["environment"]?.stringValue.flatMap(Environment.init(rawValue:)),
            let author = json["author"]?.stringValue,
            let plannedAt = json["plannedAt"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) })
        else { return nil }
        self.init(operation, in: environment, by: Principal(record: author), at: plannedAt)
    }
}
