import JSON
import Testing

@testable import FlagServer

@Suite("Forms of requests that mean the same")
struct RequestFormTests {
    @Test("Several fields of a name are one list")
    func fields() throws {
        let server = try RouteServer()
        try server.create("f")
        let body = #"{"flagKey":"f","description":"d","defaultEnabled":true,"owner":"o"}"#
        let tag = try #require(try server.send("GET", "/api/flags/f").fields["etag"])
        let others = [("If-Match", "\"other\""), ("If-Match", "\"another\"")]
        #expect(try server.send("PUT", "/api/flags/f", body, others).status == 412)
        #expect(try server.send("PUT", "/api/flags/f", body, others + [("If-Match", tag)]).status == 200)
    }

    @Test("An empty cursor is none, as a shell has it of an empty variable")
    func cursor() throws {
        let server = try RouteServer()
        try server.create("f")
        let first = try server.send("GET", "/api/flags")
        #expect(try server.send("GET", "/api/flags?cursor=").body == first.body)
        #expect(try server.send("GET", "/api/flags?cursor=x").status == 400)
    }

    @Test("Several tags that a client has are looked for in every field", arguments: [0, 1, 2])
    func tags(position: Int) throws {
        let server = try RouteServer()
        try server.create("f")
        let tag = try #require(try server.bulk().fields["etag"])
        var fields = [("If-None-Match", "\"other\""), ("If-None-Match", "\"another\"")]
        fields.insert(("If-None-Match", tag), at: position)
        #expect(try server.send("POST", "/ofrep/v1/evaluate/flags", "{}", fields).status == 304)
    }
}
