import FlagCore

/// What the cache says of a flag.
package enum FlagLookup {
    /// The flag.
    case found(CompiledFlag, AnswerSource)
    /// There is no such flag; or, with the source `default`, the store does not answer and nothing is known.
    case absent(AnswerSource)
    /// It must be waited for: `LoopCache.load`.
    case missing
}

/// What the cache says of a tenant's overrides.
package enum OverridesLookup {
    /// The overrides, at least one.
    case found(TenantOverrides, AnswerSource)
    /// The tenant has none; or, with the source `default`, the store does not answer and nothing is known.
    case none(AnswerSource)
    /// The store must be asked: `LoopCache.load`.
    case missing
}

/// What the cache says of all flags of an environment.
package enum RuleSetLookup {
    /// The flags, every one compiled.
    case found(RuleSet, AnswerSource)
    /// They must be waited for: `LoopCache.load`.
    case missing
    /// The store does not answer and nothing is known.
    case unavailable
}

extension LoopCache {
    /// Looks a flag up by its key. O(1); allocates nothing for a flag that has been asked for before.
    ///
    /// - Parameters:
    ///   - environment: whose flag.
    ///   - key: the UTF-8 of the key.
    ///   - now: the loop's time in milliseconds.
    package func flag(_ environment: Environment, key: UnsafeRawBufferPointer, now: Int64) -> FlagLookup {
        let salt = NameKind.flag.salt(environment)
        let number = flags.find(key, salt: salt)
        if number >= 0 {
            let entry = flags.entry(number)
            if now < entry.pointee.expiresAt {
                if entry.pointee.value.compiled == nil, slice.isOver(in: now) { return .missing }
                flags.touch(number)
                counters.flags.hits &+= 1
                if isDue(entry.pointee.expiresAt, entry.pointee.value.freshness, now) {
                    refresh(.flag(environment, Array(key)))
                }
                return answer(entry)
            }
        }
        if let lookup = flagOfRuleSet(environment, key: key, now: now) { return lookup }
        if let source = absence(key, salt: salt, now: now) { return .absent(source) }
        counters.flags.misses &+= 1
        return .missing
    }

    /// Looks the overrides of a tenant up. O(1), no allocation; a tenant that has none costs one probe of a table.
    package func overrides(
        _ environment: Environment, tenant: UnsafeRawBufferPointer, now: Int64
    ) -> OverridesLookup {
        guard tenantSlots.mayContain(environment, tenant: tenant) else { return .none(.cache) }
        let salt = NameKind.tenant.salt(environment)
        let number = overrides.find(tenant, salt: salt)
        if number >= 0 {
            let entry = overrides.entry(number)
            if now < entry.pointee.expiresAt {
                overrides.touch(number)
                counters.overrides.hits &+= 1
                let freshness = entry.pointee.value.freshness
                if isDue(entry.pointee.expiresAt, freshness, now) {
                    refresh(.overrides(environment, tenant: Array(tenant)))
                }
                if freshness == .stale { counters.staleAnswers &+= 1 }
                return .found(entry.pointee.value.overrides, freshness.source(isResuming: isResuming))
            }
        } else if let source = absence(tenant, salt: salt, now: now) {
            return .none(source)
        }
        counters.overrides.misses &+= 1
        return .missing
    }

    /// Looks all flags of an environment up. O(1), except after changes: what they changed is compiled, as far as the
    /// turn's slice allows.
    package func ruleSet(_ environment: Environment, now: Int64) -> RuleSetLookup {
        guard let entry = currentRuleSet(environment, now: now) else {
            if absence(LoopCache.noName, salt: NameKind.flag.salt(environment), now: now) == .default {
                return .unavailable
            }
            counters.ruleSets.misses &+= 1
            return .missing
        }
        guard entry.ruleSet.compile(until: { slice.isOver(in: now) }) else { return .missing }
        counters.ruleSets.hits &+= 1
        if isDue(entry.expiresAt, entry.freshness, now) { refresh(.ruleSet(environment)) }
        if entry.freshness == .stale { counters.staleAnswers &+= 1 }
        return .found(entry.ruleSet, entry.freshness.source(isResuming: isResuming))
    }

