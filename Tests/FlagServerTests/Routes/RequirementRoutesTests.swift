import DynamoModel
import FlagCore
import JSON
import Testing

@testable import FlagServer

@Suite("Flags that require others")
struct RequirementRoutesTests {
    @Test("answer their default until the others answer what they must")
    func evaluation() throws {
        let server = try RouteServer()
        try server.create("base", #""defaultEnabled":false"#)
        try server.create("next", #""defaultEnabled":true,"requires":[{"flagKey":"base","variant":"on"}]"#)
        try server.create(
            "theme",
            #""variants":{"new":"n","old":"o"},"defaultVariant":"old","targeting":{"if":[true,"new"]},"#
                + #""requires":[{"flagKey":"next","variant":"on"},{"flagKey":"base","variant":"on"}]"#)
        #expect(try server.ofrep("theme").json["variant"] == "old")
        #expect(try server.ofrep("theme").json["reason"] == "DEFAULT")
        let body = #"{"tenantId":"acme","flagKey":"theme"}"#
        #expect(try server.send("POST", "/api/evaluate", body).json["reason"] == "prerequisite_failed")
        let why = try server.send("POST", "/api/explain", body).json["trace"]?.arrayValue ?? []
        #expect(why.dropLast().last?["step"] == "prerequisites")
        #expect(
            why.dropLast().last?["detail"] == "the flag base must answer on, but answers off (default)")
        try server.send("PATCH", "/api/flags/base", #"{"defaultEnabled":true}"#)
        #expect(try server.ofrep("theme").json["variant"] == "new")
        #expect(try server.bulk().body.contains(#""key":"theme","reason":"TARGETING_MATCH","variant":"new""#))
        #expect(try server.send("POST", "/api/explain", body).json["reason"] == "targeting")
        let batch = #"{"tenantId":"acme","flagKeys":["next","theme"]}"#
        #expect(
            try server.send("POST", "/api/evaluate/batch", batch).json["flags"]?.arrayValue?.map { $0["variant"] }
                == ["on", "new"])
        try server.send(
            "POST", "/api/emergency/kill-switch", #"{"flagKey":"base","reason":"broken","activatedBy":"ada"}"#)
        #expect(try server.ofrep("theme").json["variant"] == "old")
    }

    @Test("of a tenant follow its overrides of the others")
    func overrides() throws {
        let server = try RouteServer()
        try server.create("base", #""defaultEnabled":false"#)
        try server.create("next", #""defaultEnabled":true,"requires":[{"flagKey":"base","variant":"on"}]"#)
        try server.send("PUT", "/api/tenants/acme/flags/base", #"{"enabled":true,"updatedBy":"ada"}"#)
        func reason(_ tenant: String) throws -> JSONValue? {
            try server.send("POST", "/api/evaluate", #"{"tenantId":"\#(tenant)","flagKey":"next"}"#).json["reason"]
        }
        #expect(try reason("acme") == "default")
        #expect(try reason("other") == "prerequisite_failed")
    }

    @Test("in a circle are refused with the circle, as are flags and variants that do not exist")
    func refused() throws {
        let server = try RouteServer()
        try server.create("a")
        try server.create("b", #""defaultEnabled":true,"requires":[{"flagKey":"a","variant":"on"}]"#)
        try server.create("c", #""defaultEnabled":true,"requires":[{"flagKey":"b","variant":"on"}]"#)
        let circle = try server.send("PATCH", "/api/flags/a", #"{"requires":[{"flagKey":"c","variant":"on"}]}"#)
        #expect(circle.status == 400)
        #expect(circle.pointers == ["/requires/0/flagKey"])
        #expect(circle.body.contains("makes a circle: a → c → b → a"))
        let own = try server.send("PATCH", "/api/flags/a", #"{"requires":[{"flagKey":"a","variant":"on"}]}"#)
        #expect(own.body.contains("makes a circle: a → a"))
        let wrong = try server.send(
            "PATCH", "/api/flags/a",
            #"{"requires":[{"flagKey":"nowhere","variant":"on"},{"flagKey":"b","variant":"blue"}]}"#)
        #expect(wrong.pointers == ["/requires/0/flagKey", "/requires/1/flagKey"])
        let missing = try server.send(
            "POST", "/api/flags",
            #"{"flagKey":"d","description":"A flag","owner":"tests","defaultEnabled":true,"#
                + #""requires":[{"flagKey":"nowhere","variant":"on"},{"flagKey":"b","variant":"blue"}]}"#)
        #expect(missing.pointers == ["/requires/0/flagKey", "/requires/1/variant"])
    }

    @Test("deeper than they are followed are refused, along the longest of the ways")
    func deep() throws {
        let server = try RouteServer()
        try server.create("0")
        func requiring(_ keys: [Int]) -> String {
            let list = keys.map { #"{"flagKey":"\#($0)","variant":"on"}"# }.joined(separator: ",")
            return #""defaultEnabled":true,"requires":[\#(list)]"#
        }
        for level in 1...Prerequisite.depthMaximum {
            // The short way to the first hides nothing.
            try server.create("\(level)", requiring(level == 1 ? [0] : [0, level - 1]))
        }
        let tooDeep = try server.send(
            "POST", "/api/flags",
            #"{"flagKey":"x","description":"d","owner":"o",\#(requiring([0, Prerequisite.depthMaximum]))}"#)
        #expect(tooDeep.pointers == ["/requires/1/flagKey"])
        #expect(tooDeep.body.contains("leads too deep"))
        let last = try server.send(
            "POST", "/api/evaluate", #"{"tenantId":"t","flagKey":"\#(Prerequisite.depthMaximum)"}"#)
        #expect(last.json["reason"] == "default", "What is accepted is also followed")
    }

    @Test("keep the others from being removed by an import, also when they themselves do not change")
    func replaced() throws {
        let server = try RouteServer()
        try server.create("a")
        try server.create("b", #""defaultEnabled":true,"requires":[{"flagKey":"a","variant":"on"}]"#)
        let flag = try server.send("GET", "/api/flags/b").body
        let refused = try server.send("POST", "/api/import?mode=replace", #"{"flags":[\#(flag)]}"#)
        #expect(refused.pointers == ["/flags/0/requires/0/flagKey"])
        #expect(try server.send("GET", "/api/flags/a").status == 200)
    }

    @Test("are listed, and keep the others from being deleted")
    func dependents() throws {
        let server = try RouteServer()
        try server.create("a")
        try server.create("c", #""defaultEnabled":true,"requires":[{"flagKey":"a","variant":"on"}]"#)
        try server.create("b", #""defaultEnabled":true,"requires":[{"flagKey":"a","variant":"off"}]"#)
        let list = try server.send("GET", "/api/flags/a/dependents").json
        #expect(
            list == [
                "flagKey": "a",
                "dependents": [["flagKey": "b", "variant": "off"], ["flagKey": "c", "variant": "on"]],
            ])
        let refused = try server.send("DELETE", "/api/flags/a")
        #expect(refused.status == 409)
        #expect(refused.code == "flag_required")
        #expect(refused.body.contains("required by b, c"))
        try server.send("DELETE", "/api/flags/b")
        try server.send("PATCH", "/api/flags/c", #"{"requires":null}"#)
        #expect(try server.send("DELETE", "/api/flags/a").status == 204)
        #expect(try server.send("GET", "/api/flags/a/dependents").status == 404)
    }

    @Test("in a circle that somebody else wrote end all the same")
    func foreignCircle() throws {
        let server = try RouteServer()
        for (key, other) in [("a", "b"), ("b", "a")] {
            let item: Item = [
                "PK": .string("FLAG#development#\(key)"), "SK": .string("METADATA"), "flagKey": .string(key),
                "description": .string("A flag"), "owner": .string("tests"), "defaultEnabled": .bool(true),
                "createdAt": .string("2026-01-01T00:00:00Z"),
                "requires": .list([.map(["flagKey": .string(other), "variant": .string("on")])]),
            ]
            try server.table.store.transactAndWait(
                [.put(table: "feature-flags-local", item: item)], principal: Principal(.anonymous))
        }
        let answer = try server.send("POST", "/api/evaluate", #"{"tenantId":"acme","flagKey":"a"}"#).json
        #expect(answer["reason"] == "prerequisite_failed")
        #expect(answer["variant"] == "on")
    }
}
