import FlagCore
import JSON

/// What a token says (RFC 7519 section 4), as far as everybody's tokens say it.
package struct TokenClaims: Sendable {
    /// Who issued it.
    package let issuer: String
    /// Whom it is about.
    package let subject: String
    /// For whom it is meant; empty where it does not say.
    package let audiences: [String]
    /// When it ends.
    package let expiresAt: Timestamp
    /// From when on it is good; nil where it does not say.
    package let notBefore: Timestamp?
    /// When it was issued; nil where it does not say.
    package let issuedAt: Timestamp?
    /// All of it.
    package let members: JSONObject

    /// Reads the claims of a token.
    init(_ members: JSONObject) throws(TokenFault) {
        func text(_ name: String) throws(TokenFault) -> String {
            guard let text = members[name]?.stringValue, !text.isEmpty else {
                throw .malformed("its claim \(name) is missing, or no text")
            }
            return text
        }
        func time(_ name: String) throws(TokenFault) -> Timestamp? {
            guard let value = members[name] else { return nil }
            guard let seconds = value.numberValue?.double, (0...Self.lastSecond).contains(seconds) else {
                throw .malformed("its claim \(name) is no time")
            }
            return Timestamp(millisecondsSinceEpoch: Int64(seconds * 1000))
        }
        issuer = try text("iss")
        subject = try text("sub")
        guard let end = try time("exp") else { throw .malformed("it has no end (exp)") }
        expiresAt = end
        notBefore = try time("nbf")
        issuedAt = try time("iat")
        switch members["aud"] {
        case nil: audiences = []
        case .string(let one)?: audiences = [one]
        case .array(let several)?:
            audiences = several.compactMap(\.stringValue)
            guard audiences.count == several.count else { throw .malformed("its audience (aud) is no list of texts") }
        default: throw .malformed("its audience (aud) is neither a text nor a list")
        }
        self.members = members
    }

    /// The end of the year 9999.
    private static let lastSecond = 253_402_300_799.0

    /// Whether it is good at an instant, for an audience; clocks may be a minute apart.
    package func check(for audience: String, at now: Timestamp) throws(TokenFault) {
        let skew = TokenText.skewMilliseconds
        guard audiences.contains(audience) else { throw .audience }
        let milliseconds = now.millisecondsSinceEpoch
        guard milliseconds < expiresAt.millisecondsSinceEpoch + skew else { throw .expired(expiresAt) }
        for begin in [notBefore, issuedAt].compactMap({ $0 }) where begin.millisecondsSinceEpoch > milliseconds + skew {
            throw .early(begin)
        }
    }
}
