import Dispatch
import DynamoModel
import FlagCore
import JSON
import TableEngine
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("Changes while a load is under way")
struct OvertakenLoadTests {
    /// Has a loop load something, and does `changes` when all of it has been read and before it is delivered.
    ///
    /// - Parameters:
    ///   - key: what is loaded.
    ///   - reads: how many reads that takes.
    private func overtake(
        _ loops: Loops, _ key: CacheKey, reads: Int = 1, now: Int64 = 0, _ changes: () throws -> Void
    ) throws {
        loops.drain(now: now)
        let gate = loops.gated.close()
        var isHere = false
        loops.caches[0].load([key], now: now) { isHere = true }
        loops.gated.awaitArrivals(reads, gate)
        try changes()
        // What was told comes before what was loaded.
        loops.drain(now: now)
        #expect(!isHere)
        loops.gated.open(gate)
        while !isHere {
            loops.mail.awaitArrival(0)
            loops.drain(now: now)
        }
    }

    private static let off: JSONValue = ["enabled": false, "updatedBy": "me"]
    private static let on: JSONValue = ["enabled": true, "updatedBy": "me"]

    // MARK: - Flags

    /// What is done to the flag, and what it answers then. Before, it is on.
    enum FlagChanges: CaseIterable {
        case changedTwice, deleted, deletedAndCreated, changedAndDeleted

        func make(_ fixture: Fixture) throws {
            switch self {
            case .changedTwice:
                try fixture.replace(Fixture.simple("a", enabled: true, owner: "other"))
                try fixture.replace(Fixture.simple("a", enabled: false))
            case .deleted:
                try fixture.delete("a")
            case .deletedAndCreated:
                try fixture.delete("a")
                try fixture.createSimple("a", enabled: false)
            case .changedAndDeleted:
                try fixture.replace(Fixture.simple("a", enabled: false))
                try fixture.delete("a")
            }
        }

        var answer: String {
            switch self {
            case .changedTwice, .deletedAndCreated: "off"
            case .deleted, .changedAndDeleted: "absent"
            }
        }
    }

    @Test("A flag answers what was written last, however often that was", arguments: FlagChanges.allCases)
    func flag(_ changes: FlagChanges) throws {
        let loops = try Loops()
        try loops.fixture.createSimple("a")
        try overtake(loops, .flag(.development, Array("a".utf8))) { try changes.make(loops.fixture) }
        #expect(loops.attempt("a", tenant: nil, now: 0)?.text == changes.answer)
    }

    @Test("A flag that is created while nothing was found of it is there; one that is deleted then is not")
    func flagCreated() throws {
        let loops = try Loops()
        let key = CacheKey.flag(.development, Array("a".utf8))
        try overtake(loops, key) { try loops.fixture.createSimple("a", enabled: false) }
        #expect(loops.attempt("a", tenant: nil, now: 0)?.text == "off")
        try overtake(loops, key, now: 70_000) { try loops.fixture.delete("a") }
        #expect(loops.attempt("a", tenant: nil, now: 70_000)?.text == "absent")
        try overtake(loops, key, now: 140_000) { try loops.fixture.createSimple("a") }
        #expect(loops.attempt("a", tenant: nil, now: 140_000)?.text == "on")
    }

