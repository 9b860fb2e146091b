/// A status code and its reason phrase (RFC 9110 §15).
package struct HTTPStatus: Sendable, Hashable {
    /// Three digits, 100 to 599.
    package let code: UInt16

    /// A status by its number.
    ///
    /// - Parameter code: 100 to 599; anything else is a programming error.
    package init(_ code: UInt16) {
        precondition((100...599).contains(code), "a status code has three digits, from 100 to 599")
        self.code = code
    }

    private init(known code: UInt16) {
        self.code = code
    }

    // Computed, so that using one costs no check whether it was made already.

    /// The statuses of RFC 9110 §15 and RFC 6585 that servers use, by their standard names.
    package static var ok: HTTPStatus { HTTPStatus(known: 200) }
    package static var created: HTTPStatus { HTTPStatus(known: 201) }
    package static var accepted: HTTPStatus { HTTPStatus(known: 202) }
    package static var noContent: HTTPStatus { HTTPStatus(known: 204) }
    package static var notModified: HTTPStatus { HTTPStatus(known: 304) }
    package static var badRequest: HTTPStatus { HTTPStatus(known: 400) }
    package static var unauthorized: HTTPStatus { HTTPStatus(known: 401) }
    package static var forbidden: HTTPStatus { HTTPStatus(known: 403) }
    package static var notFound: HTTPStatus { HTTPStatus(known: 404) }
    package static var methodNotAllowed: HTTPStatus { HTTPStatus(known: 405) }
    package static var notAcceptable: HTTPStatus { HTTPStatus(known: 406) }
    package static var requestTimeout: HTTPStatus { HTTPStatus(known: 408) }
    package static var conflict: HTTPStatus { HTTPStatus(known: 409) }
    package static var gone: HTTPStatus { HTTPStatus(known: 410) }
    package static var lengthRequired: HTTPStatus { HTTPStatus(known: 411) }
    package static var preconditionFailed: HTTPStatus { HTTPStatus(known: 412) }
    package static var contentTooLarge: HTTPStatus { HTTPStatus(known: 413) }
    package static var uriTooLong: HTTPStatus { HTTPStatus(known: 414) }
    package static var unsupportedMediaType: HTTPStatus { HTTPStatus(known: 415) }
    package static var expectationFailed: HTTPStatus { HTTPStatus(known: 417) }
    package static var misdirectedRequest: HTTPStatus { HTTPStatus(known: 421) }
    package static var unprocessableContent: HTTPStatus { HTTPStatus(known: 422) }
    package static var preconditionRequired: HTTPStatus { HTTPStatus(known: 428) }
    package static var tooManyRequests: HTTPStatus { HTTPStatus(known: 429) }
    package static var requestHeaderFieldsTooLarge: HTTPStatus { HTTPStatus(known: 431) }
    package static var internalServerError: HTTPStatus { HTTPStatus(known: 500) }
    package static var notImplemented: HTTPStatus { HTTPStatus(known: 501) }
    package static var badGateway: HTTPStatus { HTTPStatus(known: 502) }
    package static var serviceUnavailable: HTTPStatus { HTTPStatus(known: 503) }
    package static var gatewayTimeout: HTTPStatus { HTTPStatus(known: 504) }
    package static var httpVersionNotSupported: HTTPStatus { HTTPStatus(known: 505) }
    package static var insufficientStorage: HTTPStatus { HTTPStatus(known: 507) }

    /// The standard reason phrase; `Unknown` for a code without one.
    package var reason: StaticString {
        switch code {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 304: "Not Modified"
        default: code < 400 ? "Unknown" : errorReason
        }
    }

    private var errorReason: StaticString {
        switch code {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        default: "Unknown"
        }
    }
}
