import DynamoModel
import FlagCore

/// An access key of DynamoDB's protocol as it is kept. Its secret is kept nowhere: it follows from the identifier and
/// the server's own key.
package struct AccessKeyRecord: Sendable, Equatable {
    package let id: String
    /// What people call it.
    package let name: String
    /// What it may: a policy document, as JSON without white space.
    package let policy: String
    package let createdAt: Timestamp
    /// The principal that made it.
    package let createdBy: String
    /// How often requests may be signed with it; nil for as often as anybody likes.
    package let rate: RequestRate?
    package var revocation: KeyRecord.Revocation?
    /// The day it was last seen, as in `2026-01-02`; nil while it was not.
    package var lastUsed: String?

    /// A key of these parts.
    package init(
        id: String, name: String, policy: String, createdAt: Timestamp, createdBy: String,
        rate: RequestRate? = nil, revocation: KeyRecord.Revocation? = nil, lastUsed: String? = nil
    ) {
        self.id = id
        self.name = name
        self.policy = policy
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.rate = rate
        self.revocation = revocation
        self.lastUsed = lastUsed
    }

    /// Whether it is good.
    package var state: KeyRecord.State { revocation == nil ? .active : .revoked }
    /// Whoever signs with it.
    package var principal: Principal { Principal(.accessKey, id) }
    /// What AWS would call whoever signs with it. There is no account: tables have the same in its place.
    package var userARN: String { "arn:aws:iam::000000000000:user/\(name)" }
}
