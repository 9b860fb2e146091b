import FlagCore
import FlagStore

/// What a route promises to callers, in the terms of OpenAPI 3.1; the routing table carries one for each route, so
/// that no route can be without its documentation.
///
/// The query parameters are also what the route accepts: others are refused.
struct Operation: Sendable {
    /// `operationId`.
    let id: String
    /// One line.
    let summary: String
    /// More than the summary, when there is more to say.
    var detail = ""
    /// What the parameters of the path's pattern mean is known by their names (`OpenAPIDocument.pathParameters`).
    var query: [Parameter] = []
    /// Header fields that change the answer.
    var header: [Parameter] = []
    /// The request's body.
    var body: Body?
    /// The answers when things go well, and failures of a shape of their own (OFREP).
    let answers: [Answer]
    /// The failures that are answered as problems, beside those that every route has.
    var problems: [ProblemCode] = []

    /// A parameter of the query or the header.
    struct Parameter: Sendable {
        let name: String
        /// What it does.
        let meaning: String
        /// Its JSON schema, as JSON text.
        var schema = #"{"type":"string"}"#
    }

    /// A request's body.
    struct Body: Sendable {
        /// The name of its schema in `OpenAPISchemas`.
        let schema: String
        /// An example, as JSON text.
        let example: String
        /// Whether a request without a body is an error.
        var isRequired = true
        /// The media types that are named; JSON is read whatever the type says on routes that only evaluate.
        var mediaTypes = ["application/json"]
        /// How many bytes it may have, when these are more than usual.
        var uploadBytes: Int?

        /// The media types of a change, of every PATCH.
        static let changeTypes = ["application/json", "application/merge-patch+json"]
        /// How such a change is read.
        static let changeMeaning =
            "A merge patch (RFC 7396), also as application/json: objects are merged member by member at every depth, "
            + "null takes a member away, anything else, arrays too, replaces what was there. The result must be valid: "
            + "a rule gets another operator where the old one is named with null."
    }

    /// One answer.
    struct Answer: Sendable {
        let status: Int
        let meaning: String
        /// The name of its schema in `OpenAPISchemas`, or nil for an answer without a body.
        var schema: String?
        var mediaType = "application/json"
        /// Header fields with what they mean.
        var header: [Parameter] = []
    }
}

extension Operation.Parameter {
    /// `?environment=`, which nearly every administrative route has.
    static let environment = Operation.Parameter(
        name: "environment",
        meaning: "The environment: development (also local), staging (also dev) or production (also prod); by default "
            + "that of the server's profile.",
        schema: ##"{"$ref":"#/components/schemas/EnvironmentName"}"##)

    /// `?limit=` of a list.
    static let limit = Operation.Parameter(
        name: "limit", meaning: "How many entries a page has at most; it has fewer when they are large.",
        schema: #"{"type":"integer","minimum":1,"maximum":\#(FlagLimits.pageSize),"#
            + #""default":\#(FlagLimits.defaultPageSize)}"#
    )

    /// `?cursor=` of a list.
    static let cursor = Operation.Parameter(
        name: "cursor", meaning: "Where the page begins: nextCursor of the page before; empty for the first.",
        schema: #"{"type":"string"}"#)

    /// `If-Match` of a change.
    static let ifMatch = Operation.Parameter(
        name: "If-Match", meaning: "The ETag of the version that the change is meant for; another version is 412.")

    /// `ETag` of a flag.
    static let entityTag = Operation.Parameter(name: "ETag", meaning: "The entity tag of this version.")
}

extension Operation.Answer {
    /// 412 of a change that was meant for another version.
    static let versionMismatch = Operation.Answer(
        status: ProblemCode.versionMismatch.status,
        meaning: "\(ProblemCode.versionMismatch.title) (`\(ProblemCode.versionMismatch.rawValue)`).", schema: "Problem",
        mediaType: "application/problem+json",
        header: [.init(name: "ETag", meaning: "The entity tag of the version that there is, when If-Match was sent.")])
}
