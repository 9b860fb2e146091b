import DynamoModel
import FlagCache
import FlagCore
import JSON
import Testing

@testable import Access
@testable import FlagFiles
@testable import FlagStore

@Suite("Flags that were put away or deleted, and come back")
struct SecondThoughtTests {
    private typealias Followed = FlagTableFollowerTests.Followed

    private func apply(
        _ kind: FlagOperation.Kind, _ body: JSONValue? = nil, _ fixture: Fixture, requestID: String = "r-1",
        of key: String = "chat"
    ) throws -> Written {
        let operation = try FlagOperation(kind, of: key, body: body)
        let scope = WriteScope.tests(
            .development, by: Principal(.account, "ann"), .init(reason: operation.reason, requestID: requestID))
        return try fixture.wait {
            fixture.repository.apply(operation, in: scope, listed: { _, _ in .empty }, completion: $0)
        }
    }

    private func delete(_ fixture: Fixture, requestID: String = "r-1") throws {
        _ = try apply(.deleteFlag, nil, fixture, requestID: requestID)
    }

    private static let requiring: JSONValue = [
        "flagKey": "user", "description": "d", "owner": "o", "defaultEnabled": true,
        "requires": [["flagKey": "chat", "variant": "on"]],
    ]

    // MARK: - Archive

    @Test("What is archived is in no list but its own, its key is taken, and it says so where it is asked for")
    func archived() throws {
        let fixture = try Fixture()
        let repository = fixture.repository
        var json = Fixture.simple("chat").objectValue ?? JSONObject()
        (json["expiresAt"], json["tags"]) = ("2027-01-01T00:00:00Z", ["a"])
        try fixture.create(.object(json))
        try fixture.createSimple("other")
        _ = try apply(.archiveFlag, ["reason": "old"], fixture)
        let queries = [
            FlagQuery(), FlagQuery(owner: "team"), FlagQuery(tag: "a"),
            FlagQuery(expiresBefore: Timestamp(rfc3339: "2028-01-01T00:00:00Z")),
        ]
        for query in queries {
            #expect(try !repository.flags(query, in: .development).records.contains { $0.key == "chat" })
            var query = query
            query.isArchived = true
            let page = try repository.flags(query, in: .development)
            #expect(page.records.map(\.key) == ["chat"])
        }
        #expect(try repository.flags(in: .development).total == 1)
        #expect(try repository.flag("chat", in: .development).json(at: Fixture.start)["archived"] == true)
        guard case .alreadyExists? = failure({ try fixture.createSimple("chat") }) else {
            Issue.record("the key is taken")
            return
        }
        #expect(try repository.staleFlagCount(in: .development, at: Timestamp(rfc3339: "2028-01-01T00:00:00Z")!) == 0)
    }

    @Test("What is archived is not changed, but its overrides and kill switch are, and it can be deleted")
    func unchanged() throws {
        let fixture = try Fixture()
        try fixture.createSimple("chat")
        _ = try apply(.archiveFlag, nil, fixture)
        let changes: [() throws -> Void] = [
            { try fixture.replace(Fixture.simple("chat")) }, { try fixture.patch("chat", ["owner": "b"]) },
            { _ = try apply(.archiveFlag, nil, fixture) },
        ]
        for change in changes {
            guard case .flagArchived? = failure(change) else {
                Issue.record("it was changed")
                continue
            }
        }
        try fixture.putOverride("acme", "chat")
        try fixture.kill("chat")
        try fixture.revive("chat")
        _ = try apply(.unarchiveFlag, nil, fixture)
        guard case .flagNotArchived? = failure({ _ = try apply(.unarchiveFlag, nil, fixture) }) else {
            Issue.record("it was taken out twice")
            return
        }
        #expect(failure { try fixture.patch("chat", ["archived": true]) }?.pointers == ["/archived"])
        var json = Fixture.simple("new").objectValue ?? JSONObject()
        json["archived"] = true
        #expect(failure { try fixture.create(.object(json)) }?.pointers == ["/archived"])
        _ = try apply(.archiveFlag, nil, fixture)
        try fixture.delete("chat")
    }

