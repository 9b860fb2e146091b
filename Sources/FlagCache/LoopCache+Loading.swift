import FlagCore

extension LoopCache {
    /// Waits for what look-ups missed, and calls back on this loop when all of it is here: the store is asked, or what
    /// the store has told already is compiled. Whoever else waits for the same, on this loop or another, waits for the
    /// same load.
    ///
    /// - Parameters:
    ///   - keys: what was missed.
    ///   - amongAll: whether flags are to be looked for among all flags of their environment, which are then loaded as
    ///     well: for somebody who needs more of them at once than the cache holds of single ones.
    ///   - now: the loop's time in milliseconds.
    ///   - resume: called once, from `apply` or `takeTurn`; repeats the look-ups.
    /// - Returns: whether the store was asked, now or before, for any of it.
    @discardableResult
    package func load(
        _ keys: [CacheKey], amongAll: Bool = false, now: Int64, then resume: @escaping () -> Void
    ) -> Bool {
        var wanted = Set(keys)
        if amongAll {
            for case .flag(let environment, _) in keys where !isHeld(.ruleSet(environment), now: now) {
                wanted.insert(.ruleSet(environment))
            }
        }
        guard !wanted.isEmpty else {
            resume()
            return false
        }
        let waiter = LoadWaiter(for: wanted, isAmongAll: amongAll, resume: resume)
        var unasked: [CacheKey] = []
        for key in wanted {
            if isHeld(key, now: now) {
                if compiling[key] == nil { work.append(.compile(key)) }
                compiling[key, default: []].append(waiter)
            } else {
                waiter.hasAskedStore = true
                if pending[key] == nil { unasked.append(key) } else { counters.joinedLoads &+= 1 }
                pending[key, default: []].append(waiter)
            }
        }
        if !unasked.isEmpty { source.load(unasked, forLoop: loop) }
        if !work.isEmpty { askForTurn() }
        return waiter.hasAskedStore
    }

    /// Whether what a key names is here: who misses it all the same waits for it to be compiled.
    private func isHeld(_ key: CacheKey, now: Int64) -> Bool {
        switch key {
        case .flag(let environment, let name):
            return name.withUnsafeBytes { name in
                let number = flags.find(name, salt: NameKind.flag.salt(environment))
                if number >= 0, now < flags.entry(number).pointee.expiresAt { return true }
                return currentRuleSet(environment, now: now)?.ruleSet.index(of: name) != nil
            }
        case .ruleSet(let environment): return currentRuleSet(environment, now: now) != nil
        case .segments(let environment): return segments[environment.index] != nil
        case .overrides, .killSwitches, .segment: return false
        }
    }

    /// Asks the store again for what is about to expire; nobody waits.
    func refresh(_ key: CacheKey) {
        guard pending[key] == nil else { return }
        pending[key] = []
        source.load([key], forLoop: loop)
    }

    /// Takes over what the feed delivered, and resumes whoever waited for it. To be called for every update, in order,
    /// before the next request is handled.
    ///
    /// - Parameter now: the loop's time in milliseconds.
    package func apply(_ update: CacheUpdate, now: Int64) {
        switch update {
        case .loaded(let loads):
            for load in loads { store(load, now: now) }
            finish(loads.flatMap { pending.removeValue(forKey: $0.key) ?? [] })
            goOn(now: now)
        case .changed(let changes):
            for change in changes { take(change, now: now) }
            counters.changes &+= UInt64(changes.count)
        }
    }

    // MARK: - Loads

    private func store(_ load: CacheLoad, now: Int64) {
        let expiresAt = now + limits.timeToLiveMilliseconds
        switch (load.key, load.value) {
        case (.flag(let environment, let key), .flag(let text)):
            key.withUnsafeBytes { setFlag(text, environment, key: $0, expiresAt: expiresAt) }
        case (.overrides(let environment, let tenant), .overrides(let texts)):
            tenant.withUnsafeBytes { setOverrides(texts, environment, tenant: $0, expiresAt: expiresAt) }
        case (.ruleSet(let environment), .ruleSet(let text)):
            setRuleSet(text, environment, expiresAt: expiresAt)
        case (.killSwitches(let environment), .killSwitches(let text)):
            setKillSwitches(text, environment)
        case (.segments(let environment), .segments(let text)):
            segments[environment.index] = LoopSegments(text, fractional: fractional, hash: hash)
        case (let key, .failed):
            noteFailure(of: key, now: now)
        default:
            preconditionFailure("A load answers what was asked for")
        }
    }

