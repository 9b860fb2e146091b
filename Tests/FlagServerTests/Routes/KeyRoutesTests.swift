import FlagCore
import Foundation
import JSON
import Logging
import Platform
import Testing

@testable import Access
@testable import FlagServer

@Suite("API keys")
struct KeyRoutesTests {
    private let server: RouteServer
    private let admin: String

    init() throws {
        server = try RouteServer(loops: 2, requiresAuthentication: true)
        admin = try server.makeKey(.admin, roles: [.admin])
    }

    private func send(
        _ method: String, _ path: String, _ body: String? = nil, key: String?
    ) throws -> TestResponse {
        try server.send(method, path, body, key.map { [("Authorization", "Bearer \($0)")] } ?? [])
    }

    private func create(_ body: String) throws -> TestResponse { try send("POST", "/api/keys", body, key: admin) }

    private func selector(_ key: String) -> String { String(key.split(separator: "_")[2]) }

    @Test("A key is handed out once, and afterwards goes by its selector")
    func created() throws {
        let made = try create(#"{"name":"shop","kind":"server","environment":"production","tenantId":"acme"}"#)
        #expect(made.status == 201)
        let key = try #require(made.json["key"]?.stringValue)
        #expect(made.json["selector"] == .string(selector(key)))
        #expect(made.json["environment"] == "production" && made.json["roles"] == [])
        #expect(made.json["tenantId"] == "acme")
        #expect(made.json["expiresAt"] == "2026-04-02T03:04:05.678Z")
        let listed = try send("GET", "/api/keys", key: admin)
        #expect(!listed.body.contains(key) && !listed.body.contains("digest"))
        let entry = try send("GET", "/api/keys/\(selector(key))", key: admin).json
        #expect(entry["state"] == "active" && entry["key"] == nil)
        #expect(entry["createdBy"] == .string("key \(selector(admin))"))
        #expect(listed.json["keys"]?.arrayValue?.contains(entry) == true)
    }

    @Test(
        "A key that makes no sense is refused with everything that is wrong",
        arguments: [
            (#"{}"#, ["/name", "/kind", "/environment"]),
            (#"{"name":"a","kind":"root","environment":"*"}"#, ["/kind"]),
            (#"{"name":"a","kind":"admin","environment":"*"}"#, ["/roles"]),
            (#"{"name":"a","kind":"server","environment":"*","roles":["viewer"]}"#, ["/roles"]),
            (#"{"name":"a","kind":"admin","environment":"*","roles":["viewer","viewer"]}"#, ["/roles", "/roles"]),
            (#"{"name":"a","kind":"admin","environment":"*","roles":["admin"],"expires":"never"}"#, ["/expires"]),
            (#"{"name":"a","kind":"server","environment":"mars","expires":"5"}"#, ["/environment", "/expires"]),
            (#"{"name":"a","kind":"server","environment":"*","key":"x"}"#, ["/key"]),
        ])
    func refused(body: String, pointers: [String]) throws {
        let answer = try create(body)
        #expect(answer.status == 400 && answer.pointers == pointers, "\(answer.body)")
    }

    @Test("A key is shown in any of three fields, and nowhere else")
    func presented() throws {
        let basic = Data("whoever:\(admin)".utf8).base64EncodedString()
        for field in [
            ("Authorization", "Bearer \(admin)"), ("authorization", "bearer   \(admin)"), ("X-API-Key", admin),
            ("Authorization", "Basic \(basic)"),
        ] {
            #expect(try server.send("GET", "/api/keys", nil, [field]).status == 200, "\(field)")
        }
        for field in [
            ("Authorization", admin), ("Authorization", "Digest \(admin)"), ("Authorization", "Bearer"),
            ("Authorization", "Basic !"), ("Cookie", admin), ("X-API-Key", ""), ("X-Forwarded-User", "admin"),
        ] {
            let answer = try server.send("GET", "/api/keys", nil, [field])
            #expect(answer.status == 401, "\(field)")
            #expect(answer.fields["www-authenticate"] == #"Bearer realm="flag-server""#)
        }
        let query = try server.send("GET", "/api/keys?key=\(admin)")
        #expect(query.status == 400 && query.code == "key_in_query")
    }

    @Test("A secret that is given another can be used until the overlap ends")
    func rotated() throws {
        let key = try server.makeKey(.server, environment: .development)
        let answer = try send("POST", "/api/keys/\(selector(key))/rotate", #"{"overlap":"2h"}"#, key: admin)
        let next = try #require(answer.json["key"]?.stringValue)
        #expect(selector(next) == selector(key) && next != key)
        for shown in [key, next] { #expect(try send("GET", "/api/whoami", key: shown).status == 200) }
        server.advance(byMilliseconds: 2 * 3_600_000)
        #expect(try send("GET", "/api/whoami", key: key).status == 401)
        #expect(try send("GET", "/api/whoami", key: next).status == 200)
        #expect(try send("POST", "/api/keys/\(selector(key))/rotate", #"{"overlap":"0h"}"#, key: admin).status == 200)
        #expect(try send("GET", "/api/whoami", key: next).status == 401)
    }

    @Test("A second renewal takes away nothing that the first promised, and says of each secret what became of it")
    func rotatedTwice() throws {
        let first = try server.makeKey(.server, environment: .development)
        var shown = [first]
        for _ in 0..<2 {
            let answer = try send("POST", "/api/keys/\(selector(first))/rotate", #"{"overlap":"2h"}"#, key: admin)
            shown.append(try #require(answer.json["key"]?.stringValue))
        }
        for key in shown { #expect(try send("GET", "/api/whoami", key: key).status == 200) }
        #expect(try send("GET", "/api/whoami", key: first).fields["api-key-expires"] == "2026-01-02T05:04:05.678Z")
        let entry = try send("GET", "/api/keys/\(selector(first))", key: admin).json
        #expect(entry["formerSecretUntil"] == "2026-01-02T05:04:05.678Z")
        server.advance(byMilliseconds: 2 * 3_600_000)
        let replaced = try send("GET", "/api/whoami", key: first)
        #expect(replaced.status == 401 && replaced.body.contains("this secret was replaced"))
        #expect(try send("GET", "/api/whoami", key: shown[2]).status == 200)
        // However often, the secrets of a key stay few.
        for _ in 0..<9 { _ = try send("POST", "/api/keys/\(selector(first))/rotate", "{}", key: admin) }
        #expect(try send("GET", "/api/keys/\(selector(first))", key: admin).status == 200)
    }

    @Test("Whoever has the whole key at hand may name it by that, and it is not said again")
    func wholeKey() throws {
        let key = try server.makeKey(.server)
        let revoked = try send("DELETE", "/api/keys/\(key)", key: admin)
        #expect(revoked.json["selector"] == .string(selector(key)) && revoked.json["state"] == "revoked")
        let mistyped = try send("DELETE", "/api/keys/\(key)x", key: admin)
        #expect(mistyped.status == 404 && !mistyped.body.contains("fsk_"))
        #expect(try create(#"{"name":"\#(key)","kind":"server","environment":"*"}"#).pointers == ["/name"])
    }

    @Test("What the program keeps for itself is in no backup, and no restore reaches it")
    func internalTables() throws {
        let directory = try TemporaryDirectory()
        let server = try RouteServer(directory: directory.path)
        _ = try server.makeKey(.server)
        let made = try server.send("POST", "/api/backups", "{}").json["id"]?.stringValue ?? ""
        for table in ["__internal.access", "__internal.history.feature-flags-local"] {
            for (method, path, body) in [
                ("POST", "/api/backups", #"{"table":"\#(table)"}"#),
                ("PUT", "/api/continuous-backups", #"{"table":"\#(table)"}"#),
                ("POST", "/api/restore", #"{"backup":"\#(made)","target":"\#(table)","replace":true}"#),
                ("POST", "/api/restore", #"{"time":"latest","table":"\#(table)","target":"copy"}"#),
            ] {
                let answer = try server.send(method, path, body)
                #expect(answer.status == 404 && answer.code == "table_not_found", "\(path) \(answer.body)")
            }
            #expect(try server.send("DELETE", "/api/continuous-backups?table=\(table)").status == 404)
            #expect(try server.send("GET", "/api/continuous-backups?table=\(table)").status == 404)
        }
    }

    @Test("A key that is revoked is refused from then on, also on connections that are open, on every loop")
    func revoked() throws {
        let key = try server.makeKey(.server, environment: .development)
        let connections = try (0..<8).map { _ in try server.connect() }
        let field = [("X-API-Key", key)]
        for connection in connections { #expect(try connection.send("GET", "/api/whoami", nil, field).status == 200) }
        let answer = try send("DELETE", "/api/keys/\(selector(key))?reason=leaked", key: admin)
        #expect(answer.json["state"] == "revoked" && answer.json["reason"] == "leaked")
        for connection in connections {
            let refused = try connection.send("GET", "/api/whoami", nil, field)
            #expect(refused.status == 401 && refused.body.contains("was revoked"))
        }
        let again = try send("POST", "/api/keys/\(selector(key))/rotate", "{}", key: admin)
        #expect(again.status == 409 && again.code == "key_ended")
        #expect(try send("GET", "/api/keys/nobody", key: admin).code == "key_not_found")
    }

    @Test("A request whose key is revoked while its content is under way is not done")
    func revokedMeanwhile() throws {
        let key = try server.makeKey(.admin, roles: [.editor])
        let connection = try server.connect()
        let body = #"{"flagKey":"late","description":"A","owner":"o","defaultEnabled":true}"#
        let request = TestConnection.request("POST", "/api/flags", body, [("X-API-Key", key)])
        let bytes = Array(request.utf8)
        try connection.write(Array(bytes.dropLast(10)))
        try waitUntil { (try? server.send("GET", "/health/live").status) == 200 }
        _ = try send("DELETE", "/api/keys/\(selector(key))", key: admin)
        try connection.write(Array(bytes.suffix(10)))
        #expect(try connection.readResponse().status == 401)
        #expect(try send("GET", "/api/flags/late", key: admin).status == 404)
    }

    @Test("A key that has ended is refused, with the time of its end")
    func expired() throws {
        let made = try create(#"{"name":"a","kind":"server","environment":"*","expires":"12h"}"#)
        let key = try #require(made.json["key"]?.stringValue)
        server.advance(byMilliseconds: 12 * 3_600_000 - 1)
        #expect(try send("GET", "/api/whoami", key: key).status == 200)
        server.advance(byMilliseconds: 1)
        let refused = try send("GET", "/api/whoami", key: key)
        #expect(refused.status == 401 && refused.body.contains("ended at 2026-01-02T15:04:05.678Z"))
        #expect(try send("GET", "/api/keys/\(selector(key))", key: admin).json["state"] == "expired")
    }

    @Test("A key that ends within 14 days is in the metrics, and in the log once a day")
    func ending() throws {
        let soon = try server.makeKey(.server, lifetime: .hours(13 * 24))
        let later = try server.makeKey(.server, lifetime: .hours(15 * 24))
        #expect(try send("GET", "/api/whoami", key: soon).fields["api-key-expires"] == "2026-01-15T03:04:05.678Z")
        #expect(try send("GET", "/api/flags", key: soon).fields["api-key-expires"] != nil, "with a refusal, too")
        #expect(try send("GET", "/api/whoami", key: later).fields["api-key-expires"] == nil)
        let page = try send("GET", "/metrics", key: admin).body
        let name = "flag_server_key_expires_timestamp_seconds"
        #expect(page.contains("\(name){selector=\"\(selector(soon))\"} 1768446245.678"))
        #expect(!page.contains(selector(later)))
        let log = RecordedLog()
        let logger = Logger(label: "test") { _ in log.handler }
        let now = Locked(RouteServer.start)
        let notices = KeyExpiryNotices(server.composition.keys, logger: logger, now: { now.withLock { $0 } })
        for _ in 0..<3 { notices.tell() }
        #expect(log.lines.map { $0.metadata["selector"] } == [selector(soon)])
        now.withLock { $0.millisecondsSinceEpoch += 86_400_000 + 3_600_000 }
        notices.tell()
        #expect(log.lines.count == 3, "another day, and another key is near its end")
    }

    @Test("Strangers learn of health whether it is there, and nothing of how")
    func health() throws {
        let stranger = try server.send("GET", "/health")
        #expect(stranger.status == 200 && stranger.body == #"{"status":"ok"}"#)
        #expect(try send("GET", "/health", key: admin).json["version"] == "1.2.3")
    }

    @Test("A use is noted by its day, once")
    func used() throws {
        let key = try server.makeKey(.server, environment: .development)
        #expect(try send("GET", "/api/whoami", key: key).status == 200)
        try waitUntil {
            (try? send("GET", "/api/keys/\(selector(key))", key: admin).json["lastUsed"]?.stringValue)?.count == 10
        }
    }

    @Test("A key is for its environment: without a name it is meant, another is refused")
    func environments() throws {
        for environment in ["development", "staging"] {
            let body = #"{"flagKey":"f","description":"A","owner":"o","defaultEnabled":true}"#
            #expect(try send("POST", "/api/flags?environment=\(environment)", body, key: admin).status == 201)
        }
        let key = try server.makeKey(.server, environment: .staging)
        let evaluate = #"{"tenantId":"t","flagKey":"f"}"#
        #expect(try send("POST", "/api/evaluate", evaluate, key: key).json["environment"] == "staging")
        #expect(try send("POST", "/ofrep/v1/evaluate/flags/f", "{}", key: key).status == 200)
        for (method, path, body) in [
            ("POST", "/api/evaluate?environment=development", evaluate),
            ("POST", "/api/evaluate", #"{"tenantId":"t","flagKey":"f","environment":"development"}"#),
            ("POST", "/api/evaluate/batch?environment=prod", #"{"tenantId":"t","flagKeys":["f"]}"#),
            ("POST", "/ofrep/v1/evaluate/flags/f?environment=development", "{}"),
            ("POST", "/ofrep/v1/evaluate/flags?environment=development", "{}"),
        ] {
            #expect(try send(method, path, body, key: key).status == 403, "\(path)")
        }
        let editor = try server.makeKey(.admin, environment: .staging, roles: [.editor])
        let body = #"{"flagKey":"g","description":"A","owner":"o","defaultEnabled":true}"#
        let made = try send("POST", "/api/flags", body, key: editor)
        #expect(made.json["environment"] == "staging")
        #expect(try send("POST", "/api/flags?environment=production", body, key: editor).status == 403)
        #expect(try send("GET", "/api/flags?environment=production", key: editor).status == 403)
    }

    @Test("What a role may is what its key may, and nothing else")
    func roles() throws {
        let flag = #"{"flagKey":"r","description":"A","owner":"o","defaultEnabled":true}"#
        let override = #"{"enabled":true,"updatedBy":"x"}"#
        let kill = #"{"flagKey":"r","reason":"x","activatedBy":"x"}"#
        #expect(try send("POST", "/api/flags", flag, key: admin).status == 201)
        let cases: [(Role, read: Int, change: Int, override: Int, kill: Int, administer: Int)] = [
            (.viewer, 200, 403, 403, 403, 403), (.editor, 200, 200, 200, 403, 403),
            (.operator, 200, 403, 200, 200, 403), (.admin, 200, 200, 200, 200, 200),
        ]
        for entry in cases {
            let key = try server.makeKey(.admin, roles: [entry.0])
            func status(_ method: String, _ path: String, _ body: String? = nil) throws -> Int {
                try send(method, path, body, key: key).status
            }
            #expect(try status("GET", "/api/flags/r") == entry.read)
            #expect(try status("PATCH", "/api/flags/r", #"{"description":"B"}"#) == entry.change)
            #expect(try status("PUT", "/api/tenants/t/flags/r", override) == entry.override)
            #expect(try status("POST", "/api/emergency/kill-switch", kill) == entry.kill)
            #expect(try status("GET", "/api/keys") == entry.administer)
            #expect(try status("GET", "/api/backups") == entry.administer)
        }
    }

    @Test("A key that is bound to a tenant is about that tenant, whatever a request says")
    func tenants() throws {
        let flag = #"{"flagKey":"t","description":"A","owner":"o","defaultEnabled":false}"#
        #expect(try send("POST", "/api/flags", flag, key: admin).status == 201)
        for tenant in ["mine", "other"] {
            let body = #"{"enabled":\#(tenant == "mine"),"updatedBy":"x"}"#
            #expect(try send("PUT", "/api/tenants/\(tenant)/flags/t", body, key: admin).status == 200)
        }
        let server = try self.server.makeKey(.server, environment: .development, tenant: "mine")
        for body in [#"{"context":{}}"#, "{}", #"{"context":{"tenantId":"mine"}}"#, #"{"context":{"tenantId":null}}"#] {
            let answer = try send("POST", "/ofrep/v1/evaluate/flags/t", body, key: server)
            #expect(answer.json["value"] == true, "\(body) \(answer.body)")
            let all = try send("POST", "/ofrep/v1/evaluate/flags", body, key: server)
            #expect(all.json["flags"]?.arrayValue?.first?["value"] == true)
        }
        #expect(try send("POST", "/api/evaluate", #"{"flagKey":"t"}"#, key: server).json["tenantId"] == "mine")
        let viewer = try self.server.makeKey(.admin, roles: [.admin], tenant: "mine")
        #expect(try send("POST", "/api/explain", #"{"flagKey":"t","context":{}}"#, key: viewer).json["value"] == true)
        let crossing: [(String, String, String, String?)] = [
            (server, "POST", "/ofrep/v1/evaluate/flags/t", #"{"context":{"tenantId":"other"}}"#),
            (server, "POST", "/ofrep/v1/evaluate/flags", #"{"context":{"tenantId":"other"}}"#),
            (server, "POST", "/api/evaluate", #"{"tenantId":"other","flagKey":"t"}"#),
            (server, "POST", "/api/evaluate/batch", #"{"tenantId":"other","flagKeys":["t"]}"#),
            (viewer, "POST", "/api/explain", #"{"tenantId":"other","flagKey":"t"}"#),
            (viewer, "POST", "/api/explain", #"{"flagKey":"t","context":{"tenantId":"other"}}"#),
            (viewer, "GET", "/api/tenants/other/flags", nil), (viewer, "GET", "/api/tenants/other/flags/t", nil),
            (viewer, "GET", "/api/tenants/%6Fther/flags", nil),
            (viewer, "PUT", "/api/tenants/other/flags/t", #"{"enabled":true,"updatedBy":"x"}"#),
            (viewer, "DELETE", "/api/tenants/other/flags/t", nil), (viewer, "GET", "/api/export", nil),
            (viewer, "POST", "/api/import", #"{"flags":[]}"#), (viewer, "GET", "/api/keys", nil),
            (viewer, "GET", "/api/backups", nil), (viewer, "DELETE", "/api/flags/t", nil),
            (viewer, "PATCH", "/api/flags/t", #"{"description":"B"}"#), (viewer, "GET", "/api/work", nil),
            (
                viewer, "POST", "/api/emergency/kill-switch",
                #"{"flagKey":"t","reason":"x","activatedBy":"x"}"#
            ), (viewer, "POST", "/api/flags?dryRun=true", flag.replacing("\"t\"", with: "\"u\"")),
        ]
        for (key, method, path, body) in crossing {
            let answer = try send(method, path, body, key: key)
            #expect(answer.status == 403, "\(method) \(path): \(answer.body)")
        }
        let listed = try send("GET", "/api/flags/t/tenants", key: viewer).json["overrides"]?.arrayValue
        #expect(listed?.compactMap { $0["tenantId"]?.stringValue } == ["mine"])
        try waitUntil { (try? send("GET", "/api/flags/t/history", key: viewer).body.contains("mine")) == true }
        #expect(try !send("GET", "/api/flags/t/history", key: viewer).body.contains("other"))
    }

    @Test("For a client key flags that are not marked for it do not exist, wherever it asks")
    func clientSide() throws {
        for (key, marked) in [("a-hidden", false), ("b-seen", true), ("c-hidden", false), ("d-seen", true)] {
            let body =
                #"{"flagKey":"\#(key)","description":"A","owner":"o","defaultEnabled":true,"clientSide":\#(marked)}"#
            #expect(try send("POST", "/api/flags", body, key: admin).status == 201)
        }
        let client = try server.makeKey(.client, environment: .development)
        let trusted = try server.makeKey(.server, environment: .development)
        for key in ["a-hidden", "none"] {
            let single = try send("POST", "/ofrep/v1/evaluate/flags/\(key)", "{}", key: client)
            #expect(single.status == 404 && single.json["errorCode"] == "FLAG_NOT_FOUND")
            let api = try send("POST", "/api/evaluate", #"{"tenantId":"t","flagKey":"\#(key)"}"#, key: client)
            #expect(api.json["reason"] == "flag_not_found" && api.json["value"] == .null)
        }
        #expect(try send("POST", "/ofrep/v1/evaluate/flags/b-seen", "{}", key: client).json["value"] == true)
        func keys(_ answer: TestResponse) -> [String] {
            answer.json["flags"]?.arrayValue?.compactMap { ($0["key"] ?? $0["flagKey"])?.stringValue } ?? []
        }
        let all = try send("POST", "/ofrep/v1/evaluate/flags", "{}", key: client)
        #expect(keys(all) == ["b-seen", "d-seen"])
        // With an override each flag is looked at by itself.
        let override = #"{"enabled":false,"updatedBy":"x"}"#
        #expect(try send("PUT", "/api/tenants/t/flags/d-seen", override, key: admin).status == 200)
        let ofTenant = try send("POST", "/ofrep/v1/evaluate/flags", #"{"context":{"tenantId":"t"}}"#, key: client)
        #expect(keys(ofTenant) == ["b-seen", "d-seen"])
        #expect(keys(try send("POST", "/ofrep/v1/evaluate/flags", "{}", key: trusted)).count == 4)
        let batch = #"{"tenantId":"t","flagKeys":["a-hidden","b-seen"]}"#
        let reasons = try send("POST", "/api/evaluate/batch", batch, key: client).json["flags"]?.arrayValue
        #expect(reasons?.map { $0["reason"] == "flag_not_found" } == [true, false])
        // What one kind of key has seen is no answer to another.
        let tag = try #require(all.fields["etag"])
        let conditional = [("If-None-Match", tag)]
        for (key, status) in [(client, 304), (trusted, 200)] {
            let again = try server.send(
                "POST", "/ofrep/v1/evaluate/flags", "{}", [("X-API-Key", key)] + conditional)
            #expect(again.status == status)
        }
        #expect(try send("POST", "/api/explain", #"{"tenantId":"t","flagKey":"b-seen"}"#, key: client).status == 403)
    }

    @Test("With nobody to ask for a key, keys can be made all the same, for when it is turned on")
    func open() throws {
        let open = try RouteServer()
        let body = #"{"name":"a","kind":"admin","environment":"*","roles":["admin"]}"#
        #expect(try open.send("POST", "/api/keys", body).status == 201)
        #expect(try open.send("GET", "/api/keys").json["keys"]?.arrayValue?.count == 1)
        #expect(try open.send("GET", "/api/whoami").json["principal"] == "anonymous")
    }
}
