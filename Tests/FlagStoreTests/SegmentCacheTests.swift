import Bytes
import Dispatch
import DynamoModel
import FlagCore
import JSON
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("Segments in the cache")
struct SegmentCacheTests {
    /// Stores items past the repository.
    private func put(_ items: [Item], _ loops: Loops) throws {
        try loops.fixture.store.transactAndWait(
            items.map { .put(table: Fixture.table, item: $0) }, principal: .anonymous)
    }

    private func segment(_ name: String, _ more: Item = [:]) -> Item {
        let item: Item = [
            "PK": .string("SEGMENT#development#\(name)"), "SK": "METADATA", "description": "d", "owner": "o",
            "createdAt": "2026-01-01T00:00:00Z", "GSI3PK": "SEGMENTS#development",
            "GSI3SK": .string("SEGMENT#\(name)"),
        ]
        return item.merging(more) { $1 }
    }

    private func key(_ name: String, _ key: String) -> Item {
        ["PK": .string("SEGMENT#development#\(name)"), "SK": .string("KEY#\(key)")]
    }

    /// Whether a loop finds a key listed; nil when there is no such segment. Loads what it takes.
    private func lists(_ name: String, _ key: String, _ loops: Loops, loop: Int = 0) -> Bool? {
        loops.drain(loop)
        let cache = loops.caches[loop]
        func look() -> SegmentLookup { name.withBytes { cache.segment(.development, name: $0, now: 0) } }
        if case .missing = look() {
            cache.load([.segments(.development)], now: 0) {}
            while case .missing = look() {
                loops.mail.awaitArrival(loop)
                loops.drain(loop)
            }
        }
        guard case .found(let segment) = look() else { return nil }
        return segment.keys.map { keys in key.withBytes { keys.contains($0) } } ?? false
    }

    @Test("Loops load them once and share the keys; changes reach every loop that has them")
    func changes() throws {
        let loops = try Loops(2)
        try put([segment("beta"), key("beta", "a"), key("beta", "b")], loops)
        let loads = loops.feed.statistics.loads
        for loop in 0..<2 {
            #expect(lists("beta", "a", loops, loop: loop) == true)
            #expect(lists("beta", "c", loops, loop: loop) == false)
            #expect(lists("unknown", "a", loops, loop: loop) == nil)
        }
        #expect(loops.feed.statistics.loads == loads + 1)
        try put([key("beta", "c"), segment("late"), key("late", "x")], loops)
        loops.feed.largeLoads.sync {}
        for loop in 0..<2 {
            #expect(lists("beta", "c", loops, loop: loop) == true)
            #expect(lists("late", "x", loops, loop: loop) == true)
        }
        try loops.fixture.store.transactAndWait(
            [
                .delete(table: Fixture.table, key: TableKey("SEGMENT#development#beta", "KEY#a")),
                .delete(table: Fixture.table, key: TableKey("SEGMENT#development#late", "METADATA")),
            ], principal: .anonymous)
        #expect(lists("beta", "a", loops) == false)
        #expect(lists("late", "x", loops) == nil)
        #expect(try loops.feed.keys(ofSegment: "beta", in: .development).count == 2)
        #expect(try loops.feed.keys(ofSegment: "beta", in: .staging).count == 0)
    }

    @Test("Keys that were listed long before there was a segment count when there is one")
    func orphans() throws {
        let fixture = try Fixture()
        try fixture.store.transactAndWait(
            [.put(table: Fixture.table, item: key("beta", "early"))], principal: .anonymous)
        let loops = try Loops(1, warm: [.development], fixture: fixture)
        #expect(lists("beta", "early", loops) == nil)
        try put([segment("beta")], loops)
        loops.feed.largeLoads.sync {}
        #expect(lists("beta", "early", loops) == true)
    }

    @Test("Fingerprints are equal for equal segments, in whatever order they came, and differ with a key")
    func fingerprints() throws {
        func fingerprint(_ items: [Item]) throws -> UInt64? {
            let loops = try Loops(1, warm: [.development])
            for item in items { try put([item], loops) }
            loops.feed.largeLoads.sync {}
            loops.drain()
            return loops.caches[0].segmentsFingerprint(.development, now: 0)
        }
        let some = [segment("a"), key("a", "1"), key("a", "2"), segment("b")]
        let first = try fingerprint(some)
        #expect(first != nil)
        #expect(try fingerprint(some.reversed()) == first)
        #expect(try fingerprint(some.dropLast()) != first)
        #expect(try fingerprint(some + [key("b", "1")]) != first)
        #expect(try fingerprint([]) == 0)
    }

    @Test("A store that does not answer makes them unknown for a while, not for ever")
    func failure() throws {
        let loops = try Loops(1)
        try put([segment("beta"), key("beta", "a")], loops)
        loops.gated.setFailing(true)
        loops.caches[0].load([.segments(.development)], now: 0) {}
        loops.mail.awaitArrival(0)
        #expect(lists("beta", "a", loops) == nil)
        loops.gated.setFailing(false)
        let later = loops.caches[0].limits.retryMilliseconds
        let isMissing = "beta".withBytes { name in
            if case .missing = loops.caches[0].segment(.development, name: name, now: later) { true } else { false }
        }
        #expect(isMissing)
    }
}
