import DynamoModel
import FlagCore
import JSON
import TableEngine
import TestSupport
import Testing

@testable import FlagFiles
@testable import FlagStore

@Suite("Import and export")
struct ImportExportTests {
    static let flagd = """
        {
          "$schema": "https://flagd.dev/schema/v0/flags.json",
          "metadata": {"owner": "platform"},
          "$evaluators": {"inside": {"ends_with": [{"var": "email"}, "@example.com"]}},
          "flags": {
            "welcome": {
              "state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
              "targeting": {"if": [{"$ref": "inside"}, "on", "off"]},
              "metadata": {"description": "Shows the banner"}
            },
            "price": {"state": "ENABLED", "variants": {"low": 1.0, "high": 2e1}, "defaultVariant": "low"}
          }
        }
        """

    static let native = """
        {
          "environment": "development",
          "flags": [
            {"flagKey": "a", "description": "d", "owner": "o", "defaultEnabled": true, "tags": ["x"],
             "expiresAt": "2020-01-01T00:00:00.000Z"},
            {"flagKey": "b", "description": "d", "owner": "o", "state": "ENABLED", "variants": {"v": 2.0},
             "defaultVariant": "v"}
          ],
          "overrides": [
            {"tenantId": "acme", "flagKey": "a", "enabled": false, "updatedBy": "me", "reason": "trial"},
            {"tenantId": "zeta", "flagKey": "b", "variant": "v", "updatedBy": "me"}
          ],
          "killSwitches": [{"flagKey": "b", "reason": "broken", "activatedBy": "me"}]
        }
        """

    private func document(_ text: String, keepInvalid: Bool = false) throws -> ImportDocument {
        try ImportDocument(parsing: Array(text.utf8), keepInvalid: keepInvalid)
    }

    private func plan(
        _ text: String, _ fixture: Fixture, _ mode: ImportPlan.Mode = .merge,
        in environment: FlagCore.Environment = .development, keepInvalid: Bool = false
    ) throws -> ImportPlan {
        try ImportPlan(
            try document(text, keepInvalid: keepInvalid), mode: mode, over: fixture.repository.stored(in: environment),
            now: Fixture.start)
    }

    @discardableResult
    private func load(
        _ text: String, _ fixture: Fixture, _ mode: ImportPlan.Mode = .merge,
        in environment: FlagCore.Environment = .development, keepInvalid: Bool = false
    ) throws -> ImportPlan {
        let plan = try plan(text, fixture, mode, in: environment, keepInvalid: keepInvalid)
        try plan.apply(to: fixture.repository, in: .tests(plan.environment, by: Principal(.command, "import")))
        return plan
    }

    private func export(
        _ format: ImportDocument.Format, _ fixture: Fixture, of environment: FlagCore.Environment = .development
    ) throws -> String {
        String(decoding: try Export(format, of: fixture.repository.stored(in: environment)).bytes(), as: UTF8.self)
    }

