import Dispatch
import DynamoModel
import FlagCache
import FlagCore
import Platform

extension CacheFeed {
    /// Reads `keys` and delivers what was found. Blocks: on a queue of the feed only.
    func perform(_ keys: [CacheKey]) {
        var loads: [(CacheKey, CacheLoad.Value)] = []
        var failure: FlagStoreError?
        for key in keys {
            do throws(FlagStoreError) {
                loads.append((key, try read(key)))
            } catch {
                failure = error
                loads.append((key, .failed))
            }
        }
        finish(loads, failure: failure)
    }

    /// Ends loads: delivers to each loop that asked what it asked for, in one update.
    func finish(_ loads: [(CacheKey, CacheLoad.Value)], failure: FlagStoreError?) {
        var found: [CacheEvent] = []
        let turned = state.withLock { state in
            var byLoop: [Int: [CacheLoad]] = [:]
            for (key, value) in loads {
                guard let flight = state.inFlight.removeValue(forKey: key) else { continue }
                let load = CacheLoad(key: key, value: flight.merged(value, for: key))
                if let event = state.killSwitchesFound(by: load) { found.append(event) }
                state.keep(load)
                if case .segment(let text) = load.value, case .segment(let environment, let name) = key {
                    let change = CacheChange.segment(environment, name: name, text)
                    for loop in 0..<loops { deliver(.changed([change]), loop) }
                }
                for loop in Set(flight.loops) { byLoop[loop, default: []].append(load) }
                state.statistics.loads += 1
                if case .failed = value { state.statistics.failures += 1 }
            }
            for (loop, loads) in byLoop { deliver(.loaded(loads), loop) }
            let answered = failure == nil
            defer { state.statistics.storeAnswers = answered }
            return state.statistics.storeAnswers != answered
        }
        // Once for a failure that lasts, not once for each of a thousand loads a second.
        for event in found { report(event) }
        if turned { report(failure.map { .storeFailed($0) } ?? .storeRecovered) }
    }

    private func read(_ key: CacheKey) throws(FlagStoreError) -> CacheLoad.Value {
        switch key {
        case .flag(let environment, let name):
            return .flag(try readFlag(environment, name))
        case .overrides(let environment, let tenant):
            return .overrides(try readOverrides(environment, tenant))
        case .ruleSet(let environment):
            return .ruleSet(try readRuleSet(environment))
        case .killSwitches(let environment):
            return .killSwitches(try readKillSwitches(environment))
        case .segments(let environment):
            return .segments(try readSegments(environment))
        case .segment(let environment, let name):
            return .segment(try readSegment(environment, String(decoding: name, as: UTF8.self)))
        }
    }

    private func readFlag(_ environment: Environment, _ name: [UInt8]) throws(FlagStoreError) -> DecodedFlag? {
        let key = String(decoding: name, as: UTF8.self)
        // Bytes that are no UTF-8 name no flag: the repaired text would name another.
        guard key.utf8.elementsEqual(name) else { return nil }
        let itemKey = ItemKey.flag(environment, key: key)
        let item = try reading { () throws(TableError) in
            try store.getItem(table: table, key: itemKey.tableKey)
        }
        guard let item, !FlagRecord.isArchived(item) else { return nil }
        return text(of: item, environment: environment, key: key)
    }

    /// The flag of an item; when the item is not valid, its last valid form, or what can be made of it.
    private func text(of item: Item, environment: Environment, key: String) -> DecodedFlag {
        let cacheKey = CacheKey.flag(environment, Array(key.utf8))
        switch FlagReadingOfItem(item, environment: environment, key: key) {
        case .valid(let record):
            return DecodedFlag(record)
        case .invalid(let issues, let fallback):
            let lastValid = state.withLock { state in
                state.statistics.invalidItems += 1
                return state.lastValid[cacheKey]
            }
            report(
                .invalidItem(partition: ItemKey.flagPartition(environment, key), sort: ItemKey.metadata, issues: issues)
            )
            return lastValid ?? heldForm(environment, key) ?? fallback
        }
    }

    /// The last valid form that was kept of a flag, by this process or an earlier one; nil when there is none.
    private func heldForm(_ environment: Environment, _ key: String) -> DecodedFlag? {
        let heldKey = FlagHistoryTable.heldKey(environment, key)
        // Without the internal table nothing was kept; when the store fails, the read of the flag itself will say so.
        guard let item = try? store.getItem(table: FlagHistoryTable.name(beside: table), key: heldKey) else {
            return nil
        }
        return HeldFlag(item: item, environment: environment)?.text
    }

    private func readOverrides(
        _ environment: Environment, _ tenant: [UInt8]
    ) throws(FlagStoreError) -> [DecodedOverride] {
        let name = String(decoding: tenant, as: UTF8.self)
        guard name.utf8.elementsEqual(tenant) else { return [] }
        var texts: [DecodedOverride] = []
        let query = Query(table: table, partition: .string(ItemKey.tenantPartition(environment, name)))
        try forEachItem(of: query) { item in
            guard case .override(_, _, let flagKey)? = ItemKey(item) else { return }
            // What is not valid was reported when it was written.
            guard
                let override = (try? TenantOverrideRecord(item: item))?.override
                    ?? lastValid(OverrideKey(environment, tenant: name, flagKey: flagKey))
            else { return }
            texts.append(DecodedOverride(flagKey: Array(flagKey.utf8), override: override))
        }
        return texts
    }

