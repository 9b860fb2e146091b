import Dispatch
import DynamoModel
import FlagCache
import FlagCore
import Platform

extension CacheFeed {
    /// Takes one batch of commits to every loop. On the table's writer queue, before the writes are answered.
    func take(_ changes: [TableChange]) {
        var parsed: [ParsedChange] = []
        for change in changes where change.table == table {
            if let change = ParsedChange(change) { parsed.append(change) }
        }
        guard !parsed.isEmpty else { return }
        var events: [CacheEvent] = []
        state.withLock { state in
            var batch = ChangeBatch()
            for change in parsed { batch.add(change, &state) }
            let newSegments = batch.finishSegments(&state)
            for key in newSegments { largeLoads.async { self.perform([key]) } }
            state.statistics.changes += UInt64(batch.changes.count)
            state.statistics.invalidItems += UInt64(batch.invalidItems)
            events = batch.events
            let changes = batch.all
            guard !changes.isEmpty else { return }
            for loop in 0..<loops { deliver(.changed(changes), loop) }
        }
        for event in events { report(event) }
    }
}

/// What a change of an item means, read before the lock is taken.
enum ParsedChange: Sendable {
    case flag(Environment, [UInt8], DecodedFlag?)
    /// A flag's item is no longer valid; what it was before, if that was.
    case invalidFlag(Environment, [UInt8], fallback: DecodedFlag, before: DecodedFlag?, issues: [DefinitionIssue])
    case override(Environment, tenant: [UInt8], flagKey: [UInt8], TenantOverride?)
    /// An override's item is not valid; what it was before, if that was.
    case invalidOverride(OverrideKey, before: TenantOverride?, issues: [DefinitionIssue])
    /// A kill switch's item, and what an operator should know of it, if anything was switched.
    case killSwitch(Environment, [UInt8]?, isOn: Bool, KillSwitchChange?)
    case revision(Environment, Int64)
    case segment(Environment, [UInt8], SegmentChange)
    /// A segment's item is not valid.
    case invalidSegment(Environment, [UInt8], SegmentChange, issues: [DefinitionIssue])

    /// Reads a change; nil when it is of nothing that is served.
    init?(_ change: TableChange) {
        switch ItemKey(change.key) {
        case .flag(let environment, let key)?:
            self = ParsedChange.flag(environment, key, old: change.oldItem, new: change.newItem)
        case .override(let environment, let tenant, let flagKey)?:
            self = ParsedChange.override(
                OverrideKey(environment, tenant: tenant, flagKey: flagKey), old: change.oldItem, new: change.newItem)
        case .killSwitch(let environment, let flagKey)?:
            let isOn = change.newItem.map { KillSwitchRecord.isOn($0) } ?? false
            self = .killSwitch(environment, flagKey.map { Array($0.utf8) }, isOn: isOn, KillSwitchChange(change))
        case .segment(let environment, let name)?:
            self = ParsedChange.segment(environment, name, old: change.oldItem, new: change.newItem)
        case .segmentKey(let environment, let name, let key)?:
            var segment = SegmentChange()
            segment.keys.set(Array(key.utf8), isListed: change.newItem != nil)
            self = .segment(environment, Array(name.utf8), segment)
        case .revision(let environment)?:
            self = .revision(environment, EnvironmentRevision.of(change.newItem) ?? 0)
        case nil:
            return nil
        }
    }

    private static func flag(_ environment: Environment, _ key: String, old: Item?, new: Item?) -> ParsedChange {
        let name = Array(key.utf8)
        guard let new, !FlagRecord.isArchived(new) else { return .flag(environment, name, nil) }
        switch FlagReadingOfItem(new, environment: environment, key: key) {
        case .valid(let record):
            return .flag(environment, name, DecodedFlag(record))
        case .invalid(let issues, let fallback):
            var before: DecodedFlag?
            if let old, !FlagRecord.isArchived(old),
                case .valid(let record) = FlagReadingOfItem(old, environment: environment, key: key)
            {
                before = DecodedFlag(record)
            }
            return .invalidFlag(environment, name, fallback: fallback, before: before, issues: issues)
        }
    }

    private static func segment(_ environment: Environment, _ name: String, old: Item?, new: Item?) -> ParsedChange {
        let bytes = Array(name.utf8)
        guard let new else { return .segment(environment, bytes, SegmentChange(head: .removed)) }
        func head(_ item: Item) throws(DefinitionIssues) -> SegmentHead {
            try SegmentRecord.head(of: item, environment: environment, name: name)
        }
        do throws(DefinitionIssues) {
            return .segment(environment, bytes, SegmentChange(head: .valid(try head(new))))
        } catch {
            let before = old.flatMap { try? head($0) }
            return .invalidSegment(
                environment, bytes, SegmentChange(head: .invalid(before: before)), issues: error.issues)
        }
    }

