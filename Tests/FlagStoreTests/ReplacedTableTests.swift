import Dispatch
import DynamoModel
import FlagCore
import JSON
import Platform
import TableEngine
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("A table that is replaced")
struct ReplacedTableTests {
    @Test("Whatever was known of a table is forgotten when another one of its name takes its place, as a restore does")
    func replaced() throws {
        let fixture = try Fixture()
        let loops = try Loops(2, warm: [.development], fixture: fixture)
        try fixture.createSimple("old")
        try fixture.createSimple("both", enabled: false)
        try fixture.kill("both")
        try fixture.putOverride("acme", "old", ["enabled": false, "updatedBy": "me"])
        #expect(loops.answer("old", tenant: "acme").text == "off")
        #expect(loops.answer("new").text == "absent")

        loops.gated.setMuted(true)
        try fixture.store.deleteTable(Fixture.table)
        loops.feed.noticeReplacedTable()
        #expect(loops.answer("old").text == "on", "Of a table that is gone, what is known goes on")
        #expect(!loops.feed.statistics.tableIsThere)
        loops.feed.noticeReplacedTable()
        try fixture.repository.createTableIfMissing()
        try fixture.createSimple("both", enabled: true)
        try fixture.createSimple("new", enabled: true)
        try fixture.putOverride("globex", "new", ["enabled": false, "updatedBy": "me"])
        loops.gated.setMuted(false)
        loops.feed.noticeReplacedTable()
        #expect(loops.feed.statistics.tableIsThere)
        let events = loops.events.withLock { $0 }
        #expect(events.filter { if case .tableGone(Fixture.table) = $0 { true } else { false } }.count == 1)
        #expect(events.filter { if case .tableBack(Fixture.table) = $0 { true } else { false } }.count == 1)
        loops.awaitTenants()
        for loop in 0..<2 {
            #expect(loops.ruleSet(in: .development, loop: loop) == ["not loaded"])
            #expect(loops.answer("old", loop: loop).text == "absent")
            #expect(loops.answer("both", loop: loop).text == "on", "Its kill switch went with the table")
            #expect(loops.answer("new", loop: loop).text == "on")
            #expect(loops.answer("new", tenant: "globex", loop: loop).text == "off")
        }
        #expect(loops.feed.statistics.tenantsAreComplete)
        loops.feed.noticeReplacedTable()
        #expect(loops.mail.take(0).isEmpty, "It is the same table as a moment ago")
    }

    @Test("A load that waits while a table takes another's place brings what that one has, not what the other had last")
    func loadsInFlight() throws {
        let fixture = try Fixture()
        let loops = try Loops(fixture: fixture)
        try fixture.createSimple("a", enabled: false)
        loops.drain()
        // Another load keeps the queue from beginning these, and what notices the other table comes before them.
        let (gate, waiting) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        loops.feed.pointLoads.async { [feed = loops.feed] in
            waiting.signal()
            gate.wait()
            feed.lookForReplacedTable()
        }
        waiting.wait()
        let keys: [CacheKey] = [
            .flag(.development, Array("a".utf8)), .overrides(.development, tenant: Array("acme".utf8)),
        ]
        let isDone = Locked(false)
        loops.caches[0].load(keys, now: 0) { isDone.withLock { $0 = true } }
        // Noted with the loads, as of the old table.
        try fixture.patch("a", ["defaultEnabled": true])
        try fixture.putOverride("acme", "a", ["enabled": true, "updatedBy": "me"])
        loops.gated.setMuted(true)
        try fixture.store.deleteTable(Fixture.table)
        try fixture.repository.createTableIfMissing()
        try fixture.createSimple("a", enabled: false)
        loops.gated.setMuted(false)
        gate.signal()
        while !isDone.withLock({ $0 }) {
            loops.mail.awaitArrival(0)
            loops.drain()
        }
        #expect(loops.answer("a").text == "off")
        #expect(loops.answer("a", tenant: "acme").text == "off")
    }

    @Test("The follower looks at every item of a table that took another's place")
    func followed() throws {
        let fixture = try Fixture()
        let gated = GatedStore(fixture.store)
        let follower = FlagTableFollower(
            repository: FlagRepository(store: gated, table: Fixture.table), storeID: "a-store")
        follower.start()
        gated.setMuted(true)
        try fixture.put(ForeignItemTests.typed)
        gated.setMuted(false)
        follower.lookAtAllItems()
        follower.waitUntilIdle()
        follower.waitUntilIdle()
        #expect(try fixture.repository.flags(in: .staging).records.map(\.key) == ["new-feature"])
    }
}
