import Access
import Bytes
import Dispatch
import DynamoModel
import FlagCore
import Platform

/// Follows the changes of the flag table, whoever makes them, and sees to what follows from them:
///
/// - derived attributes of items that were written by hand are corrected, until nothing is left to correct;
/// - the environment's revision is raised where the writer did not do it;
/// - when an item is no valid flag or override, the form that was valid last is kept, for after a restart;
/// - every flag's history gets its entries.
///
/// How far the changes have been looked at is stored with what was done about them: after a crash the follower goes on
/// there. Doing something twice does no harm. Where the change stream does not reach back so far (a restore, a server
/// that was off for long), all items of the table are looked at once.
package final class FlagTableFollower: Sendable {
    let repository: FlagRepository
    let storeID: String
    let report: @Sendable (FollowerEvent) -> Void

    /// Everything happens here, one batch after the other.
    let queue = DispatchQueue(label: "flag-table-follower")
    /// Looking at all items takes long, and changes must not wait for it.
    let sweeps = DispatchQueue(label: "flag-table-follower.sweep")
    let state = Locked(FollowerState())
    /// What is counted, and not told yet. Apart from the state, for which the table's writer waits.
    let tallies = Locked(HistoryTallies())

    var store: any ItemTable { repository.store }
    var historyTable: String { FlagHistoryTable.name(beside: repository.table) }

    /// Who the follower's own writes are by.
    static let principal = Principal(.server, name)
    private static let name = "derived-attributes"

    /// The leave to put an environment right.
    static func scope(_ environment: Environment) -> WriteScope {
        .server(name, in: environment, at: .systemClock)
    }
    /// Changes that are looked at together.
    static let batchMaximum = 500
    /// How long until something that failed is tried again.
    static let pause = DispatchTimeInterval.seconds(1)

    /// A follower that has not begun.
    ///
    /// - Parameters:
    ///   - repository: the flag table.
    ///   - storeID: the store's identifier: in a restored store the position of the old one means nothing.
    ///   - report: told of what an operator should know; called on any thread, must not block.
    package init(
        repository: FlagRepository, storeID: String, report: @escaping @Sendable (FollowerEvent) -> Void = { _ in }
    ) {
        self.repository = repository
        self.storeID = storeID
        self.report = report
    }

    /// Begins: looks at what happened since the follower of the last process stopped, then at every change as it
    /// comes. Blocks until the former is done, unless all of the table must be looked at, which goes on beside.
    ///
    /// A store that does not answer now is asked again later: flags are served all the same.
    package func start() {
        store.subscribe { [weak self] changes in self?.take(changes) }
        queue.sync { work() }
    }

    /// Looks at nothing more. What was not done is done after the next start.
    package func stop() {
        state.withLock { $0.isStopped = true }
        // Counts that cannot be told now are counted again after the next start.
        queue.sync { try? tellTallies() }
        sweeps.sync {}
    }

    /// What was done so far.
    package var statistics: FollowerStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.waiting = state.pending.count
            for (place, kind) in state.held where kind == .lastValid {
                switch place {
                case .flag: statistics.held += 1
                case .override: statistics.heldOverrides += 1
                case .segment: statistics.heldSegments += 1
                }
            }
            return statistics
        }
    }

    /// Waits until every change that was committed before the call has been looked at, and is told.
    package func waitUntilIdle() {
        sweeps.sync {}
        // What cannot be told now is told later.
        queue.sync { try? tellTallies() }
    }

    /// Takes the changes of one commit. On the table's writer queue.
    private func take(_ changes: [Change]) {
        guard let last = changes.last else { return }
        let own = changes.filter { $0.table == repository.table }
        let mustWake = state.withLock { state in
            state.add(own, upTo: last.sequence)
            // Others' changes call for nothing, but that the stream need not keep them for this one.
            let isFarAhead = last.sequence > state.storedPosition + Self.positionGap
            guard !own.isEmpty || isFarAhead, !state.isScheduled, !state.isStopped else { return false }
            state.isScheduled = true
            return true
        }
        if mustWake { queue.async { self.work() } }
    }

    /// Looks at everything that waits. On the queue.
    func work() {
        state.withLock { $0.isScheduled = false }
        do throws(FlagStoreError) {
            if !state.withLock({ $0.isPrepared }) { try prepare() }
            while let changes = try nextBatch() { try process(changes) }
            try passOthersChanges()
            tellTalliesSoon()
            if state.withLock({ $0.turn(failing: false) }) { report(.recovered) }
        } catch {
            fail(error)
        }
    }

    /// Notes a failure, and tries again in a while, from the change stream.
    func fail(_ error: FlagStoreError) {
        let isStopped = state.withLock { state in
            state.fallBehind()
            // What is done again may be counted twice.
            state.historySizes = [:]
            state.isScheduled = true
            return state.isStopped
        }
        guard !isStopped else { return }
        if state.withLock({ $0.turn(failing: true) }) { report(.failed(error)) }
        queue.asyncAfter(deadline: .now() + Self.pause) { [weak self] in self?.work() }
    }
}