    @Test("What others require is not archived, unless they are archived too, and comes back in its turn")
    func required() throws {
        let fixture = try Fixture()
        try fixture.createSimple("chat")
        try fixture.create(Self.requiring)
        guard case .required(_, ["user"])? = failure({ _ = try apply(.archiveFlag, nil, fixture) }) else {
            Issue.record("user requires it")
            return
        }
        _ = try apply(.archiveFlag, nil, fixture, of: "user")
        _ = try apply(.archiveFlag, nil, fixture)
        #expect(
            failure { _ = try apply(.unarchiveFlag, nil, fixture, of: "user") }?.pointers == ["/requires/0/flagKey"])
        guard case .required? = failure({ try fixture.delete("chat") }) else {
            Issue.record("it would be missing when user comes back")
            return
        }
        _ = try apply(.unarchiveFlag, nil, fixture)
        _ = try apply(.unarchiveFlag, nil, fixture, of: "user")
    }

    @Test("An export has what is archived, an import of it changes nothing, and flagd's format leaves it out")
    func exported() throws {
        let fixture = try Fixture()
        for key in ["chat", "other"] { try fixture.createSimple(key) }
        _ = try apply(.archiveFlag, nil, fixture)
        func plan(_ file: [UInt8], _ mode: ImportPlan.Mode, over other: Fixture) throws -> ImportPlan {
            try ImportPlan(
                ImportDocument(parsing: file), mode: mode, over: other.repository.stored(in: .development),
                now: Fixture.start)
        }
        let native = try Export(.native, of: fixture.repository.stored(in: .development)).bytes()
        let flagd = try Export(.flagd, of: fixture.repository.stored(in: .development)).file()
        #expect(flagd.warnings == ["the flag chat is archived and is left out"])
        for (file, mode) in [(native, .replace), (native, .merge), (flagd.bytes, .replace)]
            as [([UInt8], ImportPlan.Mode)]
        {
            #expect(try plan(file, mode, over: fixture).isEmpty)
        }
        let empty = try Fixture()
        try plan(native, .merge, over: empty).apply(to: empty.repository, in: .tests(.development))
        #expect(
            try empty.repository.flags(FlagQuery(isArchived: true), in: .development).records.map(\.key) == ["chat"])
    }

    @Test("What somebody archives by hand is put where archived flags are")
    func archivedByHand() throws {
        let followed = try Followed(writing: [ForeignItemTests.typed])
        let repository = followed.fixture.repository
        try followed.update(.flag(.staging, key: "new-feature"), [.set("archived", .value(true))])
        #expect(try repository.flags(in: .staging).records.isEmpty)
        #expect(try repository.flags(FlagQuery(isArchived: true), in: .staging).records.map(\.version) == [2])
        try followed.update(.flag(.staging, key: "new-feature"), [.remove("archived")])
        #expect(try repository.flags(in: .staging).records.map(\.version) == [3])
    }

    // MARK: - Restore

    @Test("A deleted flag comes back as it was, at the next version, with its creation time")
    func restored() throws {
        let followed = try Followed()
        defer { followed.follower.stop() }
        let fixture = followed.fixture
        let first = try fixture.createSimple("chat", owner: "a")
        try fixture.patch("chat", ["owner": "b"])
        try delete(fixture)
        let written = try apply(.restoreFlag, ["reason": "by mistake"], fixture)
        guard case .restored(let flag, 0) = written else {
            Issue.record("\(written)")
            return
        }
        #expect(flag.owner == "b" && flag.version == 3 && flag.createdAt == first.createdAt)
        #expect(try fixture.repository.flag("chat", in: .development) == flag)
        #expect(
            try fixture.repository.version(.number(1), of: .flag("chat"), in: .development).content.object?["owner"]
                == "a")
        guard case .alreadyExists? = failure({ _ = try apply(.restoreFlag, nil, fixture) }) else {
            Issue.record("it is there")
            return
        }
    }

    @Test("Nothing comes back of what never was, or what would name what is not there")
    func notRestored() throws {
        let followed = try Followed()
        defer { followed.follower.stop() }
        let fixture = followed.fixture
        guard case .nothingToRestore? = failure({ _ = try apply(.restoreFlag, nil, fixture) }) else {
            Issue.record("there never was such a flag")
            return
        }
        try fixture.createSimple("chat")
        try fixture.create(Self.requiring)
        for key in ["user", "chat"] { try fixture.delete(key) }
        #expect(failure { _ = try apply(.restoreFlag, nil, fixture, of: "user") }?.pointers == ["/requires/0/flagKey"])
    }

    @Test("The overrides come back that went with the flag, however many, and no others", arguments: [3, 120, 1_200])
    func overrides(count: Int) throws {
        let followed = try Followed()
        let fixture = followed.fixture
        try fixture.createSimple("chat")
        try fixture.putOverride("before", "chat")
        try fixture.deleteOverride("before", "chat")
        for start in stride(from: 0, to: count, by: 90) {
            let some = (start..<min(count, start + 90)).map { number in
                TenantOverrideRecord(
                    environment: .development, tenant: "t-\(number)", flagKey: "chat",
                    override: TenantOverride(choice: .enabled(number % 2 == 0), expiresAt: nil),
                    updatedAt: Fixture.start, updatedBy: "ada", reason: "n\(number)")
            }
            try fixture.store.transactAndWait(some.map { fixture.repository.put($0.item) }, principal: .anonymous)
        }
        try fixture.putOverride(
            "ended", "chat", ["enabled": true, "updatedBy": "ada", "expiresAt": "2026-01-02T03:04:06Z"])
        followed.follower.waitUntilIdle()
        try delete(fixture)
        followed.follower.waitUntilIdle()
        let operation = try FlagOperation(.restoreFlag, of: "chat", body: ["withOverrides": true])
        let later = WriteScope.tests(.development, at: Fixture.start + 3_600_000)
        let written = try fixture.wait {
            fixture.repository.apply(operation, in: later, listed: { _, _ in .empty }, completion: $0)
        }
        guard case .restored(_, count) = written else {
            Issue.record("\(written)")
            return
        }
        var found: Set<String> = []
        try fixture.repository.forEachOverride(ofFlag: "chat", in: .development) { override in
            found.insert(override.tenant)
            #expect(override.reason == "n\(override.tenant.dropFirst(2))")
        }
        #expect(found == Set((0..<count).map { "t-\($0)" }))
    }

    @Test("Overrides stay away where nobody asks for them, and those of an earlier deletion too")
    func withoutOverrides() throws {
        let followed = try Followed()
        defer { followed.follower.stop() }
        let fixture = followed.fixture
        try fixture.createSimple("chat")
        try fixture.putOverride("acme", "chat")
        try delete(fixture)
        let plain = try apply(.restoreFlag, nil, fixture)
        guard case .restored(_, 0) = plain else {
            Issue.record("\(plain)")
            return
        }
        try delete(fixture, requestID: "r-2")
        let second = try apply(.restoreFlag, ["withOverrides": true], fixture)
        guard case .restored(_, 0) = second else {
            Issue.record("\(second)")
            return
        }
    }
}
