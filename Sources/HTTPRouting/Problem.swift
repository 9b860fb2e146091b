import Bytes
import JSON

/// Why a request was not done, as RFC 9457 `application/problem+json`.
package struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
    /// One thing that is wrong in a body, a query or a path.
    package struct Field: Sendable, Equatable {
        /// Where: a JSON pointer into the body (RFC 6901), or `?name` for a query parameter.
        package let pointer: String
        /// What is wrong and what is allowed.
        package let detail: String

        /// A thing that is wrong.
        package init(pointer: String, detail: String) {
            self.pointer = pointer
            self.detail = detail
        }
    }

    /// How many fields a problem lists at most: a body may have a hundred thousand unknown members, and is not worth an
    /// answer many times its size.
    package static let listedFields = 100

    /// The content type of every problem.
    package static let contentType: StaticString = "application/problem+json"

    /// The stable name, which also decides status and title.
    package let code: ProblemCode
    /// What happened here, and what to do.
    package let detail: String
    /// Everything that is wrong, not only the first, when it is about fields; at most `listedFields`.
    package var fields: [Field] = []
    /// The policies that were violated, of a problem about how often somebody asks.
    package var violatedPolicies: [String] = []
    /// Header fields that belong to the response, such as `Allow`.
    package var headerFields: [(name: String, value: String)] = []

    /// What happened, for logs.
    package var description: String { detail }

    /// A problem with its explanation.
    package init(
        _ code: ProblemCode, _ detail: String, fields: [Field] = [],
        headerFields: [(name: String, value: String)] = []
    ) {
        self.code = code
        self.detail = detail
        self.fields = Array(fields.prefix(Problem.listedFields))
        self.headerFields = headerFields
    }

    /// A body with invalid members: all of them, each with its pointer.
    package static func invalidBody(_ fields: [Field]) -> Problem {
        Problem(.invalidBody, summary(of: fields), fields: fields)
    }

    /// Query parameters that are unknown or have bad values.
    package static func invalidQuery(_ fields: [Field]) -> Problem {
        Problem(.invalidQuery, summary(of: fields), fields: fields)
    }

    /// The RFC 9457 object, UTF-8.
    ///
    /// - Parameter requestID: what the request is called, so that it can be found in the log.
    package func body(requestID: RequestID?) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("type")
        writer.string(code.type)
        writer.key("title")
        writer.string(code.title)
        writer.key("status")
        writer.int(Int64(code.status))
        writer.key("detail")
        writer.string(detail)
        writer.key("code")
        writer.string(code.name)
        if let requestID { writer.member("requestId", requestID.text) }
        if !fields.isEmpty {
            writer.key("errors")
            writer.beginArray()
            for field in fields {
                writer.beginObject()
                writer.key("pointer")
                writer.string(field.pointer)
                writer.key("detail")
                writer.string(field.detail)
                writer.endObject()
            }
            writer.endArray()
        }
        if !violatedPolicies.isEmpty {
            writer.key("violated-policies")
            writer.beginArray()
            for policy in violatedPolicies { writer.string(policy) }
            writer.endArray()
        }
        writer.endObject()
        return writer.bytes
    }

    package static func == (left: Problem, right: Problem) -> Bool {
        left.code == right.code && left.detail == right.detail && left.fields == right.fields
            && left.headerFields.elementsEqual(right.headerFields) { $0 == $1 }
    }

    private static func summary(of fields: [Field]) -> String {
        guard let first = fields.first else { return "" }
        let text = first.pointer.isEmpty ? "the body \(first.detail)" : "\(first.pointer): \(first.detail)"
        if fields.count > listedFields { return "\(text) (errors has the first \(listedFields) of what is wrong)" }
        return fields.count > 1 ? "\(text) (and \(fields.count - 1) more in errors)" : text
    }
}

extension Problem {
    /// More work waits than may.
    package static let overloaded = Problem(
        .overloaded, "too many requests wait for the store; try again in a second", headerFields: [("Retry-After", "1")]
    )
}
