import DynamoModel
import FlagCore
import JSON
import Testing

@testable import FlagStore

@Suite("Flags in the table")
struct FlagRepositoryTests {
    @Test("A created flag is read back as it was written, at version 1")
    func createAndRead() throws {
        let fixture = try Fixture()
        let created = try fixture.createSimple("new-checkout")
        #expect(created.version == 1)
        #expect(try fixture.repository.flag("new-checkout", in: .development) == created)
        #expect(try fixture.repository.revision(of: .development) == 1)
        #expect(try fixture.repository.revision(of: .staging) == 0)
    }

    @Test("The same key can be created once in each environment, and not twice in one")
    func duplicates() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        try fixture.createSimple("a", in: .staging)
        guard case .alreadyExists("a")? = failure({ try fixture.createSimple("a") }) else {
            Issue.record("A second create must be refused")
            return
        }
        #expect(try fixture.repository.revision(of: .development) == 1, "A refused write raises nothing")
    }

    @Test("Keys that differ only in Unicode normalisation are two flags")
    func normalisation() throws {
        let fixture = try Fixture()
        try fixture.createSimple("caf\u{E9}", enabled: true)
        try fixture.createSimple("cafe\u{301}", enabled: false)
        #expect(try fixture.repository.flag("caf\u{E9}", in: .development).rule == .simple(defaultEnabled: true))
        #expect(try fixture.repository.flag("cafe\u{301}", in: .development).rule == .simple(defaultEnabled: false))
    }

    @Test("The number of a variant keeps its spelling through the table")
    func spelling() throws {
        let fixture = try Fixture()
        let body = try JSONValue(
            parsing: """
                {"flagKey": "price", "description": "d", "owner": "o", "state": "ENABLED",
                 "variants": {"a": 2.0, "b": 1e2}, "defaultVariant": "a"}
                """)
        try fixture.create(body)
        let read = try fixture.repository.flag("price", in: .development).json(at: Fixture.start)
        #expect(read["variants"]?["a"]?.serialized() == "2.0")
        #expect(read["variants"]?["b"]?.serialized() == "1e2")
    }

    @Test("What a read answered can be put back as it is, and then is one version on")
    func putBack() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        let body = try fixture.repository.flag("a", in: .development).json(at: Fixture.start)
        let replaced = try fixture.replace(body, key: "a", at: Fixture.start + 5)
        #expect(replaced.version == 2)
        #expect(replaced.createdAt == Fixture.start)
        #expect(replaced.updatedAt == Fixture.start + 5)
    }

    @Test("A body of an older version is refused, and so is a stale If-Match")
    func versions() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        let body = try fixture.repository.flag("a", in: .development).json(at: Fixture.start)
        try fixture.replace(body)
        guard case .versionMismatch(.flag("a"), 1, 2)? = failure({ try fixture.replace(body) }),
            case .versionMismatch(.flag("a"), 1, 2)? = failure({
                try fixture.replace(Fixture.simple("a"), expecting: 1)
            }),
            case .versionMismatch(.flag("a"), 7, 2)? = failure({ try fixture.delete("a", expecting: 7) })
        else {
            Issue.record("Stale versions must be refused")
            return
        }
        try fixture.replace(Fixture.simple("a"), expecting: 2)
    }

    @Test("What the body says of times and environment is checked")
    func contradictions() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        guard case .object(var body) = Fixture.simple("a") else { return }
        body["createdAt"] = "2020-01-01T00:00:00Z"
        body["updatedAt"] = "2020-01-01T00:00:00Z"
        body["environment"] = "prod"
        let error = failure { try fixture.replace(.object(body)) }
        #expect(error?.pointers == ["/environment", "/createdAt", "/updatedAt"])
    }

    @Test("A patch replaces the members it names; null takes one away; a rule makes a simple flag a full one")
    func patches() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        let tagged = try fixture.patch("a", ["tags": ["b", "a", "b"], "expiresAt": "2027-01-01T00:00:00Z"])
        #expect(tagged.tags == ["a", "b"])
        #expect(tagged.expiresAt != nil)
        let cleared = try fixture.patch("a", ["expiresAt": .null])
        #expect(cleared.expiresAt == nil)
        #expect(cleared.tags == ["a", "b"])
        let full = try fixture.patch("a", ["defaultVariant": "off"])
        #expect(try full.rule.definition().json["variants"] == ["on": true, "off": false])
        #expect(failure { try fixture.patch("a", ["defaultEnabled": true]) }?.pointers == ["/defaultEnabled"])
        #expect(failure { try fixture.patch("a", ["wat": 1]) }?.pointers == ["/wat"])
        guard case .notFound? = failure({ try fixture.patch("b", ["owner": "x"]) }) else {
            Issue.record("A patch of nothing must be refused")
            return
        }
    }

    @Test("Writers without an expected version that race all get through, one version each")
    func racingPatches() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        let patch = try FlagPatch(json: ["owner": "x"])
        DispatchQueueRace.run(8) { _ in
            _ = try? fixture.wait {
                fixture.repository.patch(
                    "a", with: patch, in: .tests(.development, at: Fixture.start), completion: $0)
            }
        }
        #expect(try fixture.repository.flag("a", in: .development).version == 9)
    }

    @Test("Everything that is wrong with a body is said at once, with pointers", arguments: Self.invalidBodies)
    func invalid(body: String, pointers: [String]) throws {
        let fixture = try Fixture()
        let error = failure {
            let json = try JSONValue(parsing: body)
            do { try fixture.create(json) } catch let error as DefinitionIssues {
                throw FlagStoreError.invalid(error.issues)
            }
        }
        #expect(error?.pointers == pointers)
    }

    static let invalidBodies: [(String, [String])] = [
        ("[]", [""]),
        ("{}", ["/flagKey", "/description", "/owner", "/defaultEnabled"]),
        (
            #"{"flagKey":"..","description":"","owner":7,"defaultEnabled":1}"#,
            ["/flagKey", "/description", "/owner", "/defaultEnabled"]
        ),
        (
            #"{"flagKey":"a","description":"d","owner":"o","defaultEnabled":true,"colour":"red","x/y":1}"#,
            ["/colour", "/x~1y"]
        ),
        (#"{"flagKey":"a\u0007","description":"d","owner":"o","defaultEnabled":true}"#, ["/flagKey"]),
        (
            #"{"flagKey":"a","description":"d","owner":"o","defaultEnabled":true,"tags":["t",1,""]}"#,
            ["/tags/1", "/tags/2"]
        ),
        (
            #"{"flagKey":"a","description":"d","owner":"o","defaultEnabled":true,"expiresAt":"tomorrow"}"#,
            ["/expiresAt"]
        ),
        (
            #"{"flagKey":"a","description":"d","owner":"o","defaultEnabled":true,"environment":"moon"}"#,
            ["/environment"]
        ),
        (
            #"{"flagKey":null,"description":null,"owner":null,"defaultEnabled":null}"#,
            ["/flagKey", "/description", "/owner", "/defaultEnabled"]
        ),
        (
            #"{"flagKey":"a","description":"d","owner":"o","defaultEnabled":true,"rollout":{"percentage":null}}"#,
            ["/rollout/percentage"]
        ),
        (
            #"{"flagKey":"a","description":"d","owner":"o","defaultEnabled":true,"rollout":{"percentage":1,"#
                + #""startAt":null,"endAt":"2026-02-01T00:00:00Z"}}"#,
            ["/rollout/endAt"]
        ),
    ]

    @Test("Null is as if the member were not there, of either spelling")
    func nulls() throws {
        let fixture = try Fixture()
        let optional = [
            "rollout", "requires", "tags", "expiresAt", "environment", "version", "createdAt", "updatedAt", "stale",
            "state", "variants", "defaultVariant", "targeting", "metadata",
        ]
        let nulls = JSONValue.object(JSONObject(optional.map { (key: $0, value: .null) }))
        guard case .object(var simple) = Fixture.simple("a"), case .object(let absent) = nulls else { return }
        for (name, value) in absent.members { simple[name] = value }
        #expect(try fixture.create(.object(simple)).rule == .simple(defaultEnabled: true))
        let full: JSONValue = [
            "flagKey": "b", "description": "d", "owner": "o", "defaultEnabled": .null, "state": "ENABLED",
            "variants": ["x": 1], "defaultVariant": .null, "targeting": .null, "metadata": .null,
        ]
        #expect(try fixture.create(full).json(at: Fixture.start)["variants"] == ["x": 1])
    }

    @Test(
        "Limits hold to the character",
        arguments: [
            ("flagKey", 128, "/flagKey"), ("description", 500, "/description"), ("owner", 100, "/owner"),
        ])
    func limits(member: String, limit: Int, pointer: String) throws {
        let fixture = try Fixture()
        guard case .object(var body) = Fixture.simple("a") else { return }
        body[member] = .string(String(repeating: "\u{1F600}", count: limit))
        try fixture.create(.object(body))
        body[member] = .string(String(repeating: "x", count: limit + 1))
        #expect(throws: DefinitionIssues.self) { try fixture.create(.object(body)) }
    }

    @Test("A flag of more than 300 KB is refused")
    func size() throws {
        let fixture = try Fixture()
        let text = JSONValue.string(String(repeating: "x", count: 310_000))
        let body: JSONValue = [
            "flagKey": "big", "description": "d", "owner": "o", "state": "ENABLED", "variants": ["a": text],
            "defaultVariant": "a",
        ]
        #expect(failure { try fixture.create(body) }?.pointers == [""])
    }
}

@Suite("The ETag of a flag")
struct EntityTagTests {
    @Test("It is the same for the same flag, and another after any change, also when the version is the same again")
    func changes() throws {
        let fixture = try Fixture()
        let first = try fixture.createSimple("a")
        #expect(try fixture.repository.flag("a", in: .development).entityTag() == first.entityTag())
        #expect(try fixture.patch("a", ["owner": "x"]).entityTag() != first.entityTag())
        try fixture.delete("a")
        let second = try fixture.createSimple("a", at: Fixture.start + 1)
        #expect(second.version == first.version)
        #expect(second.entityTag() != first.entityTag())
        var byHand = second
        byHand.owner = "somebody"
        #expect(byHand.entityTag() != second.entityTag())
    }
}