/// Something that an operator should know.
package enum FollowerEvent: Sendable {
    /// The derived attributes of an item were corrected.
    case corrected(partition: String, sort: String, attributes: [String])
    /// They cannot be: an item with them would be too large, for example.
    case uncorrectable(partition: String, sort: String, reason: String)
    /// Something that follows from a change cannot be done, now or later: why, and the key of what it was about.
    case setAside(partition: String, sort: String, reason: String)
    /// Somebody put items under keys that nothing is looked for under: one of them, and how many more at once.
    case misplaced(partition: String, sort: String, others: Int)
    /// The store does not answer: corrections and histories wait until it does.
    case failed(FlagStoreError)
    /// It answers again.
    case recovered
}

/// What the follower did so far. Counters only grow.
package struct FollowerStatistics: Sendable, Equatable {
    /// Items whose derived attributes were corrected.
    package var corrected: UInt64 = 0
    /// Entries that were written into histories.
    package var entries: UInt64 = 0
    /// What follows from changes and cannot be done.
    package var setAside: UInt64 = 0
    /// Changes that wait to be looked at.
    package var waiting = 0
    /// Flags whose item is not valid and that are served in their last valid form.
    package var held = 0
    /// The same of overrides.
    package var heldOverrides = 0
    /// The same of segments.
    package var heldSegments = 0
}

/// What the follower knows. Behind its lock.
struct FollowerState: Sendable {
    /// Whether the internal table is there and the position is known.
    var isPrepared = false
    var isStopped = false
    /// Whether the queue has work to do already.
    var isScheduled = false
    /// Changes up to this one have been looked at.
    var position: Int64 = 0
    /// Whether all items are being looked at: until then no position is stored.
    var isSweeping = false
    /// Changes that wait, in order.
    var pending: [Change] = []
    /// Whether changes were dropped that must be read from the stream again.
    var isBehind = false
    /// The last change that was delivered.
    var delivered: Int64 = 0
    /// The position as it is stored.
    var storedPosition: Int64 = 0
    /// By how much the places of entries differ from those of their changes.
    var shift: Int64 = 0
    /// Whether what is being counted will be told by itself.
    var isTelling = false
    /// How many entries histories have, as far as is known.
    var historySizes: [ExactText: Int] = [:]
    /// What is kept of what is not valid.
    var held: [HeldPlace: HeldForm.Kind] = [:]
    var isFailing = false
    var statistics = FollowerStatistics()

    /// How many things may be kept before what never was valid is no longer noted: lists would not name more.
    static let notesMaximum = 100_000
    /// How many changes wait in memory at most.
    private static let pendingMaximum = 5_000
    /// Of how many histories it is remembered how many entries they have.
    private static let historySizesMaximum = 20_000

    mutating func add(_ changes: [Change], upTo sequence: Int64) {
        delivered = max(delivered, sequence)
        guard !isBehind else { return }
        if pending.count + changes.count > Self.pendingMaximum { fallBehind() } else { pending += changes }
    }

    /// Lets go of what waits: it is read from the stream again.
    mutating func fallBehind() {
        pending = []
        isBehind = true
    }

    /// Notes how many entries a history has; of so many histories as fit into some MiB.
    mutating func note(historySize size: Int, of partition: ExactText) {
        if historySizes.count >= Self.historySizesMaximum { historySizes = [:] }
        historySizes[partition] = size
    }

    /// Notes whether the store answers.
    ///
    /// - Returns: whether that is news.
    mutating func turn(failing: Bool) -> Bool {
        defer { isFailing = failing }
        return isFailing != failing
    }
}
