import FlagCore
import JSON
import TestSupport
import Testing

@testable import Access
@testable import Administration
@testable import FlagServer

@Suite("Histories and second thoughts over HTTP")
struct HistoryRoutesTests {
    private static let path = "/api/flags/chat"

    /// A server with a flag that was changed once, in development.
    private static func server(requiresAuthentication: Bool = false) throws -> (RouteServer, key: [(String, String)]) {
        let server = try RouteServer(requiresAuthentication: requiresAuthentication)
        let key = requiresAuthentication ? [("X-API-Key", try server.makeKey(.admin, roles: [.admin]))] : []
        let body = #"{"flagKey":"chat","description":"d","owner":"a","defaultEnabled":true}"#
        let created = try server.send("POST", "/api/flags?environment=development", body, key)
        if created.status != 201 { throw TestFailure(created.body) }
        let patched = try server.send(
            "PATCH", path + "?environment=development", #"{"owner":"b"}"#, key + [("X-Change-Reason", "sold")])
        if patched.status != 200 { throw TestFailure(patched.body) }
        return (server, key)
    }

    @Test("A version is what was said, by whom and why")
    func version() throws {
        let (server, _) = try Self.server()
        let version = try server.send("GET", Self.path + "/history/2").json
        #expect(version["content"]?["owner"] == "b" && version["reason"] == "sold" && version["version"] == 2)
        #expect(version["requestId"]?.stringValue?.isEmpty == false && version["changes"] == nil)
        let entry = try #require(version["entry"]?.numberValue?.int64)
        #expect(try server.send("GET", Self.path + "/history/@\(entry)").json == version)
    }

    @Test(
        "What is no version, or none that is known, is said to be so",
        arguments: [
            ("/history/9", "version_not_found"), ("/history/x", "invalid_path"), ("/history/@99", "version_not_found"),
            ("/diff", "invalid_query"), ("/diff?from=x", "invalid_query"), ("/diff?from=1&to=9", "version_not_found"),
            ("/history?cursor=x", "invalid_query"), ("/history?limit=0", "invalid_query"),
        ])
    func refused(target: String, code: String) throws {
        let (server, _) = try Self.server()
        #expect(try server.send("GET", Self.path + target).code == code)
    }

    @Test("A difference is with what there is now, unless another version is named")
    func difference() throws {
        let (server, _) = try Self.server()
        for query in ["from=1", "from=1&to=2"] {
            let answer = try server.send("GET", Self.path + "/diff?" + query).json
            #expect(answer["words"] == ["owner a → b"])
            #expect(answer["patch"] == [["op": "replace", "path": "/owner", "value": "b"]])
            #expect(answer["from"]?["version"] == 1 && answer["to"]?["version"] == 2)
        }
    }

    @Test("A rollback honours If-Match, and can be tried first")
    func rollback() throws {
        let (server, _) = try Self.server()
        let tag = try server.send("GET", Self.path).fields["etag"] ?? ""
        let body = #"{"version":1,"reason":"unsold"}"#
        let stale = try server.send("POST", Self.path + "/rollback", body, [("If-Match", #""1-0""#)])
        #expect(stale.status == 412 && stale.fields["etag"] == tag)
        let tried = try server.send("POST", Self.path + "/rollback?dryRun=true", body)
        #expect(tried.status == 200 && tried.json["owner"] == "a" && tried.fields["etag"] == nil)
        #expect(try server.send("GET", Self.path).fields["etag"] == tag)
        let done = try server.send("POST", Self.path + "/rollback", body, [("If-Match", tag)])
        #expect(done.json["version"] == 3 && done.json["owner"] == "a")
        for body in ["{}", #"{"version":1,"entry":2}"#, #"{"version":"1"}"#, #"{"versoin":1}"#, ""] {
            #expect(try server.send("POST", Self.path + "/rollback", body).status == 400, "\(body)")
        }
    }

    @Test("A flag is put away and taken out with or without a body")
    func archive() throws {
        let (server, _) = try Self.server()
        #expect(try server.send("POST", Self.path + "/archive").json["archived"] == true)
        #expect(try server.ofrep("chat").status == 404)
        #expect(
            try server.send("PUT", Self.path, #"{"description":"d","owner":"o","defaultEnabled":true}"#).code
                == "flag_archived")
        #expect(try server.send("POST", Self.path + "/archive", #"{"reason":"again"}"#).code == "flag_archived")
        #expect(try server.send("POST", Self.path + "/unarchive", #"{"until":"x"}"#).code == "invalid_body")
        #expect(try server.send("POST", Self.path + "/unarchive", #"{"reason":"needed"}"#).status == 200)
        #expect(try server.ofrep("chat").status == 200)
        #expect(try server.send("POST", Self.path + "/unarchive").code == "flag_not_archived")
    }

    @Test("A deleted flag is created anew where it was")
    func restore() throws {
        let (server, _) = try Self.server()
        #expect(try server.send("POST", Self.path + "/restore").code == "flag_exists")
        #expect(try server.send("DELETE", Self.path).status == 204)
        let restored = try server.send("POST", Self.path + "/restore")
        #expect(restored.status == 201 && restored.fields["location"] == Self.path)
        #expect(restored.fields["restored-overrides"] == "0" && restored.json["version"] == 3)
        #expect(try server.send("GET", Self.path).fields["etag"] == restored.fields["etag"])
        #expect(try server.send("POST", "/api/flags/none/restore").code == "flag_not_found")
    }

    @Test("Whoever promotes sees the one environment and may change the other")
    func promotion() throws {
        let (server, admin) = try Self.server(requiresAuthentication: true)
        let body = #"{"from":"development","to":"staging"}"#
        let keys: [(expected: Int, key: String)] = [
            (403, try server.makeKey(.admin, environment: .staging, roles: [.admin])),
            (403, try server.makeKey(.admin, environment: .development, roles: [.admin])),
            (403, try server.makeKey(.admin, roles: [.viewer])), (200, try server.makeKey(.admin, roles: [.editor])),
        ]
        for (expected, key) in keys {
            let answer = try server.send("POST", Self.path + "/promote", body, [("X-API-Key", key)])
            #expect(answer.status == expected, "\(answer.body)")
        }
        let told = try server.send("POST", Self.path + "/promote?dryRun=true", body, admin)
        #expect(told.json["flag"]?["change"] == "none" && told.fields["flag-server-dry-run"] == "true")
        #expect(try server.send("GET", Self.path + "?environment=staging", nil, admin).json["owner"] == "b")
    }

    @Test("Who is bound to a tenant sees nothing of the overrides of others, by whatever name")
    func tenants() throws {
        let (server, admin) = try Self.server(requiresAuthentication: true)
        func path(_ tenant: String) -> String { "/api/tenants/\(tenant)/flags/chat" }
        let override = #"{"enabled":false,"updatedBy":"x"}"#
        for tenant in ["mine", "theirs"] {
            #expect(try server.send("PUT", path(tenant) + "?environment=development", override, admin).status == 200)
        }
        let bound = [
            ("X-API-Key", try server.makeKey(.admin, environment: .development, roles: [.admin], tenant: "mine"))
        ]
        func entries(_ path: String, _ key: [(String, String)]) throws -> [JSONValue] {
            let answer = try server.send("GET", path + "/history?environment=development", nil, key)
            return answer.json["history"]?.arrayValue ?? []
        }
        #expect(try entries(Self.path, bound).compactMap { $0["tenantId"] } == ["mine"])
        #expect(try entries(path("mine"), bound).count == 1)
        #expect(try server.send("GET", path("theirs") + "/history", nil, bound).status == 403)
        let theirs = try #require(try entries(path("theirs"), admin).first?["entry"]?.numberValue?.int64)
        for place in [Self.path, path("mine")] {
            #expect(try server.send("GET", place + "/history/@\(theirs)", nil, bound).code == "version_not_found")
        }
        let rollback = #"{"entry":\#(theirs)}"#
        #expect(try server.send("POST", path("mine") + "/rollback", rollback, bound).code == "version_not_found")
    }
}
