import FlagStore
import JSON
import Testing

@testable import FlagServer
@testable import HTTPRouting

private let simple = #"{"flagKey":"f","description":"A flag","owner":"web","defaultEnabled":false}"#

@Suite("/api/flags")
struct FlagRoutesTests {
    @Test("A created flag has a place, a version and an entity tag, and is read back the same")
    func create() throws {
        let server = try RouteServer()
        let created = try server.send("POST", "/api/flags", simple)
        #expect(created.status == 201)
        #expect(created.fields["location"] == "/api/flags/f")
        #expect(created.fields["content-type"] == "application/json")
        let tag = try #require(created.fields["etag"])
        #expect(
            created.body
                == #"{"flagKey":"f","description":"A flag","defaultEnabled":false,"owner":"web","#
                + #""environment":"development","createdAt":"2026-01-02T03:04:05.678Z","#
                + #""updatedAt":"2026-01-02T03:04:05.678Z","version":1}"#)
        let read = try server.send("GET", "/api/flags/f")
        #expect(read.status == 200)
        #expect(read.body == created.body)
        #expect(read.fields["etag"] == tag)
        #expect(try server.send("HEAD", "/api/flags/f").fields["etag"] == tag)
        let unchanged = try server.send("GET", "/api/flags/f", nil, [("If-None-Match", "W/\(tag)")])
        #expect(unchanged.status == 304)
        #expect(unchanged.fields["etag"] == tag)
    }

    @Test("A key of any script has its own path")
    func location() throws {
        let server = try RouteServer()
        let body = #"{"flagKey":"team/größe 2%","description":"A flag","owner":"web","defaultEnabled":true}"#
        let created = try server.send("POST", "/api/flags?environment=prod", body)
        let location = try #require(created.fields["location"])
        #expect(location == "/api/flags/team%2Fgr%C3%B6%C3%9Fe%202%25?environment=production")
        #expect(try server.send("GET", location).body == created.body)
    }

