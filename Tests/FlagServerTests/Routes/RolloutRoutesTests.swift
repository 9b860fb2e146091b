import FlagCore
import JSON
import Testing

@testable import FlagServer

@Suite("Rollouts through the routes")
struct RolloutRoutesTests {
    private static let ramp =
        #""defaultEnabled":false,"rollout":{"percentage":100,"startAt":"2026-01-02T04:00:00Z","#
        + #""endAt":"2026-01-02T05:00:00Z"}"#

    @Test("are stored, shown, changed and taken away with the flag")
    func crud() throws {
        let server = try RouteServer()
        try server.create("new", #""defaultEnabled":false,"rollout":{"percentage":12.5,"regions":["eu"]}"#)
        let flag = try server.send("GET", "/api/flags/new").json
        #expect(flag["rollout"] == ["percentage": 12.5, "regions": ["eu"]])
        let back = try server.send("PUT", "/api/flags/new", flag.serialized())
        #expect(back.status == 200)
        #expect(back.json["rollout"] == flag["rollout"])
        let patched = try server.send("PATCH", "/api/flags/new", #"{"rollout":{"percentage":100,"regions":null}}"#).json
        #expect(patched["rollout"] == ["percentage": 100])
        #expect(try server.ofrep("new", #"{"targetingKey":"u"}"#).json["reason"] == "SPLIT")
        #expect(try server.send("PATCH", "/api/flags/new", #"{"rollout":null}"#).json["rollout"] == nil)
        #expect(try server.ofrep("new", #"{"targetingKey":"u"}"#).json["reason"] == "STATIC")
    }

    @Test("answer SPLIT and rollout, and the default for whom they are not meant")
    func answers() throws {
        let server = try RouteServer()
        try server.create("new", #""defaultEnabled":false,"rollout":{"percentage":100,"regions":["eu"]}"#)
        func ask(_ region: String) throws -> JSONValue {
            try server.send(
                "POST", "/api/evaluate",
                #"{"tenantId":"t","flagKey":"new","userId":"u","metadata":{"region":"\#(region)"}}"#
            ).json
        }
        #expect(try ask("eu")["reason"] == "rollout")
        #expect(try ask("eu")["enabled"] == true)
        #expect(try ask("us")["reason"] == "default")
        #expect(try ask("us")["enabled"] == false)
        let metrics = try server.send("GET", "/metrics").body
        #expect(metrics.contains(#"flag_server_evaluations_total{interface="api",reason="rollout"} 2"#))
    }

    @Test("are refused with pointers, and beside the full spelling")
    func refused() throws {
        let server = try RouteServer()
        let head = #"{"flagKey":"new","description":"A flag","owner":"tests","#
        let wrong = try server.send(
            "POST", "/api/flags",
            head + #""defaultEnabled":false,"rollout":{"percentage":101,"businessHours":{"timeZone":"Mars/Olympus","#
                + #""from":"09:00","to":"17:00"}}}"#)
        #expect(wrong.status == 400)
        #expect(wrong.pointers == ["/rollout/percentage", "/rollout/businessHours/timeZone"])
        let full = try server.send(
            "POST", "/api/flags", head + #""state":"ENABLED","variants":{"on":true},"rollout":{"percentage":1}}"#)
        #expect(full.status == 400)
        #expect(full.pointers == ["/rollout"])
    }

    @Test("keep a bulk answer's entity tag as long as the answer stays, and not longer")
    func entityTag() throws {
        let server = try RouteServer()
        try server.create("ramp", Self.ramp)
        try server.create("still")
        let context = #"{"targetingKey":"user-1"}"#
        let first = try server.bulk(context)
        let tag = try #require(first.fields["etag"])
        #expect(try server.bulk(context, ifNoneMatch: tag).status == 304)
        // The ramp begins in about an hour and takes one: step through both, minute by minute.
        var changes = 0
        var last = first.body
        var lastTag = tag
        for _ in 0..<125 {
            server.advance(byMilliseconds: 60_000)
            let again = try server.bulk(context, ifNoneMatch: lastTag)
            if again.status == 304 { continue }
            #expect(again.body != last)
            changes += 1
            last = again.body
            lastTag = try #require(again.fields["etag"])
        }
        #expect(changes == 1)
        #expect(last.contains(#""key":"ramp","reason":"SPLIT","variant":"on""#))
    }
}
