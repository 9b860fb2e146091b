import DynamoModel
import FlagCore
import JSON
import Testing

@testable import FlagFiles
@testable import FlagStore

@Suite("Times that UTC has no year of four digits for")
struct UnsayableTimeTests {
    static let times = ["9999-12-31T23:59:59-05:00", "0000-01-01T00:00:00+05:00"]

    /// The pointers of what `body` refuses.
    private func refused(_ body: () throws(DefinitionIssues) -> Void) -> [String] {
        do throws(DefinitionIssues) { try body() } catch {
            #expect(error.issues.allSatisfy { $0.message.contains("0 to 9999") })
            return error.issues.map(\.pointer)
        }
        return []
    }

    private func body(_ json: JSONValue, with members: (String, JSONValue)...) -> JSONValue {
        guard case .object(var object) = json else { return json }
        for (name, value) in members { object[name] = value }
        return .object(object)
    }

    @Test("are refused in bodies of flags, overrides, segments, kill switches and rollouts", arguments: times)
    func bodies(time: String) throws {
        let time = JSONValue.string(time)
        let flag = Fixture.simple("a")
        for name in ["expiresAt", "createdAt", "updatedAt"] {
            #expect(
                refused { () throws(DefinitionIssues) in _ = try FlagDraft(json: body(flag, with: (name, time))) }
                    == ["/\(name)"])
        }
        for name in ["startAt", "endAt"] {
            let rollout: JSONValue = ["percentage": 5, "startAt": "2026-01-01T00:00:00Z"]
            let flag = body(flag, with: ("rollout", body(rollout, with: (name, time))))
            #expect(
                refused { () throws(DefinitionIssues) in _ = try FlagDraft(json: flag) } == ["/rollout/\(name)"])
        }
        let override: JSONValue = ["tenantId": "t", "flagKey": "a", "enabled": true, "updatedBy": "me"]
        for name in ["expiresAt", "updatedAt"] {
            let override = body(override, with: (name, time))
            #expect(
                refused { () throws(DefinitionIssues) in _ = try TenantOverrideDraft(json: override) } == ["/\(name)"])
        }
        let segment: JSONValue = ["name": "s", "description": "d", "owner": "o"]
        for name in ["createdAt", "updatedAt"] {
            let segment = body(segment, with: (name, time))
            #expect(refused { () throws(DefinitionIssues) in _ = try SegmentDraft(json: segment) } == ["/\(name)"])
        }
        let kill: JSONValue = ["all": true, "reason": "r", "activatedBy": "me", "activatedAt": time]
        #expect(refused { () throws(DefinitionIssues) in _ = try KillSwitchDraft(json: kill) } == ["/activatedAt"])
    }

    @Test("are refused in a PATCH, which leaves the flag as it is", arguments: times)
    func patch(time: String) throws {
        let fixture = try Fixture()
        try fixture.create(body(Fixture.simple("a"), with: ("expiresAt", "2027-01-01T00:00:00Z")))
        #expect(failure { try fixture.patch("a", ["expiresAt": .string(time)]) }?.pointers == ["/expiresAt"])
        #expect(try fixture.repository.flag("a", in: .development).expiresAt?.rfc3339 == "2027-01-01T00:00:00.000Z")
    }

    @Test("are refused in files", arguments: times)
    func files(time: String) throws {
        let file = """
            {"flags":[{"flagKey":"a","description":"d","owner":"o","defaultEnabled":true,"expiresAt":"\(time)"}],
             "overrides":[{"tenantId":"t","flagKey":"a","enabled":true,"updatedBy":"me","expiresAt":"\(time)"}]}
            """
        let error = #expect(throws: DefinitionIssues.self) { try ImportDocument(parsing: Array(file.utf8)) }
        #expect(error?.issues.map(\.pointer) == ["/flags/0/expiresAt", "/overrides/0/expiresAt"])
    }

    @Test("make an item of somebody else's one that is not valid, but for the time that the server derives")
    func items() throws {
        let time = AttributeValue.string(Self.times[0])
        for name in ["createdAt", "expiresAt"] as [AttributeName] {
            let item = ForeignItemTests.typed.merging([name: time]) { $1 }
            let error = #expect(throws: DefinitionIssues.self) { try FlagRecord(item: item) }
            #expect(error?.issues.map(\.pointer) == ["/\(name)"])
        }
        let override: Item = ["PK": "TENANT#staging#t", "SK": "FLAG#a", "enabled": true, "expiresAt": time]
        #expect(throws: DefinitionIssues.self) { try TenantOverrideRecord(item: override) }
        let followed = try FlagTableFollowerTests.Followed()
        try followed.put(ForeignItemTests.typed.merging(["updatedAt": time]) { $1 })
        let flag = try followed.fixture.repository.flag("new-feature", in: .staging)
        #expect(flag.updatedAt > flag.createdAt, "It is that of the write")
        #expect(try followed.item()["updatedAt"] == .string(flag.updatedAt.rfc3339))
    }

    @Test("that are stored are never dropped by a PATCH of something else: it must say what comes in their place")
    func neverDropped() throws {
        let fixture = try Fixture()
        var item = ForeignItemTests.typed
        item["expiresAt"] = .string(Self.times[0])
        item["tags"] = .list(["a", 7])
        try fixture.put(item)
        #expect(
            failure { try fixture.patch("new-feature", ["owner": "web"], in: .staging) }?.pointers
                == ["/expiresAt", "/tags"])
        #expect(
            try fixture.repository.item(.flag(.staging, key: "new-feature"))?["expiresAt"] == .string(Self.times[0]))
        let flag = try fixture.patch("new-feature", ["expiresAt": .null, "tags": ["b"]], in: .staging)
        #expect(flag.expiresAt == nil)
        #expect(flag.tags == ["b"])
        #expect(flag.owner == "ops", "What is valid stays")
    }

    @Test("that are stored are replaced by a file that says the same of everything else")
    func filePutsRight() throws {
        let fixture = try Fixture()
        try fixture.put(ForeignItemTests.typed.merging(["expiresAt": .string(Self.times[0])]) { $1 })
        let file = #"{"flags":[{"flagKey":"new-feature","description":"d","owner":"ops","defaultEnabled":true}]}"#
        let plan = try ImportPlan(
            ImportDocument(parsing: Array(file.utf8)), mode: .merge, over: fixture.repository.stored(in: .staging),
            now: Fixture.start)
        #expect(plan.flags.changed.map(\.members) == [["expiresAt"]])
        try plan.apply(to: fixture.repository, in: .tests(plan.environment))
        #expect(try fixture.repository.flag("new-feature", in: .staging).expiresAt == nil)
    }

    @Test("of creation, stored by somebody else, are replaced by what the PATCH says, and nothing else is lost")
    func creation() throws {
        let fixture = try Fixture()
        var item = ForeignItemTests.typed
        item["createdAt"] = .string(Self.times[1])
        item["expiresAt"] = "2027-01-01T00:00:00Z"
        try fixture.put(item)
        #expect(
            failure { try fixture.patch("new-feature", ["owner": "web"], in: .staging) }?.pointers == ["/createdAt"])
        let time = "2026-01-01T00:00:00.000Z"
        let flag = try fixture.patch("new-feature", ["createdAt": .string(time)], in: .staging)
        #expect(flag.createdAt.rfc3339 == time)
        #expect(flag.expiresAt?.rfc3339 == "2027-01-01T00:00:00.000Z")
    }
}