    private static func override(_ key: OverrideKey, old: Item?, new: Item?) -> ParsedChange {
        guard let new else { return .override(key.environment, tenant: key.tenant, flagKey: key.flagKey, nil) }
        do throws(DefinitionIssues) {
            let override = try TenantOverrideRecord(item: new).override
            return .override(key.environment, tenant: key.tenant, flagKey: key.flagKey, override)
        } catch {
            let before = old.flatMap { try? TenantOverrideRecord(item: $0).override }
            return .invalidOverride(key, before: before, issues: error.issues)
        }
    }
}

/// The changes of a batch of commits on their way to the loops.
private struct ChangeBatch {
    /// A new table of tenants, which goes first.
    var tenants: TenantTable?
    var changes: [CacheChange] = []
    /// What was changed of segments, all changes of one together: it may be thousands of keys.
    var segments: [Environment: [[UInt8]: SegmentChange]] = [:]
    /// The highest revision of each environment: one number says it all.
    var revisions: [Environment: Int64] = [:]
    var events: [CacheEvent] = []

    /// How many of the events tell of items that are not valid.
    var invalidItems: Int { events.count { if case .invalidItem = $0 { true } else { false } } }

    /// What every loop is told, in order.
    var all: [CacheChange] {
        let first = tenants.map { [CacheChange.tenants($0)] } ?? []
        return first + changes + revisions.map { .revision($0.key, $0.value) }
    }

    /// Adds a change, and notes it with the loads under way that it overtakes.
    mutating func add(_ change: ParsedChange, _ state: inout FeedState) {
        switch change {
        case .flag(let environment, let key, let text):
            if !state.lastValid.isEmpty { state.lastValid[.flag(environment, key)] = nil }
            addFlag(environment, key, text, &state)
        case .invalidFlag(let environment, let key, let fallback, let before, let issues):
            events.append(
                .invalidItem(
                    partition: ItemKey.flagPartition(environment, String(decoding: key, as: UTF8.self)),
                    sort: ItemKey.metadata, issues: issues))
            if let before { state.keepLastValid(before, for: .flag(environment, key)) }
            // Where nothing valid is known, the flag exists all the same and says what is wrong with it.
            addFlag(environment, key, state.lastValid[.flag(environment, key)] ?? fallback, &state)
        case .override(let environment, let tenant, let flagKey, let override):
            if !state.lastValidOverrides.isEmpty {
                state.lastValidOverrides[OverrideKey(environment, tenant: tenant, flagKey: flagKey)] = nil
            }
            if override != nil, let larger = state.addTenant(environment, tenant) { tenants = larger }
            state.inFlight[.overrides(environment, tenant: tenant)]?.overrides.append((flagKey, override))
            changes.append(.override(environment, tenant: tenant, flagKey: flagKey, override))
        case .invalidOverride(let key, let before, let issues):
            events.append(key.invalid(issues))
            // Loops keep what they have; who reads the item later finds this.
            if let before { state.keepLastValid(before, for: key) }
        case .killSwitch(let environment, let flagKey, let isOn, let change):
            if let change { events.append(.killSwitch(change)) }
            state.killSwitches[environment, default: DecodedKillSwitches()].set(flagKey, isOn: isOn)
            state.inFlight[.killSwitches(environment)]?.killSwitches.append((flagKey, isOn))
            changes.append(.killSwitch(environment, flagKey: flagKey, isOn: isOn))
        case .segment(let environment, let name, let change):
            segments[environment, default: [:]][name, default: SegmentChange()].append(change)
        case .invalidSegment(let environment, let name, let change, let issues):
            events.append(
                .invalidItem(
                    partition: ItemKey.segmentPartition(environment, String(decoding: name, as: UTF8.self)),
                    sort: ItemKey.metadata, issues: issues))
            segments[environment, default: [:]][name, default: SegmentChange()].append(change)
        case .revision(let environment, let revision):
            revisions[environment] = max(revisions[environment] ?? 0, revision)
            state.inFlight[.ruleSet(environment)]?.note(revision)
        }
    }

    /// Applies what was changed of segments to what is known of them, and notes it with the loads under way.
    ///
    /// - Returns: loads that must follow: a segment has come into being of which nothing was known, and whoever made it
    ///   may have listed keys before.
    mutating func finishSegments(_ state: inout FeedState) -> [CacheKey] {
        var loads: [CacheKey] = []
        for (environment, changed) in segments {
            for (name, change) in changed {
                let key = CacheKey.segment(environment, name: name)
                state.inFlight[key]?.segments.append((name, change))
                state.inFlight[.segments(environment)]?.segments.append((name, change))
                guard let (text, wasKnown) = state.segments[environment]?.apply(change, to: name) else { continue }
                changes.append(.segment(environment, name: name, text))
                if !wasKnown, text != nil, state.ask(key, forLoops: []) { loads.append(key) }
            }
        }
        return loads
    }

    private mutating func addFlag(
        _ environment: Environment, _ key: [UInt8], _ text: DecodedFlag?, _ state: inout FeedState
    ) {
        state.inFlight[.flag(environment, key)]?.flags.append((key, text))
        state.inFlight[.ruleSet(environment)]?.flags.append((key, text))
        changes.append(.flag(environment, key: key, text))
    }
}
