import DynamoModel
import FlagCache
import FlagCore
import JSON
import Testing

@testable import Access
@testable import FlagStore

@Suite("Promotions")
struct PromotionTests {
    private static let ruled: JSONValue = [
        "flagKey": "chat", "description": "d", "owner": "o", "state": "ENABLED",
        "variants": ["on": true, "off": false], "defaultVariant": "off",
        "targeting": ["if": [["segment": "beta"], "on"]],
    ]

    private func segment(
        _ name: String, owner: String = "o", condition: JSONValue? = nil, keys: [String] = [],
        in environment: Environment, _ fixture: Fixture
    ) throws {
        var json: JSONObject = ["name": .string(name), "description": "d", "owner": .string(owner)]
        json["condition"] = condition
        let draft = try SegmentDraft(json: .object(json))
        _ = try fixture.wait { fixture.repository.createSegment(draft, in: .tests(environment), completion: $0) }
        if !keys.isEmpty {
            _ = try fixture.repository.replaceKeys(ofSegment: name, by: keys, in: .tests(environment))
        }
    }

    private func promote(
        _ fixture: Fixture, dryRun: Bool = false, expecting version: Int64? = nil
    ) throws -> FlagPromotion.Effect {
        let operation = try FlagOperation(
            .promoteFlag, of: "chat",
            body: ["from": "staging", "to": "production", "dryRun": .bool(dryRun), "reason": "tested"],
            expecting: version)
        #expect(operation.bodyEnvironment == .production && operation.readEnvironment == .staging)
        let written = try fixture.wait {
            fixture.repository.apply(
                operation, in: .tests(.production), listed: { _, _ in .empty }, completion: $0)
        }
        guard case .promoted(let result) = written else { throw FlagStoreError.conflict(name: "\(written)") }
        return result
    }

    /// In staging a flag that names a segment that names another, with keys.
    private func staged() throws -> Fixture {
        let fixture = try Fixture()
        try segment("inner", keys: (0..<250).map { "u\($0)" }, in: .staging, fixture)
        try segment("beta", condition: ["segment": "inner"], keys: ["vip"], in: .staging, fixture)
        try fixture.create(Self.ruled, in: .staging)
        try fixture.putOverride("acme", "chat", in: .staging)
        return fixture
    }

    @Test("A flag comes with the segments that it names and those that these name, and without its overrides")
    func whole() throws {
        let fixture = try staged()
        let result = try promote(fixture)
        #expect(result.change.isNew && result.segments.map(\.name) == ["inner", "beta"])
        #expect(result.segments.map(\.added.count) == [250, 1])
        let repository = fixture.repository
        let flag = try repository.flag("chat", in: .production)
        #expect(try flag.rule == repository.flag("chat", in: .staging).rule && flag.version == 1)
        #expect(try repository.allKeys(ofSegment: "inner", in: .production).count == 250)
        #expect(try repository.overrides(ofFlag: "chat", in: .production).records.isEmpty)
    }

    @Test("Done again it changes nothing")
    func again() throws {
        let fixture = try staged()
        _ = try promote(fixture)
        let revision = try fixture.repository.revision(of: .production)
        let result = try promote(fixture)
        #expect(result.change.isNone && result.segments.allSatisfy(\.isNone))
        #expect(try fixture.repository.revision(of: .production) == revision)
    }

    @Test("What differs is told before it is changed, in words and as a patch")
    func difference() throws {
        let fixture = try staged()
        try segment("inner", owner: "other", keys: ["u0", "gone"], in: .production, fixture)
        try segment("beta", condition: ["segment": "inner"], keys: ["vip"], in: .production, fixture)
        try fixture.create(
            [
                "flagKey": "chat", "description": "d", "owner": "o", "state": "DISABLED",
                "variants": ["on": true, "off": false], "defaultVariant": "off",
            ], in: .production)
        let revision = try fixture.repository.revision(of: .production)
        let planned = try promote(fixture, dryRun: true)
        #expect(try fixture.repository.revision(of: .production) == revision)
        #expect(
            planned.change.difference.words == [
                "state DISABLED → ENABLED", "targeting added", "rule 1 added: segment beta → on",
            ])
        #expect(planned.segments.map(\.isNone) == [false, true])
        #expect(planned.segments[0].change.difference.words == ["owner other → o"])
        #expect(planned.segments[0].added.count == 249 && planned.segments[0].removed.first == ["gone"])
        _ = try promote(fixture)
        let keys = try fixture.repository.allKeys(ofSegment: "inner", in: .production)
        #expect(keys.count == 250 && !keys.contains("gone"))
    }

    @Test("What the flag needs and is not there is told, and nothing is changed")
    func refused() throws {
        let fixture = try staged()
        try fixture.createSimple("base", in: .staging)
        try fixture.patch("chat", ["requires": [["flagKey": "base", "variant": "on"]]], in: .staging)
        #expect(failure { _ = try promote(fixture) }?.pointers == ["/requires/0/flagKey"])
        #expect(try fixture.repository.segments(in: .production).records.isEmpty)
        try fixture.createSimple("base", in: .production)
        guard case .versionMismatch? = failure({ _ = try promote(fixture, expecting: 3) }) else {
            Issue.record("there is no version 3")
            return
        }
        _ = try promote(fixture)
        try fixture.delete("chat", in: .staging)
        guard case .nothingToPromote(_, .staging)? = failure({ _ = try promote(fixture) }) else {
            Issue.record("there is nothing to promote")
            return
        }
    }

    @Test("What was stopped half way is complete when it is done again, and never names what is not there")
    func stopped() throws {
        let fixture = try staged()
        // As after the first segment and half of its keys.
        try segment("inner", keys: ["u0", "u1"], in: .production, fixture)
        _ = try promote(fixture)
        #expect(try fixture.repository.allKeys(ofSegment: "inner", in: .production).count == 250)
        #expect(try fixture.repository.flag("chat", in: .production).version == 1)
    }
}
