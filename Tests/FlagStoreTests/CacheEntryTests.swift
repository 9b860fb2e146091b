import Dispatch
import DynamoModel
import FlagCore
import JSON
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("What a cache must not remember")
struct CacheEntryTests {
    private static let off: JSONValue = ["enabled": false, "updatedBy": "me"]

    private func load(_ loops: Loops, _ key: CacheKey, now: Int64 = 0) {
        var isHere = false
        loops.caches[0].load([key], now: now) { isHere = true }
        while !isHere {
            loops.mail.awaitArrival(0)
            loops.drain(now: now)
        }
    }

    private func put(_ item: Item, _ loops: Loops) throws {
        try loops.fixture.store.transactAndWait([.put(table: Fixture.table, item: item)], principal: .anonymous)
    }

    @Test("That a flag was not there, once it has been loaded: when it is pushed out, the store is asked")
    func absentFlag() throws {
        let loops = try Loops(limits: CacheLimits(capacity: 2, timeToLiveMilliseconds: 60_000))
        for key in ["b", "c"] { try loops.fixture.createSimple(key) }
        #expect(loops.answer("a").text == "absent")
        loops.gated.setMuted(true)
        try loops.fixture.createSimple("a")
        loops.gated.setMuted(false)
        load(loops, .flag(.development, Array("a".utf8)))
        #expect(loops.attempt("a", tenant: nil, now: 0)?.text == "on")
        for key in ["b", "c"] { _ = loops.answer(key) }
        #expect(loops.attempt("a", tenant: nil, now: 0) == nil)
        #expect(loops.answer("a") == Answer("on", .store))
    }

    @Test("That a tenant had no overrides, once they have been loaded")
    func absentOverrides() throws {
        let loops = try Loops(limits: CacheLimits(capacity: 2, timeToLiveMilliseconds: 60_000))
        try loops.fixture.createSimple("a")
        for tenant in ["acme", "b", "c"] { try loops.fixture.putOverride(tenant, "a", Self.off) }
        try loops.fixture.deleteOverride("acme", "a")
        #expect(loops.answer("a", tenant: "acme").text == "on")
        loops.gated.setMuted(true)
        try loops.fixture.putOverride("acme", "a", Self.off)
        loops.gated.setMuted(false)
        load(loops, .overrides(.development, tenant: Array("acme".utf8)))
        #expect(loops.attempt("a", tenant: "acme", now: 0)?.text == "off")
        for tenant in ["b", "c"] { _ = loops.answer("a", tenant: tenant) }
        #expect(loops.attempt("a", tenant: "acme", now: 0) == nil)
        #expect(loops.answer("a", tenant: "acme").text == "off")
    }

    @Test("That all flags could not be loaded, once they could: when they are old, the store is asked")
    func unavailableFlags() throws {
        let loops = try Loops(limits: CacheLimits(capacity: 2, timeToLiveMilliseconds: 500))
        loops.gated.setFailing(true)
        load(loops, .ruleSet(.development))
        if case .unavailable = loops.caches[0].ruleSet(.development, now: 0) {} else { Issue.record("it is known") }
        loops.gated.setFailing(false)
        load(loops, .ruleSet(.development), now: 10)
        if case .found = loops.caches[0].ruleSet(.development, now: 509) {} else { Issue.record("it is not known") }
        if case .missing = loops.caches[0].ruleSet(.development, now: 510) {} else { Issue.record("it is not asked") }
    }

    @Test("An earlier form of an item: not valid again, the last valid one of all is in force")
    func formerForms() throws {
        let loops = try Loops(2)
        let fixture = loops.fixture
        var flag = try fixture.createSimple("a").item
        try fixture.createSimple("b")
        var override = try fixture.putOverride("acme", "b").item
        for isEnabled in [true, false, true] {
            flag["owner"] = "team"
            flag["defaultEnabled"] = .bool(isEnabled)
            override["enabled"] = .bool(isEnabled)
            try put(flag, loops)
            try put(override, loops)
            // Not valid, and other than what was.
            flag["owner"] = 7
            flag["defaultEnabled"] = .bool(!isEnabled)
            override["enabled"] = "neither"
            try put(flag, loops)
            try put(override, loops)
            for loop in 0..<2 {
                let now: Int64 = isEnabled ? 0 : 100_000
                #expect(loops.answer("a", loop: loop, now: now).text == (isEnabled ? "on" : "off"))
                #expect(loops.answer("b", tenant: "acme", loop: loop, now: now).text == (isEnabled ? "on" : "off"))
            }
            // Also of all flags, loaded anew.
            let other = try #require(loops.feed.loadedFlags(loops).first { $0.key == "a" })
            let evaluation = other.evaluate(
                EvaluationContext(attributes: nil), killSwitch: nil, override: nil, now: Fixture.start)
            #expect(evaluation.variant.map { other.variants[$0].name } == (isEnabled ? "on" : "off"))
        }
    }

