import FlagCore
import JSON
import Testing

@testable import FlagServer

@Suite("POST /api/explain")
struct ExplainRouteTests {
    private static let targeted =
        #""variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"and":["#
        + #"{"==":[{"var":"plan"},"pro"]},{"in":[{"var":"country"},["de","at","ch"]]}]},"on",null]}"#

    @Test("shows every operator with its arguments and its result")
    func operators() throws {
        let server = try RouteServer()
        try server.create("search", Self.targeted)
        let answer = try explain(server, "search", #"{"plan":"pro","country":"at"}"#)
        #expect(answer["enabled"] == true)
        #expect(answer["reason"] == "targeting")
        #expect(answer["changesAt"] == .null)
        #expect(steps(answer) == ["kill_switch", "state", "tenant_override", "targeting"])
        let rule = answer["trace"]?.arrayValue?.last?["rule"]
        let expected: JSONValue = [
            "operator": "if",
            "arguments": [
                [
                    "operator": "and",
                    "arguments": [
                        [
                            "operator": "==",
                            "arguments": [
                                ["operator": "var", "arguments": [["value": "plan"]], "result": "pro"],
                                ["value": "pro"],
                            ],
                            "result": true,
                        ],
                        [
                            "operator": "in",
                            "arguments": [
                                ["operator": "var", "arguments": [["value": "country"]], "result": "at"],
                                ["value": ["de", "at", "ch"]],
                            ],
                            "result": true,
                        ],
                    ],
                    "result": true,
                ],
                ["value": "on"], ["value": .null],
            ],
            "result": "on",
        ]
        #expect(rule == expected)
    }

    @Test("says what was not evaluated, and that the default decided")
    func notEvaluated() throws {
        let server = try RouteServer()
        try server.create("search", Self.targeted)
        let answer = try explain(server, "search", #"{"plan":"free"}"#)
        #expect(answer["reason"] == "default")
        #expect(steps(answer) == ["kill_switch", "state", "tenant_override", "targeting", "default"])
        let rule = answer["trace"]?.arrayValue?.dropLast().last?["rule"]
        let and = rule?["arguments"]?.arrayValue?.first
        #expect(and?["arguments"]?.arrayValue?.last == ["notEvaluated": true])
    }

    @Test("shows hash and bucket, and when a rollout changes the answer next")
    func rollout() throws {
        let server = try RouteServer()
        try server.create(
            "new",
            #""defaultEnabled":false,"rollout":{"percentage":100,"startAt":"2026-01-02T04:00:00Z","#
                + #""endAt":"2026-01-02T05:00:00Z"}"#)
        let answer = try explain(server, "new", "{}")
        #expect(answer["reason"] == "rollout")
        #expect(answer["enabled"] == false)
        let rule = answer["trace"]?.arrayValue?.last?["rule"]
        #expect(rule?["operator"] == "rollout")
        #expect(rule?["of"] == 10_000)
        #expect(rule?["below"] == 0)
        let bucket = try #require(rule?["bucket"]?.numberValue?.int64)
        let change = try #require(answer["changesAt"]?.stringValue.flatMap { Timestamp(rfc3339: $0) })
        let start = try #require(Timestamp(rfc3339: "2026-01-02T04:00:00Z"))
        #expect(change.millisecondsSinceEpoch - start.millisecondsSinceEpoch == (bucket + 1) * 360)
        server.advance(byMilliseconds: change.millisecondsSinceEpoch - RouteServer.start.millisecondsSinceEpoch)
        #expect(try explain(server, "new", "{}")["enabled"] == true)
    }

    @Test("names the kill switch, the override or the missing flag that decided")
    func decisions() throws {
        let server = try RouteServer()
        try server.create("search", Self.targeted)
        try server.send(
            "PUT", "/api/tenants/acme/flags/search",
            #"{"enabled":true,"updatedBy":"ada","expiresAt":"2026-01-03T00:00:00Z"}"#)
        let overridden = try explain(server, "search", "{}")
        #expect(overridden["reason"] == "tenant_override")
        #expect(overridden["changesAt"] == "2026-01-03T00:00:00.000Z")
        try server.send(
            "POST", "/api/emergency/kill-switch", #"{"flagKey":"search","reason":"broken","activatedBy":"ada"}"#)
        let killed = try explain(server, "search", "{}")
        #expect(killed["reason"] == "kill_switch")
        #expect(killed["trace"]?.arrayValue?.first?["detail"] == "the flag's kill switch is on: false is served")
        let unknown = try explain(server, "nowhere", "{}")
        #expect(unknown["reason"] == "flag_not_found")
        #expect(steps(unknown) == ["flag"])
    }

    @Test("stays readable when rules or contexts are large")
    func large() throws {
        let server = try RouteServer()
        try server.create(
            "large",
            #""variants":{"on":true},"defaultVariant":"on","targeting":{"if":[{"all":[{"var":"list"},"#
                + #"{"!=":[{"var":""},"x"]}]},"on",null]}"#)
        let list = (0..<5_000).map { "\"element \($0)\"" }.joined(separator: ",")
        let answer = try explain(server, "large", #"{"list":[\#(list)]}"#)
        #expect(answer["variant"] == "on")
        #expect(answer["trace"]?.arrayValue?.last?["isCut"] == true)
        #expect(answer.serialized().utf8.count < 500_000)
        let bad = try server.send("POST", "/api/explain", "{}")
        #expect(bad.status == 400)
        #expect(bad.pointers == ["/flagKey"])
    }

    private func explain(_ server: RouteServer, _ key: String, _ metadata: String) throws -> JSONValue {
        let answer = try server.send(
            "POST", "/api/explain", #"{"tenantId":"acme","flagKey":"\#(key)","userId":"u","metadata":\#(metadata)}"#)
        #expect(answer.status == 200)
        return answer.json
    }

    private func steps(_ answer: JSONValue) -> [String] {
        (answer["trace"]?.arrayValue ?? []).compactMap { $0["step"]?.stringValue }
    }
}
