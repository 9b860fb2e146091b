import Bytes

/// A request method (RFC 9110 §9, RFC 5789). Methods are case-sensitive.
package enum HTTPMethod: UInt8, Sendable {
    case get, head, post, put, patch, delete, options, trace, connect
    /// Any other token; its spelling is `HTTPRequest.methodName`.
    case other

    /// The method that `name` spells.
    ///
    /// - Parameter name: The bytes of a token.
    init(_ name: UnsafeRawBufferPointer) {
        switch name.count {
        case 3: self = name.hasSameBytes(as: "GET") ? .get : name.hasSameBytes(as: "PUT") ? .put : .other
        case 4: self = name.hasSameBytes(as: "POST") ? .post : name.hasSameBytes(as: "HEAD") ? .head : .other
        case 5: self = name.hasSameBytes(as: "PATCH") ? .patch : name.hasSameBytes(as: "TRACE") ? .trace : .other
        case 6: self = name.hasSameBytes(as: "DELETE") ? .delete : .other
        case 7:
            self = name.hasSameBytes(as: "OPTIONS") ? .options : name.hasSameBytes(as: "CONNECT") ? .connect : .other
        default: self = .other
        }
    }

    /// The token that spells it (RFC 9110 §9.1); nil for any other.
    package var token: String? {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .connect: "CONNECT"
        case .other: nil
        }
    }
}
