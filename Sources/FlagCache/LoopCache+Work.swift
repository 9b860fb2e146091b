import FlagCore

/// What takes longer than a request may keep the loop is done in slices: compiling what has come for thousands of
/// flags, and going on with everybody who waited for it. Between two slices the loop serves others, and takes changes
/// over: they change the text that a flag is compiled from, and what has been compiled of the old one is gone.
extension LoopCache {
    /// Goes on with what waits for the loop's time. To be called when the turn has come that `askForTurn` asked for.
    ///
    /// - Parameter now: the loop's time in milliseconds.
    package func takeTurn(now: Int64) {
        isTurnAsked = false
        goOn(now: now)
    }

    /// Calls back on this loop as soon as it has time: when what waits for longer has been done, in this turn or a
    /// later one.
    ///
    /// - Parameter resume: called once.
    package func wait(then resume: @escaping () -> Void) {
        work.append(.resume(LoadWaiter(for: [], resume: resume)))
        askForTurn()
    }

    /// Whether work that can wait should do so: this turn's share of it is done.
    package func isBusy(now: Int64) -> Bool { slice.isOver(in: now) }

    /// Works until the turn's slice is over or nothing is left.
    func goOn(now: Int64) {
        var done = 0
        while done < work.count, !slice.isOver(in: now) {
            let next = work[done]
            done += 1
            switch next {
            case .compile(let key): compile(key, now: now)
            case .resume(let waiter): resume(waiter)
            }
        }
        work.removeFirst(done)
        if !work.isEmpty { askForTurn() }
    }

    func askForTurn() {
        guard !isTurnAsked else { return }
        isTurnAsked = true
        wantsTurn()
    }

    private func resume(_ waiter: LoadWaiter) {
        isResuming = waiter.hasAskedStore
        isAmongAll = waiter.isAmongAll
        defer {
            isResuming = false
            isAmongAll = false
        }
        waiter.resume()
    }

    /// Compiles what somebody waits for; of all flags or segments of an environment as much as the slice allows, and
    /// one of them in any case.
    private func compile(_ key: CacheKey, now: Int64) {
        var isFirst = true
        func isOver() -> Bool {
            defer { isFirst = false }
            return !isFirst && slice.isOver(in: now)
        }
        var isDone = true
        switch key {
        case .flag(let environment, let name):
            name.withUnsafeBytes { compileFlag(environment, key: $0, now: now) }
        case .ruleSet(let environment):
            isDone = ruleSets[environment.index]?.ruleSet.compile(until: isOver) ?? true
        case .segments(let environment):
            isDone = segments[environment.index]?.compile(until: isOver) ?? true
        case .overrides, .killSwitches, .segment:
            break
        }
        if isDone { finish(compiling.removeValue(forKey: key) ?? []) } else { work.append(.compile(key)) }
    }

    /// Compiles the flag that a look-up will find.
    private func compileFlag(_ environment: Environment, key: UnsafeRawBufferPointer, now: Int64) {
        let number = flags.find(key, salt: NameKind.flag.salt(environment))
        if number >= 0, now < flags.entry(number).pointee.expiresAt {
            _ = compiled(flags.entry(number))
        } else if let ruleSet = currentRuleSet(environment, now: now)?.ruleSet, let index = ruleSet.index(of: key) {
            _ = ruleSet.flag(at: index)
        }
    }

    /// Something that these waited for is here: those go on who wait for nothing else. Who needs single flags or
    /// overrides does so at once, before what was loaded is pushed out again; who needs a whole environment has more to
    /// do, and waits for the loop's time.
    func finish(_ waiters: [LoadWaiter]) {
        var ready: [LoadWaiter] = []
        for waiter in waiters {
            waiter.remaining -= 1
            guard waiter.remaining == 0 else { continue }
            if waiter.isForMuch { work.append(.resume(waiter)) } else { ready.append(waiter) }
        }
        for waiter in ready { resume(waiter) }
    }
}

/// Something that waits for the loop's time.
enum LoopWork {
    /// Compile what is in the cache under a key.
    case compile(CacheKey)
    /// Have somebody go on who waits for nothing else.
    case resume(LoadWaiter)
}
