import Dispatch
import DynamoModel
import FlagCore
import JSON
import Platform
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("The cache of a loop")
struct LoopCacheTests {
    @Test("The first answer comes from the store, the next from the cache, without another read")
    func sources() throws {
        let loops = try Loops()
        try loops.fixture.createSimple("a")
        #expect(loops.answer("a") == Answer("on", .store))
        let reads = loops.gated.reads
        #expect(loops.answer("a") == Answer("on", .cache))
        #expect(loops.answer("missing") == Answer("absent", .store))
        #expect(loops.answer("missing") == Answer("absent", .cache))
        #expect(loops.gated.reads == reads + 1)
        let statistics = loops.caches[0].statistics
        #expect(statistics.flags.hits == 2)
        #expect(statistics.flags.misses > 0)
        #expect(statistics.flags.entries == 1)
        #expect(statistics.absences.entries == 1)
    }

    @Test("An entry answers up to its last millisecond and not after; in its last eighth it is renewed unasked")
    func timeToLive() throws {
        let loops = try Loops(limits: CacheLimits(capacity: 10, timeToLiveMilliseconds: 800))
        try loops.fixture.createSimple("a")
        #expect(loops.answer("a", now: 0) == Answer("on", .store))
        let reads = loops.gated.reads
        #expect(loops.answer("a", now: 699) == Answer("on", .cache))
        #expect(loops.feed.statistics.loadsUnderWay == 0)
        #expect(loops.attempt("a", tenant: nil, now: 800) == nil)
        #expect(loops.attempt("a", tenant: nil, now: 799) == Answer("on", .cache))
        loops.mail.awaitArrival(0)
        loops.feed.pointLoads.sync {}
        loops.drain(now: 799)
        #expect(loops.gated.reads == reads + 1)
        #expect(loops.attempt("a", tenant: nil, now: 1_598) == Answer("on", .cache))
        #expect(loops.attempt("a", tenant: nil, now: 1_599) == nil)
    }

    @Test("The flag that was unused for longest goes first; made-up keys push out no flag", arguments: [true, false])
    func capacity(madeUp: Bool) throws {
        let loops = try Loops(limits: CacheLimits(capacity: 3, timeToLiveMilliseconds: 60_000))
        for key in ["a", "b", "c", "d"] { try loops.fixture.createSimple(key) }
        for key in ["a", "b", "c"] { _ = loops.answer(key) }
        _ = loops.answer("a")
        if madeUp {
            for number in 0..<10 { _ = loops.answer("made-up-\(number)") }
        } else {
            _ = loops.answer("d")
        }
        #expect(loops.attempt("a", tenant: nil, now: 0) != nil)
        #expect((loops.attempt("b", tenant: nil, now: 0) != nil) == madeUp)
        let statistics = loops.caches[0].statistics
        #expect(statistics.flags.evictions == (madeUp ? 0 : 1))
        #expect(statistics.absences.evictions == (madeUp ? 7 : 0))
    }

    @Test("However many wait for a key, it is loaded once")
    func singleFlight() throws {
        let loops = try Loops(2)
        try loops.fixture.createSimple("a")
        loops.drain()
        let reads = loops.gated.reads
        let gate = loops.gated.close()
        var resumed = 0
        for cache in loops.caches {
            for _ in 0..<5 { cache.load([.flag(.development, Array("a".utf8))], now: 0) { resumed += 1 } }
        }
        loops.gated.awaitArrival()
        loops.gated.open(gate)
        for loop in 0..<2 {
            while resumed < (loop + 1) * 5 {
                loops.mail.awaitArrival(loop)
                loops.drain(loop)
            }
        }
        #expect(resumed == 10)
        #expect(loops.gated.reads == reads + 1)
        #expect(loops.caches[0].statistics.joinedLoads == 4)
        #expect(loops.feed.statistics.joined == 1)
    }

