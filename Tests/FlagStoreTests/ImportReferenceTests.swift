import DynamoModel
import FlagCore
import JSON
import TableEngine
import Testing

@testable import FlagFiles
@testable import FlagStore

@Suite("Imports of flags that others require, and of times that do not fit each other")
struct ImportReferenceTests {
    /// A flag in the full spelling that has variants of these names.
    private static func flag(_ key: String, _ variants: [String], requires: String = "") -> String {
        let all = variants.map { #""\#($0)":"\#($0)""# }.joined(separator: ",")
        return #"""
            {"flagKey":"\#(key)","description":"d","owner":"o","state":"ENABLED","variants":{\#(all)},
             "defaultVariant":"\#(variants[0])"\#(requires)}
            """#
    }

    private static func requires(_ variant: String) -> String {
        #","requires":[{"flagKey":"base","variant":"\#(variant)"}]"#
    }

    private func load(
        _ flags: [String], _ fixture: Fixture, _ mode: ImportPlan.Mode = .merge, overrides: String = ""
    ) throws {
        try load(#"{"flags":[\#(flags.joined(separator: ","))]\#(overrides)}"#, fixture, mode)
    }

    private func load(_ text: String, _ fixture: Fixture, _ mode: ImportPlan.Mode = .merge) throws {
        let plan = try ImportPlan(
            try ImportDocument(parsing: Array(text.utf8), keepInvalid: false), mode: mode,
            over: fixture.repository.stored(in: .development), now: Fixture.start)
        try plan.apply(to: fixture.repository, in: .tests(plan.environment))
    }

    private func fixture() throws -> Fixture {
        let fixture = try Fixture()
        try load(
            [Self.flag("base", ["one", "two"]), Self.flag("user", ["v"], requires: Self.requires("two"))], fixture)
        return fixture
    }

    @Test("A flag keeps the variants that others require and go on requiring")
    func lostVariant() throws {
        let fixture = try fixture()
        let base = Self.flag("base", ["one"])
        #expect(failure { try load([base], fixture) }?.pointers == ["/flags/0/variants"])
        let unchanged = Self.flag("user", ["v"], requires: Self.requires("two"))
        #expect(failure { try load([base, unchanged], fixture) }?.pointers == ["/flags/0/variants"])
    }

    @Test("A flag may lose a variant with those who required it: they are changed by the same file, or removed by it")
    func lostTogether() throws {
        let changed = try fixture()
        let user = Self.flag("user", ["v"], requires: Self.requires("one"))
        try load([Self.flag("base", ["one"]), user], changed)
        #expect(try changed.repository.flag("base", in: .development).rule.variantNames == ["one"])
        let removed = try fixture()
        try load([Self.flag("base", ["one"])], removed, .replace)
        #expect(throws: FlagStoreError.self) { try removed.repository.flag("user", in: .development) }
    }

    @Test("A new flag was not changed before it was created, whatever the file says")
    func times() throws {
        let fixture = try Fixture()
        let created = "2030-01-01T00:00:00.000Z"
        let times = #","createdAt":"\#(created)","updatedAt":"2020-01-01T00:00:00.000Z""#
        try load([Self.flag("a", ["v"], requires: times)], fixture)
        let record = try fixture.repository.flag("a", in: .development)
        #expect((record.createdAt.rfc3339, record.updatedAt.rfc3339) == (created, created))
    }

    @Test("A file in flagd's format, which has no word for it, leaves what a flag requires as it is")
    func flagd() throws {
        let fixture = try fixture()
        let user = #"{"state":"ENABLED","variants":{"v":"v","w":"w"},"defaultVariant":"w"}"#
        try load(#"{"flags":{"user":\#(user)}}"#, fixture)
        let record = try fixture.repository.flag("user", in: .development)
        #expect(record.rule.variantNames == ["v", "w"])
        #expect(try record.rule.prerequisites().map { "\($0.flagKey) \($0.variant)" } == ["base two"])
    }

    @Test("What a file has is of the file's environment, or of the one that it goes to")
    func otherEnvironment() throws {
        let fixture = try Fixture()
        let named = #","environment":"staging""#
        let refusal = failure { try load([Self.flag("a", ["v"]), Self.flag("b", ["v"], requires: named)], fixture) }
        #expect(refusal?.pointers == ["/flags/1/environment"])
    }

    @Test("A kill switch that is on is changed by the one in the file")
    func changedKillSwitch() throws {
        let fixture = try fixture()
        try fixture.kill("user", reason: "broken")
        let killSwitch = #"{"flagKey":"user","reason":"still broken","activatedBy":"me"}"#
        try load(#"{"flags":[],"killSwitches":[\#(killSwitch)]}"#, fixture)
        #expect(try fixture.repository.killSwitches(in: .development).map(\.reason) == ["still broken"])
    }

    @Test("A file that has a flag removed has no override of it")
    func overrideOfRemoved() throws {
        let fixture = try fixture()
        let override = #","overrides":[{"tenantId":"acme","flagKey":"user","variant":"v","updatedBy":"me"}]"#
        let base = Self.flag("base", ["one", "two"])
        let refusal = failure { try load([base], fixture, .replace, overrides: override) }
        #expect(refusal?.pointers == ["/overrides/0/flagKey"])
        // Where it stays, it may have one.
        try load([base], fixture, .merge, overrides: override)
    }
}
