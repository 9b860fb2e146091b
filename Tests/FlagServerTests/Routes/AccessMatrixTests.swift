import FlagCore
import Foundation
import HTTPRouting
import JSON
import TestSupport
import Testing

@testable import Access
@testable import Administration
@testable import FlagServer

/// `docs/access.md` says of every route who may call it. This asks.
@Suite("Access matrix")
struct AccessMatrixTests {
    /// One route: how it is asked so that nothing but the caller can keep it from being done.
    private struct Sample {
        let target: String
        var body: String?
    }

    private static let flag = #"{"flagKey":"m","description":"A","owner":"o","defaultEnabled":true}"#
    private static let segment =
        #"{"name":"s","description":"A","owner":"o","condition":{"==":[{"var":"plan"},"pro"]}}"#
    private static let override = #"{"enabled":true,"updatedBy":"x"}"#
    private static let switching = #"{"flagKey":"m","reason":"x","activatedBy":"x","force":true}"#
    private static let ending = #"{"flagKey":"m","reason":"x","deactivatedBy":"x"}"#
    private static let schedule =
        #"{"at":"2026-01-03T00:00:00Z","onConflict":"force","operation":{"operation":"setOverride","name":"m","#
        + #""tenantId":"mine","body":\#(override)}}"#
    private static let freeze =
        #"{"environment":"development","from":"2026-06-01T00:00:00Z","to":"2026-06-02T00:00:00Z","reason":"x"}"#
    private static let change = #"{"description":"B"}"#
    private static let evaluation = #"{"tenantId":"mine","flagKey":"m"}"#

    /// What routes are sent that take content.
    private static let bodies: [String: String] = [
        "POST /ofrep/v1/evaluate/flags/{key}": "{}", "POST /ofrep/v1/evaluate/flags": "{}",
        "POST /api/evaluate": evaluation, "POST /api/evaluate/batch": #"{"tenantId":"mine","flagKeys":["m"]}"#,
        "POST /api/explain": evaluation, "POST /api/flags": flag, "PUT /api/flags/{flagKey}": flag,
        "PATCH /api/flags/{flagKey}": change, "PUT /api/flags/by-key/{flagKey}": flag, "POST /api/segments": segment,
        "PUT /api/segments/{name}": segment, "PATCH /api/segments/{name}": change,
        "POST /api/segments/{name}/keys": #"{"add":["a"]}"#, "PUT /api/segments/{name}/keys": #"{"keys":["a"]}"#,
        "PUT /api/tenants/{tenantId}/flags/{flagKey}": override, "POST /api/emergency/kill-switch": switching,
        "DELETE /api/emergency/kill-switch": ending, "POST /api/emergency/kill-switch/deactivate": ending,
        "POST /api/flags/{flagKey}/rollback": #"{"version":1}"#,
        "POST /api/segments/{name}/rollback": #"{"version":1}"#,
        "POST /api/tenants/{tenantId}/flags/{flagKey}/rollback": #"{"entry":1}"#,
        "POST /api/flags/{flagKey}/promote": #"{"from":"staging","to":"development"}"#,
        "POST /api/import": #"{"flags":[]}"#, "POST /api/schedules": schedule,
        "POST /api/freezes": freeze, "POST /api/proposals/{proposalId}/comments": #"{"text":"x"}"#,
        "PATCH /api/schedules/{scheduleId}": #"{"reason":"B"}"#,
        "POST /api/keys": #"{"name":"a","kind":"server","environment":"*"}"#,
        "POST /api/access-keys": #"{"name":"a","policy":{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}}"#,
        "POST /api/users": #"{"name":"a","roles":{}}"#, "PUT /api/users/{userName}/roles": #"{"roles":{}}"#,
        "PUT /api/account/password": #"{"password":"a","newPassword":"b"}"#,
        "POST /api/account/totp": #"{"password":"a"}"#, "POST /api/account/totp/confirm": #"{"code":"1"}"#,
        "POST /api/account/recovery-codes": #"{"password":"a"}"#,
        "POST /api/keys/{selector}/rotate": "{}", "POST /api/backups": #"{"table":"none"}"#,
        "POST /api/auth/token": "none", "POST /api/auth/session": "none",
        "POST /api/hooks/alertmanager": #"{"alerts":[]}"#,
        "POST /api/restore": #"{"backup":"none"}"#, "PUT /api/continuous-backups": #"{"table":"none"}"#,
    ]

    /// How a route is asked. Those of an environment are asked in development.
    ///
    /// - Parameter made: the identifiers of what was made for it.
    private static func sample(_ route: String, _ made: [(name: String, value: String)] = []) -> Sample {
        var path = String(route.drop { $0 != " " }.dropFirst())
        for (name, value) in [
            ("flagKey", "m"), ("key", "m"), ("name", "s"), ("tenantId", "mine"), ("selector", "none"),
            ("backupId", "none"), ("workId", "none"), ("accessKeyId", "none"), ("userName", "none"), ("version", "1"),
            ("sequence", "1"),
        ] + made { path = path.replacing("{\(name)}", with: value) }
        let lists = ["GET /api/freezes", "GET /api/proposals", "GET /api/schedules", "POST /api/schedules"]
        let isOfEnvironment =
            [
                "/ofrep/", "/api/evaluate", "/api/explain", "/api/flags", "/api/segments",
                "/api/tenants", "/api/emergency", "/api/import", "/api/export",
            ].contains { path.hasPrefix($0) } || lists.contains(route)
        let versions = path.hasSuffix("/diff") ? "&from=1" : ""
        return Sample(
            target: path + (isOfEnvironment ? "?environment=development\(versions)" : ""), body: bodies[route])
    }

