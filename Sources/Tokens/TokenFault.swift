import FlagCore

/// Why a token does not do.
package enum TokenFault: Error, Sendable, Equatable {
    /// It is no token that can be read: what is wrong with it.
    case malformed(String)
    /// It is longer than tokens may be.
    case tooLong
    /// Its signature is of a kind that is not taken from its issuer.
    case algorithm(String)
    /// Its header has a member by which it would choose what it is checked with.
    case header(String)
    /// Nobody is known who issues under this name.
    case issuer
    /// Its issuer has no key of this name.
    case key
    /// It is for others.
    case audience
    /// It ended then.
    case expired(Timestamp)
    /// It is good from then on only.
    case early(Timestamp)
    /// It was not signed with the key that it names, or was changed since.
    case signature
    /// What it was issued for was changed or revoked since.
    case revoked
    /// It says nothing that would be a role here.
    case roles
    /// The keys of its issuer cannot be had now.
    case unavailable

    /// What is wrong and what to do, for people.
    package var detail: String {
        switch self {
        case .malformed(let reason): "this is no token that can be read: \(reason)"
        case .tooLong: "a token has at most \(TokenText.maximumBytes) bytes"
        case .algorithm(let name): "tokens that are signed with \(name) are not taken from this issuer"
        case .header(let name): "tokens whose header has \(name) are not taken: the server chooses its keys by itself"
        case .issuer: "tokens of this issuer are not taken here (iss; tokens.issuers in the configuration)"
        case .key: "the issuer of this token has no key of this name (kid): get another token"
        case .audience: "this token is for another audience (aud)"
        case .expired(let time): "this token ended at \(time): get another with POST /api/auth/token, or log in again"
        case .early(let time): "this token is good from \(time) on only (nbf, iat): compare the clocks"
        case .signature: "the signature of this token is wrong: it was changed, or another made it"
        case .revoked: "what this token was issued for was changed or revoked since: get another"
        case .roles: "this token names no role that its issuer may give here (tokens.issuers in the configuration)"
        case .unavailable: "the keys of this token's issuer cannot be had now; try again in a minute"
        }
    }
}
