import FlagStore
import JSON
import Testing

@testable import FlagServer

private let path = "/api/emergency/kill-switch"
private let kill = #"{"flagKey":"f","reason":"fire","activatedBy":"ada"}"#
private let killAll = #"{"all":true,"reason":"flood","activatedBy":"bob"}"#

@Suite("What kill switches are told by")
struct KillSwitchNoticeTests {
    @Test("A flag that is taken away says so wherever it is shown, the kill switch of all flags before its own")
    func flags() throws {
        let server = try RouteServer()
        for key in ["f", "g"] { try server.create(key) }
        func shown() throws -> [JSONValue?] {
            let list = try server.send("GET", "/api/flags").json["flags"]?.arrayValue ?? []
            let listed = ["f", "g"].map { key in list.first { $0["flagKey"]?.stringValue == key }?["killSwitch"] }
            let read = try ["f", "g"].map { try server.send("GET", "/api/flags/\($0)").json["killSwitch"] }
            #expect(read == listed)
            return read
        }
        #expect(try shown() == [nil, nil])
        let own = try server.send("POST", path, kill).json
        #expect(try shown() == [own, nil])
        let all = try server.send("POST", path, killAll).json
        #expect(try shown() == [all, all])
        let patched = try server.send("PATCH", "/api/flags/g", #"{"owner":"web"}"#)
        #expect(patched.json["killSwitch"] == all)
        #expect(patched.fields["etag"] == (try server.send("GET", "/api/flags/g").fields["etag"]))
        #expect(try server.send("POST", "\(path)/deactivate", #"{"all":true,"deactivatedBy":"bob"}"#).status == 204)
        #expect(try shown() == [own, nil])
    }

    @Test("A read that was known is another once there is a kill switch, and the flag can be changed all the same")
    func entityTags() throws {
        let server = try RouteServer()
        try server.create("f")
        let before = try #require(try server.send("GET", "/api/flags/f").fields["etag"])
        try server.send("POST", path, kill)
        let killed = try server.send("GET", "/api/flags/f", nil, [("If-None-Match", before)])
        #expect(killed.status == 200)
        let tag = try #require(killed.fields["etag"])
        #expect(try server.send("GET", "/api/flags/f", nil, [("If-None-Match", tag)]).status == 304)
        for (known, status) in [(before, 200), (tag, 412)] {
            let read = try server.send("GET", "/api/flags/f")
            let written = try server.send("PUT", "/api/flags/f", read.body, [("If-Match", known)])
            #expect(written.status == status)
        }
        let now = try #require(try server.send("GET", "/api/flags/f").fields["etag"])
        #expect(try server.send("PATCH", "/api/flags/f", #"{"owner":"web"}"#, [("If-Match", now)]).status == 200)
    }

    @Test(
        "Nobody takes it for a member of the flag that could be set or taken away there",
        arguments: [("PATCH", "{}"), ("PATCH", "null"), ("PUT", "null"), ("PUT", "false"), ("PUT", "[]")])
    func notAMember(method: String, value: String) throws {
        let server = try RouteServer()
        try server.create("f")
        let whole = #""description":"d","owner":"o","defaultEnabled":true,"#
        let body = #"{\#(method == "PUT" ? whole : "")"killSwitch":\#(value)}"#
        let answer = try server.send(method, "/api/flags/f", body)
        #expect(answer.status == 400)
        #expect(answer.pointers == ["/killSwitch"])
        #expect(answer.body.contains("/api/emergency/kill-switch"))
    }

    @Test("Health has a line of it, and stays green: the server does what it was told")
    func health() throws {
        let server = try RouteServer()
        func line() throws -> String? {
            let answer = try server.send("GET", "/health")
            #expect(answer.status == 200)
            #expect(answer.json["status"] == "ok")
            return answer.json["checks"]?["killSwitches"]?.stringValue
        }
        for environment in ["local", "prod"] { try server.create("f", environment: environment) }
        #expect(try line() == "ok")
        try server.send("POST", path, kill)
        #expect(try line() == "on, and take away 1 flag of development")
        try server.send("POST", "\(path)?environment=prod", killAll)
        #expect(try line() == "on, and take away 1 flag of development, all flags of production")
        try server.send("DELETE", path, #"{"flagKey":"f","deactivatedBy":"ada"}"#)
        #expect(try line() == "on, and take away all flags of production")
    }

    @Test("Metrics count the kill switches, from memory, and the flags that they take away")
    func metrics() throws {
        let server = try RouteServer()
        for key in ["f", "g", "h"] { try server.create(key) }
        func values(_ name: String) throws -> [String] {
            try server.send("GET", "/metrics").body.split(separator: "\n")
                .filter { $0.hasPrefix("\(name){") && $0.contains("development") }
                .map { String($0.split(separator: " ").last ?? "") }
        }
        #expect(try values("flag_server_kill_switches") == ["0", "0"])
        #expect(try values("flag_server_killed_flags") == ["0"])
        try server.send("POST", path, kill)
        let text = try server.send("GET", "/metrics").body
        #expect(text.contains("\nflag_server_kill_switches{environment=\"development\",scope=\"flag\"} 1\n"))
        #expect(text.contains("\nflag_server_kill_switches{environment=\"development\",scope=\"global\"} 0\n"))
        #expect(try values("flag_server_killed_flags") == ["1"])
        try server.send("POST", path, killAll)
        #expect(try values("flag_server_kill_switches") == ["1", "1"])
        #expect(try values("flag_server_killed_flags") == ["3"])
        server.table.isFailing = true
        #expect(try values("flag_server_kill_switches") == ["1", "1"])
        #expect(try values("flag_server_killed_flags").isEmpty)
    }
}
