import FlagCore
import JSON
import TestSupport
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("Coherence")
struct CacheCoherenceTests {
    /// What ought to be answered, kept the simplest way.
    private struct Model {
        var flags: [String: Bool] = [:]
        var overrides: [String: [String: Bool]] = [:]
        var killed: Set<String> = []
        var allKilled = false

        func answer(_ key: String, tenant: String) -> String {
            guard let enabled = flags[key] else { return "absent" }
            if allKilled || killed.contains(key) { return "off" }
            return (overrides[tenant]?[key] ?? enabled) ? "on" : "off"
        }
    }

    @Test(
        "Whatever is written, every loop answers what was last acknowledged", arguments: 1...6 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        // Small enough for evictions, short-lived enough for expiries, with and without a rule set behind it.
        let limits = CacheLimits(capacity: 4, timeToLiveMilliseconds: 50)
        let loops = try Loops(2, limits: limits, warm: seed % 2 == 0 ? [.development] : [])
        var model = Model()
        let keys = (0..<8).map { "flag-\($0)" }
        let tenants = (0..<6).map { "tenant-\($0)" }
        var now: Int64 = 0
        for step in 0..<1_500 {
            now += Int64.random(in: 0..<4, using: &random)
            let key = keys.randomElement(using: &random)!
            let tenant = tenants.randomElement(using: &random)!
            if Int.random(in: 0..<4, using: &random) == 0 {
                try write(Int.random(in: 0..<7, using: &random), key, tenant, step % 2 == 0, loops, &model)
            } else {
                let loop = Int.random(in: 0..<2, using: &random)
                let answer = loops.answer(key, tenant: tenant, loop: loop, now: now)
                #expect(answer.text == model.answer(key, tenant: tenant), "step \(step), \(key), \(tenant)")
                if answer.text != model.answer(key, tenant: tenant) { return }
            }
        }
        #expect(loops.caches[0].statistics.flags.hits > 0)
        #expect(loops.caches[0].statistics.overrides.evictions + loops.caches[0].statistics.flags.evictions > 0)
    }

    private func write(
        _ kind: Int, _ key: String, _ tenant: String, _ value: Bool, _ loops: Loops, _ model: inout Model
    ) throws {
        let fixture = loops.fixture
        switch kind {
        case 0, 1:
            if model.flags[key] == nil {
                try fixture.createSimple(key, enabled: value)
            } else {
                try fixture.replace(Fixture.simple(key, enabled: value))
            }
            model.flags[key] = value
        case 2 where model.flags[key] != nil:
            try fixture.delete(key)
            model.flags[key] = nil
            model.killed.remove(key)
            for tenant in model.overrides.keys { model.overrides[tenant]?[key] = nil }
        case 3 where model.flags[key] != nil:
            try fixture.putOverride(tenant, key, ["enabled": .bool(value), "updatedBy": "me"])
            model.overrides[tenant, default: [:]][key] = value
        case 4 where model.overrides[tenant]?[key] != nil:
            try fixture.deleteOverride(tenant, key)
            model.overrides[tenant]?[key] = nil
        case 5:
            if model.killed.contains(key) { try fixture.revive(key) } else { try fixture.kill(key, forced: true) }
            model.killed.formSymmetricDifference([key])
        case 6 where model.allKilled || value:
            if model.allKilled { try fixture.revive(nil) } else { try fixture.kill(nil) }
            model.allKilled.toggle()
        default:
            break
        }
    }

    @Test("Writers and loops at the same time: when all is quiet, every loop answers what is stored")
    func concurrent() throws {
        let loops = try Loops(2, limits: CacheLimits(capacity: 4, timeToLiveMilliseconds: 1_000_000))
        let keys = (0..<6).map { "flag-\($0)" }
        for key in keys { try loops.fixture.createSimple(key) }
        let fixture = loops.fixture
        let writers = DispatchQueueRaceHandle.start(3) { writer in
            var random = SeededGenerator(seed: UInt64(writer))
            for _ in 0..<200 {
                let key = keys.randomElement(using: &random)!
                _ = try? fixture.patch(key, ["defaultEnabled": .bool(Bool.random(using: &random))])
            }
        }
        var random = SeededGenerator(seed: 99)
        while !writers.areDone {
            _ = loops.answer(keys.randomElement(using: &random)!, loop: Int.random(in: 0..<2, using: &random))
        }
        writers.wait()
        for key in keys {
            let stored = try fixture.repository.flag(key, in: .development).rule
            for loop in 0..<2 {
                #expect(loops.answer(key, loop: loop).text == (stored == .simple(defaultEnabled: true) ? "on" : "off"))
            }
        }
    }
}
