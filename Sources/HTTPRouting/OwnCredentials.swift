import Bytes
import HTTPTransport

/// What a request shows to a route that looks at it by itself: one that hands out tokens or sessions.
package struct OwnCredentials: Sendable {
    /// Whether the content is a form (`application/x-www-form-urlencoded`).
    package let hasForm: Bool
    /// Whether there was a scheme other than Basic, or one that cannot be read.
    package let hasOtherScheme: Bool
    /// The session that it shows; nil for none.
    package let session: String?
    /// Whether it came over TLS.
    package let isSecure: Bool
    /// Name and password of `Authorization: Basic …` (RFC 7617), as they are; nil where there are none.
    package let basic: (name: String, password: String)?

    /// What a request shows.
    init(_ request: borrowing HTTPRequest, isSecure: Bool) {
        self.isSecure = isSecure
        session = SessionCookie.with(of: request, isSecure: isSecure) { id in
            id.map { String(decoding: $0, as: UTF8.self) }
        }
        hasForm = request.field("Content-Type").map { MediaType.name(in: $0) == MediaType.form } ?? false
        let field = request.field("Authorization")
        basic = field.flatMap { Credential.basic(in: $0) }.map { name, password in
            (String(decoding: name, as: UTF8.self), String(decoding: password, as: UTF8.self))
        }
        hasOtherScheme = field != nil && basic == nil
    }

    private init() {
        (hasForm, hasOtherScheme, basic) = (false, false, nil)
        (session, isSecure) = (nil, false)
    }

    /// Nothing.
    package static let none = OwnCredentials()
}

/// The members of a form (https://url.spec.whatwg.org/#concept-urlencoded-parser).
package enum FormContent {
    /// More members than a form of ours has.
    private static let maximum = 64

    /// Reads a form; nil for what is none, or names something twice (RFC 6749 section 3.2). O(content).
    package static func members(_ content: [UInt8]) -> [String: String]? {
        var members: [String: String] = [:]
        let pairs = content.split(separator: UInt8(ascii: "&"))
        guard pairs.count <= maximum else { return nil }
        for pair in pairs {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(parts[0]), let value = decoded(parts.count == 2 ? parts[1] : []),
                members.updateValue(value, forKey: name) == nil
            else { return nil }
        }
        return members
    }

    /// A part of a form; nil for what cannot be decoded.
    package static func decoded(_ part: some Sequence<UInt8>) -> String? {
        Array(part).withUnsafeBytes { try? PercentEncoding.decoded($0, plusIsSpace: true) }
    }
}
