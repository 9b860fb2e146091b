import DynamoModel
import FlagCore
import JSON
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("Writes of segments past the program")
struct SegmentFollowerTests {
    private typealias Followed = FlagTableFollowerTests.Followed

    @Test("The last valid condition of a segment holds over a restart, until the segment is valid again or gone")
    func lastValidSegment() throws {
        let followed = try Followed()
        func put(_ condition: AttributeValue, _ followed: Followed) throws {
            try followed.put([
                "PK": "SEGMENT#staging#beta", "SK": "METADATA", "description": "d", "owner": "o",
                "createdAt": "2026-01-01T00:00:00Z", "condition": condition,
            ])
        }
        /// The condition in force for a server that starts now.
        func condition(_ followed: Followed) throws -> JSONValue? {
            let loops = try Loops(warm: [.staging], fixture: followed.fixture)
            return try loops.feed.readSegment(.staging, "beta")?.head?.condition
        }
        let gold = #"{"==":[{"var":"plan"},"gold"]}"#
        try put(.string(gold), followed)
        try put("{", followed)
        try put("[", followed)
        #expect(followed.follower.statistics.heldSegments == 1)
        #expect(followed.follower.statistics.held == 0)
        #expect(try condition(followed) == JSONValue(parsing: gold))
        let again = try Followed(followed.fixture)
        #expect(again.follower.statistics.heldSegments == 1)
        let invalid = try again.fixture.repository.invalidSegments(in: .staging)
        #expect(invalid.map(\.name) == ["beta"])
        #expect(invalid.first?.issues.map(\.pointer) == ["/condition"])
        #expect(try again.fixture.repository.invalidSegments(in: .production).isEmpty)
        try put(#"{"var":"x"}"#, again)
        #expect(again.follower.statistics.heldSegments == 0)
        #expect(try condition(again) == ["var": "x"])
        try put("{", again)
        try followed.fixture.store.transactAndWait(
            [.delete(table: Fixture.table, key: ItemKey.segment(.staging, name: "beta").tableKey)],
            principal: .anonymous)
        again.follower.waitUntilIdle()
        #expect(again.follower.statistics.heldSegments == 0)
    }

    @Test("A segment has a history: what it says and its keys from what to what, what was refused, and its end")
    func segmentHistory() throws {
        let followed = try Followed()
        let repository = followed.fixture.repository
        let draft = try SegmentDraft(json: ["name": "beta", "description": "d", "owner": "o"])
        let ada = Principal(.command, "ada")
        _ = try followed.fixture.wait {
            repository.createSegment(draft, in: .tests(.staging, by: ada, at: Fixture.start), completion: $0)
        }
        let edit = SegmentKeyEdit(add: ["a", "b"], remove: [])
        _ = try repository.editKeys(
            ofSegment: "beta", edit, listed: .empty, in: .tests(.staging, by: ada, at: Fixture.start))
        followed.endCounting()
        try followed.update(.segment(.staging, name: "beta"), [.set("owner", .value("me"))])
        try followed.update(.segment(.staging, name: "beta"), [.set("condition", .value("{"))])
        try repository.deleteSegment("beta", in: .tests(.staging, by: ada))
        followed.follower.waitUntilIdle()
        let history = try repository.history(ofSegment: "beta", in: .staging)
        // The keys go before the segment does.
        try #require(
            history.map(\.event.name) == ["deleted", "changed", "refused", "changed", "changed", "created"])
        #expect(history.map(\.attributes) == [[], [], ["condition"], ["owner"], [], []])
        #expect(history[1].json["keys"] == ["removed": ["count": 2, "first": ["a", "b"]]])
        #expect(history[2].json["changes"] == [["pointer": "/condition", "after": "{"]])
        #expect(history[3].json["changes"] == [["pointer": "/owner", "before": "o", "after": "me"]])
        #expect(history[4].json["keys"] == ["added": ["count": 2, "first": ["a", "b"]]])
        #expect(history[5].json["changes"]?.arrayValue?.first?["after"]?["description"] == "d")
        #expect(history.last?.by == ada.description)
        #expect(try repository.history(of: "beta", in: .staging).isEmpty, "A flag of the name is something else")
    }

    @Test("Each call that changes keys is one entry, however many there are, and so are keys that others put")
    func keyCounts() throws {
        let followed = try Followed()
        let repository = followed.fixture.repository
        let draft = try SegmentDraft(json: ["name": "beta", "description": "d", "owner": "o"])
        _ = try followed.fixture.wait {
            repository.createSegment(draft, in: .tests(.staging, at: Fixture.start), completion: $0)
        }
        func edit(add: [String] = [], remove: [String] = []) throws {
            _ = try repository.editKeys(
                ofSegment: "beta", SegmentKeyEdit(add: add, remove: remove), listed: .empty,
                in: .tests(.staging, at: Fixture.start))
        }
        let keys = (1000..<2300).map { "user-\($0)" }
        try edit(add: keys)
        try edit(add: ["user-1000"], remove: ["user-1001", "user-5"])
        try edit(add: ["user-1000"])
        followed.endCounting()
        try followed.fixture.store.transactAndWait(
            ["by-hand", "user-1000"].map {
                .put(table: Fixture.table, item: ItemKey.segmentKey(.staging, name: "beta", key: $0).item)
            }, principal: .anonymous)
        followed.follower.waitUntilIdle()
        let history = try repository.history(ofSegment: "beta", in: .staging)
        try #require(history.map(\.change) == ["changed", "changed", "changed", "changed", "created"])
        #expect(history[0].json["keys"] == ["added": ["count": 1, "first": ["by-hand"]]])
        #expect(history[1].json["keys"] == nil, "Nothing was otherwise than before")
        #expect(history[2].json["keys"] == ["removed": ["count": 1, "first": ["user-1001"]]])
        let added = history[3].json["keys"]?["added"]
        #expect(added?["count"] == 1300)
        #expect(added?["first"]?.arrayValue?.count == FlagLimits.talliedNames)
    }
}
