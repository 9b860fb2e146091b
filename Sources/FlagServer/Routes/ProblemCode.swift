/// Everything that can go wrong with a request, by the stable name that programs may rely on (`code` of a problem).
enum ProblemCode: String, CaseIterable, Sendable {
    case invalidJSON = "invalid_json"
    case invalidBody = "invalid_body"
    case invalidQuery = "invalid_query"
    case invalidPath = "invalid_path"
    case invalidRequest = "invalid_request"
    case unknownEnvironment = "unknown_environment"
    case unauthorized = "unauthorized"
    case foreignOrigin = "foreign_origin"
    case routeNotFound = "route_not_found"
    case flagNotFound = "flag_not_found"
    case segmentNotFound = "segment_not_found"
    case overrideNotFound = "override_not_found"
    case killSwitchNotFound = "kill_switch_not_found"
    case workNotFound = "work_not_found"
    case methodNotAllowed = "method_not_allowed"
    case notAcceptable = "not_acceptable"
    case requestTimeout = "request_timeout"
    case flagExists = "flag_exists"
    case flagRequired = "flag_required"
    case segmentExists = "segment_exists"
    case segmentUsed = "segment_used"
    case conflict = "conflict"
    case versionMismatch = "version_mismatch"
    case contentTooLarge = "content_too_large"
    case uriTooLong = "uri_too_long"
    case unsupportedMediaType = "unsupported_media_type"
    case unsupportedCoding = "unsupported_content_coding"
    case expectationFailed = "expectation_failed"
    case misdirectedRequest = "misdirected_request"
    case headerTooLarge = "header_too_large"
    case internalError = "internal_error"
    case notImplemented = "not_implemented"
    case storeUnavailable = "store_unavailable"
    case overloaded = "overloaded"
    case workStopped = "work_stopped"
    case invalidItem = "invalid_item"
    case versionNotSupported = "http_version_not_supported"

    /// The HTTP status that it is answered with.
    var status: Int {
        switch self {
        case .invalidJSON, .invalidBody, .invalidQuery, .invalidPath, .invalidRequest, .unknownEnvironment: 400
        case .unauthorized: 401
        case .foreignOrigin: 403
        case .routeNotFound, .flagNotFound, .segmentNotFound, .overrideNotFound, .killSwitchNotFound, .workNotFound:
            404
        case .methodNotAllowed: 405
        case .notAcceptable: 406
        case .requestTimeout: 408
        case .flagExists, .flagRequired, .segmentExists, .segmentUsed, .conflict, .invalidItem: 409
        case .versionMismatch: 412
        case .contentTooLarge: 413
        case .uriTooLong: 414
        case .unsupportedMediaType, .unsupportedCoding: 415
        case .expectationFailed: 417
        case .misdirectedRequest: 421
        case .headerTooLarge: 431
        case .internalError: 500
        case .notImplemented: 501
        case .storeUnavailable, .overloaded, .workStopped: 503
        case .versionNotSupported: 505
        }
    }

    /// A short sentence that is the same for every occurrence (RFC 9457 section 3.1.3).
    var title: String {
        switch self {
        case .invalidJSON: "The body is not valid JSON"
        case .invalidBody: "The body does not describe what this route expects"
        case .invalidQuery: "A query parameter is unknown or has a bad value"
        case .invalidPath: "The path has a part that cannot be read"
        case .invalidRequest: "The request is not valid HTTP"
        case .unknownEnvironment: "There is no such environment"
        case .unauthorized: "Authentication is required"
        case .foreignOrigin: "Pages of other sites may not change anything"
        case .routeNotFound: "There is nothing at this path"
        case .flagNotFound: "There is no such flag"
        case .segmentNotFound: "There is no such segment"
        case .overrideNotFound: "There is no such tenant override"
        case .killSwitchNotFound: "There is no such kill switch"
        case .workNotFound: "There is no such work under way"
        case .methodNotAllowed: "The method is not allowed here"
        case .notAcceptable: "The answer cannot be sent as the request wants it"
        case .requestTimeout: "The request did not arrive in time"
        case .flagExists: "The flag exists already"
        case .flagRequired: "Other flags require this one"
        case .segmentExists: "The segment exists already"
        case .segmentUsed: "Flags or other segments use this one"
        case .conflict: "Somebody else changed the same thing at the same time"
        case .versionMismatch: "What is to be changed has changed since it was read"
        case .contentTooLarge: "The body is too large"
        case .uriTooLong: "The request line is too long"
        case .unsupportedMediaType: "The body's media type is not supported"
        case .unsupportedCoding: "The body's coding is not supported"
        case .expectationFailed: "The expectation cannot be met"
        case .misdirectedRequest: "Another server is asked for"
        case .headerTooLarge: "The header is too large"
        case .internalError: "The server failed"
        case .notImplemented: "The server does not know how to do this"
        case .storeUnavailable: "The store does not answer"
        case .overloaded: "The server has too much to do"
        case .workStopped: "The work was stopped before its end"
        case .versionNotSupported: "The HTTP version is not supported"
        case .invalidItem: "What is stored is not valid"
        }
    }

    /// The code for what the transport refuses before a route sees it.
    init(transportStatus: Int) {
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