    private func setFlag(
        _ text: DecodedFlag?, _ environment: Environment, key: UnsafeRawBufferPointer, expiresAt: Int64
    ) {
        guard let text else {
            noteAbsence(.flag, environment, name: key, source: nil, expiresAt: expiresAt)
            let number = flags.find(key, salt: NameKind.flag.salt(environment))
            if number >= 0 { flags.remove(number) }
            return
        }
        forgetAbsence(.flag, environment, name: key)
        let number = flags.find(key, salt: NameKind.flag.salt(environment))
        var entry = FlagEntry(text: text)
        if number >= 0, flags.entry(number).pointee.value.text.isSame(as: text) {
            entry.compiled = flags.entry(number).pointee.value.compiled
        }
        insertFlag(entry, environment, key: key, expiresAt: expiresAt)
    }

    func insertFlag(
        _ entry: FlagEntry, _ environment: Environment, key: UnsafeRawBufferPointer, expiresAt: Int64
    ) {
        let evicts = flags.insert(key, salt: NameKind.flag.salt(environment), value: entry, expiresAt: expiresAt)
        if evicts { counters.flags.evictions &+= 1 }
    }

    private func setOverrides(
        _ texts: [DecodedOverride], _ environment: Environment, tenant: UnsafeRawBufferPointer, expiresAt: Int64
    ) {
        let salt = NameKind.tenant.salt(environment)
        guard !texts.isEmpty else {
            noteAbsence(.tenant, environment, name: tenant, source: nil, expiresAt: expiresAt)
            let number = overrides.find(tenant, salt: salt)
            if number >= 0 { overrides.remove(number) }
            return
        }
        forgetAbsence(.tenant, environment, name: tenant)
        let value = OverridesEntry(overrides: TenantOverrides(texts, hash: hash))
        if overrides.insert(tenant, salt: salt, value: value, expiresAt: expiresAt) {
            counters.overrides.evictions &+= 1
        }
    }

    private func setRuleSet(_ text: DecodedRuleSet, _ environment: Environment, expiresAt: Int64) {
        forgetAbsence(.flag, environment, name: LoopCache.noName)
        guard let entry = ruleSets[environment.index] else {
            let ruleSet = RuleSet(text, fractional: fractional)
            ruleSets[environment.index] = RuleSetEntry(ruleSet: ruleSet, expiresAt: expiresAt)
            return
        }
        entry.ruleSet.update(to: text)
        ruleSets[environment.index] = RuleSetEntry(ruleSet: entry.ruleSet, expiresAt: expiresAt)
    }

    private func setKillSwitches(_ text: DecodedKillSwitches, _ environment: Environment) {
        killSwitches[environment.index] = KillSwitches(text, hash: hash)
        hasKillSwitches = killSwitches.contains { !$0.isEmpty }
    }

    // MARK: - Failures and absences

    /// The store did not answer: what was known goes on, marked as stale; of what was not, nothing is known for a
    /// while.
    private func noteFailure(of key: CacheKey, now: Int64) {
        let expiresAt = now + limits.retryMilliseconds
        switch key {
        case .flag(let environment, let name):
            name.withUnsafeBytes { name in
                let number = flags.find(name, salt: NameKind.flag.salt(environment))
                guard number >= 0 else { return noteUnknown(.flag, environment, name: name, expiresAt: expiresAt) }
                flags.entry(number).pointee.value.freshness = .stale
                flags.entry(number).pointee.expiresAt = expiresAt
            }
        case .overrides(let environment, let tenant):
            tenant.withUnsafeBytes { tenant in
                let number = overrides.find(tenant, salt: NameKind.tenant.salt(environment))
                guard number >= 0 else { return noteUnknown(.tenant, environment, name: tenant, expiresAt: expiresAt) }
                overrides.entry(number).pointee.value.freshness = .stale
                overrides.entry(number).pointee.expiresAt = expiresAt
            }
        case .ruleSet(let environment):
            guard ruleSets[environment.index] != nil else {
                return noteUnknown(.flag, environment, name: LoopCache.noName, expiresAt: expiresAt)
            }
            ruleSets[environment.index]?.freshness = .stale
            ruleSets[environment.index]?.expiresAt = expiresAt
        case .segments(let environment):
            segmentsRetryAt[environment.index] = expiresAt
        case .killSwitches, .segment:
            // The last known state holds.
            break
        }
    }

