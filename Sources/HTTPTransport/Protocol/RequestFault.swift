/// What can be wrong with a request before any handler sees it. Each has one status; each is counted by its name.
package enum RequestFault: UInt8, Sendable, CaseIterable {
    case malformedRequestLine
    case malformedTarget
    case misdirectedRequest
    case unsupportedVersion
    case connectMethod
    case bareLineFeed
    case obsoleteLineFolding
    case malformedFieldName
    case malformedFieldValue
    case missingHost
    case repeatedHost
    case malformedHost
    case malformedContentLength
    case contentLengthWithTransferEncoding
    case transferEncodingInHTTP10
    case malformedTransferEncoding
    case unknownTransferCoding
    case unknownExpectation
    case malformedChunk
    case malformedTrailer
    case methodTooLong
    case requestLineTooLong
    case fieldsTooLarge
    case tooManyFields
    case bodyTooLarge
    case incompleteRequest

    /// The status of the response; the connection closes after it.
    package var status: HTTPStatus {
        switch self {
        case .requestLineTooLong: .uriTooLong
        case .fieldsTooLarge, .tooManyFields: .requestHeaderFieldsTooLarge
        case .bodyTooLarge: .contentTooLarge
        case .unknownExpectation: .expectationFailed
        case .unknownTransferCoding, .connectMethod, .methodTooLong: .notImplemented
        case .misdirectedRequest: .misdirectedRequest
        case .unsupportedVersion: .httpVersionNotSupported
        default: .badRequest
        }
    }

    /// One sentence for people that repeats nothing of what the peer sent, and says how much is allowed.
    package func detail(_ limits: HTTPLimits) -> String {
        switch self {
        case .malformedRequestLine: "The request line is not METHOD SP TARGET SP HTTP/1.1."
        case .malformedTarget: "The request target is not a path or URI; other characters have to be percent-encoded."
        case .misdirectedRequest: "The target is an https URI, and this connection is not secured."
        case .unsupportedVersion: "Only HTTP/1.1 and HTTP/1.0 are spoken here."
        case .connectMethod: "CONNECT is not implemented: this is no proxy."
        case .bareLineFeed: "A line of the head ends without a carriage return."
        case .obsoleteLineFolding: "A header field is continued on a second line, or white space precedes the first."
        case .malformedFieldName: "A header field has no name, or one with characters that are not allowed."
        case .malformedFieldValue: "A header field's value has control characters."
        case .missingHost: "HTTP/1.1 requires a Host field."
        case .repeatedHost: "There is more than one Host field."
        case .malformedHost: "The Host field, or the target's authority, is not HOST or HOST:PORT."
        case .malformedContentLength: "Content-Length is not one number in decimal digits."
        case .contentLengthWithTransferEncoding: "Content-Length and Transfer-Encoding exclude each other."
        case .transferEncodingInHTTP10: "HTTP/1.0 knows no Transfer-Encoding."
        case .malformedTransferEncoding: "Transfer-Encoding does not end in one chunked."
        case .unknownTransferCoding: "The only transfer coding understood is chunked."
        case .unknownExpectation: "The only expectation understood is 100-continue."
        case .malformedChunk: "The chunked content is malformed."
        case .malformedTrailer: "A trailer field is malformed, or there are too many."
        case .methodTooLong: "The method is longer than any that is known here."
        case .requestLineTooLong: "The request line is longer than \(limits.requestLineBytes) bytes."
        case .fieldsTooLarge: "The header fields are longer than \(limits.fieldBytes) bytes together."
        case .tooManyFields: "There are more than \(limits.fieldCount) header fields."
        case .bodyTooLarge: "The content is longer than \(limits.bodyBytes) bytes."
        case .incompleteRequest: "The connection was closed before the request was complete."
        }
    }
}
