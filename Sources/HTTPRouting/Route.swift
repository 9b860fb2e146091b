import HTTPTransport

/// A row of the routing table as it is declared: a method and a path, the operation that the API document describes,
/// and what is demanded of requests.
package struct RouteDeclaration: Sendable {
    /// The method; a route of `GET` also takes `HEAD`.
    package let method: HTTPMethod
    /// The path.
    package let pattern: PathPattern
    /// `operationId` in the API document.
    package let operationID: String
    /// What is demanded.
    package let policy: RoutePolicy

    /// A row of the table.
    package init(_ method: HTTPMethod, _ pattern: StaticString, _ operationID: String, _ policy: RoutePolicy) {
        self.method = method
        self.pattern = PathPattern(pattern)
        self.operationID = operationID
        self.policy = policy
    }
}

/// A row of the routing table with what the API document says of it.
///
/// A class so that the hot path holds a row by one reference instead of copying it.
package final class Route: Sendable {
    /// Its number in the table.
    package let number: Int
    /// The method.
    package let method: HTTPMethod
    /// The path.
    package let pattern: PathPattern
    /// `operationId` in the API document.
    package let operationID: String
    /// What is demanded of requests.
    package let policy: RoutePolicy
    /// What the document says that requests may have.
    package let operation: OpenAPIOperation
    /// The number of the policy's label, among those of the router.
    package let label: Int

    init(_ declaration: RouteDeclaration, number: Int, label: Int, _ operation: OpenAPIOperation) {
        self.number = number
        self.label = label
        method = declaration.method
        pattern = declaration.pattern
        operationID = declaration.operationID
        policy = declaration.policy
        self.operation = operation
    }

    /// Whether pages of other sites may have a browser ask for it: what they cannot read does them no good. What
    /// changes something, or costs something and is counted, is for our own pages and programs.
    package var isForEveryPage: Bool { method == .get || method == .head }

    /// The method's name, as it stands in requests and in `Allow`.
    package var methodName: String { method.name }
}

extension HTTPMethod {
    /// The method's name, as it stands in requests and in `Allow`.
    package var name: String {
        guard let token else { preconditionFailure("a route has a method with a name") }
        return token
    }
}

extension PathPattern {
    /// The pattern as OpenAPI writes it: without the dots of a rest parameter.
    package var openAPIPath: String {
        let path = text.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
        guard takesRest else { return path }
        return String(path.dropLast(4)) + "}"
    }
}