    @Test(
        "What is wrong with a file is told where an editor finds it, with what was probably meant",
        arguments: [
            ("{\"flags\": {\n \"é\": 1, }", "is not JSON: unexpected character '}' at byte 22, line 2, column 10"),
            ("flags:\n  a:\n", "at byte 1, line 1, column 2; this looks like YAML: write it as JSON"),
            ("# flags\n---\n", "; this looks like YAML: write it as JSON"),
            (#"{"flags": [], "overides": []}"#, "is not known here; did you mean overrides? Known are environment,"),
            (
                #"{"flags": {"a": {"state": "ENABLED", "varients": {"on": true}, "defaultVariant": "on"}}}"#,
                #"is missing (did you mean it by "varients"?): an object of at least one variant"#
            ),
            (
                #"{"flags": [{"flagKey": "a", "desciption": "d", "owner": "o", "defaultEnabled": true}]}"#,
                "is not known here; did you mean description? Known are"
            ),
        ])
    func complaints(text: String, expected: String) throws {
        let refused = try #require(throws: DefinitionIssues.self) { try ImportDocument(parsing: Array(text.utf8)) }
        #expect(refused.issues.contains { $0.message.contains(expected) }, "\(refused.issues)")
    }

    @Test("Flags that are too large for one transaction together are imported, also in the place of others as large")
    func manyLargeFlags() throws {
        let fixture = try Fixture()
        func text(_ letter: String) -> String {
            let flags = (0..<60).map { number in
                #"{"flagKey":"f\#(number)","description":"d","owner":"o","state":"ENABLED","defaultVariant":"v","#
                    + #""variants":{"v":"\#(String(repeating: letter, count: 200_000))"}}"#
            }
            return #"{"flags":[\#(flags.joined(separator: ","))]}"#
        }
        for letter in ["a", "b"] {
            try load(text(letter), fixture)
            var lengths: [Int] = []
            try fixture.repository.forEachFlag(in: .development) {
                lengths.append($0.json(at: Fixture.start).serialized().count)
            }
            #expect(lengths.count == 60 && lengths.allSatisfy { $0 > 200_000 })
        }
        // By now each of them stands in the way of a transaction; removing them is as well.
        try load(#"{"flags":[]}"#, fixture, .replace)
        #expect(try fixture.repository.flags(in: .development).records.isEmpty)
    }

    @Test("A flagd file brings its flags; owner and description come from metadata, or are made up")
    func flagdFile() throws {
        let fixture = try Fixture()
        let plan = try load(Self.flagd, fixture)
        #expect(plan.flags.created.map(\.key) == ["welcome", "price"])
        let welcome = try fixture.repository.flag("welcome", in: .development)
        #expect(welcome.owner == "platform")
        #expect(welcome.description == "Shows the banner")
        let price = try fixture.repository.flag("price", in: .development)
        #expect(price.description == "price")
        #expect(price.json(at: Fixture.start)["variants"]?.serialized() == #"{"low":1.0,"high":2e1}"#)
    }

    @Test("Importing twice changes nothing, in either format", arguments: [flagd, native])
    func twice(text: String) throws {
        let fixture = try Fixture()
        try load(text, fixture)
        let revision = try fixture.repository.revision(of: .development)
        for mode in ImportPlan.Mode.allCases {
            let plan = try load(text, fixture, mode)
            #expect(plan.isEmpty)
            #expect(plan.flags.unchanged == 2)
        }
        #expect(try fixture.repository.revision(of: .development) == revision)
        #expect(try fixture.repository.flags(in: .development).records.allSatisfy { $0.version == 1 })
    }

    @Test(
        "Importing an export changes nothing, in either format and mode",
        arguments: [
            ImportDocument.Format.native, .flagd,
        ])
    func roundTrip(format: ImportDocument.Format) throws {
        let fixture = try Fixture()
        try load(Self.native, fixture)
        try load(Self.flagd, fixture)
        try fixture.patch("a", ["owner": "somebody"])
        let text = try export(format, fixture)
        for mode in ImportPlan.Mode.allCases {
            let plan = try plan(text, fixture, mode)
            #expect(plan.isEmpty, "\(plan.lines())")
        }
    }

    @Test("A native export restored into an empty store exports the same again, to the byte")
    func restore() throws {
        let fixture = try Fixture()
        try load(Self.native, fixture)
        let otherOrder = #"{"defaultVariant":"x","$comment":1,"variants":{"x":2.0,"w":1e3},"state":"ENABLED"}"#
        try load(#"{"flags":{"from-flagd":\#(otherOrder)}}"#, fixture)
        try fixture.patch("a", ["owner": "somebody"])
        try fixture.kill(nil)
        try fixture.kill("later", forced: true)
        let text = try export(.native, fixture)
        let other = try Fixture()
        try load(text, other)
        #expect(try export(.native, other) == text)
        #expect(try other.repository.flag("a", in: .development).version == 2)
    }

    @Test("An export of one environment can be imported into another")
    func otherEnvironment() throws {
        let fixture = try Fixture()
        try load(Self.native, fixture)
        try load(try export(.native, fixture), fixture, in: .production)
        #expect(try fixture.repository.flag("a", in: .production).environment == .production)
        #expect(try fixture.repository.overrides(ofFlag: "a", in: .production).records.count == 1)
    }

    @Test("A dry run says what would change, and changes nothing")
    func dryRun() throws {
        let fixture = try Fixture()
        try load(Self.native, fixture)
        try fixture.createSimple("c")
        let text = Self.native.replacing(
            "\"owner\": \"o\", \"defaultEnabled\": true", with: "\"owner\": \"p\", \"defaultEnabled\": false"
        )
        .replacing("\"reason\": \"trial\"", with: "\"reason\": \"contract\"")
        let plan = try plan(text, fixture, .replace)
        #expect(
            plan.lines() == [
                "~ flag a: defaultEnabled, owner", "- flag c", "~ override a for acme: reason",
                "flags: 0 created, 1 changed, 1 removed, 1 unchanged",
                "overrides: 0 created, 1 changed, 0 removed, 1 unchanged",
                "kill switches: 0 created, 0 changed, 0 removed, 1 unchanged",
            ])
        #expect(try fixture.repository.flag("a", in: .development).owner == "o")
        #expect(plan.lines(limit: 1).first == "~ flag a: defaultEnabled, owner")
        #expect(plan.lines(limit: 1)[1] == "… and 2 more")
    }

    @Test("create-only leaves what exists, merge changes it, replace removes what is not in the file")
    func modes() throws {
        let fixture = try Fixture()
        try load(Self.native, fixture)
        try fixture.createSimple("c")
        try fixture.putOverride("acme", "c")
        try fixture.putOverride("extra", "a")
        try fixture.kill("c")
        let text = Self.native.replacing("\"defaultEnabled\": true", with: "\"defaultEnabled\": false")
        let repository = fixture.repository

        #expect(try load(text, fixture, .createOnly).flags.skipped == 1)
        #expect(try repository.flag("a", in: .development).rule == .simple(defaultEnabled: true))

        try load(text, fixture, .merge)
        #expect(try repository.flag("a", in: .development).rule == .simple(defaultEnabled: false))
        #expect(try repository.flag("a", in: .development).version == 2)
        #expect(try repository.flags(in: .development).records.count == 3)

        try load(text, fixture, .replace)
        #expect(try repository.flags(in: .development).records.map(\.key).sorted() == ["a", "b"])
        #expect(try repository.overrides(ofFlag: "a", in: .development).records.map(\.tenant) == ["acme"])
        #expect(try repository.overrides(ofFlag: "c", in: .development).records.isEmpty)
        #expect(try repository.killSwitches(in: .development).map(\.flagKey) == ["b"])
    }

    @Test("A flagd file keeps the owner, expiry and tags that it does not speak of, and does not touch overrides")
    func partialFile() throws {
        let fixture = try Fixture()
        try load(Self.native, fixture)
        try fixture.kill("a")
        let file = #"{"flags": {"a": {"state": "ENABLED", "variants": {"x": "y"}, "defaultVariant": "x"}}}"#
        try load(file, fixture, .replace)
        let flag = try fixture.repository.flag("a", in: .development)
        #expect(flag.owner == "o")
        #expect(flag.tags == ["x"])
        #expect(flag.expiresAt != nil)
        #expect(try fixture.repository.overrides(ofFlag: "a", in: .development).records.count == 1)
        #expect(try fixture.repository.killSwitches(in: .development).map(\.flagKey) == ["a"])
    }

    @Test("Everything that is wrong with a file is listed with pointers, and nothing is read", arguments: invalidFiles)
    func invalid(text: String, pointers: [String]) {
        let error = #expect(throws: DefinitionIssues.self) { try document(text) }
        #expect(error?.issues.map(\.pointer) == pointers)
    }

    static let invalidFiles: [(String, [String])] = [
        ("{", [""]),
        ("[]", [""]),
        ("{}", ["/flags"]),
        (#"{"flags": 5}"#, ["/flags"]),
        (#"{"flags": {"a": {"state": "MAYBE"}, "..": {}}}"#, ["/flags/a/state", "/flags/a/variants", "/flags/.."]),
        (
            #"{"flags": [{"flagKey": "a"}], "overrides": [{}], "extra": 1}"#,
            [
                "/flags/0/description", "/flags/0/owner", "/flags/0/defaultEnabled", "/overrides/0/tenantId",
                "/overrides/0/flagKey", "/overrides/0/enabled", "/overrides/0/updatedBy", "/extra",
            ]
        ),
        (
            #"""
            {"flags": [
              {"flagKey": "a", "description": "d", "owner": "o", "defaultEnabled": true},
              {"flagKey": "a", "description": "d", "owner": "o", "defaultEnabled": true}],
             "overrides": [
              {"flagKey": "a", "tenantId": "t", "enabled": true, "updatedBy": "me"},
              {"flagKey": "a", "tenantId": "t", "enabled": false, "updatedBy": "me"}]}
            """#, ["/flags/1", "/overrides/1"]
        ),
    ]

    @Test("An override of a flag that is nowhere is refused with its place")
    func unknownFlag() throws {
        let fixture = try Fixture()
        let text = #"{"overrides": [{"flagKey": "a", "tenantId": "t", "enabled": true, "updatedBy": "me"}]}"#
        #expect(failure { _ = try plan(text, fixture) }?.pointers == ["/overrides/0/flagKey"])
        try fixture.createSimple("a")
        try load(text, fixture)
        #expect(try fixture.repository.overrides(ofFlag: "a", in: .development).records.count == 1)
    }

    @Test("Invalid flags are stored when asked for, and importing them again changes nothing")
    func keepInvalid() throws {
        let fixture = try Fixture()
        let text = """
            {"flags": {
              "bad": {"state": "MAYBE", "variants": {"a": 1}},
              "good": {"state": "ENABLED", "variants": {"a": 1}, "defaultVariant": "a"}}}
            """
        #expect(try document(text, keepInvalid: true).kept.isEmpty == false)
        try load(text, fixture, keepInvalid: true)
        let bad = try fixture.repository.flag("bad", in: .development)
        #expect(bad.isKeptInvalid)
        #expect(try load(text, fixture, keepInvalid: true).isEmpty)
        #expect(try plan(try export(.native, fixture), fixture, keepInvalid: true).isEmpty)
        #expect(try plan(try export(.flagd, fixture), fixture, keepInvalid: true).isEmpty)
    }

    @Test("A flag that somebody changed since the plan was made is a conflict, and keeps their change")
    func conflict() throws {
        let fixture = try Fixture()
        try load(Self.native, fixture)
        let text = Self.native.replacing("\"defaultEnabled\": true", with: "\"defaultEnabled\": false")
        let plan = try plan(text, fixture)
        try fixture.patch("a", ["owner": "faster"])
        guard case .conflict("a")? = failure({ try plan.apply(to: fixture.repository, in: .tests(plan.environment)) })
        else {
            Issue.record("The import must notice")
            return
        }
        #expect(try fixture.repository.flag("a", in: .development).owner == "faster")
    }

    @Test("More flags and overrides than fit a transaction are imported and exported, on disk")
    func many() throws {
        let directory = try TemporaryDirectory()
        let fixture = try Fixture(.directory(directory.path))
        var flags: [JSONValue] = []
        var overrides: [JSONValue] = []
        for number in 0..<250 {
            flags.append(Fixture.simple("flag-\(number)", enabled: number % 2 == 0))
            for tenant in 0..<4 {
                overrides.append([
                    "flagKey": .string("flag-\(number)"), "tenantId": .string("tenant-\(tenant)"), "enabled": true,
                    "updatedBy": "me",
                ])
            }
        }
        let text = JSONValue.object(["flags": .array(flags), "overrides": .array(overrides)]).serialized()
        try load(text, fixture)
        #expect(
            try fixture.repository.overrides(ofTenant: "tenant-3", in: .development, limit: 1_000).records.count == 250)
        // 3 transactions of flags and 11 of overrides.
        #expect(try fixture.repository.revision(of: .development) == 14)
        let plan = try plan(try export(.native, fixture), fixture, .replace)
        #expect(plan.isEmpty)
        #expect(plan.overrides.unchanged == 1_000)
        fixture.store.close()
    }
}
