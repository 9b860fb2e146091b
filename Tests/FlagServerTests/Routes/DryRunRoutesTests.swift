import JSON
import Testing

@testable import FlagServer

@Suite("Changes that are only checked")
struct DryRunRoutesTests {
    @Test("A dry run answers as the change would, without tag and place, and changes nothing")
    func flag() throws {
        let server = try RouteServer()
        let body = #"{"flagKey":"chat","description":"d","owner":"o","defaultEnabled":true}"#
        let checked = try server.send("POST", "/api/flags?dryRun=true", body)
        #expect(checked.status == 201)
        #expect(checked.json["flagKey"] == "chat" && checked.json["version"] == 1)
        #expect(checked.fields["flag-server-dry-run"] == "true")
        #expect(checked.fields["etag"] == nil && checked.fields["location"] == nil)
        #expect(try server.send("GET", "/api/flags/chat").status == 404)
        let made = try server.send("POST", "/api/flags", body)
        #expect(made.status == 201 && made.json == checked.json)
        #expect(made.fields["flag-server-dry-run"] == nil)
        // And what cannot be done is refused the same.
        #expect(try server.send("POST", "/api/flags?dryRun=true", body).code == "flag_exists")
        #expect(try server.send("DELETE", "/api/flags/chat?dryRun=true").status == 204)
        #expect(try server.send("GET", "/api/flags/chat").status == 200)
        #expect(try server.send("DELETE", "/api/flags/chat?dryRun=perhaps").code == "invalid_query")
    }

    @Test("A kill switch that is only checked kills nothing")
    func killSwitch() throws {
        let server = try RouteServer()
        try server.create("chat")
        let body = #"{"flagKey":"chat","reason":"r","activatedBy":"me"}"#
        #expect(try server.send("POST", "/api/emergency/kill-switch?dryRun=true", body).status == 200)
        #expect(try server.ofrep("chat").json["value"] == true)
    }
}