    @Test("All flags of an environment are as they were written last", arguments: FlagChanges.allCases)
    func allFlags(_ changes: FlagChanges) throws {
        let loops = try Loops()
        for key in ["a", "b", "c"] { try loops.fixture.createSimple(key) }
        // The revision, the flags, and the last valid forms.
        try overtake(loops, .ruleSet(.development), reads: 2) {
            try changes.make(loops.fixture)
            try loops.fixture.createSimple("d", enabled: false)
            try loops.fixture.delete("b")
        }
        guard case .found(let ruleSet, _) = loops.caches[0].ruleSet(.development, now: 0) else {
            Issue.record("they are not there")
            return
        }
        let keys = (0..<ruleSet.count).map { ruleSet.flag(at: $0).key }
        #expect(keys == (changes.answer == "absent" ? ["c", "d"] : ["a", "c", "d"]))
        #expect(loops.attempt("a", tenant: nil, now: 0)?.text == (changes.answer == "absent" ? nil : changes.answer))
        #expect(loops.attempt("d", tenant: nil, now: 0)?.text == "off")
        let record = try loops.fixture.store.getItem(
            table: Fixture.table, key: ItemKey.revision(.development).tableKey)
        #expect(ruleSet.revision > 3 && ruleSet.revision == EnvironmentRevision.of(record))
        // As who comes later finds them.
        let other = try Loops(warm: [.development], fixture: loops.fixture)
        guard case .found(let loaded, _) = other.caches[0].ruleSet(.development, now: 0) else { return }
        #expect(loaded.fingerprint == ruleSet.fingerprint)
    }

    // MARK: - Overrides

    @Test("A tenant's overrides are as they were written last")
    func overrides() throws {
        let loops = try Loops()
        let fixture = loops.fixture
        for key in ["a", "b", "c", "d", "e"] {
            try fixture.createSimple(key)
            if key != "c" { try fixture.putOverride("acme", key, Self.off) }
        }
        try overtake(loops, .overrides(.development, tenant: Array("acme".utf8))) {
            try fixture.deleteOverride("acme", "a")
            try fixture.deleteOverride("acme", "b")
            try fixture.putOverride("acme", "b", Self.on)
            try fixture.putOverride("acme", "b", Self.off)
            try fixture.putOverride("acme", "c", Self.off)
            try fixture.putOverride("acme", "d", Self.off)
            try fixture.putOverride("acme", "d", Self.on)
            try fixture.deleteOverride("acme", "e")
            try fixture.putOverride("acme", "e", Self.on)
            try fixture.deleteOverride("acme", "e")
            try fixture.putOverride("globex", "a", Self.off)
        }
        let answers = ["a", "b", "c", "d", "e"].map { loops.answer($0, tenant: "acme").text }
        #expect(answers == ["on", "off", "off", "on", "on"])
        #expect(loops.caches[0].statistics.overrides.misses == 0, "It is served as it was delivered")
    }

    @Test("The first override of a tenant that is known to have none, or is just found to have none, is served at once")
    func firstOverride() throws {
        let loops = try Loops()
        let fixture = loops.fixture
        let key = CacheKey.overrides(.development, tenant: Array("acme".utf8))
        try fixture.createSimple("a")
        // So that the table of tenants has it.
        try fixture.putOverride("acme", "a", Self.off)
        try fixture.deleteOverride("acme", "a")
        #expect(loops.answer("a", tenant: "acme").text == "on")
        #expect(loops.attempt("a", tenant: "acme", now: 0) == Answer("on", .cache), "Now it is known")
        try fixture.putOverride("acme", "a", Self.off)
        #expect(loops.answer("a", tenant: "acme") == Answer("off", .store))
        try fixture.deleteOverride("acme", "a")
        #expect(loops.answer("a", tenant: "acme").text == "on")
        // The absence has grown old and is asked for again.
        for (now, override) in [(Int64(70_000), Self.off), (140_000, Self.on)] {
            try overtake(loops, key, now: now) { try fixture.putOverride("acme", "a", override) }
            _ = loops.answer("a", now: now)
            #expect(loops.attempt("a", tenant: "acme", now: now)?.text == (override == Self.off ? "off" : "on"))
            try fixture.deleteOverride("acme", "a")
            loops.drain(now: now)
        }
        // One that is gone again before its load is here.
        try overtake(loops, key, now: 210_000) {
            try fixture.putOverride("acme", "a", Self.off)
            try fixture.deleteOverride("acme", "a")
        }
        _ = loops.answer("a", now: 210_000)
        #expect(loops.attempt("a", tenant: "acme", now: 210_000)?.text == "on")
    }

    // MARK: - Kill switches

