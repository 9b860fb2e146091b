import JSON
import Testing

@testable import Evaluation
@testable import FlagServer

@Suite("OFREP, all flags")
struct OFREPBulkTests {
    private func server() throws -> RouteServer {
        let server = try RouteServer()
        try server.create(
            "b", #""variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"var":"wanted"}"#)
        try server.create("a", #""variants":{"small":20,"large":100},"defaultVariant":"small""#)
        try server.create("c", #""state":"DISABLED","variants":{"x":"y"},"defaultVariant":"x""#)
        return server
    }

    @Test("All flags are answered by key, failures among them")
    func answer() throws {
        let server = try server()
        let answer = try server.bulk(#"{"wanted":"on"}"#)
        #expect(answer.status == 200)
        #expect(
            answer.body
                == #"{"flags":[{"key":"a","reason":"STATIC","variant":"small","value":20,"metadata":{}},"#
                + #"{"key":"b","reason":"TARGETING_MATCH","variant":"on","value":true,"metadata":{}},"#
                + #"{"key":"c","reason":"DISABLED","variant":"","metadata":{}}],"metadata":{}}"#)
        let failed = try server.bulk(#"{"wanted":"neither"}"#)
        #expect(failed.status == 200)
        let flag = failed.json["flags"]?.arrayValue?.first { $0["key"] == "b" }
        #expect(flag?["errorCode"] == "GENERAL")
        #expect(flag?["errorDetails"]?.stringValue?.isEmpty == false)
    }

    @Test("Each flag answers in the list what it answers alone, whatever it is, with an override and a kill switch too")
    func sameAsAlone() throws {
        let server = try RouteServer()
        try server.create("plain")
        try server.create("told", #""variants":{"a":"ä\"","b":""},"defaultVariant":"a","metadata":{"team":"x"}"#)
        try server.create("dated", #""defaultEnabled":true,"expiresAt":"2099-01-02T03:04:06.678Z""#)
        try server.create("no-default", #""variants":{"a":1,"b":2}"#)
        try server.create("off", #""state":"DISABLED","variants":{"x":{}},"defaultVariant":"x""#)
        try server.create("rule", #""variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"var":"r"}"#)
        try server.create("rollout", #""defaultEnabled":false,"rollout":{"percentage":50}"#)
        try server.create("requires", #""defaultEnabled":true,"requires":[{"flagKey":"plain","variant":"on"}]"#)
        func compare() throws {
            let context = #"{"targetingKey":"u","r":"on","tenantId":"acme"}"#
            let all = try #require(try server.bulk(context).json["flags"]?.arrayValue)
            #expect(all.count == 8)
            for flag in all {
                let key = try #require(flag["key"]?.stringValue)
                #expect(try server.ofrep(key, context).json == flag)
            }
        }
        try compare()
        _ = try server.send("PUT", "/api/tenants/acme/flags/plain", #"{"enabled":false,"updatedBy":"ada"}"#)
        try compare()
        _ = try server.send(
            "POST", "/api/emergency/kill-switch", #"{"flagKey":"told","reason":"r","activatedBy":"ada"}"#)
        try compare()
    }

    @Test("A flag past its date says so in its metadata, and nothing else changes; the entity tag knows")
    func stale() throws {
        let server = try RouteServer()
        try server.create("old", #""defaultEnabled":true,"expiresAt":"2026-01-02T03:04:06.678Z""#)
        try server.create("young")
        let before = try server.bulk()
        let tag = try #require(before.fields["etag"])
        #expect(!before.body.contains("stale"))
        server.advance(byMilliseconds: 999)
        #expect(try server.bulk(ifNoneMatch: tag).status == 304)
        server.advance(byMilliseconds: 1)
        let after = try server.bulk(ifNoneMatch: tag)
        #expect(after.status == 200)
        let old = #"{"key":"old","reason":"STATIC","variant":"on","value":true,"metadata":{"stale":true}}"#
        let young = #"{"key":"young","reason":"STATIC","variant":"on","value":true,"metadata":{}}"#
        #expect(after.body == #"{"flags":[\#(old),\#(young)],"metadata":{}}"#)
        #expect(try server.ofrep("old").body == old)
        #expect(try server.bulk(ifNoneMatch: after.fields["etag"]).status == 304)
    }

    @Test("An environment without flags has an empty answer with an entity tag")
    func empty() throws {
        let answer = try RouteServer().bulk()
        #expect(answer.status == 200)
        #expect(answer.body == #"{"flags":[],"metadata":{}}"#)
        #expect(answer.fields["etag"]?.count == 34)
    }

    @Test("An answer that the client has is 304, without a body, with the tag")
    func notModified() throws {
        let server = try server()
        let context = #"{"targetingKey":"u","plan":"pro","n":2,"list":[1,2]}"#
        let tag = try #require(try server.bulk(context).fields["etag"])
        for field in [tag, "W/\(tag)", "\"x\", \(tag)", "*", String(tag.dropFirst().dropLast())] {
            let answer = try server.bulk(context, ifNoneMatch: field)
            #expect(answer.status == 304)
            #expect(answer.body.isEmpty)
            #expect(answer.fields["etag"] == tag)
            #expect(answer.fields["content-type"] == nil)
        }
        #expect(try server.bulk(context, ifNoneMatch: "\"x\"").status == 200)
        let both = [("If-None-Match", "\"x\""), ("If-None-Match", tag)]
        let body = #"{"context":\#(context)}"#
        #expect(try server.send("POST", "/ofrep/v1/evaluate/flags", body, both).status == 304)
    }

    @Test(
        "A context that means the same has the same tag",
        arguments: [
            #"{"plan":"pro","targetingKey":"u","n":2,"list":[1,2]}"#,
            #"{"targetingKey":"u","plan":"pro","n":2.0,"list":[1,2]}"#,
            #"{"targetingKey":"\u0075","plan":"pro","n":2e0,"list":[1.0,2]}"#,
        ])
    func equalContexts(context: String) throws {
        let server = try server()
        let tag = try #require(
            try server.bulk(#"{"targetingKey":"u","plan":"pro","n":2,"list":[1,2]}"#).fields["etag"])
        #expect(try server.bulk(context, ifNoneMatch: tag).status == 304)
    }

    @Test("No context, an empty one and null are one")
    func noContext() throws {
        let server = try server()
        let tag = try #require(try server.bulk("{}").fields["etag"])
        for body in ["{}", #"{"context":null}"#] {
            let answer = try server.send("POST", "/ofrep/v1/evaluate/flags", body, [("If-None-Match", tag)])
            #expect(answer.status == 304)
        }
    }

    @Test(
        "Another context has another tag",
        arguments: [
            #"{"targetingKey":"v","plan":"pro"}"#, #"{"targetingKey":"u","plan":"free"}"#, #"{"targetingKey":"u"}"#,
            #"{"targetingKey":"u","plan":"pro","more":null}"#, #"{"targetingKey":"u","plan":"pro","tenantId":"t"}"#,
            #"{"targetingKey":"pro","plan":"u"}"#,
        ])
    func otherContexts(context: String) throws {
        let server = try server()
        let tag = try #require(try server.bulk(#"{"targetingKey":"u","plan":"pro"}"#).fields["etag"])
        let answer = try server.bulk(context, ifNoneMatch: tag)
        #expect(answer.status == 200)
        #expect(answer.fields["etag"] != tag)
    }

    /// Changes after which the tag for the tenant acme must be another; each with how to undo it.
    static let changes: [(method: String, path: String, body: String?)] = [
        ("PATCH", "/api/flags/a", #"{"defaultVariant":"large"}"#),
        ("DELETE", "/api/flags/a", nil),
        ("POST", "/api/flags", #"{"flagKey":"d","description":"D","owner":"x","defaultEnabled":true}"#),
        ("PUT", "/api/tenants/acme/flags/a", #"{"variant":"large","updatedBy":"ada"}"#),
        ("POST", "/api/emergency/kill-switch", #"{"flagKey":"b","reason":"fire","activatedBy":"ada"}"#),
        ("POST", "/api/emergency/kill-switch", #"{"all":true,"reason":"fire","activatedBy":"ada"}"#),
    ]

    @Test("A change has another tag", arguments: changes.indices)
    func changed(index: Int) throws {
        let server = try server()
        let tag = try #require(try server.bulk(#"{"tenantId":"acme"}"#).fields["etag"])
        let (method, path, body) = OFREPBulkTests.changes[index]
        #expect((200...204).contains(try server.send(method, path, body).status))
        let answer = try server.bulk(#"{"tenantId":"acme"}"#, ifNoneMatch: tag)
        #expect(answer.status == 200)
        #expect(answer.fields["etag"] != tag)
    }

    @Test("What does not concern the answer leaves the tag: another tenant's override, a description")
    func unrelated() throws {
        let server = try server()
        let tag = try #require(try server.bulk(#"{"tenantId":"acme"}"#).fields["etag"])
        let override = #"{"variant":"large","updatedBy":"ada"}"#
        #expect(try server.send("PUT", "/api/tenants/globex/flags/a", override).status == 200)
        #expect(try server.send("PATCH", "/api/flags/a", #"{"description":"Other words"}"#).status == 200)
        #expect(try server.bulk(#"{"tenantId":"acme"}"#, ifNoneMatch: tag).status == 304)
    }

    @Test("The end of an override has another tag, although nothing was written")
    func overrideEnds() throws {
        let server = try server()
        let body = #"{"variant":"large","updatedBy":"ada","expiresAt":"2026-01-02T03:04:06Z"}"#
        #expect(try server.send("PUT", "/api/tenants/acme/flags/a", body).status == 200)
        let tag = try #require(try server.bulk(#"{"tenantId":"acme"}"#).fields["etag"])
        #expect(try server.bulk(#"{"tenantId":"acme"}"#, ifNoneMatch: tag).status == 304)
        server.advance(byMilliseconds: 1_000)
        #expect(try server.bulk(#"{"tenantId":"acme"}"#, ifNoneMatch: tag).status == 200)
    }

    @Test("Where a rule reads the clock, the tag is that of the answer")
    func clock() throws {
        let server = try server()
        // 1767323046 is the second after the server's clock.
        let rule = #"""
            "variants":{"late":true,"early":false},"defaultVariant":"early",
            "targeting":{"if":[{">=":[{"var":"$flagd.timestamp"},1767323046]},"late",null]}
            """#
        try server.create("timed", rule)
        let first = try server.bulk()
        let tag = try #require(first.fields["etag"])
        server.advance(byMilliseconds: 100)
        #expect(try server.bulk(ifNoneMatch: tag).status == 304)
        server.advance(byMilliseconds: 1_000)
        let later = try server.bulk(ifNoneMatch: tag)
        #expect(later.status == 200)
        #expect(later.body != first.body)
        // Another context with the same answer is the same answer.
        #expect(try server.bulk(#"{"x":1}"#, ifNoneMatch: later.fields["etag"]).status == 304)
    }

    @Test("Another store has other tags, every loop of one the same")
    func stores() throws {
        let tags = try ["one", "two", "one"].map { store in
            let server = try RouteServer { $0.evaluation.currentStoreID = { store } }
            try server.create("a")
            return try server.bulk().fields["etag"]
        }
        #expect(tags[0] != tags[1])
        #expect(tags[0] == tags[2])
        let server = try RouteServer(loops: 3)
        try server.create("a")
        var seen: Set<String?> = []
        for _ in 0..<9 {
            let connection = try server.connect()
            seen.insert(try connection.send("POST", "/ofrep/v1/evaluate/flags", "{}").fields["etag"])
        }
        #expect(seen.count == 1)
    }
}
