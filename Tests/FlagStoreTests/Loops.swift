import Bytes
import Dispatch
import DynamoModel
import FlagCore
import JSON
import Platform
import Testing

@testable import FlagCache
@testable import FlagStore

/// Mail of several loops.
final class Mail: Sendable {
    private let updates: Locked<[[CacheUpdate]]>
    private let arrivals: [DispatchSemaphore]

    init(loops: Int) {
        updates = Locked(Array(repeating: [], count: loops))
        arrivals = (0..<loops).map { _ in DispatchSemaphore(value: 0) }
    }

    func put(_ update: CacheUpdate, _ loop: Int) {
        updates.withLock { $0[loop].append(update) }
        arrivals[loop].signal()
    }

    func take(_ loop: Int) -> [CacheUpdate] {
        updates.withLock { mail in
            let taken = mail[loop]
            mail[loop] = []
            return taken
        }
    }

    /// Waits until something arrives for a loop.
    func awaitArrival(_ loop: Int) { arrivals[loop].wait() }
}

/// That a loop wants a turn. On the test's own thread.
final class Wish {
    var isWaiting = false
}

/// A fixture with loops that cache it, all on the test's own thread.
struct Loops {
    let fixture: Fixture
    let gated: GatedStore
    let mail: Mail
    let feed: CacheFeed
    let caches: [LoopCache]
    /// Which loops have asked for a turn.
    let wishes: [Wish]
    let events: Locked<[CacheEvent]>

    init(
        _ count: Int = 1, limits: CacheLimits = CacheLimits(capacity: 100, timeToLiveMilliseconds: 60_000),
        warm: [FlagCore.Environment] = [], fixture: Fixture? = nil, clock: @escaping WorkSlice.Clock = { 0 },
        beforeStart: (GatedStore) -> Void = { _ in }
    ) throws {
        let fixture = try fixture ?? Fixture()
        let mail = Mail(loops: count)
        let events = Locked<[CacheEvent]>([])
        let gated = GatedStore(fixture.store)
        let feed = CacheFeed(
            store: gated, table: Fixture.table, loops: count,
            report: { event in events.withLock { $0.append(event) } },
            deliver: { mail.put($0, $1) })
        let wishes = (0..<count).map { _ in Wish() }
        caches = wishes.indices.map { loop in
            LoopCache(source: feed, loop: loop, limits: limits, fractional: .v3, clock: clock) {
                wishes[loop].isWaiting = true
            }
        }
        self.wishes = wishes
        beforeStart(gated)
        try feed.start(warm: warm)
        self.fixture = fixture
        self.gated = gated
        self.mail = mail
        self.feed = feed
        self.events = events
        awaitTenants()
        drain()
    }

    /// Waits until the table of tenants is complete.
    func awaitTenants() {
        // The scan runs on the feed's background queue, which is serial: what is queued behind it comes after it.
        feed.background.sync {}
    }

    /// Applies the mail of every loop.
    func drain(now: Int64 = 0) {
        for loop in caches.indices { drain(loop, now: now) }
    }

    func drain(_ loop: Int, now: Int64 = 0) {
        deliver(loop, now: now)
        if wishes[loop].isWaiting { takeTurn(loop, now: now) }
    }

    /// Applies the mail of a loop, and nothing else.
    func deliver(_ loop: Int = 0, now: Int64) {
        for update in mail.take(loop) { caches[loop].apply(update, now: now) }
    }

    /// Gives a loop the turn that it has asked for.
    func takeTurn(_ loop: Int = 0, now: Int64) {
        wishes[loop].isWaiting = false
        caches[loop].takeTurn(now: now)
    }

    /// What one loop answers for a flag, after as many loads as it takes: the name of the variant or what else there
    /// is.
    func answer(
        _ key: String, tenant: String? = nil, in environment: FlagCore.Environment = .development, loop: Int = 0,
        now: Int64 = 0
    ) -> Answer {
        drain(loop, now: now)
        for _ in 0..<8 {
            if let answer = attempt(key, tenant: tenant, in: environment, loop: loop, now: now) { return answer }
            let done = Locked<Answer??>(.none)
            caches[loop].load(missing(key, tenant, environment, loop, now), now: now) {
                let answer = attempt(key, tenant: tenant, in: environment, loop: loop, now: now)
                done.withLock { $0 = .some(answer) }
            }
            while done.withLock({ $0 == nil }) {
                mail.awaitArrival(loop)
                drain(loop, now: now)
            }
            if let answer = done.withLock({ $0 }) ?? nil { return answer }
        }
        return Answer(text: "never", source: .default)
    }

    /// What the loop must load before it can answer.
    private func missing(
        _ key: String, _ tenant: String?, _ environment: FlagCore.Environment, _ loop: Int, _ now: Int64
    ) -> [CacheKey] {
        var keys: [CacheKey] = []
        if case .missing = key.withBytes({ caches[loop].flag(environment, key: $0, now: now) }) {
            keys.append(.flag(environment, Array(key.utf8)))
        }
        if let tenant,
            case .missing = tenant.withBytes({ caches[loop].overrides(environment, tenant: $0, now: now) })
        {
            keys.append(.overrides(environment, tenant: Array(tenant.utf8)))
        }
        return keys
    }

    /// What the loop answers without a load; nil when it needs one.
    func attempt(
        _ key: String, tenant: String?, in environment: FlagCore.Environment = .development, loop: Int = 0, now: Int64
    ) -> Answer? {
        let cache = caches[loop]
        return key.withBytes { key in
            var override: TenantOverride?
            var source = AnswerSource.cache
            if let tenant {
                switch tenant.withBytes({ cache.overrides(environment, tenant: $0, now: now) }) {
                case .missing: return nil
                case .none(let from): source = from
                case .found(let overrides, let from):
                    override = overrides.override(for: key)
                    source = from
                }
            }
            switch cache.flag(environment, key: key, now: now) {
            case .missing: return nil
            case .absent(let from): return Answer(text: "absent", source: max(source, from))
            case .found(let flag, let from):
                let evaluation = flag.evaluate(
                    EvaluationContext(attributes: nil), killSwitch: cache.killSwitch(environment, key: key),
                    override: override, now: Fixture.start)
                let text = evaluation.variant.map { flag.variants[$0].name } ?? "\(evaluation.reason)"
                return Answer(text: text, source: max(source, from))
            }
        }
    }
}

/// What a loop answered.
struct Answer: Equatable, Sendable, CustomStringConvertible {
    var text: String
    var source: AnswerSource
    var description: String { "\(text) from \(source)" }

    init(text: String, source: AnswerSource) {
        self.text = text
        self.source = source
    }

    init(_ text: String, _ source: AnswerSource) {
        self.init(text: text, source: source)
    }
}
