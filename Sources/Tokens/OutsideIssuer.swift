import Access
import DynamoModel
import FlagCore
import JSON
import Platform

/// Somebody else who issues tokens that are taken here: whose, for what, and what their holders may.
package final class OutsideIssuer: Sendable {
    /// What an operator decided about one.
    package struct Settings: Sendable, Equatable {
        /// What tokens name it by (`iss`).
        package var name: String
        /// What its tokens are meant for (`aud`).
        package var audience: String
        /// The keys it signs with: the path of a file, or the URL to fetch them from.
        package var keys: String
        /// How its tokens may be signed.
        package var algorithms: [TokenAlgorithm]
        /// The claim that names roles or groups, with points between members of members.
        package var claim: String
        /// What each value of the claim gives.
        package var grants: [Grant]

        /// What an operator decided.
        package init(
            name: String, audience: String, keys: String, algorithms: [TokenAlgorithm], claim: String, grants: [Grant]
        ) {
            self.name = name
            self.audience = audience
            self.keys = keys
            self.algorithms = algorithms
            self.claim = claim
            self.grants = grants
        }
    }

    /// What a value of the claim gives: a role, in one environment or in all.
    package struct Grant: Sendable, Equatable {
        package let value: String
        package let role: Role
        /// Where; nil for everywhere.
        package let environment: Environment?

        /// What a value gives.
        package init(value: String, role: Role, environment: Environment?) {
            self.value = value
            self.role = role
            self.environment = environment
        }
    }

    /// What was decided about it.
    package let settings: Settings
    private let state = Locked<VerificationKeys?>(nil)

    /// An issuer whose keys are not known yet.
    package init(_ settings: Settings) { self.settings = settings }

    /// Its keys; nil while they could not be had. From any thread.
    package var keys: VerificationKeys? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }

    /// Whoever shows a token of it, whose claims were checked.
    ///
    /// - Throws: `roles` where it names none.
    package func caller(of claims: TokenClaims) throws(TokenFault) -> Caller {
        var values = Self.texts(at: settings.claim, in: claims.members)
        // As OAuth writes scopes, and nothing else (RFC 6749 section 3.3, RFC 9068 section 2.2.3).
        if ["scope", "scp"].contains(settings.claim), values.count == 1 {
            values = values[0].split(separator: " ").map(String.init)
        }
        guard Self.isName(claims.subject) else { throw .malformed("its subject (sub) is no name") }
        let grants = settings.grants.filter { values.contains($0.value) }
        guard !grants.isEmpty else { throw .roles }
        return Caller(Principal(.account, "\(claims.subject)@\(settings.name)")) { environment in
            grants.filter { $0.environment == nil || $0.environment == environment }
                .reduce([]) { $0.union($1.role.permissions) }
        }
    }

    /// Whether a text can stand in histories and logs as somebody's name.
    private static func isName(_ text: String) -> Bool {
        text.utf8.count <= 256
            && text.unicodeScalars.allSatisfy { ![.control, .format].contains($0.properties.generalCategory) }
    }

    /// The texts of a claim: one, or those of a list.
    private static func texts(at path: String, in members: JSONObject) -> [String] {
        // A name may have points itself, as URLs have.
        if let value = members[path] { return texts(value) }
        var value = JSONValue.object(members)
        for name in path.split(separator: ".") {
            guard let next = value[String(name)] else { return [] }
            value = next
        }
        return texts(value)
    }

    private static func texts(_ value: JSONValue) -> [String] {
        if let list = value.arrayValue { return list.compactMap(\.stringValue) }
        return value.stringValue.map { [$0] } ?? []
    }
}
