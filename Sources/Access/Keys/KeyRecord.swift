import DynamoModel
import FlagCore

/// A key as it is kept: everything but the secret.
package struct KeyRecord: Sendable, Equatable {
    /// What is kept of a secret: its HMAC-SHA-256 under the server's key.
    package struct Secret: Sendable, Equatable {
        package let digest: [UInt8]
        /// Until when it is good where another has taken its place; nil for the current one.
        package let until: Timestamp?

        /// What is kept of one.
        package init(digest: [UInt8], until: Timestamp? = nil) {
            self.digest = digest
            self.until = until
        }
    }

    /// Whether a key is good.
    package enum State: String, Sendable {
        case active
        case expired
        case revoked
    }

    /// Why, by whom and when a key was revoked.
    package struct Revocation: Sendable, Equatable {
        package let at: Timestamp
        package let by: String
        package let reason: String?

        /// A revocation.
        package init(at: Timestamp, by: String, reason: String?) {
            self.at = at
            self.by = by
            self.reason = reason
        }
    }

    package let selector: String
    package let kind: KeyKind
    package let name: String
    /// Where it is good; nil for everywhere.
    package let environment: Environment?
    /// What a key for administration may.
    package let roles: [Role]
    /// The only tenant that requests with it can be about; nil for any.
    package let tenantID: String?
    /// How often evaluations may be asked for with it; nil for as often as all together may.
    package let rate: RequestRate?
    package let createdAt: Timestamp
    /// The principal that made it.
    package let createdBy: String
    /// When it ends; nil for never.
    package let expiresAt: Timestamp?
    /// The current secret first, behind it the one before while both are good.
    package var secrets: [Secret]
    package var revocation: Revocation?
    /// The day it was last seen, as in `2026-01-02`; nil while it was not.
    package var lastUsed: String?

    /// A key of these parts.
    package init(
        selector: String, kind: KeyKind, name: String, environment: Environment?, roles: [Role], tenantID: String?,
        rate: RequestRate? = nil,
        createdAt: Timestamp, createdBy: String, expiresAt: Timestamp?, secrets: [Secret],
        revocation: Revocation? = nil, lastUsed: String? = nil
    ) {
        self.selector = selector
        self.kind = kind
        self.name = name
        self.environment = environment
        self.roles = roles
        self.tenantID = tenantID
        self.rate = rate
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.expiresAt = expiresAt
        self.secrets = secrets
        self.revocation = revocation
        self.lastUsed = lastUsed
    }

    /// Whether it is good at an instant.
    package func state(at now: Timestamp) -> State {
        if revocation != nil { return .revoked }
        return expiresAt.map { $0 <= now } ?? false ? .expired : .active
    }

    /// Whether it has ended, by its time or by a revocation, before an instant.
    package func hasEnded(before instant: Timestamp) -> Bool {
        [revocation?.at, expiresAt].contains { $0.map { $0 < instant } ?? false }
    }

    /// What the key may where it is good.
    package var permissions: Permissions {
        switch kind {
        case .server, .client: .evaluate
        case .admin: roles.reduce([]) { $0.union($1.permissions) }
        }
    }

    /// Whoever presents it.
    ///
    /// - Parameters:
    ///   - rate: what was used of its own rate.
    ///   - end: when the secret ends that was shown, where that is before the key.
    package func caller(_ rate: OwnRate?, until end: Timestamp?) -> Caller {
        Caller(
            Principal(.key, selector), tenant: tenantID, seesClientSideOnly: kind == .client, rate: rate,
            endsAt: [end, expiresAt].compactMap { $0 }.min()
        ) { [environment, permissions] in environment == nil || environment == $0 ? permissions : [] }
    }
}
