import JSON
import Testing

@testable import FlagServer

@Suite("Two writers who read the same")
struct TwoWritersTests {
    private static let flag = "/api/flags/a"
    private static let segment = "/api/segments/s"

    /// A change that somebody makes of what he has read.
    struct Change: Sendable {
        let method: String
        let path: String
        let body: String?

        init(_ method: String, _ path: String, _ body: String? = nil) {
            (self.method, self.path, self.body) = (method, path, body)
        }
    }

    /// Two changes of one thing.
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let thing: String
        let changes: [Change]
    }

    private static func whole(_ text: String) -> String {
        #"{"flagKey":"a","description":"\#(text)","owner":"o","defaultEnabled":true}"#
    }

    static let cases = [
        Case(
            testDescription: "PUT and PUT of a flag", thing: flag,
            changes: [Change("PUT", flag, whole("one")), Change("PUT", flag, whole("two"))]),
        Case(
            testDescription: "PATCH and PATCH of a flag", thing: flag,
            changes: [
                Change("PATCH", flag, #"{"description":"one"}"#), Change("PATCH", flag, #"{"description":"two"}"#),
            ]),
        Case(
            testDescription: "PUT and DELETE of a flag", thing: flag,
            changes: [Change("PUT", flag, whole("one")), Change("DELETE", flag)]),
        Case(
            testDescription: "PUT and PATCH of a segment", thing: segment,
            changes: [
                Change("PUT", segment, #"{"name":"s","description":"one","owner":"o"}"#),
                Change("PATCH", segment, #"{"description":"two"}"#),
            ]),
        Case(
            testDescription: "keys and keys of a segment", thing: segment,
            changes: [
                Change("POST", segment + "/keys", #"{"add":["one"]}"#),
                Change("PUT", segment + "/keys", #"{"keys":["two"]}"#),
            ]),
        Case(
            testDescription: "PATCH and DELETE of a segment", thing: segment,
            changes: [Change("PATCH", segment, #"{"description":"one"}"#), Change("DELETE", segment)]),
    ]

    private func server() throws -> RouteServer {
        let server = try RouteServer()
        try server.create("a")
        let segment = #"{"name":"s","description":"d","owner":"o"}"#
        #expect(try server.send("POST", "/api/segments", segment).status == 201)
        return server
    }

    /// Has both changes checked by their routes before either is written.
    private func race(
        _ server: RouteServer, _ changes: [Change], ifMatch tag: String?
    ) throws -> [TestResponse] {
        let clients = try changes.map { _ in try server.connect() }
        let held = server.table.heldWrites
        server.table.holdWrites()
        for (client, change) in zip(clients, changes) {
            let fields = tag.map { [("If-Match", $0)] } ?? []
            try client.write(Array(TestConnection.request(change.method, change.path, change.body, fields).utf8))
        }
        try waitUntil { server.table.heldWrites >= held + changes.count }
        server.table.letWritesGo()
        return try clients.map { try $0.readResponse() }
    }

    @Test(
        "With If-Match one of them is told that the other was first, and what the other wrote stays", arguments: cases)
    func conditional(_ pair: Case) throws {
        let server = try server()
        let tag = try #require(try server.send("GET", pair.thing).fields["etag"])
        let answers = try race(server, pair.changes, ifMatch: tag)
        let winners = answers.indices.filter { (200...204).contains(answers[$0].status) }
        let winner = try #require(winners.first)
        #expect(winners.count == 1)
        let loser = answers[1 - winner]
        let now = try server.send("GET", pair.thing)
        guard pair.changes[winner].method != "DELETE" else {
            #expect(now.status == 404 && (loser.status == 404 || loser.status == 412))
            return
        }
        #expect(loser.status == 412 && loser.code == "version_mismatch")
        #expect(now.fields["etag"] == answers[winner].fields["etag"])
        #expect(now.json["version"] == 2)
        if pair.thing == Self.segment {
            let keys = try server.send("GET", Self.segment + "/keys").json["keys"]?.arrayValue
            let wantsKeys = pair.changes[winner].path != Self.segment
            #expect(keys == (wantsKeys ? [winner == 0 ? "one" : "two"] : []))
            if wantsKeys { return }
        }
        #expect(now.json["description"] == (winner == 0 ? "one" : "two"))
        // With the tag as it is now, the other one's turn comes.
        let change = pair.changes[1 - winner]
        let again = try server.send(
            change.method, change.path, change.body, [("If-Match", try #require(now.fields["etag"]))])
        #expect((200...204).contains(again.status))
    }

    @Test("Without it both are done, one on top of the other: nothing of either is lost")
    func unconditional() throws {
        let server = try server()
        let answers = try race(
            server,
            [Change("PATCH", Self.flag, #"{"description":"one"}"#), Change("PATCH", Self.flag, #"{"owner":"two"}"#)],
            ifMatch: nil)
        #expect(answers.map(\.status) == [200, 200])
        let flag = try server.send("GET", Self.flag).json
        #expect(flag["description"] == "one" && flag["owner"] == "two" && flag["version"] == 3)
        let keys = try race(
            server,
            [
                Change("POST", Self.segment + "/keys", #"{"add":["one"]}"#),
                Change("POST", Self.segment + "/keys", #"{"add":["two"]}"#),
            ], ifMatch: nil)
        #expect(keys.map(\.status) == [200, 200])
        #expect(try server.send("GET", Self.segment + "/keys").json["keys"] == ["one", "two"])
        #expect(try server.send("GET", Self.segment).json["version"] == 3)
    }

    @Test("A version in the body binds as a tag does")
    func versionInBody() throws {
        let server = try server()
        let bodies = ["one", "two"].map { text in
            #"{"flagKey":"a","description":"\#(text)","owner":"o","defaultEnabled":true,"version":1}"#
        }
        let answers = try race(server, bodies.map { Change("PUT", Self.flag, $0) }, ifMatch: nil)
        #expect(answers.map(\.status).sorted() == [200, 412])
        #expect(try server.send("GET", Self.flag).json["version"] == 2)
    }

    @Test("Two who create the same: one has created it, and the other is told that it exists")
    func creation() throws {
        let server = try server()
        let changes = ["one", "two"].map { text in
            Change(
                "POST", "/api/flags",
                #"{"flagKey":"new","description":"\#(text)","owner":"o","defaultEnabled":true}"#)
        }
        let answers = try race(server, changes, ifMatch: nil)
        #expect(answers.map(\.status).sorted() == [201, 409])
        let winner = answers[0].status == 201 ? "one" : "two"
        #expect(try server.send("GET", "/api/flags/new").json["description"] == .string(winner))
    }
}
