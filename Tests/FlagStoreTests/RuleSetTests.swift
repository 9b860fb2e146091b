import Dispatch
import FlagCore
import JSON
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("Rule sets")
struct RuleSetTests {
    private func keys(_ loops: Loops, loop: Int = 0, now: Int64 = 0) -> [String] {
        loops.drain(loop, now: now)
        guard case .found(let ruleSet, _) = loops.caches[loop].ruleSet(.development, now: now) else {
            return ["missing"]
        }
        return (0..<ruleSet.count).map { ruleSet.flag(at: $0).key }
    }

    private func fingerprint(_ loops: Loops, loop: Int = 0) -> UInt64? {
        guard case .found(let ruleSet, _) = loops.caches[loop].ruleSet(.development, now: 0) else { return nil }
        return ruleSet.fingerprint
    }

    @Test("A warm start leaves all flags of the environment, in the order of keys, on every loop")
    func warm() throws {
        let fixture = try Fixture()
        for key in ["b", "a", "ä", "B", "a/b"] { try fixture.createSimple(key) }
        try fixture.createSimple("other", in: .staging)
        let loops = try Loops(2, warm: [.development], fixture: fixture)
        for loop in 0..<2 { #expect(keys(loops, loop: loop) == ["B", "a", "a/b", "b", "ä"]) }
        let reads = loops.gated.reads
        #expect(loops.answer("a") == Answer("on", .cache))
        #expect(loops.gated.reads == reads, "A single flag comes from the rule set")
    }

    @Test("A change changes one flag; what was compiled of the others is kept")
    func changes() throws {
        let loops = try Loops(warm: [.development])
        for key in ["a", "b", "c"] { try loops.fixture.createSimple(key) }
        #expect(keys(loops) == ["a", "b", "c"])
        guard case .found(let ruleSet, _) = loops.caches[0].ruleSet(.development, now: 0) else { return }
        let kept = ruleSet.flag(at: 0)
        let replaced = ruleSet.flag(at: 1)
        try loops.fixture.replace(Fixture.simple("b", enabled: false))
        loops.drain()
        #expect(ruleSet.flag(at: 0) === kept)
        #expect(ruleSet.flag(at: 1) !== replaced)
        #expect(ruleSet.revision == 4)
        try loops.fixture.delete("b")
        #expect(keys(loops) == ["a", "c"])
    }

    @Test("The fingerprint depends on keys, rules and dates: not on the order of writes, the loop or descriptions")
    func fingerprints() throws {
        let loops = try Loops(2, warm: [.development])
        let other = try Loops(warm: [.development])
        for key in ["a", "b"] { try loops.fixture.createSimple(key) }
        for key in ["b", "x", "a"] { try other.fixture.createSimple(key) }
        try other.fixture.delete("x")
        loops.drain()
        other.drain()
        let first = fingerprint(loops)
        #expect(first != nil && first == fingerprint(loops, loop: 1) && first == fingerprint(other))
        try loops.fixture.patch("a", ["description": "Says goodbye"])
        loops.drain()
        #expect(fingerprint(loops) == first)
        try loops.fixture.patch("a", ["defaultEnabled": false])
        loops.drain()
        #expect(fingerprint(loops) != first)
        try loops.fixture.patch("a", ["defaultEnabled": true])
        loops.drain()
        #expect(fingerprint(loops) == first)
    }

    @Test("Flags past their dates are counted, and a date is part of the fingerprint")
    func stale() throws {
        let loops = try Loops(warm: [.development])
        try loops.fixture.createSimple("a")
        let (first, second) = (Fixture.start + 1_000, Fixture.start + 2_000)
        for (key, date) in [("b", first), ("c", second)] {
            guard case .object(var flag) = Fixture.simple(key) else { continue }
            flag["expiresAt"] = .string(date.rfc3339)
            try loops.fixture.create(.object(flag))
        }
        loops.drain()
        guard case .found(let ruleSet, _) = loops.caches[0].ruleSet(.development, now: 0) else { return }
        for (instant, count) in [(Fixture.start, 0), (first, 1), (second, 2), (first, 1), (Fixture.start, 0)] {
            #expect(ruleSet.staleCount(at: instant) == count)
        }
        let fingerprint = ruleSet.fingerprint
        try loops.fixture.patch("c", ["expiresAt": .null])
        loops.drain()
        #expect(ruleSet.staleCount(at: second) == 1)
        #expect(ruleSet.fingerprint != fingerprint)
    }

    @Test("Flags that are written while all flags are read are in what is delivered")
    func overtaken() throws {
        let loops = try Loops()
        for key in ["a", "b"] { try loops.fixture.createSimple(key) }
        loops.drain()
        let gate = loops.gated.close()
        var isHere = false
        loops.caches[0].load([.ruleSet(.development)], now: 0) { isHere = true }
        // First the revision is read, then the flags.
        loops.gated.awaitArrival()
        gate.signal()
        loops.gated.awaitArrival()
        try loops.fixture.createSimple("c")
        try loops.fixture.delete("a")
        loops.gated.open(gate)
        while !isHere {
            loops.mail.awaitArrival(0)
            loops.drain()
        }
        #expect(keys(loops) == ["b", "c"])
    }

    @Test("A rule set outlives a failure of the store; without one there is nothing to answer")
    func failures() throws {
        let loops = try Loops(
            limits: CacheLimits(capacity: 10, timeToLiveMilliseconds: 1_000), warm: [.development])
        try loops.fixture.createSimple("a")
        loops.drain()
        loops.gated.setFailing(true)
        for environment in [FlagCore.Environment.development, .staging] {
            var isHere = false
            loops.caches[0].load([.ruleSet(environment)], now: 5_000) { isHere = true }
            while !isHere {
                loops.mail.awaitArrival(0)
                loops.drain(now: 5_000)
            }
        }
        guard case .found(_, .stale) = loops.caches[0].ruleSet(.development, now: 5_000),
            case .unavailable = loops.caches[0].ruleSet(.staging, now: 5_000),
            case .missing = loops.caches[0].ruleSet(.staging, now: 6_000)
        else {
            Issue.record("What was known goes on, the rest is unavailable for a second")
            return
        }
    }

    @Test("A flag with a broken definition breaks no other")
    func broken() throws {
        let text = DecodedRuleSet(
            [
                DecodedFlag(key: "bad", rule: .full("{")),
                DecodedFlag(key: "good", rule: .simple(defaultEnabled: true)),
            ], revision: 1)
        let ruleSet = RuleSet(text, fractional: .v3)
        let bad = ruleSet.flag(at: 0).evaluate(
            EvaluationContext(attributes: nil), killSwitch: nil, override: nil, now: Fixture.start)
        #expect(bad.error?.code == .parseError)
        #expect(ruleSet.flag(at: 1).variants.count == 2)
        #expect(!ruleSet.readsTimestamp)
    }
}
