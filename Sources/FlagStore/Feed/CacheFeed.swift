import Dispatch
import DynamoModel
import FlagCache
import FlagCore
import Platform

/// Fills the caches of all loops from the table, and tells them of every change.
///
/// One load a key, however many loops and requests wait for it. A load runs on a queue of its own; what it found is
/// delivered to every loop that asked, as plain data that each loop compiles for itself.
///
/// Order is everything: what is delivered is decided under one lock, and delivered while it is held. A change that is
/// committed while a load of the same thing is under way is noted with the load and wins over what the load read, so a
/// load that began before a write can never undo what the write told the loops. The table tells of a commit before it
/// answers the write: an answered write is in every loop's mail.
package final class CacheFeed: CacheSource {
    /// Takes an update to a loop. Called on any thread with the feed's lock held: it must only enqueue.
    package typealias Deliver = @Sendable (_ update: CacheUpdate, _ loop: Int) -> Void

    /// The loops, numbered from 0.
    package let loops: Int
    let store: any TableStore
    let table: String
    let deliver: Deliver
    let report: @Sendable (CacheEvent) -> Void
    let pollForeignChanges: (@Sendable () throws(TableError) -> Void)?
    let tableReplaced: @Sendable () -> Void
    let giveMemoryBack: @Sendable () -> Void

    let state: Locked<FeedState>
    /// Loads of single flags and tenants.
    let pointLoads = DispatchQueue(label: "cache-feed.loads")
    /// Loads of whole environments and of segments, which would keep the others waiting.
    let largeLoads = DispatchQueue(label: "cache-feed.large-loads")
    /// Where it is looked for what others have written.
    let polling = DispatchQueue(label: "cache-feed.polling")
    /// What has time.
    let background = DispatchQueue(label: "cache-feed.background")

    /// A feed that has not begun.
    ///
    /// - Parameters:
    ///   - store: the store that holds the table.
    ///   - table: its name.
    ///   - loops: how many loops there are.
    ///   - pollForeignChanges: makes the store deliver what other processes wrote to its file; called twice a second.
    ///   - tableReplaced: told when the table is another one of the same name, as after a restore. Must not block.
    ///   - giveMemoryBack: called when everything was read: what that took is not needed any more. May block.
    ///   - report: told of what an operator should know; called on any thread, must not block.
    ///   - deliver: takes an update to a loop.
    package init(
        store: any TableStore, table: String, loops: Int,
        pollForeignChanges: (@Sendable () throws(TableError) -> Void)? = nil,
        tableReplaced: @escaping @Sendable () -> Void = {},
        giveMemoryBack: @escaping @Sendable () -> Void = ProcessMemory.giveBack,
        report: @escaping @Sendable (CacheEvent) -> Void = { _ in }, deliver: @escaping Deliver
    ) {
        precondition(loops >= 1, "There is at least one loop")
        self.store = store
        self.table = table
        self.loops = loops
        self.pollForeignChanges = pollForeignChanges
        self.tableReplaced = tableReplaced
        self.giveMemoryBack = giveMemoryBack
        self.report = report
        self.deliver = deliver
        state = Locked(FeedState())
    }

    /// The tenants with overrides, as far as they are known.
    package var tenants: TenantTable { state.withLock { $0.tenants } }

    /// What the feed did so far.
    package var statistics: FeedStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.loadsUnderWay = state.inFlight.count
            statistics.tenants = state.tenants.count
            statistics.tenantsAreComplete = state.tenants.isComplete
            return statistics
        }
    }

    /// Asks the store for `keys` on behalf of a loop: the answer comes as `CacheUpdate.loaded`. Returns at once.
    package func load(_ keys: [CacheKey], forLoop loop: Int) {
        let unasked = state.withLock { state in
            keys.filter { key in
                guard let known = state.known(key) else { return state.ask(key, forLoops: [loop]) }
                deliver(.loaded([CacheLoad(key: key, value: known)]), loop)
                return false
            }
        }
        let points = unasked.filter { !$0.isLarge }
        if !points.isEmpty { pointLoads.async { self.perform(points) } }
        for key in unasked where key.isLarge { largeLoads.async { self.perform([key]) } }
    }
}

/// Something that an operator should know.
package enum CacheEvent: Sendable {
    /// The item of a flag or override is not valid; its last valid form, if any is known, stays in force.
    case invalidItem(partition: String, sort: String, issues: [DefinitionIssue])
    /// A kill switch was set or has ended, whoever did it.
    case killSwitch(KillSwitchChange)
    /// The kill switches of an environment are others than were known: at the start, or in another table.
    case killSwitchesFound(Environment, DecodedKillSwitches)
    /// The store does not answer; what is known goes on.
    case storeFailed(FlagStoreError)
    /// The store answers again.
    case storeRecovered
    /// The table is gone; what is known goes on.
    case tableGone(name: String)
    /// There is a table of the name again, and all is read from it.
    case tableBack(name: String)
}

/// What the feed did so far. Counters only grow.
package struct FeedStatistics: Sendable, Equatable {
    /// Keys that were loaded.
    package var loads: UInt64 = 0
    /// Keys that could not be loaded.
    package var failures: UInt64 = 0
    /// Requests of loops for a key that was being loaded already.
    package var joined: UInt64 = 0
    /// Changes that were delivered.
    package var changes: UInt64 = 0
    /// Items that were no valid flag or override.
    package var invalidItems: UInt64 = 0
    /// Keys that are being loaded now.
    package var loadsUnderWay = 0
    /// Whether the store answered the last time it was asked.
    package var storeAnswers = true
    /// Whether the table was there the last time it was looked for.
    package var tableIsThere = true
    /// Tenants that have, or had since the start, overrides.
    package var tenants = 0
    /// Whether these are all: before, every tenant may have some.
    package var tenantsAreComplete = false
}

