import Bytes
import HTTPTransport

/// The cookie that a browser shows for a session (RFC 6265).
///
/// Over TLS its name begins with `__Host-`, so that no other host, and nobody on the way, can have set it
/// (draft-ietf-httpbis-rfc6265bis section 4.1.3.2). Without TLS it is used on this machine alone.
package enum SessionCookie {
    private static let secureName: StaticString = "__Host-flag-server"
    private static let plainName: StaticString = "flag-server"

    /// Lends the identifier that a request shows; nil where it shows none, or several, of which nobody could say whose
    /// they are.
    ///
    /// - Parameter isSecure: whether the request came over TLS.
    @inline(__always)
    package static func with<Result>(
        of request: borrowing HTTPRequest, isSecure: Bool, _ body: (UnsafeRawBufferPointer?) -> Result
    ) -> Result {
        guard let field = request.field("Cookie") else { return body(nil) }
        return body(value(in: field, isSecure ? secureName : plainName))
    }

    @inline(never)
    private static func value(in field: UnsafeRawBufferPointer, _ name: StaticString) -> UnsafeRawBufferPointer? {
        var found: UnsafeRawBufferPointer?
        let nameLength = name.utf8CodeUnitCount
        for pair in field.split(separator: UInt8(ascii: ";")) {
            let pair = UnsafeRawBufferPointer(rebasing: pair.drop { $0 == UInt8(ascii: " ") })
            guard pair.count > nameLength, pair[nameLength] == UInt8(ascii: "="),
                UnsafeRawBufferPointer(rebasing: pair[..<nameLength]).hasSameBytes(as: name)
            else { continue }
            if found != nil { return nil }
            found = UnsafeRawBufferPointer(rebasing: pair[(nameLength + 1)...])
        }
        return found
    }

    /// The field that has a browser show a session, or nil for one that has it forget it.
    package static func field(_ id: String?, isSecure: Bool) -> (name: String, value: String) {
        let name = isSecure ? secureName : plainName
        let end = id == nil ? "; Max-Age=0" : ""
        return (
            "Set-Cookie",
            "\(name)=\(id ?? ""); Path=/; HttpOnly; SameSite=Strict\(isSecure ? "; Secure" : "")\(end)"
        )
    }
}