    /// Starts a feed, and does `changes` when the kill switches of the first environment have been read.
    private func start(
        _ fixture: Fixture, warm: [FlagCore.Environment] = [], reads: Int = 1,
        _ changes: @escaping @Sendable () throws -> Void
    ) throws -> Loops {
        let done = DispatchSemaphore(value: 0)
        let loops = try Loops(
            2, warm: warm, fixture: fixture,
            beforeStart: { gated in
                let gate = gated.close()
                DispatchQueue(label: "changes").async {
                    gated.awaitArrivals(reads, gate)
                    do { try changes() } catch { Issue.record(error) }
                    gated.open(gate)
                    done.signal()
                }
            })
        done.wait()
        return loops
    }

    @Test("A kill switch that is set or ended while the kill switches are read is in what every loop begins with")
    func killSwitches() throws {
        let fixture = try Fixture()
        for key in ["a", "b", "c", "d"] { try fixture.createSimple(key) }
        try fixture.kill("b")
        try fixture.kill("d")
        #expect(Environment.allCases.first == .development)
        let loops = try start(fixture) {
            try fixture.kill("a")
            try fixture.revive("b")
            try fixture.kill("c")
            try fixture.revive("c")
            try fixture.revive("d")
            try fixture.kill("d")
        }
        for loop in 0..<2 {
            #expect(["a", "b", "c", "d"].map { loops.answer($0, loop: loop).text } == ["off", "on", "on", "off"])
        }
        #expect(loops.feed.killSwitches[.development]?.flagKeys == [Array("a".utf8), Array("d".utf8)])
    }

    @Test("That of all flags as well", arguments: [true, false])
    func globalKillSwitch(_ isSet: Bool) throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        if !isSet { try fixture.kill(nil) }
        let loops = try start(fixture) {
            if isSet { try fixture.kill(nil) } else { try fixture.revive(nil) }
        }
        for loop in 0..<2 { #expect(loops.answer("a", loop: loop).text == (isSet ? "off" : "on")) }
        #expect(loops.feed.killSwitches[.development]?.isGlobal == isSet)
        #expect(
            loops.caches[0].killSwitchFingerprint(.development) == loops.caches[1].killSwitchFingerprint(.development))
        #expect((loops.caches[0].killSwitchFingerprint(.development) == 0) == !isSet)
    }

    @Test("One that is set while they are read of a table that took another's place is on as well")
    func killSwitchesOfAnotherTable() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        try fixture.kill("a")
        let loops = try Loops(2, fixture: fixture)
        loops.gated.setMuted(true)
        try fixture.store.deleteTable(Fixture.table)
        try fixture.repository.createTableIfMissing()
        for key in ["a", "b"] { try fixture.createSimple(key) }
        loops.gated.setMuted(false)
        let gate = loops.gated.close()
        let noticed = DispatchSemaphore(value: 0)
        DispatchQueue(label: "notices").async { [feed = loops.feed] in
            feed.noticeReplacedTable()
            noticed.signal()
        }
        loops.gated.awaitArrival()
        try fixture.kill("b")
        loops.gated.open(gate)
        noticed.wait()
        for loop in 0..<2 { #expect(["a", "b"].map { loops.answer($0, loop: loop).text } == ["on", "off"]) }
        #expect(loops.feed.killSwitches[.development]?.flagKeys == [Array("b".utf8)])
    }

    // MARK: - Failures

    @Test("A change that comes while a load fails is known all the same; a load of much that fails knows nothing")
    func failedLoad() throws {
        let loops = try Loops()
        try loops.fixture.createSimple("a")
        loops.drain()
        loops.feed.pointLoads.suspend()
        var isHere = false
        loops.caches[0].load([.flag(.development, Array("a".utf8))], now: 0) { isHere = true }
        try loops.fixture.replace(Fixture.simple("a", enabled: false))
        loops.gated.setFailing(true)
        loops.feed.pointLoads.resume()
        while !isHere {
            loops.mail.awaitArrival(0)
            loops.drain()
        }
        #expect(loops.attempt("a", tenant: nil, now: 0)?.text == "off")
        #expect(loops.feed.statistics.failures == 1)
    }
}
