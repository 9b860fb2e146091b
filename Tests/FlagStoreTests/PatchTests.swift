import FlagCore
import FlagStore
import JSON
import Testing

@Suite("Partial changes")
struct PatchTests {
    private static let narrow: JSONValue = [
        "percentage": 60, "regions": ["eu"], "cohorts": ["beta"],
        "businessHours": ["timeZone": "Europe/Berlin", "from": "09:00", "to": "17:00"],
    ]
    private static let texts: JSONValue = [
        "description": "Texts", "owner": "web", "state": "ENABLED",
        "variants": ["a": ["size": 1, "color": "red"], "b": ["size": 2, "color": "blue"]], "defaultVariant": "a",
        "targeting": ["if": [["==": [["var": "plan"], "pro"]], "b"]], "metadata": ["team": "x", "since": 2020],
    ]

    /// What a patch leaves of a member.
    struct Case: Sendable, CustomTestStringConvertible {
        let patch: JSONValue
        let member: String
        let result: JSONValue?
        var testDescription: String { "\(patch)" }
    }

    @Test(
        "What a patch does not name stays, at every depth",
        arguments: [
            Case(
                patch: ["rollout": ["percentage": 80]], member: "rollout",
                result: narrow.merged(with: ["percentage": 80])),
            Case(
                patch: ["rollout": ["cohorts": .null, "businessHours": ["to": "18:00"]]], member: "rollout",
                result: [
                    "percentage": 60, "regions": ["eu"],
                    "businessHours": ["timeZone": "Europe/Berlin", "from": "09:00", "to": "18:00"],
                ]),
            Case(
                patch: ["rollout": ["regions": ["us"]]], member: "rollout",
                result: narrow.merged(with: ["regions": ["us"]])),
            Case(patch: ["rollout": .null], member: "rollout", result: nil),
        ])
    func rollout(change: Case) throws {
        let fixture = try Fixture()
        guard case .object(var flag) = Fixture.simple("a") else { return }
        flag["rollout"] = Self.narrow
        try fixture.create(.object(flag))
        #expect(try fixture.patch("a", change.patch).json(at: Fixture.start)[change.member] == change.result)
    }

    @Test(
        "Variants, rules and metadata are merged and then checked as a whole",
        arguments: [
            Case(
                patch: ["variants": ["b": ["size": 3]]], member: "variants",
                result: ["a": ["size": 1, "color": "red"], "b": ["size": 3, "color": "blue"]]),
            Case(patch: ["metadata": ["since": .null]], member: "metadata", result: ["team": "x"]),
            Case(
                patch: ["targeting": ["if": .null, "segment": .null]], member: "targeting", result: .object([:])),
            Case(
                patch: ["targeting": ["if": .null, "?:": [["!": [["var": "plan"]]], "b"]]], member: "targeting",
                result: ["?:": [["!": [["var": "plan"]]], "b"]]),
        ])
    func full(change: Case) throws {
        let fixture = try Fixture()
        try fixture.create(Self.texts.merged(with: ["flagKey": "a"]))
        #expect(try fixture.patch("a", change.patch).json(at: Fixture.start)[change.member] == change.result)
    }

    @Test("What comes of merging must be valid: two operators side by side are none")
    func invalid() throws {
        let fixture = try Fixture()
        try fixture.create(Self.texts.merged(with: ["flagKey": "a"]))
        let both: JSONValue = ["targeting": ["==": [["var": "plan"], "pro"]]]
        #expect(failure { try fixture.patch("a", both) }?.pointers == ["/targeting"])
        #expect(failure { try fixture.patch("a", ["variants": ["a": .null]]) }?.pointers == ["/defaultVariant"])
        #expect(try fixture.repository.stored(in: .development).flag("a").version == 1)
    }

    @Test("A variant that another flag requires stays, and goes when nobody does")
    func requiredVariants() throws {
        let fixture = try Fixture()
        try fixture.create(Self.texts.merged(with: ["flagKey": "a", "targeting": .null]))
        guard case .object(var needs) = Fixture.simple("needs") else { return }
        needs["requires"] = [["flagKey": "a", "variant": "b"]]
        try fixture.create(.object(needs))
        for change: JSONValue in [["variants": ["b": .null]], ["variants": ["b": .null, "c": ["size": 3]]]] {
            #expect(failure { try fixture.patch("a", change) }?.pointers == ["/variants"])
        }
        let simple = Fixture.simple("a")
        #expect(failure { try fixture.replace(simple) }?.pointers == ["/variants"])
        #expect(try fixture.patch("a", ["variants": ["c": ["size": 3]]]).version == 2)
        try fixture.delete("needs")
        #expect(try fixture.patch("a", ["variants": ["b": .null]]).version == 3)
    }

    @Test("A simple flag has no variants that others could be merged with")
    func simple() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        let patched = try fixture.patch("a", ["variants": ["x": 1, "y": 2], "defaultVariant": "x"])
        #expect(patched.json(at: Fixture.start)["variants"] == ["x": 1, "y": 2])
    }

    @Test(
        "A patch that changes nothing, or is no object, is refused",
        arguments: [[:], [], "owner", .null] as [JSONValue])
    func nothing(json: JSONValue) {
        #expect(throws: DefinitionIssues.self) { try FlagPatch(json: json) }
    }
}