    /// The table of the page: the answers by route and caller.
    private static func table() throws -> (callers: [String], rows: [(route: String, cells: [String])]) {
        let page = try String(contentsOfFile: Repository.root + "/docs/access.md", encoding: .utf8)
        let lines = page.split(separator: "\n").map(String.init)
        let start = try #require(lines.firstIndex { $0.hasPrefix("| route |") })
        func cells(_ line: String) -> [String] {
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let rows = lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map { line in
            let cells = cells(line)
            return (cells[0].replacing("`", with: ""), Array(cells.dropFirst()))
        }
        return (Array(cells(lines[start]).dropFirst()), rows)
    }

    @Test("The page has every route, once")
    func complete() throws {
        let declared = ServedRoutes.declarations.map { "\($0.method.name) \($0.pattern.openAPIPath)" }
        #expect(try Self.table().rows.map(\.route).sorted() == declared.sorted())
    }

    @Test("Every route lets in whom the page lets in, and nobody else")
    func answers() throws {
        let server = try RouteServer(requiresAuthentication: true)
        let ended = try server.makeKey(.admin, roles: [.admin], lifetime: .hours(1))
        server.advance(byMilliseconds: 3_600_001)
        let keys: [String: String?] = [
            "nobody": nil, "server": try server.makeKey(.server, environment: .development),
            "client": try server.makeKey(.client, environment: .development),
            "viewer": try server.makeKey(.admin, roles: [.viewer]),
            "editor": try server.makeKey(.admin, roles: [.editor]),
            "operator": try server.makeKey(.admin, roles: [.operator]),
            "admin": try server.makeKey(.admin, roles: [.admin]),
            "elsewhere": try server.makeKey(.admin, environment: .staging, roles: [.admin]),
            "bound": try server.makeKey(.admin, roles: [.admin], tenant: "mine"), "ended": ended,
        ]
        let (callers, rows) = try Self.table()
        #expect(Set(callers) == Set(keys.keys))
        let admin = [("X-API-Key", try #require(keys["admin"] ?? nil))]
        let made = try server.send("POST", "/api/schedules?environment=development", Self.schedule, admin)
        let schedule = try #require(made.json["id"]?.stringValue, "\(made.body)")
        let ids = [("scheduleId", schedule)] + (try Self.makeHeldChanges(server, as: admin))
        for (route, cells) in rows {
            let method = String(route.prefix { $0 != " " })
            let sample = Self.sample(route, ids)
            for (caller, expected) in zip(callers, cells) {
                let key = try #require(keys[caller])
                // Who is let in there is told that this cannot be read.
                let more = route.contains("POST /api/auth/") ? [("Content-Type", "text/csv")] : []
                let answer = try server.send(
                    method, sample.target, sample.body, (key.map { [("X-API-Key", $0)] } ?? []) + more)
                let told = [401, 403].contains(answer.status) ? "\(answer.status)" : "yes"
                #expect(told == expected, "\(caller) at \(route): \(answer.status) \(answer.body.prefix(200))")
                // What was let in was understood as well: it is no other mistake that was seen.
                #expect(![400, 405, 421].contains(answer.status), "\(route): \(answer.status) \(answer.body)")
            }
        }
    }

    /// Has a freeze made, and an override proposed, by somebody else than those who are asked.
    private static func makeHeldChanges(
        _ server: RouteServer, as admin: [(String, String)]
    ) throws -> [(name: String, value: String)] {
        let author = [("X-API-Key", try server.makeKey(.admin, roles: [.admin]))]
        let flag = #"{"flagKey":"guarded","description":"A","owner":"o","defaultEnabled":true,"approvals":5}"#
        _ = try server.send("POST", "/api/flags?environment=development", flag, author)
        let proposal = try server.send(
            "PUT", "/api/tenants/mine/flags/guarded?environment=development", override, author)
        let freeze = try server.send("POST", "/api/freezes", freeze, admin)
        return [
            ("proposalId", try #require(proposal.json["id"]?.stringValue, "\(proposal.body)")),
            ("freezeId", try #require(freeze.json["id"]?.stringValue, "\(freeze.body)")),
        ]
    }

    @Test("Who may not come in learns nothing of what there is")
    func silence() throws {
        let server = try RouteServer(requiresAuthentication: true)
        for target in ["/api/flags/none", "/api/flags", "/nowhere", "/API/flags", "/api/flags/", "//api/flags"] {
            for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
                #expect(try server.send(method, target).status == 401, "\(method) \(target)")
            }
        }
    }
}
