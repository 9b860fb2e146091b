import FlagCache
import FlagCore

/// Finds what evaluations need beside the flag, for the request that is being answered: required flags in a rule set or
/// in the loop's cache, segments in the cache.
///
/// One for each loop, made ready for a request that needs it. What the cache lacks counts as not there and is noted:
/// the request is then answered again when it has been loaded.
final class LoopSurroundings: EvaluationSurroundings {
    private let cache: LoopCache
    private var environment = Environment.development
    private var overrides = OverridesLookup.none(.cache)
    private var ruleSet: RuleSet?
    private var now: Int64 = 0
    /// What the cache lacked.
    private(set) var missing: [CacheKey] = []
    /// A segment that a rule named and that does not exist, since this was last forgotten.
    var unknownSegment: String?

    /// A lookup in a loop's cache.
    init(cache: LoopCache) { self.cache = cache }

    /// Makes ready for a request.
    ///
    /// - Parameters:
    ///   - environment: the request's environment.
    ///   - overrides: the overrides of its tenant.
    ///   - ruleSet: all flags of the environment, where the request has them.
    ///   - now: the loop's time in milliseconds.
    func prepare(_ environment: Environment, _ overrides: OverridesLookup, ruleSet: RuleSet? = nil, now: Int64) {
        self.environment = environment
        self.overrides = overrides
        self.ruleSet = ruleSet
        self.now = now
        missing.removeAll(keepingCapacity: true)
        unknownSegment = nil
    }

    func requiredFlag(_ key: UnsafeRawBufferPointer) -> RequiredFlag? {
        guard let flag = flag(key) else { return nil }
        return RequiredFlag(
            flag: flag, killSwitch: cache.killSwitch(environment, key: key), override: overrides.override(for: key))
    }

    func segment(_ name: UnsafeRawBufferPointer) -> CompiledSegment? {
        switch cache.segment(environment, name: name, now: now) {
        case .found(let segment): return segment
        case .absent: unknownSegment = String(decoding: name, as: UTF8.self)
        case .missing: missing.append(.segments(environment))
        }
        return nil
    }

    private func flag(_ key: UnsafeRawBufferPointer) -> CompiledFlag? {
        if let ruleSet { return ruleSet.index(of: key).map { ruleSet.flag(at: $0) } }
        switch cache.flag(environment, key: key, now: now) {
        case .found(let flag, _): return flag
        case .absent: return nil
        case .missing:
            missing.append(.flag(environment, Array(key)))
            return nil
        }
    }
}
