import Bytes
import FlagCore

/// What one event loop knows of flags: it answers look-ups without leaving the loop, without a lock, and, for what it
/// holds, without allocating or making a string.
///
/// Each kind of entry has a table of its own with the profile's capacity and age limit: compiled flags, overrides of a
/// tenant, and the absence of either, so that made-up names cannot push out what exists. The rule set of an environment
/// is held beside them. Kill switches are pinned: they neither age nor go.
///
/// Confined to one loop: not `Sendable`. The loop's time, in milliseconds of a clock that never goes back, is an
/// argument (`now`); points in time of the calendar are `Timestamp`.
///
/// A look-up that answers `missing` is followed by `load`, which calls back when the answer is here; the look-up is
/// then repeated. What is here but takes longer to compile than the loop's turn allows is `missing` as well.
package final class LoopCache {
    /// The loop's number, as the source knows it.
    package let loop: Int
    /// The bounds.
    package let limits: CacheLimits

    let source: any CacheSource
    let fractional: FractionalVersion
    let hash: ByteHash

    let flags: LRUTable<FlagEntry>
    let overrides: LRUTable<OverridesEntry>
    let absences: LRUTable<Absence>
    var ruleSets: [RuleSetEntry?]
    var killSwitches: [KillSwitches]
    /// The segments of each environment; nil as long as no rule named one.
    var segments: [LoopSegments?]
    /// Until when the store is not asked again for the segments of an environment, because it did not answer.
    var segmentsRetryAt: [Int64]
    var hasKillSwitches = false
    var tenants: TenantTable
    var tenantSlots: TenantSlots
    /// What the loop has asked the store for, and who waits for it.
    var pending: [CacheKey: [LoadWaiter]] = [:]
    /// What is here and to be compiled, and who waits for it.
    var compiling: [CacheKey: [LoadWaiter]] = [:]
    /// Whether look-ups are made for somebody whose load just arrived: what it brought comes from the store.
    var isResuming = false
    /// Whether look-ups are made for somebody who has had all flags loaded: what is not among them is not there.
    var isAmongAll = false
    /// What waits for the loop's time, oldest first.
    var work: [LoopWork] = []
    /// How much of the loop's turn is left for that.
    var slice: TurnSlice
    /// Whether a turn has been asked for that has not come.
    var isTurnAsked = false
    let wantsTurn: () -> Void
    var counters = CacheStatistics()

    /// An empty cache.
    ///
    /// - Parameters:
    ///   - source: where it asks for what it misses, and who delivers changes.
    ///   - loop: the loop's number, 0 up to the source's `loops`.
    ///   - limits: the profile's bounds.
    ///   - fractional: how the data directory's buckets are made.
    ///   - clock: what slices of work are measured by.
    ///   - wantsTurn: has `takeTurn` called in one of the loop's next turns; called on the loop.
    package init(
        source: any CacheSource, loop: Int, limits: CacheLimits, fractional: FractionalVersion,
        clock: @escaping WorkSlice.Clock = WorkSlice.systemClock, wantsTurn: @escaping () -> Void
    ) {
        precondition(loop >= 0 && loop < source.loops, "The source knows of no loop \(loop)")
        self.source = source
        self.loop = loop
        self.limits = limits
        self.fractional = fractional
        self.wantsTurn = wantsTurn
        slice = TurnSlice(clock)
        hash = .randomlySeeded()
        flags = LRUTable(capacity: limits.capacity, hash: hash)
        overrides = LRUTable(capacity: limits.capacity, hash: hash)
        absences = LRUTable(capacity: limits.capacity, hash: hash)
        ruleSets = Array(repeating: nil, count: Environment.allCases.count)
        killSwitches = Array(repeating: KillSwitches(hash: hash), count: Environment.allCases.count)
        segments = Array(repeating: nil, count: Environment.allCases.count)
        segmentsRetryAt = Array(repeating: .min, count: Environment.allCases.count)
        tenants = source.tenants
        tenantSlots = tenants.slots
    }

    /// What the cache did so far.
    package var statistics: CacheStatistics {
        var statistics = counters
        statistics.flags.entries = flags.count
        statistics.overrides.entries = overrides.count
        statistics.absences.entries = absences.count
        statistics.ruleSets.entries = ruleSets.reduce(0) { $0 + ($1 == nil ? 0 : 1) }
        return statistics
    }
}

// MARK: - Entries

/// Whether what an entry says still holds as far as anybody knows.
enum Freshness: UInt8 {
    /// The store said so.
    case current
    /// The store said so once, and does not answer now.
    case stale

    /// What an answer from such an entry is.
    @inline(__always)
    func source(isResuming: Bool) -> AnswerSource {
        switch self {
        case .current: isResuming ? .store : .cache
        case .stale: .stale
        }
    }
}

/// A flag in the cache: compiled when it is first asked for.
struct FlagEntry {
    var text: DecodedFlag
    var compiled: CompiledFlag?
    var freshness = Freshness.current
}

/// The overrides of a tenant in the cache.
struct OverridesEntry {
    var overrides: TenantOverrides
    var freshness = Freshness.current
}

/// Something that is known not to exist, or of which nothing can be known because the store does not answer.
struct Absence {
    var source: AnswerSource?
}

/// A rule set in the cache.
struct RuleSetEntry {
    var ruleSet: RuleSet
    var expiresAt: Int64
    var freshness = Freshness.current
}

/// Kinds of names in one table: their number is part of the hash.
enum NameKind: Int {
    case flag = 0
    case tenant = 1

    @inline(__always)
    func salt(_ environment: Environment) -> Int {
        rawValue * 4 + environment.index
    }
}

/// Somebody who waits for one or more loads, or for what is here to be compiled.
final class LoadWaiter {
    /// For how many.
    var remaining: Int
    /// Whether any of them comes from the store.
    var hasAskedStore = false
    /// Whether something of a whole environment is among them.
    let isForMuch: Bool
    /// Whether flags are looked for among all flags of the environment.
    let isAmongAll: Bool
    let resume: () -> Void

    init(for keys: Set<CacheKey>, isAmongAll: Bool = false, resume: @escaping () -> Void) {
        remaining = keys.count
        isForMuch = keys.contains { $0.isLarge }
        self.isAmongAll = isAmongAll
        self.resume = resume
    }
}