    @Test("What kill switches are on is known to whoever asks, from the start and after each change")
    func killSwitches() throws {
        let fixture = try Fixture()
        for key in ["a", "b"] { try fixture.createSimple(key) }
        try fixture.kill("a")
        let loops = try Loops(fixture: fixture)
        func known() -> Set<String> {
            Set((loops.feed.killSwitches[.development]?.flagKeys ?? []).map { String(decoding: $0, as: UTF8.self) })
        }
        #expect(known() == ["a"])
        try fixture.kill("b")
        #expect(known() == ["a", "b"])
        try fixture.revive("a")
        #expect(known() == ["b"])
        try fixture.kill(nil)
        #expect(loops.feed.killSwitches[.development]?.isGlobal == true)
        #expect(loops.feed.killSwitches[.staging]?.isGlobal != true)
        try fixture.revive(nil)
        #expect(loops.feed.killSwitches[.development]?.isGlobal == false)
    }

    @Test("However often a flag is asked for in the last eighth of its life, it is loaded anew once")
    func renewal() throws {
        let loops = try Loops(limits: CacheLimits(capacity: 10, timeToLiveMilliseconds: 800))
        try loops.fixture.createSimple("a")
        try loops.fixture.putOverride("acme", "a", Self.off)
        #expect(loops.answer("a", tenant: "acme", now: 0).text == "off")
        let (loads, joined) = (loops.feed.statistics.loads, loops.feed.statistics.joined)
        let gate = loops.gated.close()
        for _ in 0..<5 { #expect(loops.attempt("a", tenant: "acme", now: 750)?.text == "off") }
        // The flag and the overrides, one after the other.
        loops.gated.awaitArrival()
        #expect(loops.feed.statistics.joined == joined)
        loops.gated.open(gate)
        loops.feed.pointLoads.sync {}
        loops.drain(now: 760)
        #expect(loops.feed.statistics.loads == loads + 2)
        #expect(loops.attempt("a", tenant: "acme", now: 1_559)?.text == "off")
        #expect(loops.attempt("a", tenant: "acme", now: 1_560) == nil)
    }

    @Test("A flag that is not among all flags is not there for who has had all loaded, and asked for by others")
    func amongAll() throws {
        let loops = try Loops(limits: CacheLimits(capacity: 2, timeToLiveMilliseconds: 60_000))
        for key in ["a", "b", "c"] { try loops.fixture.createSimple(key) }
        let keys = ["a", "b", "c", "none"].map { CacheKey.flag(.development, Array($0.utf8)) }
        var answers: [String?] = []
        let reads = loops.gated.reads
        var isHere = false
        loops.caches[0].load(keys, amongAll: true, now: 0) {
            answers = ["a", "b", "c", "none"].map { loops.attempt($0, tenant: nil, now: 0)?.text }
            isHere = true
        }
        while !isHere {
            loops.mail.awaitArrival(0)
            loops.drain()
        }
        #expect(answers == ["on", "on", "on", "absent"])
        #expect(loops.gated.reads > reads)
        #expect(loops.attempt("another", tenant: nil, now: 0) == nil)
    }
}

extension CacheFeed {
    /// All flags of development, as another loop that has just begun would load them.
    fileprivate func loadedFlags(_ loops: Loops) throws -> [CompiledFlag] {
        loops.drain(0)
        var isHere = false
        loops.caches[0].ruleSets = loops.caches[0].ruleSets.map { _ in nil }
        loops.caches[0].load([.ruleSet(.development)], now: 0) { isHere = true }
        while !isHere {
            loops.mail.awaitArrival(0)
            loops.drain(0)
        }
        guard case .found(let ruleSet, _) = loops.caches[0].ruleSet(.development, now: 0) else { return [] }
        return (0..<ruleSet.count).map { ruleSet.flag(at: $0) }
    }
}
