import FlagCore
import FlagStore

/// Finds the flags that others require, for the request that is being answered: in a rule set, or in the loop's cache.
///
/// One for each loop, made ready for a request that needs it. What the cache lacks counts as not there and is noted:
/// the request is then answered again when it has been loaded.
final class LoopRequiredFlags: RequiredFlags {
    private let cache: LoopCache
    private var environment = Environment.development
    private var overrides = OverridesLookup.none(.cache)
    private var ruleSet: RuleSet?
    private var now: Int64 = 0
    /// What the cache lacked.
    private(set) var missing: [CacheKey] = []

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
    }

    func requiredFlag(_ key: UnsafeRawBufferPointer) -> RequiredFlag? {
        guard let flag = flag(key) else { return nil }
        return RequiredFlag(
            flag: flag, isKilled: cache.isKilled(environment, key: key), override: overrides.override(for: key))
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
