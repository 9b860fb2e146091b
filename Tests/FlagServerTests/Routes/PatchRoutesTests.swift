import JSON
import Testing

@testable import FlagServer

@Suite("PATCH")
struct PatchRoutesTests {
    private static let accepted = "application/json, application/merge-patch+json"

    @Test(
        "A change is a merge patch by whichever name it is sent; what says something else is refused",
        arguments: [
            ("application/merge-patch+json", 200), ("Application/JSON; charset=utf-8", 200), ("", 200),
            ("application/x-www-form-urlencoded", 200), ("application/json-patch+json", 415),
            ("application/vnd.x+json", 415), ("text/plain", 415),
        ])
    func mediaTypes(type: String, status: Int) throws {
        let server = try RouteServer()
        try server.create("f")
        try server.send("POST", "/api/segments", #"{"name":"s","description":"Some","owner":"tests"}"#)
        for path in ["/api/flags/f", "/api/segments/s"] {
            let answer = try server.send("PATCH", path, #"{"owner":"web"}"#, [("Content-Type", type)])
            #expect(answer.status == status, "\(path)")
            #expect(answer.fields["accept-patch"] == (status == 415 ? Self.accepted : nil), "\(path)")
        }
    }

    @Test("A change is no whole, where a whole is wanted", arguments: ["merge-patch", "json-patch"])
    func wholes(type: String) throws {
        let answer = try RouteServer().send(
            "POST", "/api/flags", #"{"owner":"web"}"#, [("Content-Type", "application/\(type)+json")])
        #expect(answer.status == 415)
        #expect(answer.fields["accept"] == "application/json")
    }

    @Test("OPTIONS says how a change may be written, where there is PATCH")
    func options() throws {
        let server = try RouteServer()
        #expect(try server.send("OPTIONS", "/api/flags/f").fields["accept-patch"] == Self.accepted)
        #expect(try server.send("OPTIONS", "/api/flags").fields["accept-patch"] == nil)
    }
}
