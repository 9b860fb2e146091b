import Bytes
import DynamoModel
import FlagCore
import JSON
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("Flags that a browser may evaluate: what is stored")
struct ClientSideTests {
    static let simple = Fixture.simple("a")
    static let full: JSONValue = [
        "flagKey": "a", "description": "d", "owner": "o", "state": "ENABLED", "variants": ["x": 1, "y": 2],
        "defaultVariant": "x",
    ]

    /// What a body or a patch says, and what comes of it.
    struct Case: Sendable, CustomTestStringConvertible {
        let flag: JSONValue
        let said: JSONValue?
        let expected: Bool
        var testDescription: String {
            "\(said?.serialized() ?? "nothing") of a \(flag["variants"] == nil ? "simple" : "full") flag"
        }
    }

    static let cases = [simple, full].flatMap { flag in
        [(nil, false), (.null, false), (false, false), (true, true)].map {
            Case(flag: flag, said: $0, expected: $1)
        }
    }

    @Test(
        "Both spellings take the member, when they create and when they replace; what is read may be put back",
        arguments: cases)
    func written(_ example: Case) throws {
        let fixture = try Fixture()
        var body = example.flag
        if let said = example.said { body = body.adding("clientSide", said) }
        let created = try fixture.create(body)
        #expect(created.isClientSide == example.expected)
        let shown = created.json(at: Fixture.start)
        #expect(shown["clientSide"] == (example.expected ? true : nil))
        let item = try #require(try fixture.repository.item(.flag(.development, key: "a")))
        #expect(item["clientSide"] == (example.expected ? true : nil))
        #expect(try fixture.replace(shown, key: "a").isClientSide == example.expected)
        for before in [true, false] {
            try fixture.replace(example.flag.adding("clientSide", .bool(before)))
            #expect(try fixture.replace(body).isClientSide == example.expected)
            #expect(try fixture.repository.flag("a", in: .development).isClientSide == example.expected)
        }
    }

    @Test("A patch sets the member and takes it away; one that does not name it leaves it", arguments: cases)
    func patched(_ example: Case) throws {
        let fixture = try Fixture()
        try fixture.create(example.flag)
        for before in [true, false] {
            try fixture.patch("a", ["clientSide": .bool(before)])
            try fixture.patch("a", ["owner": "another"])
            #expect(try fixture.repository.flag("a", in: .development).isClientSide == before)
            let patched = try fixture.patch("a", example.said.map { ["clientSide": $0] } ?? ["owner": "third"])
            #expect(patched.isClientSide == (example.said == nil ? before : example.expected))
        }
    }

    @Test("A simple flag that a patch makes a full one stays what it was")
    func respelled() throws {
        let fixture = try Fixture()
        try fixture.create(Self.simple.adding("clientSide", true))
        let patched = try fixture.patch("a", ["targeting": ["if": [["var": "beta"], "on"]]])
        #expect(patched.isClientSide)
        guard case .full = patched.rule.spelling else { Issue.record("It must be a full one"); return }
    }

