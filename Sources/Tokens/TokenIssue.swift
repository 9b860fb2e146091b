import Access
import DynamoModel
import FlagCore
import JSON

/// What a token of this server is issued for, and what it says of that.
package struct TokenIssue: Sendable {
    /// Whom it is for.
    package let principal: Principal
    /// Moves whenever what was issued before is to be good no more.
    package let revision: String
    /// What whoever shows it may.
    package let caller: Caller

    /// The issuer and the audience of the server's own tokens. No outside issuer may have the name.
    package static let issuer = "flag-server"
    /// How long one is good at most, in milliseconds.
    package static let lifetimeMilliseconds: Int64 = 3_600_000

    /// What is issued.
    package init(_ principal: Principal, revision: String, caller: Caller) {
        self.principal = principal
        self.revision = revision
        self.caller = caller
    }

    /// When a token ends that is issued now: an hour later, or with what it is issued for.
    package func end(from now: Timestamp) -> Timestamp {
        let hour = Timestamp(millisecondsSinceEpoch: now.millisecondsSinceEpoch + Self.lifetimeMilliseconds)
        return min(hour, caller.endsAt ?? hour)
    }

    /// The claims of a token.
    ///
    /// What it may is for those who read it: this server looks whoever shows it up, and takes their word for nothing.
    package func claims(id: String, roles: [Role], at now: Timestamp) -> JSONObject {
        var environments = JSONObject()
        for environment in Environment.allCases where !caller.permissions(in: environment).isEmpty {
            environments[environment.rawValue] = .array(
                caller.permissions(in: environment).words.map { .string($0) })
        }
        var claims: JSONObject = [
            "iss": .string(Self.issuer), "sub": .string("\(principal)"), "aud": .string(Self.issuer),
            "iat": .integer(now.secondsSinceEpoch), "nbf": .integer(now.secondsSinceEpoch),
            "exp": .integer(end(from: now).secondsSinceEpoch), "jti": .string(id),
            "kind": .string(principal.kind.rawValue), "revision": .string(revision),
            "environments": .object(environments),
        ]
        if !roles.isEmpty { claims["roles"] = .array(roles.map { .string($0.rawValue) }) }
        if let tenant = caller.tenant { claims["tenantId"] = .string(tenant) }
        return claims
    }
}

/// Whom a token of this server was issued for, as it says itself.
package struct TokenSubject: Sendable, Hashable {
    package let principal: Principal
    package let revision: String

    /// Reads what `TokenIssue.claims` wrote; nil for anything else.
    package init?(_ claims: TokenClaims) {
        guard claims.issuer == TokenIssue.issuer, let revision = claims.members["revision"]?.stringValue else {
            return nil
        }
        principal = Principal(description: claims.subject)
        self.revision = revision
    }
}
