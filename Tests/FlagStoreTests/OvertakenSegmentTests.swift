import Bytes
import Dispatch
import DynamoModel
import FlagCore
import JSON
import TableEngine
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("Changes of segments while they are loaded, and of tables that take another's place")
struct OvertakenSegmentTests {
    private static func segment(_ name: String, _ more: Item = [:]) -> Item {
        let item: Item = [
            "PK": .string("SEGMENT#development#\(name)"), "SK": "METADATA", "description": "d", "owner": "o",
            "createdAt": "2026-01-01T00:00:00Z", "GSI3PK": "SEGMENTS#development",
            "GSI3SK": .string("SEGMENT#\(name)"),
        ]
        return item.merging(more) { $1 }
    }

    private static func key(_ name: String, _ key: String) -> Item {
        ["PK": .string("SEGMENT#development#\(name)"), "SK": .string("KEY#\(key)")]
    }

    private func put(_ items: Item..., in fixture: Fixture) throws {
        for item in items {
            try fixture.store.transactAndWait([.put(table: Fixture.table, item: item)], principal: .anonymous)
        }
    }

    private func delete(_ name: String, _ sort: String, in fixture: Fixture) throws {
        try fixture.store.transactAndWait(
            [.delete(table: Fixture.table, key: TableKey(.string("SEGMENT#development#\(name)"), .string(sort)))],
            principal: .anonymous)
    }

    /// Which of some keys a loop finds in a segment; nil when there is no such segment, or nothing is known of it.
    private func listed(_ name: String, _ keys: [String], _ loops: Loops, loop: Int = 0) -> [String]? {
        loops.drain(loop)
        let lookup = name.withBytes { loops.caches[loop].segment(.development, name: $0, now: 0) }
        guard case .found(let segment) = lookup else { return nil }
        return keys.filter { key in segment.keys.map { keys in key.withBytes { keys.contains($0) } } ?? false }
    }

    private func load(_ loops: Loops, loop: Int = 0) {
        var isHere = false
        loops.caches[loop].load([.segments(.development)], now: 0) { isHere = true }
        while !isHere {
            loops.mail.awaitArrival(loop)
            loops.drain(loop)
        }
    }

