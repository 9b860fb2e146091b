import DynamoModel
import FlagCore
import JSON
import TableEngine
import Testing

@testable import Evaluation
@testable import FlagServer
@testable import FlagStore

@Suite("Conditions of requests, and what lists tell once")
struct ListedOnceTests {
    @Test("A weak tag matches what is read and nothing that is to be changed (RFC 9110 section 13.1.1)")
    func weakTags() throws {
        let server = try RouteServer()
        try server.create("a")
        let segment = #"{"name":"s","description":"d","owner":"o"}"#
        #expect(try server.send("POST", "/api/segments", segment).status == 201)
        for path in ["/api/flags/a", "/api/segments/s"] {
            let tag = try #require(try server.send("GET", path).fields["etag"])
            let weak = "W/\(tag)"
            #expect(try server.send("GET", path, nil, [("If-None-Match", weak)]).status == 304)
            for (method, body) in [("PATCH", #"{"owner":"x"}"#), ("DELETE", nil)] as [(String, String?)] {
                let answer = try server.send(method, path, body, [("If-Match", weak)])
                #expect(answer.status == 412 && answer.code == "version_mismatch")
                #expect(answer.fields["etag"] == tag)
            }
            for (field, owner) in [("\"x\", \(tag)", "y"), ("*", "z")] {
                let body = #"{"owner":"\#(owner)"}"#
                #expect(try server.send("PATCH", path, body, [("If-Match", field)]).status == 200)
            }
        }
    }

    @Test("What is not valid is told with the first page of a list and with no other")
    func invalid() throws {
        let server = try RouteServer()
        for key in ["a", "b", "bad"] { try server.create(key) }
        let store = server.table.store
        let key = ItemKey.flag(.development, key: "bad").tableKey
        var item = try #require(try store.getItem(table: Profile.local.tableName, key: key))
        item["owner"] = 7
        try store.transactAndWait([.put(table: Profile.local.tableName, item: item)], principal: .anonymous)
        server.composition.follower.waitUntilIdle()
        var cursor: String?
        var pages: [(keys: [String], invalid: Int)] = []
        repeat {
            let query = cursor.map { "&cursor=\($0)" } ?? ""
            let page = try server.send("GET", "/api/flags?limit=1\(query)").json
            let keys = page["flags"]?.arrayValue?.compactMap { $0["flagKey"]?.stringValue } ?? []
            pages.append((keys, page["invalid"]?.arrayValue?.count ?? 0))
            cursor = page["nextCursor"]?.stringValue
        } while cursor != nil && pages.count < 9
        #expect(pages.flatMap(\.keys).sorted() == ["a", "b"])
        #expect(pages.map(\.invalid) == [1] + Array(repeating: 0, count: pages.count - 1) && pages.count > 1)
    }

    @Test("Where a new thing is, its answer says, with the environment where that is not the server's own")
    func location() throws {
        let server = try RouteServer()
        let body = #"{"flagKey":"a b/ü","description":"d","owner":"o","defaultEnabled":true}"#
        let own = try server.send("POST", "/api/flags", body)
        #expect(own.fields["location"] == "/api/flags/a%20b%2F%C3%BC")
        let other = try server.send("POST", "/api/flags?environment=staging", body)
        #expect(other.fields["location"] == "/api/flags/a%20b%2F%C3%BC?environment=staging")
        for answer in [own, other] {
            let found = try server.send("GET", try #require(answer.fields["location"]))
            #expect(found.status == 200 && found.json["environment"] == answer.json["environment"])
        }
    }

    @Test("An answer of all flags has as many bytes as it may have, and no more")
    func bulkBytes() throws {
        let whole = try RouteServer()
        for key in ["a", "b"] { try whole.create(key) }
        let body = try whole.bulk().body
        // What closes the list is not counted.
        let counted = body.utf8.count - #"],"metadata":{}}"#.utf8.count
        for (bytes, status) in [(counted, 200), (counted - 1, 500)] {
            let server = try RouteServer { $0.evaluation.bulkResponseBytes = bytes }
            for key in ["a", "b"] { try server.create(key) }
            let answer = try server.bulk()
            #expect(answer.status == status)
            if status == 200 {
                #expect(answer.body == body)
            } else {
                #expect(answer.body.contains("limits.bulk-answer"))
            }
        }
    }

    @Test("Who was told of a change is answered whole, whatever tag he has; an empty notice is none")
    func notices() throws {
        let server = try RouteServer()
        try server.create("a")
        let path = "/ofrep/v1/evaluate/flags"
        let tag = try #require(try server.send("POST", path, "{}").fields["etag"])
        for (query, status) in [
            ("", 304), ("?flagConfigEtag=", 304), ("?flagConfigEtag=x", 200), ("?flagConfigLastModified=1", 200),
            ("?environment=development", 304), ("?unknown=1", 304),
        ] {
            let answer = try server.send("POST", path + query, "{}", [("If-None-Match", tag)])
            #expect(answer.status == status && answer.fields["etag"] == tag, "\(query)")
        }
    }

    @Test("An environment in the body that is not the query's is refused, and the same in other words is not")
    func environments() throws {
        let server = try RouteServer()
        try server.create("a", environment: "staging")
        for (path, key) in [("evaluate", #""flagKey":"a""#), ("evaluate/batch", #""flagKeys":["a"]"#)] {
            for (query, body, status) in [
                ("staging", "staging", 200), ("staging", "dev", 200), ("staging", "production", 400),
                ("development", "staging", 400),
            ] {
                let text = #"{"tenantId":"t",\#(key),"environment":"\#(body)"}"#
                let answer = try server.send("POST", "/api/\(path)?environment=\(query)", text)
                #expect(answer.status == status, "\(query) \(body)")
                if status == 400 { #expect(answer.pointers == ["/environment"]) }
            }
        }
    }
}