    @Test("The same key again is a conflict and changes nothing; in another environment it is another flag")
    func duplicate() throws {
        let server = try RouteServer()
        #expect(try server.send("POST", "/api/flags", simple).status == 201)
        let again = try server.send("POST", "/api/flags", simple.replacing("A flag", with: "Other"))
        #expect(again.status == 409)
        #expect(again.code == "flag_exists")
        #expect(try server.send("GET", "/api/flags/f").json["description"] == "A flag")
        #expect(try server.send("POST", "/api/flags?environment=staging", simple).status == 201)
        let named = simple.replacing("}", with: #","environment":"production"}"#)
        #expect(try server.send("POST", "/api/flags", named).json["environment"] == "production")
        let both = try server.send("POST", "/api/flags?environment=dev", named)
        #expect(both.status == 400)
        #expect(both.pointers == ["/environment"])
    }

    @Test("What was read may be edited and put back, once", arguments: ["/api/flags/f", "/api/flags/by-key/f"])
    func replace(path: String) throws {
        let server = try RouteServer()
        _ = try server.send("POST", "/api/flags", simple)
        let read = try server.send("GET", "/api/flags/f")
        server.advance(byMilliseconds: 1_000)
        let edited = read.body.replacing("false", with: "true")
        let replaced = try server.send("PUT", path, edited)
        #expect(replaced.status == 200)
        #expect(replaced.json["defaultEnabled"] == true)
        #expect(replaced.json["version"] == 2)
        #expect(replaced.json["createdAt"] == read.json["createdAt"])
        #expect(replaced.json["updatedAt"]?.stringValue == "2026-01-02T03:04:06.678Z")
        #expect(replaced.fields["etag"] != read.fields["etag"])
        let again = try server.send("PUT", path, edited)
        #expect(again.status == 412)
        #expect(again.code == "version_mismatch")
    }

    @Test("A change with If-Match is made on that version only", arguments: ["PUT", "PATCH", "DELETE"])
    func ifMatch(method: String) throws {
        let server = try RouteServer()
        let old = try #require(try server.send("POST", "/api/flags", simple).fields["etag"])
        let body = method == "PUT" ? simple : method == "PATCH" ? #"{"owner":"other"}"# : nil
        #expect(try server.send("PATCH", "/api/flags/f", #"{"owner":"them"}"#).status == 200)
        for field in [old, "W/\(old)", "\"x\"", "\"\(old)\""] {
            let refused = try server.send(method, "/api/flags/f", body, [("If-Match", field)])
            #expect(refused.status == 412)
            #expect(refused.code == "version_mismatch")
        }
        #expect(try server.send("GET", "/api/flags/f").json["owner"] == "them")
        let new = try #require(try server.send("GET", "/api/flags/f").fields["etag"])
        let done = try server.send(method, "/api/flags/f", body, [("If-Match", "\(old), \(new)")])
        #expect(done.status == (method == "DELETE" ? 204 : 200))
    }

    @Test("A patch changes the members it names; null takes one away")
    func patch() throws {
        let server = try RouteServer()
        _ = try server.send("POST", "/api/flags", simple.replacing("}", with: #","tags":["ui"]}"#))
        let patched = try server.send(
            "PATCH", "/api/flags/f", #"{"description":"New","expiresAt":"2026-01-01T00:00:00+01:00","tags":null}"#,
            [("Content-Type", "application/merge-patch+json")])
        #expect(patched.status == 200)
        #expect(patched.json["description"] == "New")
        #expect(patched.json["owner"] == "web")
        #expect(patched.json["expiresAt"] == "2025-12-31T23:00:00.000Z")
        #expect(patched.json["stale"] == true)
        #expect(patched.json["tags"] == nil)
        #expect(try server.send("PATCH", "/api/flags/f", #"{"expiresAt":null}"#).json["expiresAt"] == nil)
        let bad = try server.send("PATCH", "/api/flags/f", #"{"owner":null,"descripton":"x"}"#)
        #expect(bad.status == 400)
        #expect(Set(bad.pointers) == ["/owner", "/descripton"])
    }

    @Test("A deleted flag is gone with its overrides")
    func delete() throws {
        let server = try RouteServer()
        _ = try server.send("POST", "/api/flags", simple)
        _ = try server.send("PUT", "/api/tenants/t/flags/f", #"{"enabled":true,"updatedBy":"ada"}"#)
        let deleted = try server.send("DELETE", "/api/flags/f")
        #expect(deleted.status == 204)
        #expect(deleted.body.isEmpty)
        #expect(try server.send("GET", "/api/tenants/t/flags").json["overrides"] == [])
    }

    @Test(
        "What is not there is 404, and says where it was looked for",
        arguments: [
            ("GET", "/api/flags/f", nil), ("DELETE", "/api/flags/f", nil), ("PUT", "/api/flags/f", simple),
            ("PUT", "/api/flags/by-key/f", simple), ("PATCH", "/api/flags/f", #"{"owner":"x"}"#),
            ("GET", "/api/flags/f/tenants", nil), ("GET", "/api/flags/f/history", nil),
        ])
    func missing(method: String, path: String, body: String?) throws {
        let answer = try RouteServer().send(method, path, body)
        #expect(answer.status == 404)
        #expect(answer.code == "flag_not_found")
        #expect(answer.json["detail"]?.stringValue == "there is no flag f in development")
    }

    // MARK: - Lists

    private func keys(_ answer: TestResponse) -> [String] {
        answer.json["flags"]?.arrayValue?.compactMap { $0["flagKey"]?.stringValue } ?? []
    }

    @Test("Lists are newest first, by owner, by tag, by date, and in pages")
    func lists() throws {
        let server = try RouteServer()
        for (key, more) in [
            ("a", #""owner":"web","tags":["x"]"#), ("b", #""owner":"api","expiresAt":"2026-02-01T00:00:00Z""#),
            ("c", #""owner":"web","expiresAt":"2026-01-01T00:00:00Z""#),
        ] {
            server.advance(byMilliseconds: 1_000)
            let body = #"{"flagKey":"\#(key)","description":"A","defaultEnabled":true,\#(more)}"#
            #expect(try server.send("POST", "/api/flags", body).status == 201)
        }
        #expect(keys(try server.send("GET", "/api/flags")) == ["c", "b", "a"])
        #expect(keys(try server.send("GET", "/api/flags?owner=web")) == ["a", "c"])
        #expect(keys(try server.send("GET", "/api/flags?owner=nobody")) == [])
        #expect(keys(try server.send("GET", "/api/flags?tag=x")) == ["a"])
        #expect(keys(try server.send("GET", "/api/flags?expiresBefore=2026-01-15T00:00:00Z")) == ["c"])
        #expect(keys(try server.send("GET", "/api/flags?expiresBefore=2027-01-15T00:00:00%2B02:00")) == ["c", "b"])
        #expect(keys(try server.send("GET", "/api/flags?environment=prod")) == [])
        #expect(try server.send("GET", "/api/flags").json["nextCursor"] == .null)

        var found: [String] = []
        var path = "/api/flags?limit=2"
        while true {
            let page = try server.send("GET", path)
            found += keys(page)
            guard let cursor = page.json["nextCursor"]?.stringValue else { break }
            path = "/api/flags?limit=2&cursor=\(PercentEncoding.encodedSegment(cursor))"
        }
        #expect(found == ["c", "b", "a"])
    }

    @Test(
        "A query that is not understood is refused by name",
        arguments: [
            ("ownr=web", "invalid_query", "?ownr"), ("limit=0", "invalid_query", "?limit"),
            ("limit=1001", "invalid_query", "?limit"), ("limit=many", "invalid_query", "?limit"),
            ("cursor=made-up", "invalid_query", "?cursor"), ("owner=", "invalid_query", "?owner"),
            ("expiresBefore=tomorrow", "invalid_query", "?expiresBefore"), ("tag=a&tag=b", "invalid_query", "?tag"),
            ("environment=test", "unknown_environment", "?environment"),
        ])
    func badQueries(query: String, code: String, pointer: String) throws {
        let answer = try RouteServer().send("GET", "/api/flags?\(query)")
        #expect(answer.status == 400)
        #expect(answer.code == code)
        #expect(answer.pointers == [pointer])
    }

    // MARK: - Refusals

    @Test(
        "A bad body is refused, and everything that is wrong is named",
        arguments: [
            ("", "invalid_json", []), ("{", "invalid_json", []), ("[]", "invalid_body", [""]),
            (
                #"{"flagKey":7,"defaultEnabled":"yes"}"#, "invalid_body",
                ["/defaultEnabled", "/description", "/flagKey", "/owner"]
            ),
            (simple.replacing("Enabled", with: "Enabeld"), "invalid_body", ["/defaultEnabeld", "/defaultEnabled"]),
            (simple.replacing("flagKey", with: "flagkey"), "invalid_body", ["/flagKey", "/flagkey"]),
            (simple.replacing(#""f""#, with: #""..""#), "invalid_body", ["/flagKey"]),
            (simple.replacing("}", with: #","expiresAt":"tomorrow"}"#), "invalid_body", ["/expiresAt"]),
            (simple.replacing("}", with: #","environment":"test"}"#), "unknown_environment", ["/environment"]),
            (
                #"{"flagKey":"f","description":"d","owner":"o","state":"ENABLED","variants":{"a":1},"#
                    + #""targeting":{"nope":1}}"#, "invalid_body", ["/targeting/nope"]
            ),
        ])
    func refused(body: String, code: String, pointers: [String]) throws {
        let server = try RouteServer()
        let answer = try server.send("POST", "/api/flags", body)
        #expect(answer.status == 400)
        #expect(answer.code == code)
        #expect(answer.pointers.sorted() == pointers)
        #expect(keys(try server.send("GET", "/api/flags")) == [])
    }

    @Test(
        "A path's key must be one, and the body's key the same",
        arguments: [
            ("/api/flags/%00", "invalid_path"), ("/api/flags/%2E%2E", "invalid_path"),
            ("/api/flags/%ff", "invalid_path"),
            ("/api/flags/\(String(repeating: "k", count: 129))", "invalid_path"), ("/api/flags/g", "invalid_body"),
        ])
    func badPaths(path: String, code: String) throws {
        let answer = try RouteServer().send("PUT", path, simple)
        #expect(answer.status == 400)
        #expect(answer.code == code)
    }

    @Test("JSON is read by any of its names, without one, and by the one that curl gives it; other types are refused")
    func mediaTypes() throws {
        let server = try RouteServer()
        for type in ["text/plain;charset=UTF-8", "multipart/form-data; boundary=x", "application/xml"] {
            let answer = try server.send("POST", "/api/flags", simple, [("Content-Type", type)])
            #expect(answer.status == 415)
            #expect(answer.code == "unsupported_media_type")
        }
        for (key, type) in [
            ("a", "Application/JSON; charset=utf-8"), ("b", "application/vnd.x+json"), ("c", ""),
            ("d", "application/x-www-form-urlencoded"),
        ] {
            let body = simple.replacing(#""f""#, with: "\"\(key)\"")
            #expect(try server.send("POST", "/api/flags", body, [("Content-Type", type)]).status == 201)
        }
    }

    @Test(
        "A page of another site may not change anything, this server's own pages may",
        arguments: [
            ("Origin", "http://evil.example", 403), ("Origin", "null", 403), ("Sec-Fetch-Site", "cross-site", 403),
            ("Sec-Fetch-Site", "same-site", 403), ("Sec-Fetch-Site", "same-origin", 201),
            ("Sec-Fetch-Site", "none", 201),
        ])
    func otherSites(field: String, value: String, status: Int) throws {
        let server = try RouteServer()
        let answer = try server.send("POST", "/api/flags", simple, [(field, value)])
        #expect(answer.status == status)
        if status == 403 { #expect(answer.code == "foreign_origin") }
        #expect(try server.send("GET", "/api/flags", "", [(field, value)]).status == 200)
    }

    @Test("An origin that is the host and port asked is this server's own")
    func sameOrigin() throws {
        let server = try RouteServer()
        let fields = [("Origin", "http://localhost")]
        #expect(try server.send("POST", "/api/flags", simple, fields).status == 201)
    }

    @Test("A body over the limit is refused before it is read")
    func tooLarge() throws {
        let server = try RouteServer()
        let connection = try server.connect()
        try connection.write(
            Array("POST /api/flags HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n".utf8))
        let answer = try connection.readResponse()
        #expect(answer.status == 413)
        #expect(answer.code == "content_too_large")
        #expect(answer.fields["content-type"] == "application/problem+json")
    }
}