    @Test("What is changed while all segments are read is in what is delivered", arguments: [false, true])
    func allSegments(_ isStart: Bool) throws {
        let fixture = try Fixture()
        try put(
            Self.segment("beta"), Self.key("beta", "a"), Self.key("beta", "b"), Self.segment("gone"),
            Self.key("gone", "x"), in: fixture)
        let changes: @Sendable () throws -> Void = {
            try put(Self.key("beta", "c"), in: fixture)
            try delete("beta", "KEY#a", in: fixture)
            try put(Self.key("beta", "d"), in: fixture)
            try delete("beta", "KEY#d", in: fixture)
            try delete("beta", "KEY#b", in: fixture)
            try put(Self.key("beta", "b"), in: fixture)
            try delete("gone", "KEY#x", in: fixture)
            try delete("gone", "METADATA", in: fixture)
            try put(Self.segment("new"), Self.key("new", "y"), in: fixture)
        }
        let loops: Loops
        if isStart {
            // Of three environments the kill switches, then the names of the segments, then the two of them.
            let done = DispatchSemaphore(value: 0)
            loops = try Loops(
                2, warm: [.development], fixture: fixture,
                beforeStart: { gated in
                    let gate = gated.close()
                    DispatchQueue(label: "changes").async {
                        gated.awaitArrivals(6, gate)
                        do { try changes() } catch { Issue.record(error) }
                        gated.open(gate)
                        done.signal()
                    }
                })
            done.wait()
        } else {
            loops = try Loops(2, fixture: fixture)
            let gate = loops.gated.close()
            var isHere = false
            loops.caches[0].load([.segments(.development)], now: 0) { isHere = true }
            loops.gated.awaitArrivals(3, gate)
            try changes()
            loops.gated.open(gate)
            while !isHere {
                loops.mail.awaitArrival(0)
                loops.drain()
            }
            load(loops, loop: 1)
        }
        loops.feed.largeLoads.sync {}
        for loop in 0..<2 {
            #expect(listed("beta", ["a", "b", "c", "d"], loops, loop: loop) == ["b", "c"])
            #expect(listed("gone", ["x"], loops, loop: loop) == nil)
            #expect(listed("new", ["y"], loops, loop: loop) == ["y"])
        }
        // As who reads them afterwards finds them.
        let other = try Loops(warm: [.development], fixture: fixture)
        let fingerprint = other.caches[0].segmentsFingerprint(.development, now: 0)
        for cache in loops.caches { #expect(cache.segmentsFingerprint(.development, now: 0) == fingerprint) }
    }

    @Test("A segment that comes into being is read with the keys it had; what changes meanwhile is in it")
    func oneSegment() throws {
        let fixture = try Fixture()
        for name in ["stays", "goes"] {
            try put(Self.key(name, "early"), Self.key(name, "lost"), in: fixture)
        }
        let loops = try Loops(2, warm: [.development], fixture: fixture)
        for name in ["stays", "goes"] {
            let gate = loops.gated.close()
            try put(Self.segment(name), in: fixture)
            loops.gated.awaitArrival()
            try delete(name, "KEY#lost", in: fixture)
            try put(Self.key(name, "late"), in: fixture)
            if name == "goes" {
                for sort in ["METADATA", "KEY#early", "KEY#late"] { try delete(name, sort, in: fixture) }
            }
            loops.gated.open(gate)
            loops.feed.largeLoads.sync {}
        }
        for loop in 0..<2 {
            #expect(listed("stays", ["early", "lost", "late"], loops, loop: loop) == ["early", "late"])
            #expect(listed("goes", ["early"], loops, loop: loop) == nil)
        }
        #expect(try loops.feed.keys(ofSegment: "stays", in: .development).count == 2)
        #expect(try loops.feed.keys(ofSegment: "goes", in: .development).count == 0)
    }

    /// Puts another table of the name in the place of the one that is served, which tells nobody of it.
    private func replace(_ loops: Loops, _ fill: () throws -> Void) throws {
        loops.gated.setMuted(true)
        try loops.fixture.store.deleteTable(Fixture.table)
        try loops.fixture.repository.createTableIfMissing()
        try fill()
        loops.gated.setMuted(false)
        loops.feed.noticeReplacedTable()
    }

    @Test("Of a table that took another's place the segments are read anew, on every loop and for everybody else")
    func replacedSegments() throws {
        let fixture = try Fixture()
        let loops = try Loops(2, warm: [.development], fixture: fixture)
        try put(Self.segment("beta"), Self.key("beta", "old"), Self.segment("gone"), in: fixture)
        for loop in 0..<2 { #expect(listed("beta", ["old", "new"], loops, loop: loop) == ["old"]) }
        try replace(loops) { try put(Self.segment("beta"), Self.key("beta", "new"), in: fixture) }
        for loop in 0..<2 {
            loops.drain(loop)
            let lookup = "beta".withBytes { loops.caches[loop].segment(.development, name: $0, now: 0) }
            if case .missing = lookup {} else { Issue.record("loop \(loop) still has those of the other table") }
            #expect(loops.caches[loop].segmentsFingerprint(.development, now: 0) == nil)
            load(loops, loop: loop)
            #expect(listed("beta", ["old", "new"], loops, loop: loop) == ["new"])
            #expect(listed("gone", [], loops, loop: loop) == nil)
        }
        #expect(try loops.feed.keys(ofSegment: "beta", in: .development).count == 1)
    }

    @Test("What was valid last in the other table says nothing of an item of this one that is not valid")
    func replacedForms() throws {
        let fixture = try Fixture()
        let loops = try Loops(fixture: fixture)
        func putInvalid(_ item: Item) throws {
            try fixture.store.transactAndWait([.put(table: Fixture.table, item: item)], principal: .anonymous)
        }
        var flag = try fixture.createSimple("a").item
        try fixture.createSimple("b")
        var override = try fixture.putOverride("acme", "b", ["enabled": false, "updatedBy": "me"]).item
        flag["owner"] = 7
        flag["defaultEnabled"] = false
        override["enabled"] = "neither"
        try putInvalid(flag)
        try putInvalid(override)
        #expect(loops.answer("a").text == "on")
        #expect(loops.answer("b", tenant: "acme").text == "off")
        try replace(loops) {
            try fixture.createSimple("b")
            try putInvalid(flag)
            try putInvalid(override)
        }
        loops.awaitTenants()
        #expect(loops.answer("a").text != "on")
        #expect(loops.answer("b", tenant: "acme").text == "on")
    }

    @Test("Until the tenants of another table have been read, each may have overrides")
    func replacedTenants() throws {
        let fixture = try Fixture()
        let loops = try Loops(2, fixture: fixture)
        loops.feed.background.suspend()
        try replace(loops) {
            try fixture.createSimple("a")
            try fixture.putOverride("globex", "a", ["enabled": false, "updatedBy": "me"])
        }
        #expect(!loops.feed.statistics.tenantsAreComplete)
        for loop in 0..<2 { #expect(loops.answer("a", tenant: "globex", loop: loop).text == "off") }
        loops.feed.background.resume()
        loops.awaitTenants()
        #expect(loops.feed.statistics.tenantsAreComplete)
        #expect(loops.answer("a", tenant: "nobody").text == "on")
    }

    @Test("Reading the tenants of a table whose place was taken meanwhile does not make those of the new one complete")
    func tenantsOfBoth() throws {
        let fixture = try Fixture()
        let loops = try Loops(fixture: fixture)
        let gate = loops.gated.close()
        let filled = DispatchSemaphore(value: 0)
        DispatchQueue(label: "fills").async { [feed = loops.feed] in
            feed.fillTenants()
            filled.signal()
        }
        loops.gated.awaitArrival()
        // Later reads pass.
        loops.gated.open(gate, waiting: 0)
        loops.feed.background.suspend()
        try replace(loops) {
            try fixture.createSimple("a")
            try fixture.putOverride("globex", "a", ["enabled": false, "updatedBy": "me"])
        }
        gate.signal()
        filled.wait()
        #expect(!loops.feed.statistics.tenantsAreComplete)
        #expect(loops.answer("a", tenant: "globex").text == "off")
        loops.feed.background.resume()
        loops.awaitTenants()
        #expect(loops.feed.statistics.tenantsAreComplete)
    }
}
