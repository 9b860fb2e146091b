import Bytes
import DynamoModel
import FlagCore
import Platform
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("Work in slices of the loop's time")
struct WorkSliceTests {
    /// A clock that says a millisecond more each time: five things are done in a slice.
    private static func ticking() -> WorkSlice.Clock {
        let time = Locked<UInt64>(0)
        return {
            time.withLock { time in
                time += 1_000_000
                return time
            }
        }
    }

    /// Loops over so many flags, `f00` and on.
    private func loops(
        _ count: Int, warm: Bool = true, capacity: Int = 100, clock: @escaping WorkSlice.Clock = ticking()
    ) throws -> Loops {
        let fixture = try Fixture()
        for number in 0..<count { try fixture.createSimple(number < 10 ? "f0\(number)" : "f\(number)") }
        return try Loops(
            limits: CacheLimits(capacity: capacity, timeToLiveMilliseconds: 60_000), warm: warm ? [.development] : [],
            fixture: fixture, clock: clock)
    }

    private func ruleSet(_ loops: Loops, now: Int64) -> RuleSet? {
        guard case .found(let ruleSet, .cache) = loops.caches[0].ruleSet(.development, now: now) else { return nil }
        return ruleSet
    }

    /// Gives the loop turns until `isDone`, and says how many it took.
    private func turns(_ loops: Loops, from now: Int64, until isDone: () -> Bool) -> Int64 {
        for turn in 0..<100 {
            if isDone() { return Int64(turn) }
            loops.takeTurn(now: now + Int64(turn))
        }
        return .max
    }

    @Test("All flags are compiled over several turns, once for all who wait, and never in a turn whose slice is over")
    func compiling() throws {
        let loops = try loops(30)
        let reads = loops.gated.reads
        #expect(ruleSet(loops, now: 1) == nil)
        var resumed = 0
        for _ in 0..<3 {
            let hasAsked = loops.caches[0].load([.ruleSet(.development)], now: 1) {
                resumed += 1
                #expect(ruleSet(loops, now: 1)?.count == 30)
            }
            #expect(!hasAsked)
        }
        loops.takeTurn(now: 1)
        #expect(loops.wishes[0].isWaiting, "What is left in a turn whose slice is over waits for the next")
        #expect(turns(loops, from: 2) { resumed == 3 } == 6)
        #expect(ruleSet(loops, now: 8)?.count == 30)
        #expect(!loops.wishes[0].isWaiting)
        #expect(loops.gated.reads == reads)
    }

    @Test("Single flags out of all that are here are compiled as far as the slice goes, too")
    func singleFlagsOfAll() throws {
        let loops = try loops(8)
        let late = (0..<8).map { "f0\($0)" }.filter { loops.attempt($0, tenant: nil, now: 1) == nil }
        #expect(late == ["f05", "f06", "f07"])
        #expect(loops.attempt("f00", tenant: nil, now: 1) == Answer("on", .cache), "What is compiled costs no time")
        #expect(loops.attempt("f05", tenant: nil, now: 2) == Answer("on", .cache))
    }

    @Test("Changes that come between two slices are in what is compiled: flags new, other and gone, and kill switches")
    func changes() throws {
        let loops = try loops(30)
        #expect(ruleSet(loops, now: 1) == nil)
        var isDone = false
        loops.caches[0].load([.ruleSet(.development)], now: 1) { isDone = true }
        loops.takeTurn(now: 2)
        try loops.fixture.replace(Fixture.simple("f00", enabled: false))
        try loops.fixture.delete("f01")
        try loops.fixture.createSimple("e", enabled: false)
        loops.deliver(now: 2)
        loops.takeTurn(now: 3)
        try loops.fixture.replace(Fixture.simple("f29", enabled: false))
        try loops.fixture.delete("f28")
        try loops.fixture.createSimple("g", enabled: false)
        _ = try loops.fixture.kill("f05")
        loops.deliver(now: 3)
        #expect("f05".withBytes { loops.caches[0].killSwitch(.development, key: $0) } == .flag)
        #expect(turns(loops, from: 4) { isDone } < 10)
        let found = try #require(ruleSet(loops, now: 20))
        var keys = (2..<28).map { $0 < 10 ? "f0\($0)" : "f\($0)" }
        keys = ["e", "f00"] + keys + ["f29", "g"]
        #expect((0..<found.count).map { found.flag(at: $0).key } == keys)
        let off = (0..<found.count).filter { index in
            let (flag, context) = (found.flag(at: index), EvaluationContext(attributes: nil))
            return flag.evaluate(context, killSwitch: nil, override: nil, now: Fixture.start).variant == 1
        }
        #expect(off.map { found.flag(at: $0).key } == ["e", "f00", "f29", "g"])
        let fresh = try Loops(warm: [.development], fixture: loops.fixture)
        #expect(found.fingerprint == ruleSet(fresh, now: 0)?.fingerprint)
    }

    @Test("Who waits when everything is forgotten goes on, and asks the store")
    func forgotten() throws {
        let loops = try loops(30)
        #expect(ruleSet(loops, now: 1) == nil)
        var isDone = false
        loops.caches[0].load([.ruleSet(.development)], now: 1) { isDone = true }
        loops.takeTurn(now: 2)
        loops.caches[0].apply(.changed([.everything]), now: 2)
        #expect(turns(loops, from: 3) { isDone } == 1)
        #expect(ruleSet(loops, now: 4) == nil)
        #expect(loops.caches[0].load([.ruleSet(.development)], now: 4) {})
    }

