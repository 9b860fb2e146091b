import DynamoTable
import FlagCore
import JSON
import Testing

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

    @Test("A segment has a history: what it says, its keys without attributes, what was refused, and its end")
    func segmentHistory() throws {
        let followed = try Followed()
        let repository = followed.fixture.repository
        let draft = try SegmentDraft(json: ["name": "beta", "description": "d", "owner": "o"])
        let ada = Principal(.command, "ada")
        _ = try followed.fixture.wait {
            repository.createSegment(draft, in: .staging, by: ada, at: Fixture.start, completion: $0)
        }
        let edit = SegmentKeyEdit(add: ["a", "b"], remove: [])
        _ = try repository.editKeys(
            ofSegment: "beta", edit, listed: .empty, in: .staging, by: ada, at: Fixture.start)
        try followed.update(.segment(.staging, name: "beta"), [.set("owner", .value("me"))])
        try followed.update(.segment(.staging, name: "beta"), [.set("condition", .value("{"))])
        try repository.deleteSegment("beta", in: .staging, by: ada)
        followed.follower.waitUntilIdle()
        let history = try repository.history(ofSegment: "beta", in: .staging)
        #expect(history.map(\.event.name) == ["deleted", "refused", "changed", "changed", "created"])
        #expect(history.map(\.attributes) == [[], ["condition"], ["owner"], [], []])
        #expect(history.last?.by == ada.description)
        #expect(try repository.history(of: "beta", in: .staging).isEmpty, "A flag of the name is something else")
    }
}
