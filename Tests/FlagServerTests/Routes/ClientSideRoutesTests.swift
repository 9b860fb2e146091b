import DynamoModel
import FlagCore
import FlagStore
import JSON
import Testing

@testable import FlagServer

@Suite("Flags that a browser may evaluate: routes")
struct ClientSideRoutesTests {
    /// A flag and what evaluating it for `{"plan": "pro"}` needs.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// The flag without `clientSide`.
        let rule: String
        /// The metadata of OFREP without it, as members behind which it stands.
        var own = ""

        init(_ description: String, _ rule: String, own: String = "") {
            testDescription = description
            (self.rule, self.own) = (rule, own)
        }
    }

    private static let variants = #""variants":{"on":true,"off":false}"#

    static let cases = [
        Case("simple", #""defaultEnabled":true"#),
        Case("simple with a rollout", #""defaultEnabled":false,"rollout":{"percentage":100}"#),
        Case("full", #"\#(variants),"defaultVariant":"on""#),
        Case("targeted", #"\#(variants),"defaultVariant":"off","targeting":{"if":[{"var":"plan"},"on"]}"#),
        Case("without default", variants),
        Case("disabled", #""state":"DISABLED",\#(variants),"defaultVariant":"on""#),
        Case("failing", #"\#(variants),"defaultVariant":"on","targeting":{"var":"plan"}"#),
        Case("with metadata", #"\#(variants),"defaultVariant":"on","metadata":{"team":"x"}"#, own: #""team":"x""#),
        Case("whose metadata claims it", #"\#(variants),"defaultVariant":"on","metadata":{"clientSide":true}"#),
        Case(
            "whose metadata claims something else",
            #"\#(variants),"defaultVariant":"on","metadata":{"team":"x","clientSide":"ios"}"#, own: #""team":"x""#),
        Case("past its date", #""defaultEnabled":true,"expiresAt":"2020-01-01T00:00:00Z""#),
    ]

    /// What each kind of answer has as metadata.
    private struct Answers {
        let ofrep: JSONValue?
        let bulk: JSONValue?
        let evaluate: JSONValue?
        let batch: JSONValue?
        let explain: JSONValue?
    }

    private func answers(_ server: RouteServer, _ key: String = "a") throws -> Answers {
        let body = #"{"tenantId":"t","flagKey":"\#(key)","metadata":{"plan":"pro"}}"#
        let keys = #"{"tenantId":"t","flagKeys":["\#(key)"],"metadata":{"plan":"pro"}}"#
        let all = try server.bulk(#"{"plan":"pro"}"#).json["flags"]?.arrayValue
        let batch = try server.send("POST", "/api/evaluate/batch", keys).json["flags"]?.arrayValue
        return Answers(
            ofrep: try server.ofrep(key, #"{"plan":"pro"}"#).json["metadata"],
            bulk: all?.first { $0["key"]?.stringValue == key }?["metadata"],
            evaluate: try server.send("POST", "/api/evaluate", body).json["metadata"],
            batch: batch?.first?["metadata"],
            explain: try server.send("POST", "/api/explain", body).json["metadata"])
    }

    @Test("Every answer of such a flag says so in its metadata, and no other's", arguments: cases)
    func metadata(_ example: Case) throws {
        let server = try RouteServer()
        for value in [true, false] {
            if value { try server.create("a", #"\#(example.rule),"clientSide":true"#) }
            if !value { try server.send("PATCH", "/api/flags/a", #"{"clientSide":null}"#) }
            let answers = try answers(server)
            let isStale = example.testDescription == "past its date"
            let members = [example.own, value ? #""clientSide":true"# : "", isStale ? #""stale":true"# : ""]
            let expected = "{\(members.filter { !$0.isEmpty }.joined(separator: ","))}"
            #expect(answers.ofrep?.serialized() == expected)
            #expect(answers.bulk?.serialized() == expected)
            let said: JSONValue? = value ? ["clientSide": true] : nil
            #expect(answers.evaluate == said)
            #expect(answers.batch == said)
            #expect(answers.explain == said)
        }
    }

    @Test("A kill switch, an override and a date change nothing about it")
    func besideOthers() throws {
        let server = try RouteServer()
        try server.create("a", #""defaultEnabled":true,"expiresAt":"2026-01-02T03:04:06.678Z","clientSide":true"#)
        try server.create("b")
        _ = try server.send("PUT", "/api/tenants/t/flags/a", #"{"enabled":false,"updatedBy":"ada"}"#)
        #expect(try server.ofrep("a", #"{"tenantId":"t"}"#).json["metadata"] == ["clientSide": true])
        _ = try server.send(
            "POST", "/api/emergency/kill-switch", #"{"flagKey":"a","reason":"r","activatedBy":"ada"}"#)
        #expect(try answers(server).ofrep == ["clientSide": true, "killSwitch": "flag"])
        #expect(try answers(server).bulk == ["clientSide": true, "killSwitch": "flag"])
        server.advance(byMilliseconds: 1_000)
        #expect(try answers(server).bulk == ["clientSide": true, "stale": true, "killSwitch": "flag"])
        #expect(try answers(server).evaluate == ["clientSide": true])
        #expect(try answers(server, "b").bulk == [:])
    }

    @Test("The entity tag of all flags is another when one of them becomes such a flag, and the old one when it ends")
    func entityTag() throws {
        let server = try RouteServer()
        try server.create("a")
        try server.create("b", #""defaultEnabled":true,"clientSide":true"#)
        let before = try #require(try server.bulk().fields["etag"])
        #expect(try server.send("PATCH", "/api/flags/a", #"{"clientSide":true}"#).status == 200)
        let during = try server.bulk(ifNoneMatch: before)
        #expect(during.status == 200 && during.fields["etag"] != before)
        #expect(try server.bulk(ifNoneMatch: during.fields["etag"]).status == 304)
        // Which of them it is makes a difference too.
        #expect(try server.send("PATCH", "/api/flags/b", #"{"clientSide":false}"#).status == 200)
        let other = try server.bulk()
        #expect(![before, during.fields["etag"]].contains(other.fields["etag"]))
        #expect(try server.send("PATCH", "/api/flags/b", #"{"clientSide":true}"#).status == 200)
        #expect(try server.send("PATCH", "/api/flags/a", #"{"clientSide":null}"#).status == 200)
        #expect(try server.bulk(ifNoneMatch: before).status == 304)
    }

    @Test("Reads, lists, tags and dry runs have the member")
    func reads() throws {
        let server = try RouteServer()
        try server.create("b")
        let body = #"{"flagKey":"a","description":"d","owner":"o","defaultEnabled":true,"clientSide":true}"#
        let checked = try server.send("POST", "/api/flags?dryRun=true", body)
        #expect(checked.status == 201 && checked.json["clientSide"] == true)
        let created = try server.send("POST", "/api/flags", body)
        #expect(created.json == checked.json)
        let read = try server.send("GET", "/api/flags/a")
        #expect(read.json["clientSide"] == true && read.fields["etag"] == created.fields["etag"])
        let list = try server.send("GET", "/api/flags").json["flags"]?.arrayValue ?? []
        #expect(list.map { $0["clientSide"] } == (list.map { $0["flagKey"] == "a" ? true : nil }))
        #expect(list.count == 2)
        let ends = try server.send("PATCH", "/api/flags/a?dryRun=true", #"{"clientSide":false}"#)
        #expect(ends.status == 200 && ends.json["clientSide"] == nil)
        #expect(try server.send("GET", "/api/flags/a").fields["etag"] == read.fields["etag"])
        #expect(try server.ofrep("a").json["metadata"] == ["clientSide": true])
        for (method, path) in [("POST", "/api/flags"), ("PUT", "/api/flags/a"), ("PATCH", "/api/flags/a")] {
            let refused = try server.send(method, path, body.replacing(#""clientSide":true"#, with: #""clientSide":1"#))
            #expect(refused.status == 400 && refused.pointers == ["/clientSide"])
            #expect(refused.json["errors"]?.arrayValue?.first?["detail"] == "must be true or false")
        }
        let replaced = try server.send(
            "PUT", "/api/flags/a", #"{"description":"d","owner":"o","defaultEnabled":true}"#)
        #expect(replaced.status == 200 && replaced.json["clientSide"] == nil)
        #expect(replaced.fields["etag"] != read.fields["etag"])
        server.composition.follower.waitUntilIdle()
        let history = try server.send("GET", "/api/flags/a/history").json["history"]?.arrayValue?.first
        #expect(history?["attributes"] == ["clientSide"])
        #expect(history?["changes"] == [["pointer": "/clientSide", "before": true, "after": false]])
    }

    @Test("An attribute that somebody typed is served; of another type, what was valid last is, also after a start")
    func byHand() throws {
        let typed: Item = [
            "PK": "FLAG#development#a", "SK": "METADATA", "flagKey": "a", "description": "d", "defaultEnabled": true,
            "owner": "ops", "createdAt": "2026-01-02T03:04:05Z",
        ]
        let directory = try TemporaryDirectory()
        func put(_ item: Item, _ server: RouteServer) throws {
            let table = Profile.local.tableName
            try server.table.store.transactAndWait([.put(table: table, item: item)], principal: .anonymous)
            server.composition.follower.waitUntilIdle()
        }
        func expectClientSide(_ server: RouteServer) throws {
            let answers = try answers(server)
            #expect(answers.ofrep == ["clientSide": true] && answers.bulk == ["clientSide": true])
        }
        do {
            let server = try RouteServer(directory: directory.path)
            try put(typed, server)
            #expect(try answers(server).bulk == [:])
            try put(typed.merging(["clientSide": true]) { $1 }, server)
            try expectClientSide(server)
            #expect(try server.send("GET", "/api/flags/a").json["clientSide"] == true)
            try put(typed.merging(["clientSide": "false"]) { $1 }, server)
            try expectClientSide(server)
            let invalid = try server.send("GET", "/api/flags").json["invalid"]?.arrayValue?.first
            #expect(invalid?["errors"]?.arrayValue?.first?["pointer"] == "/clientSide")
            #expect(try server.send("GET", "/api/flags/a").code == "invalid_item")
        }
        let server = try RouteServer(directory: directory.path)
        server.composition.follower.waitUntilIdle()
        try expectClientSide(server)
        #expect(try server.send("PATCH", "/api/flags/a", #"{"owner":"web"}"#).pointers == ["/clientSide"])
        #expect(try server.send("PATCH", "/api/flags/a", #"{"clientSide":false}"#).status == 200)
        #expect(try answers(server).bulk == [:])
    }

    @Test("A flag that was never valid is such a flag when its item says so", arguments: [false, true])
    func neverValid(value: Bool) throws {
        let server = try RouteServer()
        let item: Item = [
            "PK": "FLAG#development#a", "SK": "METADATA", "flagKey": "a", "definition": "{",
            "clientSide": .bool(value),
        ]
        try server.table.store.transactAndWait(
            [.put(table: Profile.local.tableName, item: item)], principal: .anonymous)
        server.composition.follower.waitUntilIdle()
        let answer = try server.ofrep("a").json
        #expect(answer["errorCode"] == "PARSE_ERROR")
        #expect(answer["metadata"] == (value ? ["clientSide": true] : [:]))
    }
}
