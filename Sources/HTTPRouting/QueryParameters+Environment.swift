import FlagCore

extension QueryParameters {
    /// The environment that is named, nil when none is.
    package func environment() throws(Problem) -> Environment? {
        guard let text = self["environment"] else { return nil }
        guard let environment = Environment(spelling: text) else {
            throw .unknownEnvironment([
                .init(pointer: "?environment", detail: "must be \(Environment.spellings), not \"\(text)\"")
            ])
        }
        return environment
    }
}

extension Problem {
    /// An environment that does not exist; the detail prints the accepted names.
    package static func unknownEnvironment(_ fields: [Field]) -> Problem {
        let detail = fields.first.map { "\($0.pointer): \($0.detail)" } ?? ""
        return Problem(.unknownEnvironment, detail, fields: fields)
    }
}

extension Problem.Field {
    /// The body names another environment than the query.
    package static func otherEnvironment(_ body: Environment, query: Environment) -> Problem.Field {
        Problem.Field(
            pointer: "/environment",
            detail: "is \(body.rawValue), but the query says \(query.rawValue): leave one of them out")
    }
}
