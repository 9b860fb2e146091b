import Bytes
import FlagCore
import JSON
import TestSupport
import Testing

@testable import Audit
@testable import AuditStore
@testable import DynamoModel
@testable import FlagStore

@Suite("Of keys and accounts the log has what may be shown")
struct AuditedAccessTests {
    private static let key: Item = [
        "PK": "KEY", "SK": "7fGh2kQ9mN4p", "kind": "admin", "name": "deploy", "environment": "production",
        "roles": .list(["admin"]), "createdAt": "2026-01-01T00:00:00.000Z", "createdBy": "local:root",
        "secrets": .list([.map(["digest": .binary(Array("SECRET DIGEST".utf8))])]),
    ]
    private static let user: Item = [
        "PK": "USER", "SK": "ann", "roles": .map(["production": .list(["admin"])]), "revision": 1,
        "createdAt": "2026-01-01T00:00:00.000Z", "createdBy": "local:root",
        "password": .map(["digest": .binary([1, 2, 3])]),
        "secondFactor": .map(["secret": .binary([4, 5, 6]), "lastStep": 7]), "recoveryDigests": .list([.binary([8])]),
    ]

    private func entry(_ old: Item?, _ new: Item?) throws -> AuditEntry? {
        let item = try #require(new ?? old)
        return AuditedAccess.entry(
            of: TableChange(
                sequence: 1, committedAt: 0, principal: Principal(.local, "root"), table: "__internal.access",
                key: TableKey(try #require(item["PK"]), item["SK"]), oldItem: old, newItem: new, bytes: 0))
    }

    private func text(_ entry: AuditEntry) -> String { String(decoding: entry.stored(as: 1), as: UTF8.self) }

    @Test("What was made is told with what may be shown, and nothing secret")
    func created() throws {
        let key = try #require(try entry(nil, Self.key))
        #expect(key.action.name == "key.create")
        #expect(key.target.name == "7fGh2kQ9mN4p")
        #expect(key.environment == .production)
        #expect(text(key).contains("deploy"))
        #expect(!text(key).contains("secrets") && !text(key).contains("digest"))
        let user = try #require(try entry(nil, Self.user))
        #expect(user.action.name == "user.create")
        for word in ["password", "secondFactor", "digest", "recovery"] { #expect(!text(user).contains(word)) }
    }

    @Test(
        "A change is called what it is, and secrets that it changes are named",
        arguments: [
            ("secrets", .list([.map(["digest": .binary([9])])]), "key.rotate", "secrets"),
            ("revokedAt", "2026-01-02T00:00:00.000Z", "key.revoke", nil),
            ("name", "other", "key.update", nil),
        ] as [(String, AttributeValue, String, String?)])
    func changed(_ name: String, _ value: AttributeValue, _ action: String, _ secret: String?) throws {
        var new = Self.key
        new[name] = value
        let entry = try #require(try entry(Self.key, new))
        #expect(entry.action.name == action)
        #expect(entry.details?["changedSecrets"] == secret.map { .array([.string($0)]) })
    }

    @Test("That a key, a session or a second factor was used is nothing that anybody administers")
    func uses() throws {
        var key = Self.key
        key["lastUsed"] = "2026-01-02"
        #expect(try entry(Self.key, key) == nil)
        var user = Self.user
        user["secondFactor"] = .map(["secret": .binary([4, 5, 6]), "lastStep": 8])
        #expect(try entry(Self.user, user) == nil)
        #expect(try entry(nil, ["PK": "SESSION", "SK": "digest", "user": "ann"]) == nil)
        user["password"] = .map(["digest": .binary([3, 2, 1])])
        #expect(try entry(Self.user, user)?.details?["changedSecrets"] == ["password"])
    }
}