    @Test("A change is in force on every loop when the write is answered, without a load")
    func changes() throws {
        let loops = try Loops(2, warm: [.development])
        try loops.fixture.createSimple("a", enabled: false)
        for loop in 0..<2 { #expect(loops.answer("a", loop: loop).text == "off") }
        let reads = loops.gated.reads
        try loops.fixture.replace(Fixture.simple("a", enabled: true))
        for loop in 0..<2 { #expect(loops.answer("a", loop: loop) == Answer("on", .cache)) }
        try loops.fixture.delete("a")
        for loop in 0..<2 { #expect(loops.answer("a", loop: loop) == Answer("absent", .cache)) }
        try loops.fixture.createSimple("a", enabled: false)
        for loop in 0..<2 { #expect(loops.answer("a", loop: loop) == Answer("off", .cache)) }
        #expect(loops.gated.reads == reads)
    }

    @Test("A load that began before a write never undoes what the write told the loops")
    func overtaken() throws {
        let loops = try Loops()
        try loops.fixture.createSimple("a", enabled: false)
        loops.drain()
        let gate = loops.gated.close()
        var answer: Answer?
        let tenant = "acme"
        loops.caches[0].load([.flag(.development, Array("a".utf8))], now: 0) {
            answer = loops.attempt("a", tenant: nil, now: 0)
        }
        // The old flag has been read when the writes come in.
        loops.gated.awaitArrival()
        try loops.fixture.replace(Fixture.simple("a", enabled: true))
        try loops.fixture.putOverride(tenant, "a", ["enabled": false, "updatedBy": "me"])
        loops.gated.open(gate)
        while answer == nil {
            loops.mail.awaitArrival(0)
            loops.drain()
        }
        #expect(answer?.text == "on")
        #expect(loops.answer("a", tenant: tenant).text == "off")
    }

    @Test("Overrides that are written while a tenant's overrides are read are in what is delivered")
    func overtakenOverrides() throws {
        let loops = try Loops()
        for key in ["a", "b", "c"] { try loops.fixture.createSimple(key) }
        try loops.fixture.putOverride("acme", "a", ["enabled": false, "updatedBy": "me"])
        try loops.fixture.putOverride("acme", "b", ["enabled": false, "updatedBy": "me"])
        loops.drain()
        let gate = loops.gated.close()
        var isHere = false
        loops.caches[0].load([.overrides(.development, tenant: Array("acme".utf8))], now: 0) { isHere = true }
        loops.gated.awaitArrival()
        try loops.fixture.deleteOverride("acme", "a")
        try loops.fixture.putOverride("acme", "c", ["enabled": false, "updatedBy": "me"])
        loops.gated.open(gate)
        while !isHere {
            loops.mail.awaitArrival(0)
            loops.drain()
        }
        #expect(["a", "b", "c"].map { loops.answer($0, tenant: "acme").text } == ["on", "off", "off"])
    }

    @Test("A tenant without overrides costs no load, no entry and no count; its first override is seen")
    func tenants() throws {
        let loops = try Loops()
        try loops.fixture.createSimple("a")
        _ = loops.answer("a")
        let reads = loops.gated.reads
        for number in 0..<1_000 { #expect(loops.answer("a", tenant: "made-up-\(number)").text == "on") }
        #expect(loops.gated.reads == reads)
        #expect(loops.caches[0].statistics.overrides == CacheCounters())
        try loops.fixture.putOverride("acme", "a", ["enabled": false, "updatedBy": "me"])
        #expect(loops.answer("a", tenant: "acme") == Answer("off", .store))
        #expect(loops.answer("a", tenant: "acme") == Answer("off", .cache))
        try loops.fixture.deleteOverride("acme", "a")
        #expect(loops.answer("a", tenant: "acme") == Answer("on", .cache))
    }

    @Test("The tenants that had overrides at the start are known, and the table grows with new ones")
    func tenantsAtStart() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        for number in 0..<300 { try fixture.putOverride("old-\(number)", "a", ["enabled": false, "updatedBy": "me"]) }
        let loops = try Loops(2, fixture: fixture)
        for number in 0..<600 { try fixture.putOverride("new-\(number)", "a", ["enabled": false, "updatedBy": "me"]) }
        for loop in 0..<2 {
            for number in stride(from: 0, to: 300, by: 7) {
                #expect(loops.answer("a", tenant: "old-\(number)", loop: loop).text == "off")
                #expect(loops.answer("a", tenant: "new-\(number * 2)", loop: loop).text == "off")
                #expect(loops.answer("a", tenant: "none-\(number)", loop: loop).text == "on")
            }
        }
        #expect(loops.feed.statistics.tenants == 900)
        #expect(loops.feed.statistics.tenantsAreComplete)
    }

    @Test("A kill switch is on and off at once on every loop, for one flag and for all, and survives a start")
    func killSwitches() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        try fixture.createSimple("b")
        try fixture.kill("a")
        let loops = try Loops(2, fixture: fixture)
        func answers() -> [String] { (0..<2).flatMap { loop in ["a", "b"].map { loops.answer($0, loop: loop).text } } }
        #expect(answers() == ["off", "on", "off", "on"])
        #expect(loops.caches.allSatisfy { $0.killSwitchFingerprint(.development) != 0 })
        try fixture.kill(nil)
        #expect(answers() == ["off", "off", "off", "off"])
        try fixture.revive("a")
        try fixture.revive(nil)
        #expect(answers() == ["on", "on", "on", "on"])
        #expect(loops.caches.allSatisfy { $0.killSwitchFingerprint(.development) == 0 })
        try fixture.kill("a", forced: true, in: .staging)
        #expect(answers() == ["on", "on", "on", "on"])
    }

    @Test("When the store fails what was known goes on as stale, and the rest is the safe default; then it recovers")
    func failures() throws {
        let loops = try Loops(limits: CacheLimits(capacity: 10, timeToLiveMilliseconds: 10_000))
        try loops.fixture.createSimple("a")
        try loops.fixture.createSimple("b")
        try loops.fixture.putOverride("acme", "a", ["enabled": false, "updatedBy": "me"])
        #expect(loops.answer("a", tenant: "acme", now: 0) == Answer("off", .store))
        #expect(loops.answer("missing", now: 0) == Answer("absent", .store))
        loops.gated.setFailing(true)
        #expect(loops.answer("a", tenant: "acme", now: 20_000) == Answer("off", .stale))
        #expect(loops.answer("a", now: 20_000) == Answer("on", .stale), "Also where only the flag is asked for")
        #expect(loops.answer("b", now: 20_000) == Answer("absent", .default))
        #expect(loops.answer("missing", now: 20_000) == Answer("absent", .stale))
        #expect(!loops.feed.statistics.storeAnswers)
        let reads = loops.gated.reads
        #expect(loops.answer("b", now: 20_999) == Answer("absent", .default), "It is not asked for every request")
        #expect(loops.gated.reads == reads)
        try loops.fixture.kill("a")
        loops.gated.setFailing(false)
        #expect(loops.answer("b", now: 21_000) == Answer("on", .store))
        #expect(loops.answer("a", now: 31_000) == Answer("off", .store))
        #expect(loops.feed.statistics.storeAnswers)
        let outage = loops.events.withLock { $0 }.filter { if case .killSwitch = $0 { false } else { true } }
        #expect(outage.count == 2, "One failure and one recovery are told")
        #expect(loops.caches[0].statistics.staleAnswers > 0)
        #expect(loops.caches[0].statistics.defaultAnswers > 0)
    }

    @Test("A start without kill switches is refused")
    func noKillSwitches() throws {
        let fixture = try Fixture()
        let gated = GatedStore(fixture.store)
        gated.setFailing(true)
        let feed = CacheFeed(store: gated, table: Fixture.table, loops: 1) { _, _ in }
        guard case .unavailable? = failure({ try feed.start(warm: []) }) else {
            Issue.record("The start must fail")
            return
        }
    }

    @Test("An invalid item leaves the last valid form in force, for old and new look-ups; a valid one ends that")
    func invalidItems() throws {
        let loops = try Loops(2, warm: [.development])
        let record = try loops.fixture.createSimple("a")
        #expect(loops.answer("a", loop: 0).text == "on")
        var item = record.item
        item["owner"] = 7
        item["defaultEnabled"] = false
        let put = { (item: Item) in
            _ = try loops.fixture.store.transactAndWait([.put(table: Fixture.table, item: item)], principal: .anonymous)
        }
        try put(item)
        #expect(loops.answer("a", loop: 0).text == "on")
        #expect(loops.answer("a", loop: 1).text == "on")
        #expect(loops.answer("a", loop: 1, now: 100_000).text == "on", "Also when it is loaded again")
        #expect(loops.events.withLock { $0.count } >= 1)
        #expect(loops.feed.statistics.invalidItems >= 1)
        item["owner"] = "me"
        try put(item)
        #expect(loops.answer("a", loop: 0).text == "off")
    }

    @Test("Keys that differ only in Unicode normalisation are never answered for each other")
    func normalisation() throws {
        let loops = try Loops()
        try loops.fixture.createSimple("caf\u{E9}", enabled: true)
        try loops.fixture.createSimple("cafe\u{301}", enabled: false)
        #expect(loops.answer("caf\u{E9}").text == "on")
        #expect(loops.answer("cafe\u{301}").text == "off")
        // Bytes that are no text are the key of no flag, also not of the one that they would be repaired to.
        try loops.fixture.createSimple("c\u{FFFD}")
        loops.drain()
        let bytes: [UInt8] = [0x63, 0xFF]
        var isHere = false
        loops.caches[0].load([.flag(.development, bytes)], now: 0) { isHere = true }
        while !isHere {
            loops.mail.awaitArrival(0)
            loops.drain()
        }
        let lookup = bytes.withUnsafeBytes { loops.caches[0].flag(.development, key: $0, now: 0) }
        guard case .absent = lookup else {
            Issue.record("\(lookup)")
            return
        }
    }

    @Test("A flag and a kill switch that an operator put into the table are served at once, and after a restart")
    func foreignItems() throws {
        let loops = try Loops(2, warm: [.staging])
        func put(_ item: Item) throws {
            try loops.fixture.store.transactAndWait([.put(table: Fixture.table, item: item)], principal: .anonymous)
        }
        try put(ForeignItemTests.typed)
        #expect(loops.answer("new-feature", in: .staging, loop: 1).text == "on")
        let restarted = try Loops(warm: [.staging], fixture: loops.fixture)
        #expect(restarted.answer("new-feature", in: .staging).text == "on")
        try put(["PK": "EMERGENCY#staging", "SK": "FLAG#new-feature"])
        #expect(loops.answer("new-feature", in: .staging, loop: 1).text == "off")
        #expect(restarted.answer("new-feature", in: .staging).text == "off")
    }
}
