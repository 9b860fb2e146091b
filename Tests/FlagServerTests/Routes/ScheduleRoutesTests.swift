import FlagCore
import JSON
import TestSupport
import Testing

@testable import Access
@testable import FlagServer

@Suite("Schedules")
struct ScheduleRoutesTests {
    /// A minute after the clock of a server at its start.
    private static let soon = "2026-01-02T03:05:05.678Z"
    private static let turning = #"{"operation":"patchFlag","name":"chat","body":{"defaultEnabled":true}}"#

    private static func body(
        _ operation: String = turning, at time: String = soon, _ more: String = ""
    ) -> String { #"{"at":"\#(time)","operation":\#(operation)\#(more)}"# }

    private static func server() throws -> RouteServer {
        let server = try RouteServer()
        try server.create("chat", #""defaultEnabled":false"#)
        return server
    }

    @Test("A schedule is made, read, listed, and applied when its time comes")
    func life() throws {
        let server = try Self.server()
        let made = try server.send("POST", "/api/schedules", Self.body(at: Self.soon, #","reason":"go live""#))
        #expect(made.status == 201, "\(made.body)")
        let id = try #require(made.json["id"]?.stringValue)
        #expect(made.fields["location"] == "/api/schedules/\(id)")
        #expect(made.json["state"] == "waiting" && made.json["at"] == .string(Self.soon))
        #expect(made.json["operation"]?["expectedVersion"] == 1 && made.json["onConflict"] == "refuse")
        #expect(made.json["reason"] == "go live" && made.json["createdBy"] == "anonymous")
        let read = try server.send("GET", "/api/schedules/\(id)")
        #expect(read.status == 200 && read.json == made.json && read.fields["etag"] == made.fields["etag"])
        let tag = try #require(read.fields["etag"])
        #expect(try server.send("GET", "/api/schedules/\(id)", nil, [("If-None-Match", tag)]).status == 304)
        for query in ["", "?state=waiting", "?flag=chat"] {
            #expect(try server.send("GET", "/api/schedules\(query)").json["schedules"] == .array([made.json]))
        }
        for query in ["?state=ended", "?flag=other", "?environment=staging"] {
            #expect(try server.send("GET", "/api/schedules\(query)").json["schedules"] == [])
        }
        server.advance(byMilliseconds: 60_000)
        try waitUntil { try server.send("GET", "/api/schedules/\(id)").json["state"] == "applied" }
        let flag = try server.send("GET", "/api/flags/chat").json
        #expect(flag["defaultEnabled"] == true && flag["version"] == 2)
        #expect(try server.send("GET", "/api/schedules?state=applied").json["schedules"]?.arrayValue?.count == 1)
        #expect(try server.send("GET", "/api/schedules").json["schedules"] == [])
        let metrics = try server.send("GET", "/metrics").body
        #expect(metrics.contains(#"flag_server_schedules_total{result="applied"} 1"#))
    }

    @Test("It is changed and taken back, by whoever has seen how it is, as long as it waits")
    func change() throws {
        let server = try Self.server()
        let made = try server.send("POST", "/api/schedules", Self.body())
        let path = try #require(made.fields["location"])
        let tag = [("If-Match", try #require(made.fields["etag"]))]
        let later = #"{"at":"2026-01-02T05:00:00+01:00","reason":"later","onConflict":"force"}"#
        let changed = try server.send("PATCH", path, later, tag)
        #expect(changed.status == 200, "\(changed.body)")
        #expect(changed.json["at"] == "2026-01-02T04:00:00.000Z" && changed.json["reason"] == "later")
        #expect(changed.json["operation"]?["expectedVersion"] == nil && changed.json["version"] == 2)
        #expect(try server.send("PATCH", path, later, tag).code == "version_mismatch")
        #expect(try server.send("DELETE", path, nil, tag).code == "version_mismatch")
        let back = try server.send("PATCH", path, #"{"onConflict":"refuse"}"#)
        #expect(back.json["operation"]?["expectedVersion"] == 1)
        let cancelled = try server.send("DELETE", path, nil, [("X-Change-Reason", "not this year")])
        #expect(cancelled.json["state"] == "cancelled" && cancelled.json["detail"] == "not this year")
        #expect(cancelled.json["endedBy"] == "anonymous")
        #expect(try server.send("DELETE", path).code == "schedule_ended")
        #expect(try server.send("PATCH", path, later).code == "schedule_ended")
        #expect(try server.send("GET", "/api/schedules/01KEYB3VXK8Z4N5Q6R7S8T9V0W").code == "schedule_not_found")
        #expect(try server.send("GET", "/api/schedules/none").code == "schedule_not_found")
        server.advance(byMilliseconds: 3 * 3_600_000)
        #expect(try server.send("GET", "/api/flags/chat").json["version"] == 1)
    }

    @Test("Every change can be asked for with the time when it is to be made")
    func query() throws {
        let server = try Self.server()
        let at = "at=2026-01-02T04:05:05.678%2B01:00"
        let changes = [
            ("PATCH", "/api/flags/chat", #"{"defaultEnabled":true,"reason":"later"}"#),
            ("PUT", "/api/tenants/acme/flags/chat", #"{"enabled":true,"updatedBy":"me"}"#),
            ("POST", "/api/emergency/kill-switch", #"{"flagKey":"chat","reason":"r","activatedBy":"me"}"#),
            ("DELETE", "/api/flags/chat", nil),
        ]
        for (method, path, body) in changes {
            let made = try server.send(method, "\(path)?\(at)", body)
            #expect(made.status == 202, "\(made.body)")
            #expect(made.json["at"] == .string(Self.soon))
            let place = try #require(made.fields["location"])
            #expect(try server.send("GET", place).json == made.json)
        }
        #expect(try server.send("GET", "/api/flags/chat").json["defaultEnabled"] == false)
        let all = try server.send("GET", "/api/schedules").json["schedules"]?.arrayValue ?? []
        #expect(all.contains { $0["reason"] == "later" })
        let first = try server.send("GET", "/api/schedules?limit=1")
        let cursor = try #require(first.json["nextCursor"]?.stringValue)
        let rest = try server.send("GET", "/api/schedules?cursor=\(cursor)")
        #expect(rest.json["schedules"]?.arrayValue?.count == 3 && rest.json["nextCursor"] == .null)
        #expect(try server.send("GET", "/api/schedules?cursor=x").code == "invalid_query")
        // Only checked, with the response of the change.
        let checked = try server.send("PATCH", "/api/flags/chat?\(at)&dryRun=true", #"{"defaultEnabled":true}"#)
        #expect(checked.status == 200 && checked.json["version"] == 2)
        for bad in ["at=tomorrow", "at=2020-01-01T00:00:00Z", "at=2030-01-01T00:00:00Z", "\(at)&onConflict=x"] {
            #expect(try server.send("DELETE", "/api/flags/chat?\(bad)").code == "invalid_query", "\(bad)")
        }
        #expect(try server.send("DELETE", "/api/flags/chat?onConflict=force").code == "invalid_query")
    }

    @Test("What cannot be done as things are is refused, or scheduled with a warning where it is to be forced")
    func notNow() throws {
        let server = try Self.server()
        let missing = #"{"operation":"deleteFlag","name":"none"}"#
        #expect(try server.send("POST", "/api/schedules", Self.body(missing)).code == "flag_not_found")
        let forced = try server.send("POST", "/api/schedules", Self.body(missing, #","onConflict":"force""#))
        #expect(forced.status == 201 && forced.json["warning"]?.stringValue?.contains("There is no flag none") ?? false)
        let stale = #"{"operation":"deleteFlag","name":"chat","expectedVersion":7}"#
        #expect(try server.send("POST", "/api/schedules", Self.body(stale)).code == "version_mismatch")
        let contradiction = Self.body(stale, #","onConflict":"force""#)
        #expect(try server.send("POST", "/api/schedules", contradiction).code == "invalid_body")
        let large = (0..<40_000).map { #""key-number-\#($0)""# }.joined(separator: ",")
        let keys = #"{"operation":"replaceSegmentKeys","name":"s","body":{"keys":[\#(large)]}}"#
        #expect(
            try server.send("POST", "/api/schedules", Self.body(keys, #","onConflict":"force""#)).code
                == "content_too_large")
    }

    @Test(
        "What is wrong with a body is told by its place",
        arguments: [
            (#"{}"#, ["/at", "/operation"]),
            (#"{"at":"2026-01-02","operation":{"operation":"x"}}"#, ["/at", "/operation/operation"]),
            (body(at: "2026-01-01T00:00:00Z"), ["/at"]), (body(at: "2028-03-01T00:00:00Z"), ["/at"]),
            (body(at: "2026-01-02T05:00:00"), ["/at"]),
            (body(turning, #","onConflict":"perhaps","environment":"mars""#), ["/environment", "/onConflict"]),
            (body(turning, #","when":1"#), ["/when"]),
            (body(#"{"operation":"patchFlag","body":{}}"#), ["/operation/name"]),
            (body(#"{"operation":"patchFlag","name":"chat"}"#), ["/operation/body"]),
            (body(#"{"operation":"deleteFlag","name":"chat","body":{}}"#), ["/operation/body"]),
            (body(#"{"operation":"createFlag","name":"chat","body":{}}"#), ["/operation/name"]),
            (body(#"{"operation":"setOverride","name":"chat","body":{}}"#), ["/operation/tenantId"]),
            (body(#"{"operation":"patchFlag","name":"chat","body":{"colour":1}}"#), ["/operation/body/colour"]),
        ])
    func invalid(body: String, pointers: [String]) throws {
        let answer = try Self.server().send("POST", "/api/schedules", body)
        #expect(answer.code == "invalid_body", "\(answer.body)")
        let told = (answer.json["errors"]?.arrayValue ?? []).compactMap { $0["pointer"]?.stringValue }
        #expect(told == pointers, "\(answer.body)")
    }

    @Test("Whoever schedules needs what the change needs, then and when it is applied")
    func rights() throws {
        let server = try RouteServer(requiresAuthentication: true)
        func fields(_ key: String) -> [(String, String)] { [("X-API-Key", key)] }
        let admin = fields(try server.makeKey(.admin, roles: [.admin]))
        let editor = fields(try server.makeKey(.admin, roles: [.editor]))
        let onCall = fields(try server.makeKey(.admin, roles: [.operator]))
        let bound = fields(try server.makeKey(.admin, roles: [.admin], tenant: "mine"))
        let flag = #"{"flagKey":"chat","description":"d","owner":"o","defaultEnabled":false}"#
        #expect(try server.send("POST", "/api/flags", flag, admin).status == 201)
        let killing = #"{"operation":"setKillSwitch","body":{"flagKey":"chat","reason":"r","activatedBy":"me"}}"#
        func setting(_ tenant: String) -> String {
            #"{"operation":"setOverride","name":"chat","tenantId":"\#(tenant)","#
                + #""body":{"enabled":true,"updatedBy":"me"}}"#
        }
        func schedule(_ operation: String, _ fields: [(String, String)]) throws -> TestResponse {
            try server.send("POST", "/api/schedules", Self.body(operation), fields)
        }
        #expect(try schedule(Self.turning, onCall).status == 403)
        #expect(try schedule(killing, editor).status == 403)
        #expect(try schedule(Self.turning, bound).status == 403)
        #expect(try schedule(setting("other"), bound).status == 403)
        #expect(try schedule(killing, onCall).status == 201)
        let own = try schedule(setting("mine"), bound)
        #expect(own.status == 201)
        let made = try schedule(Self.turning, editor)
        let path = try #require(made.fields["location"])
        #expect(try server.send("DELETE", path, nil, onCall).status == 403)
        #expect(try server.send("GET", path, nil, bound).status == 403)
        let seen = try server.send("GET", "/api/schedules", nil, bound).json["schedules"]
        #expect(seen == .array([own.json]))
        // The editor's key is revoked before the time comes.
        let selector = try #require(made.json["createdBy"]?.stringValue?.split(separator: " ").last)
        #expect(try server.send("DELETE", "/api/keys/\(selector)", nil, admin).status == 200)
        server.advance(byMilliseconds: 60_000)
        try waitUntil { try server.send("GET", path, nil, admin).json["state"] == "refused" }
        #expect(
            try server.send("GET", path, nil, admin).json["detail"]?.stringValue?.hasSuffix(
                "may not change flags in development any more") ?? false)
        try waitUntil { try server.send("GET", "/api/schedules", nil, admin).json["schedules"] == [] }
        #expect(try server.send("GET", "/api/flags/chat", nil, admin).json["defaultEnabled"] == false)
        #expect(try server.send("GET", "/api/tenants/mine/flags/chat", nil, admin).json["enabled"] == true)
        let killed = try server.send("GET", "/api/emergency/kill-switch", nil, admin).json["killSwitches"]
        #expect(killed?.arrayValue?.count == 1)
    }
}
