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
        case 3: self = name.equals("GET") ? .get : name.equals("PUT") ? .put : .other
        case 4: self = name.equals("POST") ? .post : name.equals("HEAD") ? .head : .other
        case 5: self = name.equals("PATCH") ? .patch : name.equals("TRACE") ? .trace : .other
        case 6: self = name.equals("DELETE") ? .delete : .other
        case 7: self = name.equals("OPTIONS") ? .options : name.equals("CONNECT") ? .connect : .other
        default: self = .other
        }
    }
}