    /// Nothing is known of a name, or only that it did not exist when the store last answered.
    private func noteUnknown(
        _ kind: NameKind, _ environment: Environment, name: UnsafeRawBufferPointer, expiresAt: Int64
    ) {
        let number = absences.find(name, salt: kind.salt(environment))
        let wasAbsent = number >= 0 && absences.entry(number).pointee.value.source != .default
        noteAbsence(kind, environment, name: name, source: wasAbsent ? .stale : .default, expiresAt: expiresAt)
    }

    private func noteAbsence(
        _ kind: NameKind, _ environment: Environment, name: UnsafeRawBufferPointer, source: AnswerSource?,
        expiresAt: Int64
    ) {
        let evicts = absences.insert(
            name, salt: kind.salt(environment), value: Absence(source: source), expiresAt: expiresAt)
        if evicts { counters.absences.evictions &+= 1 }
    }

    @discardableResult
    private func forgetAbsence(_ kind: NameKind, _ environment: Environment, name: UnsafeRawBufferPointer) -> Bool {
        let number = absences.find(name, salt: kind.salt(environment))
        if number >= 0 { absences.remove(number) }
        return number >= 0
    }

    // MARK: - Changes

    private func take(_ change: CacheChange, now: Int64) {
        let expiresAt = now + limits.timeToLiveMilliseconds
        switch change {
        case .flag(let environment, let key, let text):
            key.withUnsafeBytes { key in
                ruleSets[environment.index]?.ruleSet.set(text, for: key)
                // A flag that nobody asked this loop for stays outside.
                let isKnown = flags.find(key, salt: NameKind.flag.salt(environment)) >= 0
                if isKnown || forgetAbsence(.flag, environment, name: key) {
                    setFlag(text, environment, key: key, expiresAt: expiresAt)
                }
            }
        case .override(let environment, let tenant, let flagKey, let override):
            tenant.withUnsafeBytes { tenant in
                flagKey.withUnsafeBytes { takeOverride(override, environment, tenant: tenant, flagKey: $0) }
            }
        case .killSwitch(let environment, let flagKey, let isOn):
            killSwitches[environment.index].set(flagKey, isOn: isOn)
            hasKillSwitches = killSwitches.contains { !$0.isEmpty }
        case .revision(let environment, let revision):
            ruleSets[environment.index]?.ruleSet.raise(to: revision)
        case .segment(let environment, let name, let text):
            segments[environment.index]?.set(text, for: name)
        case .everything:
            forgetEverything()
        case .tenants(let table):
            tenants = table
            tenantSlots = table.slots
        }
    }

    /// Forgets all but the kill switches, which are only ever replaced.
    private func forgetEverything() {
        flags.removeAll()
        overrides.removeAll()
        absences.removeAll()
        for index in ruleSets.indices { ruleSets[index] = nil }
        for index in segments.indices { segments[index] = nil }
    }

    private func takeOverride(
        _ override: TenantOverride?, _ environment: Environment, tenant: UnsafeRawBufferPointer,
        flagKey: UnsafeRawBufferPointer
    ) {
        let number = overrides.find(tenant, salt: NameKind.tenant.salt(environment))
        if number >= 0 {
            overrides.entry(number).pointee.value.overrides.set(override, for: flagKey)
        } else if override != nil {
            // The first override of a tenant that was known to have none: the next look-up asks the store.
            forgetAbsence(.tenant, environment, name: tenant)
        }
    }
}
