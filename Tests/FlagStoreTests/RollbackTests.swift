import DynamoModel
import FlagCache
import FlagCore
import JSON
import Testing

@testable import Access
@testable import FlagStore

@Suite("Rollbacks")
struct RollbackTests {
    private let followed: FlagTableFollowerTests.Followed
    private var fixture: Fixture { followed.fixture }

    init() throws { followed = try FlagTableFollowerTests.Followed() }

    private static let ruled: JSONValue = [
        "flagKey": "chat", "description": "d", "owner": "o", "state": "ENABLED",
        "variants": ["on": true, "off": false], "defaultVariant": "off",
        "targeting": ["if": [["segment": "beta"], "on", ["segment": "gamma"], "on"]],
    ]

    private func apply(
        _ kind: FlagOperation.Kind, _ name: String, tenant: String? = nil, _ body: JSONValue? = nil,
        expecting version: Int64? = nil, _ fixture: Fixture
    ) throws -> Written {
        let operation = try FlagOperation(kind, of: name, tenant: tenant, body: body, expecting: version)
        let scope = WriteScope.tests(
            .development, by: Principal(.account, "ann"), .init(reason: operation.reason))
        return try fixture.wait {
            fixture.repository.apply(operation, in: scope, listed: { _, _ in .empty }, completion: $0)
        }
    }

    private func segment(_ name: String, _ fixture: Fixture) throws {
        let draft = try SegmentDraft(json: ["name": .string(name), "description": "d", "owner": "o"])
        _ = try fixture.wait { fixture.repository.createSegment(draft, in: .tests(.development), completion: $0) }
    }

    @Test("A rollback is the next version with the old content, by whoever makes it and with their reason")
    func flag() throws {
        let first = try fixture.createSimple("chat", owner: "a")
        try fixture.patch("chat", ["owner": "b", "rollout": ["percentage": 50]])
        let written = try apply(.rollbackFlag, "chat", ["version": 1, "reason": "too early"], fixture)
        guard case .flag(let flag) = written else {
            Issue.record("\(written)")
            return
        }
        #expect(flag.version == 3 && flag.owner == "a" && flag.rule.rollout == nil && flag.createdAt == first.createdAt)
        let entry = try fixture.repository.version(.number(3), of: .flag("chat"), in: .development)
        #expect(entry.by == "account ann" && entry.reason == "too early")
        _ = try apply(.rollbackFlag, "chat", ["version": 2], fixture)
        #expect(try fixture.repository.flag("chat", in: .development).owner == "b")
    }

    @Test("A rollback is meant for one version, if it says so")
    func expected() throws {
        try fixture.createSimple("chat")
        try fixture.patch("chat", ["owner": "b"])
        let error = failure { _ = try apply(.rollbackFlag, "chat", ["version": 1], expecting: 1, fixture) }
        guard case .versionMismatch(_, 1, 2)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("A rollback over segments that were renamed and flags that are gone is refused with all that is missing")
    func missing() throws {
        for name in ["beta", "gamma"] { try segment(name, fixture) }
        try fixture.createSimple("base")
        var json = Self.ruled.objectValue ?? JSONObject()
        json["requires"] = [["flagKey": "base", "variant": "on"]]
        try fixture.create(.object(json))
        // Renamed: there is another of that name's content, and the old one is gone.
        try segment("beta-2", fixture)
        try fixture.patch(
            "chat", ["requires": .null, "targeting": ["if": [["segment": "beta-2"], "on"]]])
        for name in ["beta", "gamma"] {
            try fixture.repository.deleteSegment(name, in: .tests(.development))
        }
        try fixture.delete("base")
        let before = try fixture.repository.flag("chat", in: .development)
        let error = failure { _ = try apply(.rollbackFlag, "chat", ["version": 1], fixture) }
        #expect(
            error?.pointers.sorted() == [
                "/requires/0/flagKey", "/targeting/if/0/segment", "/targeting/if/2/segment",
            ])
        #expect(try fixture.repository.flag("chat", in: .development) == before)
    }

    @Test("What is gone is not rolled back, and what is archived is taken out first")
    func notThere() throws {
        try fixture.createSimple("chat")
        try fixture.patch("chat", ["owner": "b"])
        _ = try apply(.archiveFlag, "chat", nil, fixture)
        let archived = failure { _ = try apply(.rollbackFlag, "chat", ["version": 1], fixture) }
        guard case .flagArchived? = archived else {
            Issue.record("\(String(describing: archived))")
            return
        }
        try fixture.delete("chat")
        let gone = failure { _ = try apply(.rollbackFlag, "chat", ["version": 1], fixture) }
        guard case .notFound? = gone else {
            Issue.record("\(String(describing: gone))")
            return
        }
    }

    @Test("A segment says again what it said, and lists the keys that it lists")
    func segments() throws {
        try segment("beta", fixture)
        _ = try apply(.editSegmentKeys, "beta", ["add": ["u1"]], fixture)
        _ = try apply(.patchSegment, "beta", ["owner": "p", "condition": ["==": [["var": "plan"], "gold"]]], fixture)
        let written = try apply(.rollbackSegment, "beta", ["version": 2], fixture)
        guard case .segment(let segment, _) = written else {
            Issue.record("\(written)")
            return
        }
        #expect(segment.version == 4 && segment.owner == "o" && segment.condition == nil)
        #expect(try fixture.repository.allKeys(ofSegment: "beta", in: .development) == ["u1"])
    }

    @Test("An override is what it was, also when it is gone; who set it is whoever did so now")
    func overrides() throws {
        try fixture.createSimple("chat")
        try fixture.putOverride("acme", "chat", ["enabled": false, "updatedBy": "ada", "reason": "asked"])
        try fixture.deleteOverride("acme", "chat")
        let subject = HistorySubject.override(flagKey: "chat", tenant: "acme")
        let entries = try fixture.repository.history(of: subject, in: .development, limit: 9).records
        #expect(entries.map(\.change) == ["override_deleted", "override_created"])
        for entry in entries {
            _ = try apply(
                .rollbackOverride, "chat", tenant: "acme", ["entry": .integer(entry.sequence)], fixture)
            let override = try fixture.repository.override(ofTenant: "acme", flagKey: "chat", in: .development)
            #expect(override.override.choice == .enabled(false) && override.updatedBy == "account ann")
            #expect(override.reason == "asked")
            try fixture.deleteOverride("acme", "chat")
        }
    }
}
