import Bytes
import Dispatch
import FlagCore
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("What a loop keeps of a flag, and for how long")
struct CacheAgeTests {
    private static let limits = CacheLimits(capacity: 10, timeToLiveMilliseconds: 800)

    private func flag(_ key: String, _ loops: Loops, now: Int64) throws -> CompiledFlag {
        let lookup = key.withBytes { loops.caches[0].flag(.development, key: $0, now: now) }
        guard case .found(let flag, _) = lookup else { throw NotFound() }
        return flag
    }

    private struct NotFound: Error {}

    @Test("A flag that is loaded again as it was is not compiled again; one that has changed is")
    func compiledOnce() throws {
        let loops = try Loops(limits: Self.limits)
        try loops.fixture.createSimple("a")
        _ = loops.answer("a", now: 0)
        let first = try flag("a", loops, now: 1)
        // Asked for in the last eighth of its life, it is renewed.
        #expect(try flag("a", loops, now: 799) === first)
        loops.mail.awaitArrival(0)
        loops.feed.pointLoads.sync {}
        loops.deliver(now: 799)
        #expect(try flag("a", loops, now: 1_500) === first)
        try loops.fixture.replace(Fixture.simple("a", enabled: false))
        loops.deliver(now: 1_500)
        #expect(try flag("a", loops, now: 1_500) !== first)
    }

    @Test("A flag out of all flags is kept no longer than they are")
    func flagOfAll() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        let loops = try Loops(limits: Self.limits, warm: [.development], fixture: fixture)
        #expect(loops.attempt("a", tenant: nil, now: 600) == Answer("on", .cache))
        #expect(loops.attempt("a", tenant: nil, now: 799) == Answer("on", .cache))
        #expect(loops.attempt("a", tenant: nil, now: 800) == nil)
    }
}
