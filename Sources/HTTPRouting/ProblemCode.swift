/// What can go wrong with a request, by the stable name that programs may rely on (`code` of a problem).
package struct ProblemCode: Sendable, Hashable {
    /// The stable name.
    package let name: String
    /// The HTTP status that it is answered with.
    package let status: UInt16
    /// A short sentence that is the same for every occurrence (RFC 9457 section 3.1.3).
    package let title: String
    /// The URI that names it (RFC 9457 section 3.1.1).
    package let type: String

    /// A code.
    ///
    /// - Parameter type: the URI that others name it by; nil for one of our own.
    package init(_ name: String, _ status: UInt16, _ title: String, type: String? = nil) {
        self.type = type ?? "urn:flag-server:problem:\(name)"
        self.name = name
        self.status = status
        self.title = title
    }
}

extension ProblemCode {
    /// The body is not valid JSON.
    package static let invalidJSON = ProblemCode("invalid_json", 400, "The body is not valid JSON")
    /// The body does not describe what this route expects.
    package static let invalidBody = ProblemCode(
        "invalid_body", 400, "The body does not describe what this route expects")
    /// A query parameter is unknown or has a bad value.
    package static let invalidQuery = ProblemCode(
        "invalid_query", 400, "A query parameter is unknown or has a bad value")
    /// The path has a part that cannot be read.
    package static let invalidPath = ProblemCode("invalid_path", 400, "The path has a part that cannot be read")
    /// The request is not valid HTTP.
    package static let invalidRequest = ProblemCode("invalid_request", 400, "The request is not valid HTTP")
    /// An API key stands in the URL.
    package static let keyInQuery = ProblemCode("key_in_query", 400, "An API key stands in the URL")
    /// There is no such environment.
    package static let unknownEnvironment = ProblemCode("unknown_environment", 400, "There is no such environment")
    /// Authentication is required.
    package static let unauthorized = ProblemCode("unauthorized", 401, "Authentication is required")
    /// This caller may not do this.
    package static let forbidden = ProblemCode("forbidden", 403, "This caller may not do this")
    /// Pages of other sites may not change anything.
    package static let foreignOrigin = ProblemCode(
        "foreign_origin", 403, "Pages of other sites may not change anything")
    /// There is nothing at this path.
    package static let routeNotFound = ProblemCode("route_not_found", 404, "There is nothing at this path")
    /// The method is not allowed here.
    package static let methodNotAllowed = ProblemCode("method_not_allowed", 405, "The method is not allowed here")
    /// The response cannot be sent as the request wants it.
    package static let notAcceptable = ProblemCode(
        "not_acceptable", 406, "The answer cannot be sent as the request wants it")
    /// The request did not arrive in time.
    package static let requestTimeout = ProblemCode("request_timeout", 408, "The request did not arrive in time")
    /// Somebody else changed the same thing at the same time.
    package static let conflict = ProblemCode("conflict", 409, "Somebody else changed the same thing at the same time")
    /// What is to be changed has changed since it was read.
    package static let versionMismatch = ProblemCode(
        "version_mismatch", 412, "What is to be changed has changed since it was read")
    /// The body is too large.
    package static let contentTooLarge = ProblemCode("content_too_large", 413, "The body is too large")
    /// The request line is too long.
    package static let uriTooLong = ProblemCode("uri_too_long", 414, "The request line is too long")
    /// The body's media type is not supported.
    package static let unsupportedMediaType = ProblemCode(
        "unsupported_media_type", 415, "The body's media type is not supported")
    /// The body's coding is not supported.
    package static let unsupportedCoding = ProblemCode(
        "unsupported_content_coding", 415, "The body's coding is not supported")
    /// The expectation cannot be met.
    package static let expectationFailed = ProblemCode("expectation_failed", 417, "The expectation cannot be met")
    /// Another server is asked for.
    package static let misdirectedRequest = ProblemCode("misdirected_request", 421, "Another server is asked for")
    /// The header is too large.
    package static let headerTooLarge = ProblemCode("header_too_large", 431, "The header is too large")
    /// More is asked for than may be.
    package static let tooManyRequests = ProblemCode(
        "too_many_requests", 429, "More is asked for than may be",
        type: "https://iana.org/assignments/http-problem-types#quota-exceeded")
    /// The server failed.
    package static let internalError = ProblemCode("internal_error", 500, "The server failed")
    /// The server does not know how to do this.
    package static let notImplemented = ProblemCode("not_implemented", 501, "The server does not know how to do this")
    /// The store does not answer.
    package static let storeUnavailable = ProblemCode("store_unavailable", 503, "The store does not answer")
    /// The server has too much to do.
    package static let overloaded = ProblemCode("overloaded", 503, "The server has too much to do")
    /// The HTTP version is not supported.
    package static let versionNotSupported = ProblemCode(
        "http_version_not_supported", 505, "The HTTP version is not supported")

    /// The code for what the transport refuses before a route sees it.
    package init(transportStatus: Int) {
        self =
            switch transportStatus {
            case 404: .routeNotFound
            case 405: .methodNotAllowed
            case 406: .notAcceptable
            case 408: .requestTimeout
            case 413: .contentTooLarge
            case 414: .uriTooLong
            case 415: .unsupportedMediaType
            case 417: .expectationFailed
            case 421: .misdirectedRequest
            case 431: .headerTooLarge
            case 500: .internalError
            case 501: .notImplemented
            case 503: .overloaded
            case 505: .versionNotSupported
            default: .invalidRequest
            }
    }
}
