import FlagStore
import JSON
import Testing

@testable import FlagServer

private let path = "/api/emergency/kill-switch"

@Suite("Kill switches")
struct KillSwitchRoutesTests {
    @Test("A kill switch is listed while it is on, and in force when it is answered, on every loop")
    func life() throws {
        let server = try RouteServer(loops: 3)
        try server.create("f")
        try server.create("s", #""variants":{"a":1},"defaultVariant":"a""#)
        let connections = try (0..<9).map { _ in try server.connect() }
        /// What the connections are served, `none` for no value.
        func values(_ key: String) throws -> Set<String> {
            let answers = try connections.map { connection in
                try connection.send("POST", "/ofrep/v1/evaluate/flags/\(key)", "{}").json["value"]
            }
            return Set(answers.map { $0?.serialized() ?? "none" })
        }
        #expect(try server.send("GET", path).body == #"{"killSwitches":[]}"#)
        #expect(try values("f") == ["true"])
        let on = try server.send("POST", path, #"{"flagKey":"f","reason":"fire","activatedBy":"ada"}"#)
        #expect(on.status == 200)
        let shown =
            #"{"flagKey":"f","environment":"development","enabled":true,"reason":"fire","#
            + #""activatedAt":"2026-01-02T03:04:05.678Z","activatedBy":"ada"}"#
        #expect(on.body == shown)
        #expect(try values("f") == ["false"])
        #expect(try values("s") == ["1"])
        #expect(try server.send("GET", path).body == #"{"killSwitches":[\#(shown)]}"#)

        let all = try server.send("POST", path, #"{"reason":"flood","activatedBy":"bob"}"#)
        #expect(all.json["flagKey"] == .null)
        #expect(try values("s") == ["none"])
        #expect(
            try server.send("GET", path).json["killSwitches"]?.arrayValue?.map { $0["reason"] } == ["flood", "fire"])

        #expect(try server.send("DELETE", path, #"{"deactivatedBy":"ada"}"#).status == 204)
        #expect(try values("s") == ["1"])
        #expect(try values("f") == ["false"])
        #expect(try server.send("DELETE", path, #"{"flagKey":"f","deactivatedBy":"ada"}"#).status == 204)
        #expect(try values("f") == ["true"])
        let gone = try server.send("DELETE", path, #"{"flagKey":"f","deactivatedBy":"ada"}"#)
        #expect(gone.status == 404)
        #expect(gone.code == "kill_switch_not_found")
    }

    @Test("A kill switch belongs to one environment, which query or body name")
    func environments() throws {
        let server = try RouteServer()
        try server.create("f")
        let body = #"{"flagKey":"f","reason":"fire","activatedBy":"ada"}"#
        #expect(try server.send("POST", "\(path)?environment=dev", body).json["environment"] == "staging")
        #expect(try server.ofrep("f").json["value"] == true)
        let named = body.replacing("}", with: #","environment":"prod"}"#)
        #expect(try server.send("POST", path, named).json["environment"] == "production")
        #expect(try server.send("POST", "\(path)?environment=dev", named).pointers == ["/environment"])
        #expect(try server.send("GET", "\(path)?environment=production").json["killSwitches"]?.arrayValue?.count == 1)
        let end = #"{"flagKey":"f","deactivatedBy":"ada","environment":"local"}"#
        #expect(try server.send("DELETE", path, end).status == 404)
    }

    @Test(
        "A bad body switches nothing",
        arguments: [
            ("POST", #"{"activatedBy":"ada"}"#, ["/reason"]), ("POST", #"{"reason":"x"}"#, ["/activatedBy"]),
            ("POST", #"{"reason":"x","activatedBy":"ada","flagkey":"f"}"#, ["/flagkey"]),
            ("POST", #"{"reason":"x","activatedBy":"ada","enabled":false}"#, ["/enabled"]),
            ("POST", #"{"reason":"x","activatedBy":"ada","flagKey":""}"#, ["/flagKey"]),
            ("POST", #"[]"#, [""]), ("DELETE", #"{}"#, ["/deactivatedBy"]),
            ("DELETE", #"{"deactivatedBy":7,"flagKey":8,"x":9}"#, ["/flagKey", "/deactivatedBy", "/x"]),
            ("DELETE", #"{"deactivatedBy":"ada","environment":"test"}"#, ["/environment"]), ("DELETE", "[]", [""]),
        ])
    func refused(method: String, body: String, pointers: [String]) throws {
        let answer = try RouteServer().send(method, path, body)
        #expect(answer.status == 400)
        #expect(answer.pointers == pointers)
    }

    @Test("Without a body nothing is switched", arguments: ["POST", "DELETE"])
    func noBody(method: String) throws {
        let answer = try RouteServer().send(method, path)
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_json")
        // Whoever forgot it learns what it looks like.
        #expect(answer.json["detail"]?.stringValue?.contains(#"such as {"flagKey":"#) == true)
    }
}
