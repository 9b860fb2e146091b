import DynamoModel
import FlagCore
import FlagStore
import JSON
import Testing

@testable import Administration
@testable import FlagServer

@Suite("Segments")
struct SegmentRoutesTests {
    static let gold = #""condition":{"==":[{"var":"plan"},"gold"]}"#

    /// Creates a segment.
    static func create(_ name: String, _ more: String = gold, server: RouteServer) throws {
        let body = #"{"name":"\#(name)","description":"A segment","owner":"tests"\#(more.isEmpty ? "" : ",\(more)")}"#
        let answer = try server.send("POST", "/api/segments", body)
        if answer.status != 201 { throw TestFailure(answer.body) }
    }

    /// Creates a flag that is on for those in a segment.
    static func createFlag(_ key: String, _ segment: String, _ server: RouteServer) throws {
        let rule = #""variants":{"on":true,"off":false},"defaultVariant":"off","#
        try server.create(key, rule + #""targeting":{"if":[{"segment":"\#(segment)"},"on"]}"#)
    }

    @Test("are created, read, replaced, changed and deleted like flags")
    func lifecycle() throws {
        let server = try RouteServer()
        let created = try server.send(
            "POST", "/api/segments",
            #"{"name":"gold users","description":"Who pays most","owner":"growth",\#(Self.gold)}"#)
        #expect(created.status == 201)
        #expect(created.fields["location"] == "/api/segments/gold%20users")
        #expect(
            created.body
                == #"{"name":"gold users","description":"Who pays most","condition":{"==":[{"var":"plan"},"gold"]},"#
                + #""owner":"growth","environment":"development","keyCount":0,"createdAt":"2026-01-02T03:04:05.678Z","#
                + #""updatedAt":"2026-01-02T03:04:05.678Z","version":1}"#)
        let path = "/api/segments/gold%20users"
        let read = try server.send("GET", path)
        #expect(read.body == created.body)
        #expect(read.fields["etag"] == created.fields["etag"])
        #expect(try server.send("POST", "/api/segments", created.body).code == "segment_exists")
        // What a read answered may be put back.
        let replaced = try server.send("PUT", path, read.body)
        #expect(replaced.json["version"] == 2)
        #expect(try server.send("PUT", path, read.body).code == "version_mismatch")
        let patched = try server.send("PATCH", path, #"{"condition":null,"owner":"sales"}"#)
        #expect(patched.json["condition"] == nil)
        #expect(patched.json["owner"] == "sales")
        let stale = [("If-Match", read.fields["etag"] ?? "")]
        #expect(try server.send("DELETE", path, nil, stale).status == 412)
        #expect(try server.send("GET", path, nil, [("If-None-Match", patched.fields["etag"] ?? "")]).status == 304)
        #expect(try server.send("DELETE", path, nil, [("If-Match", patched.fields["etag"] ?? "")]).status == 204)
        #expect(try server.send("GET", path).code == "segment_not_found")
        #expect(try server.send("DELETE", path).status == 404)
    }

    @Test("are listed by name, page after page, each environment by itself")
    func list() throws {
        let server = try RouteServer()
        for name in ["b", "a", "c"] { try Self.create(name, "", server: server) }
        let first = try server.send("GET", "/api/segments?limit=2").json
        #expect(first["segments"]?.arrayValue?.map { $0["name"] } == ["a", "b"])
        let cursor = try #require(first["nextCursor"]?.stringValue)
        let second = try server.send("GET", "/api/segments?limit=2&cursor=\(cursor)").json
        #expect(second["segments"]?.arrayValue?.map { $0["name"] } == ["c"])
        #expect(second["nextCursor"] == .null)
        #expect(try server.send("GET", "/api/segments?environment=staging").json["segments"] == [])
        #expect(try server.send("GET", "/api/segments?cursor=AAAA").code == "invalid_query")
    }

    @Test("that are not valid are refused with everything that is wrong")
    func invalid() throws {
        let server = try RouteServer()
        let body = #"{"name":"","description":"d","condition":{"nonsense":1},"keys":["a"]}"#
        let refused = try server.send("POST", "/api/segments", body)
        #expect(refused.status == 400)
        #expect(refused.pointers == ["/name", "/owner", "/condition/nonsense", "/keys"])
        try Self.create("a", #""condition":{"var":"x"}"#, server: server)
        try Self.create("b", #""condition":{"segment":"a"}"#, server: server)
        let circle = try server.send("PATCH", "/api/segments/a", #"{"condition":{"var":null,"!":[{"segment":"b"}]}}"#)
        #expect(circle.pointers == ["/condition/!/0/segment"])
        #expect(circle.body.contains("makes a circle: a → b → a"))
        let own = try server.send("PATCH", "/api/segments/a", #"{"condition":{"var":null,"segment":"a"}}"#)
        #expect(own.body.contains("makes a circle: a → a"))
        let unknown = try server.send("PATCH", "/api/segments/a", #"{"condition":{"var":null,"segment":"nowhere"}}"#)
        #expect(unknown.body.contains("there is no segment nowhere"))
        var above = "b"
        for level in 3...SegmentReference.depthMaximum {
            try Self.create("level \(level)", #""condition":{"segment":"\#(above)"}"#, server: server)
            above = "level \(level)"
        }
        let deep = #"{"name":"z","description":"d","owner":"o","condition":{"segment":"\#(above)"}}"#
        #expect(try server.send("POST", "/api/segments", deep).body.contains("leads too deep"))
    }

    @Test("decide what flags answer, at once after each change, on every interface and every loop")
    func evaluation() throws {
        let server = try RouteServer(loops: 2)
        try Self.create("beta", server: server)
        try Self.createFlag("f", "beta", server)
        func answers(_ context: String, _ variant: JSONValue) throws {
            for _ in 0..<4 {
                let connection = try server.connect()
                let answer = try connection.send("POST", "/ofrep/v1/evaluate/flags/f", #"{"context":\#(context)}"#)
                #expect(answer.json["variant"] == variant)
            }
            #expect(try server.bulk(context).json["flags"]?.arrayValue?.first?["variant"] == variant)
        }
        try answers(#"{"plan":"gold"}"#, "on")
        try answers(#"{"plan":"free"}"#, "off")
        try server.send("PATCH", "/api/segments/beta", #"{"condition":{"==":[{"var":"plan"},"free"]}}"#)
        try answers(#"{"plan":"gold"}"#, "off")
        try answers(#"{"plan":"free"}"#, "on")
        try server.send("POST", "/api/segments/beta/keys", #"{"add":["u1"]}"#)
        try answers(#"{"plan":"gold","targetingKey":"u1"}"#, "on")
        try server.send("POST", "/api/segments/beta/keys", #"{"remove":["u1"]}"#)
        try answers(#"{"plan":"gold","targetingKey":"u1"}"#, "off")
        let body = #"{"tenantId":"acme","flagKey":"f","metadata":{"plan":"free"}}"#
        #expect(try server.send("POST", "/api/evaluate", body).json["reason"] == "targeting")
        let trace = try server.send("POST", "/api/explain", body).body
        #expect(trace.contains(#""operator":"segment""#) && trace.contains(#""condition":{"operator":"==""#))
        let batch = #"{"tenantId":"acme","flagKeys":["f"],"metadata":{"plan":"free"}}"#
        let flags = try server.send("POST", "/api/evaluate/batch", batch).json["flags"]
        #expect(flags?.arrayValue?.first?["variant"] == "on")
    }

    @Test("change the entity tag of bulk answers of flags that name some, and only these")
    func entityTags() throws {
        let server = try RouteServer(loops: 2)
        try server.create("plain")
        let plain = try server.bulk().fields["etag"]
        try Self.create("beta", server: server)
        #expect(try server.bulk(ifNoneMatch: plain).status == 304)
        try Self.createFlag("f", "beta", server)
        var tag = try server.bulk().fields["etag"]
        for change in [#"{"add":["u1"]}"#, #"{"remove":["u1"]}"#] {
            #expect(try server.bulk(ifNoneMatch: tag).status == 304)
            try server.send("POST", "/api/segments/beta/keys", change)
            let answer = try server.bulk(ifNoneMatch: tag)
            #expect(answer.status == 200)
            tag = answer.fields["etag"]
        }
        let timed = #"{"condition":{"==":null,">":[{"var":"$flagd.timestamp"},1767323050]}}"#
        try server.send("PATCH", "/api/segments/beta", timed)
        let before = try server.bulk()
        #expect(before.body.contains(#""variant":"off""#))
        server.advance(byMilliseconds: 10_000)
        let after = try server.bulk(ifNoneMatch: before.fields["etag"])
        #expect(after.status == 200)
        #expect(after.body.contains(#""key":"f","reason":"TARGETING_MATCH","variant":"on""#))
    }

    @Test("that do not exist are refused in a flag with the place; those that are used are not deleted")
    func uses() throws {
        let server = try RouteServer()
        let flag = #"{"flagKey":"f","description":"d","owner":"o","state":"ENABLED","variants":{"on":true},"#
        let refused = try server.send(
            "POST", "/api/flags", flag + #""targeting":{"if":[{"segment":["nowhere",{"var":"x"}]},"on"]}}"#)
        #expect(refused.pointers == ["/targeting/if/0/segment"])
        #expect(refused.body.contains("there is no segment nowhere: create it first"))
        try Self.create("beta", server: server)
        try Self.create("other", #""condition":{"segment":"beta"}"#, server: server)
        try Self.createFlag("f", "beta", server)
        let used = try server.send("DELETE", "/api/segments/beta")
        #expect(used.status == 409)
        #expect(used.code == "segment_used")
        #expect(used.body.contains("used by the flag f and the segment other"))
        let uses = try server.send("GET", "/api/segments/beta/uses").json
        #expect(uses == ["name": "beta", "flags": ["f"], "segments": ["other"]])
        try server.send("DELETE", "/api/flags/f")
        try server.send("DELETE", "/api/segments/other")
        #expect(try server.send("DELETE", "/api/segments/beta").status == 204)
    }

    @Test("list keys: added, taken out, replaced, read page after page, counted")
    func keys() throws {
        let server = try RouteServer()
        try Self.create("beta", "", server: server)
        let path = "/api/segments/beta/keys"
        let numbers = (0..<250).map { #""user-\#(1000 + $0)""# }.joined(separator: ",")
        let added = try server.send("POST", path, #"{"add":[\#(numbers),"user-1000","ü/1"]}"#)
        #expect(added.status == 200)
        #expect(added.json["keyCount"] == 251)
        #expect(added.json["version"] == 2)
        var found: [String] = []
        var cursor: String? = ""
        while let next = cursor {
            let query = next.isEmpty ? "?limit=100" : "?limit=100&cursor=\(next)"
            let page = try server.send("GET", path + query).json
            found += page["keys"]?.arrayValue?.compactMap(\.stringValue) ?? []
            cursor = page["nextCursor"]?.stringValue
        }
        #expect(found == (0..<250).map { "user-\(1000 + $0)" } + ["ü/1"])
        let edited = try server.send("POST", path, #"{"add":["x","user-1000"],"remove":["ü/1","unknown"]}"#)
        #expect(edited.json["keyCount"] == 251)
        let tag = try #require(edited.fields["etag"])
        #expect(try server.send("GET", "/api/segments/beta").fields["etag"] == tag)
        let stale = [("If-Match", added.fields["etag"] ?? "")]
        #expect(try server.send("PUT", path, #"{"keys":["a"]}"#, stale).status == 412)
        let replaced = try server.send("PUT", path, #"{"keys":["a","x"]}"#, [("If-Match", tag)])
        #expect(replaced.json["keyCount"] == 2)
        #expect(try server.send("GET", path).body == #"{"keys":["a","x"],"total":2,"nextCursor":null}"#)
        #expect(try server.send("DELETE", "/api/segments/beta").status == 204)
        try Self.create("beta", "", server: server)
        #expect(try server.send("GET", "/api/segments/beta").json["keyCount"] == 0)
    }

    @Test("refuse lists that are not valid, and more keys than a segment may have")
    func invalidKeys() throws {
        let server = try RouteServer()
        try Self.create("beta", "", server: server)
        let path = "/api/segments/beta/keys"
        let wrong = try server.send("POST", path, #"{"add":["a",1,""],"remove":["a"],"what":1}"#)
        #expect(wrong.pointers == ["/add/1", "/add/2", "/what"])
        #expect(try server.send("POST", path, #"{"add":["a"],"remove":["a"]}"#).pointers == ["/remove"])
        #expect(try server.send("POST", path, "{}").status == 400)
        #expect(try server.send("PUT", path, #"{"add":["a"]}"#).pointers == ["/keys"])
        #expect(try server.send("POST", "/api/segments/none/keys", #"{"add":["a"]}"#).code == "segment_not_found")
        #expect(try server.send("GET", "/api/segments/none/keys").status == 404)
        let many = (0...FlagLimits.segmentKeys).map { #""\#($0)""# }.joined(separator: ",")
        #expect(try server.send("POST", path, #"{"add":[\#(many)]}"#).pointers == ["/add"])
    }

    @Test("that were written past the routes work like others; what is not valid breaks nothing")
    func foreign() throws {
        let server = try RouteServer(loops: 2)
        let place: Item = ["PK": "SEGMENT#development#beta"]
        let metadata: Item = place.merging([
            "SK": "METADATA", "description": "d", "owner": "o", "createdAt": "2026-01-01T00:00:00Z",
            "condition": #"{"==":[{"var":"plan"},"gold"]}"#,
        ]) { $1 }
        func put(_ item: Item) throws {
            try server.table.store.transactAndWait(
                [.put(table: Profile.local.tableName, item: item)], principal: .anonymous)
            server.composition.follower.waitUntilIdle()
        }
        func isOn(_ context: String) throws -> Bool {
            let bulk = try server.bulk(context).json["flags"]?.arrayValue?.first?["value"]
            #expect(try server.ofrep("f", context).json["value"] == bulk)
            return bulk == true
        }
        try Self.create("other", "", server: server)
        try Self.createFlag("f", "other", server)
        #expect(try !isOn(#"{"targetingKey":"u1"}"#))
        // A key comes before the segment that lists it.
        try put(place.merging(["SK": "KEY#u1"]) { $1 })
        try put(metadata)
        try server.send("PATCH", "/api/flags/f", #"{"targeting":{"if":[{"segment":"beta"},"on"]}}"#)
        #expect(try isOn(#"{"targetingKey":"u1"}"#))
        #expect(try isOn(#"{"plan":"gold"}"#))
        let read = try server.send("GET", "/api/segments/beta").json
        #expect(read["keyCount"] == 1)
        #expect(read["version"] == 1)
        #expect(try server.send("GET", "/api/segments").json["segments"]?.arrayValue?.first?["name"] == "beta")
        // The last valid form stays.
        try put(metadata.merging(["condition": "{"]) { $1 })
        #expect(try isOn(#"{"plan":"gold"}"#))
        try put(metadata.merging(["owner": 1]) { $1 })
        #expect(try isOn(#"{"plan":"gold"}"#))
        #expect(try server.send("GET", "/api/segments/beta").code == "invalid_item")
        #expect(!(try server.send("GET", "/metrics").body.contains("flag_server_invalid_items_total 0\n")))
        try server.send("PUT", "/api/segments/beta", #"{"description":"d","owner":"o"}"#)
        #expect(try !isOn(#"{"plan":"gold"}"#))
        #expect(try isOn(#"{"targetingKey":"u1"}"#))
        // A segment that is gone holds nobody, and says so.
        try server.table.store.transactAndWait(
            [
                .delete(
                    table: Profile.local.tableName, key: TableKey("SEGMENT#development#beta", "METADATA"))
            ], principal: .anonymous)
        #expect(try !isOn(#"{"targetingKey":"u1"}"#))
        #expect(!(try server.send("GET", "/metrics").body.contains("flag_server_unknown_segments_total 0\n")))
    }

    @Test("are exported and imported; what flagd's format has no words for is told in a header field")
    func transfer() throws {
        let server = try RouteServer()
        try Self.create("beta", server: server)
        try server.send("POST", "/api/segments/beta/keys", #"{"add":["u1"]}"#)
        try Self.createFlag("f", "beta", server)
        let native = try server.send("GET", "/api/export")
        #expect(native.fields["flag-server-left-out"] == nil)
        let again = try server.send("POST", "/api/import?mode=replace&dryRun=true", native.body)
        #expect(again.body.contains("segments: 0 created, 0 changed, 0 removed, 1 unchanged"))
        try server.send("PATCH", "/api/flags/f", #"{"requires":[]}"#)
        try server.create("g", #""defaultEnabled":true,"requires":[{"flagKey":"f","variant":"on"}]"#)
        let flagd = try server.send("GET", "/api/export?format=flagd")
        #expect(
            ExportedFile.lines(inField: flagd.fields["flag-server-left-out"])
                == ["the flag g: it requires f, which flagd's format leaves out"])
        let many = ExportedFile(bytes: [], leftOut: (0..<30).map { "ü \($0)" })
        #expect(ExportedFile.lines(inField: many.fieldValue(isWhole: false)).count == 21)
        #expect(ExportedFile.lines(inField: many.fieldValue(isWhole: true)).count == 30)
    }
}