    @Test(
        "Anything but true and false is refused, with its place", arguments: ["yes", 1, [], ["a": true]] as [JSONValue])
    func wrongType(value: JSONValue) throws {
        let fixture = try Fixture()
        for flag in [Self.simple, Self.full] {
            let refused = try #require(throws: DefinitionIssues.self) {
                _ = try FlagDraft(json: flag.adding("clientSide", value))
            }
            #expect(refused.issues.map(\.description) == ["/clientSide: must be true or false"])
        }
        try fixture.create(Self.simple)
        #expect(failure { try fixture.patch("a", ["clientSide": value]) }?.pointers == ["/clientSide"])
        #expect(try fixture.repository.flag("a", in: .development).version == 1)
    }

    @Test("Nothing but the member decides: a definition's metadata cannot")
    func metadata() throws {
        let fixture = try Fixture()
        let flag = try fixture.create(Self.full.adding("metadata", ["clientSide": true]))
        #expect(!flag.isClientSide)
        #expect(!DecodedFlag(flag).isClientSide)
    }

    // MARK: - Items

    @Test(
        "An item may have the attribute or not, in both spellings",
        arguments: [nil, false, true] as [Bool?])
    func item(value: Bool?) throws {
        var full = ForeignItemTests.typed
        full["defaultEnabled"] = nil
        full["definition"] = #"{"state":"ENABLED","variants":{"x":1},"defaultVariant":"x"}"#
        for var item in [ForeignItemTests.typed, full] {
            item["clientSide"] = value.map { .bool($0) }
            let record = try FlagRecord(item: item)
            #expect(record.isClientSide == (value ?? false))
            #expect(record.item["clientSide"] == (value == true ? true : nil))
            // What was typed means the same: it stays as it is.
            let correction = try #require(try DerivedAttributes.correction(of: item))
            #expect(!correction.attributes.contains("clientSide"))
        }
    }

    @Test(
        "An attribute of another type makes the item invalid; a patch must say what is to be there",
        arguments: ["true", 1, .null, .list([true])] as [AttributeValue])
    func invalidItem(value: AttributeValue) throws {
        let item = ForeignItemTests.typed.merging(["clientSide": value]) { $1 }
        let refused = try #require(throws: DefinitionIssues.self) { _ = try FlagRecord(item: item) }
        #expect(refused.issues.map(\.description) == ["/clientSide: must be true or false (BOOL), or be left out"])
        let fixture = try Fixture()
        try fixture.put(item)
        #expect(
            failure { try fixture.patch("new-feature", ["owner": "x"], in: .staging) }?.pointers == ["/clientSide"])
        #expect(try fixture.patch("new-feature", ["clientSide": true], in: .staging).isClientSide)
    }

    @Test("A correction does nothing to an item whose attribute somebody has changed since")
    func overtaken() throws {
        let fixture = try Fixture()
        let correction = try #require(try DerivedAttributes.correction(of: ForeignItemTests.typed))
        try fixture.put(ForeignItemTests.typed.merging(["clientSide": true]) { $1 })
        let update = WriteOperation.update(
            table: Fixture.table, key: correction.key.tableKey, actions: correction.actions,
            condition: correction.condition)
        #expect(throws: TableError.self) { try fixture.store.transactAndWait([update], principal: .anonymous) }
    }

    @Test("The last valid form knows what the flag was", arguments: [false, true])
    func held(value: Bool) throws {
        let form = HeldFlag(
            environment: .development, key: "a", rule: .simple(defaultEnabled: true), isClientSide: value)
        #expect(HeldFlag(item: form.item, environment: .development) == form)
        #expect(form.text.isClientSide == value)
        let item = ForeignItemTests.typed.merging(["clientSide": .bool(value)]) { $1 }
        let kept = HeldRecordKey.flag(.staging, ExactText("new-feature")).validForm(of: item)
        #expect(HeldFlag(item: try #require(kept).item, environment: .staging)?.isClientSide == value)
    }

    // MARK: - Histories

    @Test(
        "A history tells from what to what, also where one side does not have the attribute",
        arguments: [
            (nil, true, #"[{"pointer":"/clientSide","before":false,"after":true}]"#),
            (true, nil, #"[{"pointer":"/clientSide","before":true,"after":false}]"#),
            (false, true, #"[{"pointer":"/clientSide","before":false,"after":true}]"#),
            (nil, false, "[]"), (nil, nil, "[]"),
        ] as [(Bool?, Bool?, String)])
    func history(before: Bool?, after: Bool?, changes: String) throws {
        func item(_ value: Bool?) -> Item {
            var item = ForeignItemTests.typed
            item["clientSide"] = value.map { .bool($0) }
            return item
        }
        let told = ItemDocument.changes(from: item(before), to: item(after))
        #expect(.array(told.list) == (try JSONValue(parsing: changes)))
        let created = ItemDocument.changes(from: nil, to: item(after)).list.first?["after"]
        #expect(created?["clientSide"] == after.map { .bool($0) })
    }

    // MARK: - What loops hold

    @Test("A loop's flag says what it is, alone and among all; a change changes the fingerprint, and nothing else does")
    func loops() throws {
        let loops = try Loops(warm: [.development])
        for flag in [Self.simple, Self.full.adding("flagKey", "b")] { try loops.fixture.create(flag) }
        loops.drain()
        guard case .found(let ruleSet, _) = loops.caches[0].ruleSet(.development, now: 0) else { return }
        func said() -> [Bool] {
            let entries = ruleSet.withEntries { $0.map(\.isClientSide) }
            #expect((0..<ruleSet.count).map { ruleSet.flag(at: $0).isClientSide } == entries)
            return entries
        }
        let first = ruleSet.fingerprint
        #expect(said() == [false, false])
        try loops.fixture.patch("a", ["clientSide": true])
        loops.drain()
        let second = ruleSet.fingerprint
        #expect(said() == [true, false] && second != first)
        try loops.fixture.patch("b", ["clientSide": true])
        loops.drain()
        #expect(said() == [true, true] && ![first, second].contains(ruleSet.fingerprint))
        // A loop that reads everything at once sees the same.
        let others = try Loops(warm: [.development], fixture: loops.fixture)
        others.drain()
        guard case .found(let whole, _) = others.caches[0].ruleSet(.development, now: 0) else { return }
        #expect(whole.fingerprint == ruleSet.fingerprint)
        #expect(whole.withEntries { $0.map(\.isClientSide) } == [true, true])
        for key in ["a", "b"] { try loops.fixture.patch(key, ["clientSide": false]) }
        loops.drain()
        #expect(said() == [false, false] && ruleSet.fingerprint == first)
    }

    @Test("Also of a flag that cannot be read it is known")
    func unreadable() {
        for value in [false, true] {
            let rules: [FlagRule] = [.full(""), .full("{"), .simple(defaultEnabled: true, rollout: "{")]
            var texts = rules.map { DecodedFlag(key: "a", rule: $0, isClientSide: value) }
            var requires = FlagRule.simple(defaultEnabled: true)
            requires.requires = "{"
            texts.append(DecodedFlag(key: "a", rule: requires, isClientSide: value))
            #expect(texts.map { $0.compiled(fractional: .v3).isClientSide } == texts.map { _ in value })
        }
    }
}

extension JSONValue {
    /// The object with one member more, or another in its place.
    func adding(_ name: String, _ value: JSONValue) -> JSONValue {
        guard case .object(var object) = self else { return self }
        object[name] = value
        return .object(object)
    }
}
