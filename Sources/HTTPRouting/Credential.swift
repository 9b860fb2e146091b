import Bytes
import HTTPTransport

/// What a request shows to say who sends it.
package enum Credential {
    /// Nothing.
    case none
    /// A key or a token: bytes of the request, or what they were decoded to.
    case key(UnsafeRawBufferPointer)
    /// A scheme that is not known here.
    case otherScheme
    /// Several, of which it is open which is meant: what is in front of this server may have looked at another one.
    case ambiguous

    /// Reads the credential of a request and lends it: `Authorization: Bearer KEY` (RFC 6750 section 2.1), the password
    /// of `Authorization: Basic …` (RFC 7617), else `X-API-Key: KEY`. One pass over the fields, which finds a second
    /// credential beside the first.
    @inline(__always)
    package static func with<Result>(
        of request: borrowing HTTPRequest, _ body: (Credential) -> Result
    ) -> Result {
        let (authorization, key, areRepeated) = request.singleFields("Authorization", "X-API-Key")
        if areRepeated { return body(.ambiguous) }
        guard let authorization else { return body(key.map { .key($0) } ?? .none) }
        if let token = afterScheme("Bearer", in: authorization) {
            guard let key, !key.elementsEqual(token) else { return body(.key(token)) }
            return body(.ambiguous)
        }
        // A proxy's own password, for example, beside a key that is meant for this server.
        if let key { return body(.key(key)) }
        return withOther(authorization, body)
    }

    /// What kind of proof a request shows; nil for none. Whether it is good is known elsewhere.
    static func proof(of request: borrowing HTTPRequest) -> String? {
        with(of: request) { credential in
            switch credential {
            case .key(let text): text.starts(with: "fsk_".utf8) ? "key" : "token"
            case .none: request.field("Cookie") == nil ? nil : "session"
            case .otherScheme, .ambiguous: nil
            }
        }
    }

    /// Whether a request has several credentials, of which it is open which is meant.
    package static func isAmbiguous(in request: borrowing HTTPRequest) -> Bool {
        with(of: request) { if case .ambiguous = $0 { true } else { false } }
    }

    @inline(never)
    private static func withOther<Result>(_ field: UnsafeRawBufferPointer, _ body: (Credential) -> Result) -> Result {
        guard let (_, password) = basic(in: field) else { return body(.otherScheme) }
        return password.withUnsafeBytes { body(.key($0)) }
    }

    /// Name and password of `Authorization: Basic …` (RFC 7617), as they are; nil for another scheme, or where they
    /// cannot be read.
    static func basic(in field: UnsafeRawBufferPointer) -> (name: [UInt8], password: [UInt8])? {
        guard let encoded = afterScheme("Basic", in: field),
            let pair = try? BinaryText.decode(encoded),
            let colon = pair.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return (Array(pair[..<colon]), Array(pair[(colon + 1)...]))
    }

    /// What stands behind a scheme, whose name is in any case (RFC 9110 section 11.1); nil for another scheme.
    private static func afterScheme(
        _ scheme: StaticString, in field: UnsafeRawBufferPointer
    ) -> UnsafeRawBufferPointer? {
        let length = scheme.utf8CodeUnitCount
        guard field.count > length, field[length] == UInt8(ascii: " "),
            UnsafeRawBufferPointer(rebasing: field[..<length]).equalsIgnoringCase(scheme)
        else { return nil }
        return UnsafeRawBufferPointer(rebasing: field[length...].drop { $0 == UInt8(ascii: " ") })
    }
}