    /// The last valid form that was kept of an override, by this process or an earlier one; nil when there is none.
    private func lastValid(_ key: OverrideKey) -> TenantOverride? {
        if let known = state.withLock({ $0.lastValidOverrides[key] }) { return known }
        // As with flags: without the internal table nothing was kept.
        guard let item = try? store.getItem(table: FlagHistoryTable.name(beside: table), key: key.heldKey) else {
            return nil
        }
        return FlagHistoryTable.heldOverride(item, in: key.environment)?.override
    }

    /// Reads all flags without looking closer at their rules: a loop finds out when it compiles them.
    private func readRuleSet(_ environment: Environment) throws(FlagStoreError) -> DecodedRuleSet {
        let revision = try reading { () throws(TableError) in
            try store.getItem(table: table, key: ItemKey.revision(environment).tableKey)
        }
        var flags: [DecodedFlag] = []
        var definitions = SharedTexts()
        var query = Query(
            table: table, index: FlagTable.flagsIndex,
            partition: .string(FlagIndex.all.partition(in: environment)))
        query.attributes = FlagRule.attributes + [Attribute.expiresAt, Attribute.clientSide, Attribute.archived]
        try forEachItem(of: query) { item in
            guard case .flag(environment, let key)? = ItemKey(item), var rule = FlagRule(item),
                !FlagRecord.isArchived(item)
            else { return }
            if case .full(let definition) = rule.spelling { rule.spelling = .full(definitions.shared(definition)) }
            let expiresAt = item[Attribute.expiresAt]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
            flags.append(
                DecodedFlag(key: key, rule: rule, expiresAt: expiresAt, isClientSide: FlagRecord.isClientSide(item)))
        }
        var text = DecodedRuleSet(flags, revision: EnvironmentRevision.of(revision) ?? 0)
        // The index may have what is not valid, and does not have what somebody wrote without its keys.
        for form in try lastValidForms(environment) { text.set(form, for: form.key) }
        return text
    }

    /// The last valid forms of the environment's flags whose items are not valid.
    private func lastValidForms(_ environment: Environment) throws(FlagStoreError) -> [DecodedFlag] {
        var forms: [[UInt8]: DecodedFlag] = [:]
        let held = Query(
            table: FlagHistoryTable.name(beside: table),
            partition: .string(FlagHistoryTable.heldPartition(environment)))
        do throws(TableError) {
            for item in try items(of: held) {
                guard let flag = HeldFlag(item: item, environment: environment) else { continue }
                forms[Array(flag.key.utf8)] = flag.text
            }
        } catch {
            // Without the internal table nothing was kept.
            guard case .tableNotFound = error else { throw FlagStoreError(error) }
        }
        for case (.flag(environment, let key), let text) in state.withLock({ $0.lastValid }) { forms[key] = text }
        // One may have been put right, or deleted, and not been let go yet.
        var inForce: [DecodedFlag] = []
        for form in forms.values {
            let key = String(decoding: form.key, as: UTF8.self)
            let item = try reading { () throws(TableError) in
                try store.getItem(table: table, key: ItemKey.flag(environment, key: key).tableKey)
            }
            guard let item, case .invalid = FlagReadingOfItem(item, environment: environment, key: key) else {
                continue
            }
            if !FlagRecord.isArchived(item) { inForce.append(form) }
        }
        return inForce
    }

    /// The items of a partition, over all its pages.
    private func items(of query: Query) throws(TableError) -> [Item] {
        var query = query
        var items: [Item] = []
        while true {
            let page = try store.query(query)
            items += page.items
            guard let next = page.lastEvaluatedKey else { return items }
            query.exclusiveStart = next
        }
    }

    private func readKillSwitches(_ environment: Environment) throws(FlagStoreError) -> DecodedKillSwitches {
        var text = DecodedKillSwitches()
        let query = Query(table: table, partition: .string(ItemKey.emergencyPartition(environment)))
        try forEachItem(of: query) { item in
            if case .killSwitch(_, let flagKey)? = ItemKey(item) {
                text.set(flagKey.map { Array($0.utf8) }, isOn: KillSwitchRecord.isOn(item))
            }
        }
        return text
    }

    /// Calls `body` with every item of a partition, page after page.
    func forEachItem(of query: Query, _ body: (Item) -> Void) throws(FlagStoreError) {
        var query = query
        query.limit = FlagTable.pageItems
        while true {
            let page = try reading { () throws(TableError) in try store.query(query) }
            for item in page.items { body(item) }
            guard let next = page.lastEvaluatedKey else { return }
            query.exclusiveStart = next
        }
    }
}