    @Test("A flag that comes when the slice is over is compiled in the next turn; the store is not asked again")
    func singleFlags() throws {
        let loops = try loops(8, warm: false)
        let keys = (0..<8).map { "f0\($0)" }
        var isHere = false
        loops.caches[0].load(keys.map { .flag(.development, Array($0.utf8)) }, now: 1) { isHere = true }
        while !isHere {
            loops.mail.awaitArrival(0)
            loops.deliver(now: 1)
        }
        let late = keys.filter { loops.attempt($0, tenant: nil, now: 1) == nil }
        #expect(late == ["f05", "f06", "f07"])
        #expect(loops.attempt("f00", tenant: nil, now: 1) == Answer("on", .cache), "What is compiled costs no time")
        let reads = loops.gated.reads
        var answers: [Answer?] = []
        for key in late {
            let hasAsked = loops.caches[0].load([.flag(.development, Array(key.utf8))], now: 1) {
                answers.append(loops.attempt(key, tenant: nil, now: 2))
            }
            #expect(!hasAsked)
        }
        loops.takeTurn(now: 2)
        #expect(answers == Array(repeating: Answer("on", .cache), count: 3))
        #expect(loops.gated.reads == reads)
    }

    @Test("Who waits for the loop's time goes on in a later turn when this one's is over, in the order of asking")
    func waiting() throws {
        let loops = try loops(0)
        var order: [Int] = []
        for number in 0..<12 { loops.caches[0].wait { order.append(number) } }
        var counts: [Int] = []
        while loops.wishes[0].isWaiting {
            loops.takeTurn(now: Int64(counts.count))
            counts.append(order.count)
        }
        #expect(counts == [5, 10, 12])
        #expect(order == Array(0..<12))
    }

    @Test("Segments are compiled over several turns as well, and a change of one compiles that one")
    func segments() throws {
        let loops = try loops(0, warm: false)
        func item(_ name: String, _ condition: String) -> Item {
            [
                "PK": .string("SEGMENT#development#\(name)"), "SK": "METADATA", "description": "d", "owner": "o",
                "createdAt": "2026-01-01T00:00:00Z", "GSI3PK": "SEGMENTS#development",
                "GSI3SK": .string("SEGMENT#\(name)"), "condition": .string(condition),
            ]
        }
        func put(_ items: [Item]) throws {
            try loops.fixture.store.transactAndWait(
                items.map { .put(table: Fixture.table, item: $0) }, principal: .anonymous)
        }
        try put((0..<20).map { item("s\($0)", #"{"==":[{"var":"n"},\#($0)]}"#) })
        let cache = loops.caches[0]
        var resumed = 0
        cache.load([.segments(.development)], now: 1) { resumed += 1 }
        while resumed == 0 {
            loops.mail.awaitArrival(0)
            loops.drain(now: 1)
        }
        #expect(cache.segmentsFingerprint(.development, now: 1) == nil)
        let late = (0..<20).filter { number in
            let lookup = "s\(number)".withBytes { cache.segment(.development, name: $0, now: 1) }
            return if case .missing = lookup { true } else { false }
        }
        #expect(late.count >= 15)
        cache.load([.segments(.development)], now: 1) { resumed += 1 }
        #expect(turns(loops, from: 2) { resumed == 2 } == 4)
        #expect(cache.segmentsFingerprint(.development, now: 9) != nil)
        #expect(!cache.segmentsReadTimestamp(.development))
        try put([item("s7", #"{"<":[{"var":"$flagd.timestamp"},7]}"#)])
        loops.deliver(now: 10)
        #expect(cache.segmentsFingerprint(.development, now: 10) != nil)
        #expect(cache.segmentsReadTimestamp(.development))
    }

    @Test("Who needs more flags than the cache holds finds them, and what is not there, among all of the environment")
    func amongAll() throws {
        let loops = try loops(3, warm: false, capacity: 1, clock: { 0 })
        let cache = loops.caches[0]
        let keys = ["f00", "f01", "f02", "gone", "nowhere"]
        func answers(amongAll: Bool) -> [Answer?] {
            var found: [Answer?]?
            cache.load(keys.map { .flag(.development, Array($0.utf8)) }, amongAll: amongAll, now: 1) {
                found = keys.map { loops.attempt($0, tenant: nil, now: 1) }
            }
            while found == nil {
                loops.mail.awaitArrival(0)
                loops.drain(now: 1)
            }
            return found ?? []
        }
        let (on, absent) = (Answer("on", .store), Answer("absent", .store))
        #expect(answers(amongAll: false).compactMap { $0 }.count == 2, "Of either kind one at a time")
        #expect(answers(amongAll: true) == [on, on, on, absent, absent])
    }
}

@Suite("Maps by hash")
struct HashedMapTests {
    @Test("One that is made at once is the one that is made step by step")
    func same() {
        let hash = ByteHash.randomlySeeded()
        let entries = (0..<300).map { (key: Array("key-\($0)".utf8), value: $0) }
        var slow = HashedMap<Int>(hash: hash)
        for (key, value) in entries { key.withUnsafeBytes { slow.set(value, for: $0) } }
        let fast = HashedMap(entries, hash: hash)
        #expect(fast.values == slow.values)
        for (key, value) in entries {
            #expect(key.withUnsafeBytes { fast.index(of: $0).map { fast.values[$0] } } == value)
        }
    }
}