    /// The rule set of an environment, compiled or not; nil when there is none, or it is too old.
    func currentRuleSet(_ environment: Environment, now: Int64) -> RuleSetEntry? {
        guard let entry = ruleSets[environment.index], now < entry.expiresAt else { return nil }
        return entry
    }

    /// The kill switch that takes a flag away; nil when none does. One comparison when none is on.
    @inline(__always)
    package func killSwitch(_ environment: Environment, key: UnsafeRawBufferPointer) -> KillSwitchKind? {
        hasKillSwitches ? killSwitches[environment.index].kind(of: key) : nil
    }

    /// A hash of the kill switches that are on in an environment: equal in every process, 0 when there are none. Part
    /// of the bulk answer's `ETag`. O(kill switches).
    package func killSwitchFingerprint(_ environment: Environment) -> UInt64 {
        hasKillSwitches ? killSwitches[environment.index].fingerprint : 0
    }

    /// The name under which the absence of a rule set is kept: no flag has an empty key.
    static var noName: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    // MARK: -

    @inline(__always)
    private func answer(_ entry: UnsafeMutablePointer<LRUTable<FlagEntry>.Entry>) -> FlagLookup {
        let freshness = entry.pointee.value.freshness
        if freshness == .stale { counters.staleAnswers &+= 1 }
        let source = freshness.source(isResuming: isResuming)
        return .found(compiled(entry), source)
    }

    /// The flag of an entry, compiled when it was never asked for since it came.
    @inline(__always)
    func compiled(_ entry: UnsafeMutablePointer<LRUTable<FlagEntry>.Entry>) -> CompiledFlag {
        entry.pointee.value.compiled ?? compile(entry)
    }

    @inline(never)
    private func compile(_ entry: UnsafeMutablePointer<LRUTable<FlagEntry>.Entry>) -> CompiledFlag {
        let compiled = entry.pointee.value.text.compiled(fractional: fractional)
        entry.pointee.value.compiled = compiled
        return compiled
    }

    /// A flag that the table lacks but the rule set has: from now on in the table as well, for as long as the rule set
    /// holds. What the rule set lacks may exist all the same: somebody else's item without index keys.
    private func flagOfRuleSet(
        _ environment: Environment, key: UnsafeRawBufferPointer, now: Int64
    ) -> FlagLookup? {
        guard let entry = currentRuleSet(environment, now: now) else { return nil }
        guard let index = entry.ruleSet.index(of: key) else {
            // It has its keys within a second, and who needs more flags than the table holds could never be answered.
            return isAmongAll ? .absent(entry.freshness.source(isResuming: isResuming)) : nil
        }
        if !entry.ruleSet.isCompiled(at: index), slice.isOver(in: now) { return .missing }
        let compiled = entry.ruleSet.flag(at: index)
        counters.flags.hits &+= 1
        if isDue(entry.expiresAt, entry.freshness, now) { refresh(.ruleSet(environment)) }
        let text = entry.ruleSet.text(at: index)
        let value = FlagEntry(text: text, compiled: compiled, freshness: entry.freshness)
        insertFlag(value, environment, key: key, expiresAt: entry.expiresAt)
        if entry.freshness == .stale { counters.staleAnswers &+= 1 }
        return .found(compiled, entry.freshness.source(isResuming: isResuming))
    }

    /// The source of the knowledge that a name does not exist; nil when nothing is known.
    private func absence(_ name: UnsafeRawBufferPointer, salt: Int, now: Int64) -> AnswerSource? {
        let number = absences.find(name, salt: salt)
        guard number >= 0 else { return nil }
        let entry = absences.entry(number)
        guard now < entry.pointee.expiresAt else { return nil }
        absences.touch(number)
        counters.absences.hits &+= 1
        guard let source = entry.pointee.value.source else { return isResuming ? .store : .cache }
        if source == .default { counters.defaultAnswers &+= 1 } else { counters.staleAnswers &+= 1 }
        return source
    }

    /// Whether an entry is in the last eighth of its life: time to ask the store again, before anybody has to wait.
    @inline(__always)
    private func isDue(_ expiresAt: Int64, _ freshness: Freshness, _ now: Int64) -> Bool {
        freshness == .current && expiresAt - now <= limits.timeToLiveMilliseconds / 8
    }
}
