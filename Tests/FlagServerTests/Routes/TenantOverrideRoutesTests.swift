import FlagStore
import JSON
import Testing

@testable import FlagServer

private let path = "/api/tenants/acme/flags/f"

@Suite("Tenant overrides")
struct TenantOverrideRoutesTests {
    @Test("An override is stored as it was sent, read back, listed both ways, and taken away")
    func life() throws {
        let server = try RouteServer()
        try server.create("f")
        let body = #"{"enabled":false,"updatedBy":"ada","reason":"pilot","expiresAt":"2099-12-31T00:00:00Z"}"#
        let put = try server.send("PUT", path, body)
        #expect(put.status == 200)
        #expect(
            put.body
                == #"{"flagKey":"f","tenantId":"acme","environment":"development","enabled":false,"#
                + #""updatedAt":"2026-01-02T03:04:05.678Z","updatedBy":"ada","reason":"pilot","#
                + #""expiresAt":"2099-12-31T00:00:00.000Z"}"#)
        #expect(try server.send("GET", path).body == put.body)
        // What was read may be put back.
        #expect(try server.send("PUT", path, put.body).status == 200)
        let list = #"{"overrides":[\#(put.body)],"total":1,"nextCursor":null}"#
        #expect(try server.send("GET", "/api/flags/f/tenants").body == list)
        #expect(try server.send("GET", "/api/tenants/acme/flags").body == list)
        #expect(try server.send("DELETE", path).status == 204)
        for method in ["GET", "DELETE"] {
            let answer = try server.send(method, path)
            #expect(answer.status == 404)
            #expect(answer.code == "override_not_found")
        }
    }

    @Test("Lists come in pages")
    func pages() throws {
        let server = try RouteServer()
        try server.create("f")
        for tenant in ["a", "b", "c"] {
            _ = try server.send("PUT", "/api/tenants/\(tenant)/flags/f", #"{"enabled":true,"updatedBy":"ada"}"#)
        }
        let first = try server.send("GET", "/api/flags/f/tenants?limit=2")
        let cursor = try #require(first.json["nextCursor"]?.stringValue)
        let second = try server.send("GET", "/api/flags/f/tenants?cursor=\(cursor)")
        let tenants = [first, second].flatMap { $0.json["overrides"]?.arrayValue ?? [] }.map { $0["tenantId"] }
        #expect(tenants == ["a", "b", "c"])
        #expect(second.json["nextCursor"] == .null)
        #expect(try server.send("GET", "/api/tenants/a/flags?cursor=\(cursor)").code == "invalid_query")
    }

    /// Bodies that are refused for the boolean flag `f`, or for the flag `s` with the variants a and b.
    static let refusals: [(flag: String, body: String, pointers: [String])] = [
        ("f", #"{"updatedBy":"ada"}"#, ["/enabled"]), ("f", #"{"enabled":true}"#, ["/updatedBy"]),
        ("f", #"{"enabled":true,"variant":"on","updatedBy":"ada"}"#, ["/variant"]),
        ("f", #"{"enabled":1,"updatedBy":"ada"}"#, ["/enabled"]),
        ("f", #"{"enabled":true,"updatedBy":"ada","until":"x"}"#, ["/until"]),
        ("f", #"{"enabled":true,"updatedBy":"ada","expiresAt":"x"}"#, ["/expiresAt"]),
        // The clock of these tests stands at 2026-01-02T03:04:05.678Z.
        ("f", #"{"enabled":true,"updatedBy":"ada","expiresAt":"2026-01-02T03:04:05.678Z"}"#, ["/expiresAt"]),
        ("f", #"{"enabled":true,"updatedBy":"ada","tenantId":"globex"}"#, ["/tenantId"]),
        ("f", #"{"enabled":true,"updatedBy":"ada","environment":"staging"}"#, ["/environment"]),
        ("f", #"{"variant":"maybe","updatedBy":"ada"}"#, ["/variant"]),
        ("s", #"{"enabled":true,"updatedBy":"ada"}"#, ["/enabled"]),
        ("s", #"{"variant":"c","updatedBy":"ada"}"#, ["/variant"]),
    ]

    @Test("A bad override is refused, also one that evaluation would ignore", arguments: refusals.indices)
    func refused(index: Int) throws {
        let server = try RouteServer()
        try server.create("f")
        try server.create("s", #""variants":{"a":1,"b":2},"defaultVariant":"a""#)
        let (flag, body, pointers) = TenantOverrideRoutesTests.refusals[index]
        let answer = try server.send("PUT", "/api/tenants/acme/flags/\(flag)", body)
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_body")
        #expect(answer.pointers == pointers)
        #expect(try server.send("GET", "/api/tenants/acme/flags").json["overrides"] == [])
    }

    @Test("An override may end a moment from now; null is as if nothing were said")
    func nulls() throws {
        let server = try RouteServer()
        try server.create("f")
        let body = #"{"enabled":true,"variant":null,"updatedBy":"ada","reason":null,"environment":null,"expiresAt":"#
        for end in [#""2026-01-02T03:04:05.679Z"}"#, "null}"] {
            #expect(try server.send("PUT", "/api/tenants/acme/flags/f", body + end).status == 200)
        }
    }

    @Test("An override of a variant is served; one of an unknown flag is 404; a tenant's name has its limits")
    func variants() throws {
        let server = try RouteServer()
        try server.create("s", #""variants":{"a":1,"b":2},"defaultVariant":"a""#)
        #expect(try server.send("PUT", "/api/tenants/t/flags/s", #"{"variant":"b","updatedBy":"ada"}"#).status == 200)
        #expect(
            try server.ofrep("s", #"{"tenantId":"t"}"#).body
                == #"{"key":"s","reason":"TARGETING_MATCH","variant":"b","value":2,"metadata":{}}"#)
        let unknown = try server.send("PUT", path, #"{"enabled":true,"updatedBy":"ada"}"#)
        #expect(unknown.status == 404)
        #expect(unknown.code == "flag_not_found")
        let long = String(repeating: "t", count: 101)
        #expect(try server.send("GET", "/api/tenants/\(long)/flags").code == "invalid_path")
        #expect(try server.send("GET", "/api/tenants/%00/flags/s").code == "invalid_path")
    }
}
