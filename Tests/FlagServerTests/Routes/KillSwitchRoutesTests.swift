import FlagStore
import JSON
import Testing

@testable import FlagServer

private let path = "/api/emergency/kill-switch"
private let end = "/api/emergency/kill-switch/deactivate"
/// The two ways to end one.
private let ends = [("DELETE", path), ("POST", end)]

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

        let all = try server.send("POST", path, #"{"all":true,"reason":"flood","activatedBy":"bob"}"#)
        #expect(all.json["flagKey"] == .null)
        #expect(all.json["all"] == true)
        #expect(try values("s") == ["none"])
        #expect(
            try server.send("GET", path).json["killSwitches"]?.arrayValue?.map { $0["reason"] } == ["flood", "fire"])

        #expect(try server.send("DELETE", path, #"{"all":true,"deactivatedBy":"ada"}"#).status == 204)
        #expect(try values("s") == ["1"])
        #expect(try values("f") == ["false"])
        #expect(try server.send("POST", end, #"{"flagKey":"f","deactivatedBy":"ada","reason":"out"}"#).status == 204)
        #expect(try values("f") == ["true"])
        for (method, path) in ends {
            let gone = try server.send(method, path, #"{"flagKey":"f","deactivatedBy":"ada"}"#)
            #expect(gone.status == 404)
            #expect(gone.code == "kill_switch_not_found")
        }
    }

    @Test("What a list shows may be sent back, that of all flags too")
    func shownIsAccepted() throws {
        let server = try RouteServer()
        try server.create("f")
        for target in [#""flagKey":"f""#, #""all":true"#] {
            let on = try server.send("POST", path, #"{\#(target),"reason":"fire","activatedBy":"ada"}"#)
            #expect(on.status == 200)
            #expect(try server.send("POST", path, on.body).body == on.body)
        }
    }

    @Test("A kill switch belongs to one environment, which query or body name")
    func environments() throws {
        let server = try RouteServer()
        for environment in ["local", "dev", "prod"] { try server.create("f", environment: environment) }
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
            ("POST", #"{"activatedBy":"ada","all":true}"#, ["/reason"]),
            ("POST", #"{"reason":"x","flagKey":"f"}"#, ["/activatedBy"]),
            ("POST", #"{"reason":"x","activatedBy":"ada","flagkey":"f"}"#, ["/flagKey", "/flagkey"]),
            ("POST", #"{"reason":"x","activatedBy":"ada","flagKey":"f","enabled":false}"#, ["/enabled"]),
            ("POST", #"{"reason":"x","activatedBy":"ada","flagKey":""}"#, ["/flagKey"]),
            ("POST", #"{"reason":"x","activatedBy":"ada","flagKey":"f","all":true}"#, ["/all"]),
            ("POST", #"{"reason":"x","activatedBy":"ada","flagKey":"f","force":"yes"}"#, ["/force"]),
            ("POST", #"[]"#, [""]), ("DELETE", #"{}"#, ["/flagKey", "/deactivatedBy"]),
            ("DELETE", #"{"deactivatedBy":7,"flagKey":8,"x":9}"#, ["/flagKey", "/deactivatedBy", "/x"]),
            ("DELETE", #"{"deactivatedBy":"ada","all":true,"environment":"test"}"#, ["/environment"]),
            ("DELETE", #"{"deactivatedBy":"ada","all":true,"reason":""}"#, ["/reason"]), ("DELETE", "[]", [""]),
        ])
    func refused(method: String, body: String, pointers: [String]) throws {
        let server = try RouteServer()
        try server.create("f")
        for (method, path) in method == "POST" ? [(method, path)] : ends {
            let answer = try server.send(method, path, body)
            #expect(answer.status == 400)
            #expect(answer.pointers == pointers)
        }
        #expect(try server.send("GET", path).body == #"{"killSwitches":[]}"#)
    }

    @Test(
        "All flags are never meant by leaving something out: that takes all, and the answer shows both forms",
        arguments: [
            "", #","flagKey":null"#, #","all":false"#, #","all":null"#, #","all":"true""#, #","all":1"#,
            #","flagKey":null,"all":false"#,
        ])
    func noTarget(members: String) throws {
        let server = try RouteServer()
        let all = #"{"all":true,"reason":"x","activatedBy":"ada"}"#
        for (method, place, actor) in [("POST", path, "activatedBy")] + ends.map({ ($0, $1, "deactivatedBy") }) {
            if actor == "deactivatedBy" { #expect(try server.send("POST", path, all).status == 200) }
            let answer = try server.send(method, place, #"{"reason":"x","\#(actor)":"ada"\#(members)}"#)
            #expect(answer.status == 400)
            #expect(answer.pointers.contains("/flagKey"))
            let details = answer.json["errors"]?.arrayValue?.compactMap { $0["detail"]?.stringValue } ?? []
            for form in [#"{"flagKey":"new-checkout","#, #"{"all":true,"#] {
                #expect(details.contains { $0.contains(form) })
            }
            let count = try server.send("GET", path).json["killSwitches"]?.arrayValue?.count
            #expect(count == (actor == "activatedBy" ? 0 : 1))
        }
    }

    @Test("A key that no flag has in the environment is 404, unless it is forced")
    func unknownFlag() throws {
        let server = try RouteServer()
        try server.create("f", environment: "staging")
        let body = #"{"flagKey":"f","reason":"x","activatedBy":"ada"}"#
        let refused = try server.send("POST", path, body)
        #expect(refused.status == 404)
        #expect(refused.code == "flag_not_found")
        #expect(refused.json["detail"]?.stringValue?.contains(#""force": true"#) == true)
        #expect(refused.json["detail"]?.stringValue?.contains("no flag f in development") == true)
        #expect(try server.send("GET", path).body == #"{"killSwitches":[]}"#)
        let notForced = body.replacing("}", with: #","force":false}"#)
        #expect(try server.send("POST", path, notForced).status == 404)
        #expect(try server.send("POST", path, body.replacing("}", with: #","force":true}"#)).status == 200)
        try server.create("f")
        #expect(try server.ofrep("f").json["value"] == false)
    }

    @Test("It ends with its flag: a flag of the same name that comes later is not killed")
    func deletedFlag() throws {
        let server = try RouteServer(loops: 2)
        try server.create("f")
        #expect(try server.send("POST", path, #"{"flagKey":"f","reason":"x","activatedBy":"ada"}"#).status == 200)
        #expect(try server.send("DELETE", "/api/flags/f").status == 204)
        #expect(try server.send("GET", path).body == #"{"killSwitches":[]}"#)
        try server.create("f")
        for _ in 0..<4 {
            let answer = try server.connect().send("POST", "/ofrep/v1/evaluate/flags/f", "{}")
            #expect(answer.json["value"] == true)
        }
    }

    /// What is answered for each flag while its own kill switch, or that of all, is on.
    private static let killed: [(rule: String, answer: String, enabled: String)] = [
        (
            #""defaultEnabled":true"#, #""reason":"STATIC","variant":"off","value":false"#,
            #""enabled":false,"value":false,"variant":"off""#
        ),
        (
            #""variants":{"yes":true},"defaultVariant":"yes""#, #""reason":"STATIC","variant":"","value":false"#,
            #""enabled":false,"value":false,"variant":null"#
        ),
        (
            #""variants":{"a":"x"},"defaultVariant":"a""#, #""reason":"DISABLED","variant":"""#,
            #""enabled":false,"value":null,"variant":null"#
        ),
    ]

    @Test(
        "A value that must be obeyed comes with a reason that clients pass through, on every route",
        arguments: killed.indices, ["flag", "global"])
    func answers(index: Int, kind: String) throws {
        let server = try RouteServer()
        let (rule, answer, enabled) = Self.killed[index]
        try server.create("f", rule)
        let target = kind == "global" ? #""all":true"# : #""flagKey":"f""#
        #expect(try server.send("POST", path, #"{\#(target),"reason":"x","activatedBy":"ada"}"#).status == 200)
        let ofrep = #"{"key":"f",\#(answer),"metadata":{"killSwitch":"\#(kind)"}}"#
        #expect(try server.ofrep("f").body == ofrep)
        #expect(try server.bulk().body == #"{"flags":[\#(ofrep)],"metadata":{}}"#)
        for (route, body) in [
            ("evaluate", #"{"tenantId":"t","flagKey":"f"}"#), ("evaluate/batch", #"{"tenantId":"t","flagKeys":["f"]}"#),
            ("explain", #"{"tenantId":"t","flagKey":"f"}"#),
        ] {
            let body = try server.send("POST", "/api/\(route)", body).body
            #expect(body.contains(enabled))
            #expect(body.contains(#""reason":"kill_switch""#))
        }
    }

    @Test("A bulk answer is another when the kill switch of all flags takes the place of a flag's own")
    func tags() throws {
        let server = try RouteServer()
        try server.create("f")
        var tags: [String?] = [try server.bulk().fields["etag"]]
        for target in [#""flagKey":"f""#, #""all":true"#] {
            #expect(try server.send("POST", path, #"{\#(target),"reason":"x","activatedBy":"ada"}"#).status == 200)
            tags.append(try server.bulk().fields["etag"])
        }
        #expect(Set(tags).count == 3)
    }

    @Test("Without a body nothing is switched", arguments: [("POST", path), ("DELETE", path), ("POST", end)])
    func noBody(method: String, place: String) throws {
        let answer = try RouteServer().send(method, place)
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_json")
        // Whoever forgot it learns what it looks like; whoever sent it, that it was lost on the way.
        let detail = answer.json["detail"]?.stringValue
        #expect(detail?.contains(#"such as {"flagKey":"#) == true)
        #expect((detail?.contains(end) == true) == (method == "DELETE"))
    }
}