/// What the feed knows. Behind its lock.
struct FeedState: Sendable {
    /// The loads that are under way.
    var inFlight: [CacheKey: LoadInFlight] = [:]
    /// The last valid form of flags whose item is not valid now.
    var lastValid: [CacheKey: DecodedFlag] = [:]
    /// The last valid form of overrides whose item is not valid now.
    var lastValidOverrides: [OverrideKey: TenantOverride] = [:]
    var tenants = TenantTable(capacity: 0)
    /// The kill switches that are on.
    var killSwitches: [Environment: DecodedKillSwitches] = [:]
    /// The segments of the environments whose segments have been loaded.
    var segments: [Environment: DecodedSegments] = [:]
    var statistics = FeedStatistics()
    /// What tells the table from an earlier one of its name; nil before anybody looked.
    var tableID: String?

    /// How many last valid forms are kept.
    private static let lastValidMaximum = 10_000

    /// What a load of a key would find, where that is known.
    func known(_ key: CacheKey) -> CacheLoad.Value? {
        guard case .segments(let environment) = key else { return nil }
        return segments[environment].map { .segments($0) }
    }

    /// Notes that loops want a key.
    ///
    /// - Returns: whether it must be loaded: nobody asked before.
    mutating func ask(_ key: CacheKey, forLoops loops: [Int]) -> Bool {
        guard inFlight[key] != nil else {
            inFlight[key] = LoadInFlight(loops: loops)
            return true
        }
        statistics.joined += 1
        inFlight[key]?.loops.append(contentsOf: loops)
        return false
    }

    /// Keeps the last valid form of a flag; when there are too many, not.
    mutating func keepLastValid(_ text: DecodedFlag, for key: CacheKey) {
        guard lastValid[key] != nil || lastValid.count < FeedState.lastValidMaximum else { return }
        if lastValid[key] == nil { lastValid[key] = text }
    }

    /// The same of an override.
    mutating func keepLastValid(_ override: TenantOverride, for key: OverrideKey) {
        guard lastValidOverrides.count < FeedState.lastValidMaximum else { return }
        if lastValidOverrides[key] == nil { lastValidOverrides[key] = override }
    }

    /// Adds a tenant to the table.
    ///
    /// - Returns: a new table when the old one was full: every loop must be told before anything else.
    mutating func addTenant(_ environment: Environment, _ tenant: [UInt8]) -> TenantTable? {
        tenant.withUnsafeBytes { tenant in
            if tenants.insert(environment, tenant: tenant) { return nil }
            tenants = tenants.grown()
            _ = tenants.insert(environment, tenant: tenant)
            return tenants
        }
    }
}

/// A load that is under way: who waits, and what was changed meanwhile.
struct LoadInFlight: Sendable {
    /// The loops that want it.
    var loops: [Int]
    /// Flags that were stored or removed meanwhile, in order.
    var flags: [(key: [UInt8], text: DecodedFlag?)] = []
    /// Overrides that were stored or removed meanwhile, in order.
    var overrides: [(flagKey: [UInt8], override: TenantOverride?)] = []
    /// Kill switches that were turned on or off meanwhile, in order.
    var killSwitches: [(flagKey: [UInt8]?, isOn: Bool)] = []
    /// Segments that were changed meanwhile, in order.
    var segments: [(name: [UInt8], change: SegmentChange)] = []
    /// The highest revision meanwhile.
    var revision: Int64 = 0

    init(loops: [Int]) {
        self.loops = loops
    }

    /// Notes a revision.
    mutating func note(_ revision: Int64) { self.revision = max(self.revision, revision) }

    /// Lets go of what was changed, as before the load was asked for: it was another table's.
    mutating func forgetChanges() { self = LoadInFlight(loops: loops) }

    /// What is to be delivered: what the load found, and what was changed since it began.
    func merged(_ value: CacheLoad.Value, for key: CacheKey) -> CacheLoad.Value {
        // The last change of a single flag says all there is to know, also when the load failed.
        if case .flag = key, let last = flags.last { return .flag(last.text) }
        switch value {
        case .flag, .failed:
            return value
        case .overrides(var texts):
            for (flagKey, override) in overrides {
                texts.removeAll { $0.flagKey == flagKey }
                if let override { texts.append(DecodedOverride(flagKey: flagKey, override: override)) }
            }
            return .overrides(texts)
        case .ruleSet(var text):
            for (key, flag) in flags { text.set(flag, for: key) }
            text.revision = max(text.revision, revision)
            return .ruleSet(text)
        case .segments(var text):
            for (name, change) in segments { _ = text.apply(change, to: name) }
            return .segments(text)
        case .segment(let text):
            guard case .segment(_, let name) = key else { return value }
            var one = DecodedSegments()
            one.set(text, for: name)
            for (_, change) in segments { _ = one.apply(change, to: name) }
            return .segment(one.byName[name])
        case .killSwitches(var text):
            for (flagKey, isOn) in killSwitches { text.set(flagKey, isOn: isOn) }
            return .killSwitches(text)
        }
    }
}
