import Audit
import Dispatch
import DynamoModel
import FlagCore
import FlagStore
import Platform

/// The audit log of a store: everything that happens to it and around it, chained, and found again.
///
/// What blocks is for workers and commands, never for a loop.
package final class AuditTrail: Sendable {
    let log: AuditLog
    private let follower: ChangeFollower<AuditFollower>
    private let notes: AuditNotes
    private let nameOf: @Sendable (Principal) -> String?
    let delay: Delay
    private let stopped = Locked(false)
    private let shipment = Locked<AuditShipment?>(nil)

    /// What the last check of the whole log found to be wrong; nil when there was none yet.
    let verified = Locked<[String]?>(nil)
    /// Where it is checked: that takes long.
    let checks = DispatchQueue(label: "flag-server.audit.check")
    /// For how long changes are gathered before they are taken, in milliseconds: transactions that store many cost
    /// each of them little.
    private static let gatherMilliseconds = 200
    /// For how long whoever reads waits for changes that were made before.
    private static let patience = DispatchTimeInterval.seconds(5)

    /// The log of a store. Nothing is read yet.
    ///
    /// - Parameters:
    ///   - store: what is audited, and where the log is.
    ///   - flagTables: the tables that are of flags.
    ///   - key: 32 bytes that records are sealed with.
    ///   - nameOf: what people call a principal; nil where that is no other name. From any thread; must not block.
    package init(
        store: any TableStore, flagTables: Set<String>, key: [UInt8],
        nameOf: @escaping @Sendable (Principal) -> String? = { _ in nil }, delay: Delay = .monotonic
    ) {
        let queue = DispatchQueue(label: "flag-server.audit")
        log = AuditLog(store: store, seal: AuditSeal(key: key), queue: queue)
        notes = AuditNotes(log)
        self.delay = delay
        self.nameOf = nameOf
        var timing = FollowerTiming()
        timing.gatherMilliseconds = Self.gatherMilliseconds
        timing.delay = delay
        follower = ChangeFollower(
            AuditFollower.name, of: store, AuditFollower(log, flagTables: flagTables, nameOf: nameOf), on: queue,
            timing: timing)
    }

    /// Has the store keep what is not in the log yet, and is told of what is changed from now on. To be called once,
    /// before anything is changed.
    package func attach() { follower.attach() }

    /// Begins: attaches, and takes what was changed before. Returns at once; what fails is tried again.
    package func start() {
        attach()
        follower.wake()
    }

    /// Stores what there is to store, and takes no more.
    package func stop() {
        stopped.withLock { $0 = true }
        log.queue.sync { notes.drain(telling: true) }
        follower.stop(taking: true)
        shipment.withLock { $0 }?.stop()
    }

    /// Copies all records to a place elsewhere from now on.
    ///
    /// - Parameter report: told when that begins to fail, with the reason, and with nil when it succeeds again.
    package func ship(to sink: any AuditSink, report: @escaping @Sendable (AuditSinkFailure?) -> Void) {
        let shipment = AuditShipment(log, to: sink, report: report)
        self.shipment.withLock { $0 = shipment }
        log.subscribe { [weak shipment] in shipment?.wake() }
        log.queue.async { shipment.wake() }
    }

    /// Takes what was committed before the call; waits for that for some seconds at most.
    package func catchUp() {
        let done = DispatchSemaphore(value: 0)
        log.queue.async { [follower, notes] in
            notes.drain(telling: true)
            try? follower.turn()
            done.signal()
        }
        _ = done.wait(timeout: .now() + Self.patience)
    }

    /// Takes everything that was committed or noted before the call. Blocks.
    package func waitUntilIdle() {
        log.queue.sync {
            notes.drain(telling: true)
            try? follower.turn()
        }
    }

    /// Whether it takes no more.
    var isStopped: Bool { stopped.withLock { $0 } }

    /// Notes an entry of what is no change of an item. Never blocks.
    package func note(_ entry: AuditEntry) { notes.note(named(entry)) }

    /// Notes an entry, and calls back when it is durable or when that cannot be had. Never blocks.
    package func note(_ entry: AuditEntry, done: @escaping @Sendable () -> Void) {
        notes.note(named(entry), done: done)
    }

    /// Counts an entry, which is told once a minute for each principal and address with how often it was.
    package func tally(_ entry: AuditEntry) { notes.tally(named(entry)) }

    /// Counts that somebody was refused for lack of rights.
    ///
    /// - Parameter request: what they asked for, as far as it may be told.
    package func tallyRefusal(of principal: Principal, _ request: String) {
        var entry = AuditEntry(.refuse, by: principal, at: .systemClock)
        entry.outcome = .refused
        entry.target = AuditTarget("route", request)
        tally(entry)
    }

    /// An entry with what people call its principal.
    private func named(_ entry: AuditEntry) -> AuditEntry {
        var named = entry
        named.principalName = nameOf(entry.principal)
        return named
    }

    /// Where the log ends; nil while it cannot be read.
    package var head: AuditHead? {
        log.state.map { AuditHead(sequence: $0.sequence, mark: $0.mark, time: .systemClock) }
    }

    /// What happened since the start.
    package var statistics: AuditStatistics {
        let counts = log.statistics
        let shipped = shipment.withLock { $0 }?.progress
        return AuditStatistics(
            records: counts.records, failures: counts.failures, lost: notes.lost, shipped: shipped?.shipped,
            shipmentFailures: shipped?.failures ?? 0, isBroken: verified.withLock { $0.map { !$0.isEmpty } })
    }
}

/// What happened to an audit log since the start.
package struct AuditStatistics: Sendable {
    /// Records that were stored.
    package let records: UInt64
    /// How often storing some failed, and was tried again.
    package let failures: UInt64
    /// Entries that there was no room for.
    package let lost: UInt64
    /// The last record that was copied elsewhere; nil where none is.
    package let shipped: Int64?
    /// How often copying failed, and was tried again.
    package let shipmentFailures: UInt64
    /// Whether the last check of the whole log found something to be wrong; nil when there was none since the start.
    package let isBroken: Bool?
}
