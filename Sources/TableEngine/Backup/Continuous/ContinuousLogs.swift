import Dispatch
import DynamoModel
import Platform
import SQLite
import Synchronization

/// The logs of the tables that have continuous backups: takes the changes out of the change stream into them.
///
/// Each log says by itself how far it is. The one that is furthest behind is where the stream is read. What keeps one
/// of them from following keeps no other: it is tried again by itself, after pauses that become longer, while the
/// others follow as they always do.
final class ContinuousLogs: @unchecked Sendable {
    // Proof for `@unchecked Sendable`: the variables are touched only on `queue` (and in `init`, before anybody else
    // knows the logs); the rest is immutable or guarded by itself.
    let queue = DispatchQueue(label: "table.archive")
    let store: OpenStore
    /// The logs that are open, by the tables' names.
    private(set) var open: [String: ContinuousLog] = [:]
    /// The logs that do not follow, by the tables' names.
    private(set) var failing = FailingLogs()
    /// Whether whoever has the logs follow cannot wait: then those are tried, too, that wait to be tried again.
    var isHurried = false
    private var lock: StoredFile?
    /// Whether every log is open: what cannot be opened, or finished, may need everything.
    private var isAllOpen = false
    /// When the turn began, in milliseconds since 1970.
    private var turnBegan: Int64 = 0
    private(set) var isClosed = false

    /// Whether any table has continuous backups, or had some that are not finished.
    let isNeeded: Atomic<Bool>
    let isCancelled = Atomic(false)
    /// Has long work of its own given up when the store closes.
    private var watch: WorkWatch { WorkWatch(isCancelled: { [self] in isCancelled.load(ordering: .acquiring) }) }
    /// Called on the queue when the logs have been followed.
    let followed = Locked<(@Sendable () -> Void)?>(nil)
    /// Called on the queue when a log that failed is to be tried again.
    let retryDue = Locked<(@Sendable () -> Void)?>(nil)
    private let timing: FollowerTiming
    /// Whether the logs follow at the moment.
    let trouble = TroubleNotice()
    /// What is damaged of the logs.
    let damage = DamageNotice()

    /// How many bytes of changes are taken out of the stream at a time.
    static let bytesPerStep = 8 * 1024 * 1024

    /// The logs of a store that nobody writes to yet; none is open.
    ///
    /// - Parameters:
    ///   - parts: the store.
    ///   - timing: how long a log that failed waits to be tried again.
    init(_ store: OpenStore, _ timing: FollowerTiming) throws(TableError) {
        (self.store, self.timing) = (store, timing)
        let (lives, unfinished) = (try store.lives(), try FormerTable.unfinished(store))
        let isNeeded = !lives.isEmpty || !unfinished.isEmpty
        self.isNeeded = Atomic(isNeeded)
        // Until the logs were looked at, everything is needed.
        store.retention.firstKept = isNeeded ? 0 : try FormerTable.firstKept(store)
    }

    /// Closes the logs; nothing is called from then on. On the queue.
    func close() {
        isClosed = true
        open = [:]
        lock = nil
    }
}

extension ContinuousLogs: ChangeConsumer {
    typealias Failure = TableError

    var position: FollowerPosition {
        guard isNeeded.load(ordering: .acquiring) else { return .unconcerned }
        guard isAllOpen else { return .unknown }
        return FollowerPosition(
            taken: open.values.map(\.contents.position).min() ?? .max,
            stored: open.values.map(\.notedPosition).min() ?? .max)
    }

    func concern(of changes: [TableChange]) -> Int { isNeeded.load(ordering: .acquiring) ? changes.count : 0 }

    func storedPosition() throws(TableError) -> Int64? { try beginTurn() }

    func beginTurn() throws(TableError) -> Int64? {
        let lives = try store.lives()
        // A table that was deleted, or lives again, takes nothing more into its old log.
        for log in open.values where lives[log.table] != log.life { open[log.table] = nil }
        let unfinished = try FormerTable.unfinished(store)
        failing.beginTurn(of: Set(lives.keys).union(unfinished.map(name)), all: isHurried)
        isNeeded.store(!lives.isEmpty || !unfinished.isEmpty, ordering: .releasing)
        if !lives.isEmpty || !unfinished.isEmpty {
            isAllOpen = false
            try takeLock()
            for former in unfinished {
                attempt(name(former)) { () throws(TableError) in try finish(former) }
            }
            for (table, life) in lives where open[table] == nil {
                attempt(table) { () throws(TableError) in try open(life, table) }
            }
            isAllOpen =
                lives.keys.allSatisfy { open[$0] != nil } && !unfinished.contains { failing.leavesOut(name($0)) }
        }
        turnBegan = store.clock()
        return following.values.map(\.contents.position).min() ?? store.lastSequence
    }

    /// What the log of a table that is no more is called.
    private func name(_ former: FormerTable) -> String { "\(former.name) (ended)" }

    /// The logs that have not failed in this turn, and do not wait to be tried again.
    private var following: [String: ContinuousLog] { open.filter { !failing.leavesOut($0.key) } }

    func batch(after position: Int64) throws(TableError) -> ChangeBatch<[String: [StoredChange]]>? {
        let tables = Set(following.keys)
        guard !tables.isEmpty else { return nil }
        let step = try store.readers.read { (connection) throws(TableError) in
            try connection.read(failing: TableError.init) { () throws(TableError) in
                try ChangeJournal.records(connection, after: position, of: tables, bytes: Self.bytesPerStep, store.seal)
            }
        }
        guard step.last > position else { return nil }
        return ChangeBatch(step.records, count: step.records.values.reduce(0) { $0 + $1.count }, upTo: step.last)
    }

    /// Each log notes by itself how far it is, in the same write.
    func take(_ batch: ChangeBatch<[String: [StoredChange]]>, storing: Bool) throws(TableError) {
        let now = store.clock()
        for (table, log) in following {
            let position = log.contents.position
            let records = (batch.content[table] ?? []).filter { $0.sequence > position }
            attempt(table) { () throws(TableError) in
                // Not through a copy: what the log has done before a failure must be known afterwards.
                try open[table]?.append(records, upTo: max(batch.upTo, position), now: now)
            }
        }
    }

    func rest(at now: Int64, storing: Bool) throws(TableError) -> Int? {
        for table in following.keys {
            attempt(table) { () throws(TableError) in
                try open[table]?.renewBase(store, watch: watch)
                try store(table)
                open[table]?.isComplete(at: turnBegan)
            }
        }
        let ofLogs = open.values.map { $0.contents.bases.first?.image.sequence ?? 0 }.min() ?? .max
        let isKnown = isAllOpen || !isNeeded.load(ordering: .acquiring)
        store.retention.firstKept = isKnown ? min(ofLogs, try FormerTable.firstKept(store)) : 0
        damage.note(open.values.flatMap(\.contents.damageReport))
        if !open.isEmpty { followed.withLock { $0 }?() }
        failing.endTurn()
        return nil
    }

    /// What keeps some logs from following keeps no other, and so not the follower.
    func shortfall() -> FollowerShortfall<TableError>? {
        let isNew = failing.takeNews()
        return failing.first.map { FollowerShortfall($0, isNew: isNew) }
    }

    /// Lets the files say how far the logs are.
    func flush(storing: Bool) {
        for table in open.keys { try? open[table]?.note(now: store.clock()) }
    }

    /// Nothing: a log whose changes are no longer in the stream has noted so when it was opened, and makes a base
    /// behind them, which has everything.
    func sweep(isCancelled: () -> Bool) {}

    func store(_ position: Int64) {}

    func note(_ failure: TableError?) { trouble.note(failure) }

    /// Does something for a log, unless it waits to be tried again. What fails is tried again after a while.
    private func attempt(_ name: String, _ body: () throws(TableError) -> Void) {
        guard !failing.leavesOut(name) else { return }
        do throws(TableError) { try body() } catch {
            guard let retry = failing.note(error, of: name) else { return }
            timing.delay.call(timing.pause(afterFailures: retry.failures), queue) { [weak self] in
                guard let self, !isClosed, failing.comeDue(retry) else { return }
                retryDue.withLock { $0 }?()
            }
        }
    }
}

// MARK: - Logs

extension ContinuousLogs {
    /// Gives the log of a table another recovery period.
    func setRecoveryPeriod(of table: String, days: Int) { open[table]?.setRecoveryPeriod(days: days) }

    /// Goes no further with the log of a table.
    func forget(_ table: String) {
        open[table] = nil
        failing.forget(table)
    }

    /// Notes damage that was found of a log, unless it is another one by now.
    func note(_ damages: [LogInventory.Damage], of contents: LogContents) throws(TableError) {
        guard open[contents.table]?.life == contents.life else { return }
        try open[contents.table]?.note(damages, try store.stream())
    }

    /// Opens the log of a life, or begins it: anew when it has changes that the store does not have.
    private func open(_ life: String, _ table: String) throws(TableError) {
        let stream = try store.stream()
        let inventory = try store.inventory(of: life)
        switch try ContinuousLog.open(life, of: table, store.vault, inventory, stream) {
        case .log(let log): open[table] = log
        case .nothing: open[table] = try ContinuousLog(beginning: life, of: table, store, watch: watch)
        case .ahead:
            // The old life's files stay: they may be all that is left of something.
            let next = StoreFile.randomID()
            let log = try ContinuousLog(beginning: next, of: table, store, watch: watch)
            try store.writer.write { (connection) throws(TableError) in
                try convertingErrors { () throws(SQLiteError) in
                    try StoreFile.set(connection, TableSetting.continuous.name(table), to: next)
                }
            }
            open[table] = log
            damage.note(
                ended: LogDamage(
                    table: table, file: store.vault.path(ContinuousLog.folder(life)), byte: nil,
                    reason:
                        "it has changes that the store does not have, as when an older flags.db was put in its place",
                    lost: 0...log.contents.completeAt))
        }
        open[table]?.setRecoveryPeriod(days: try store.recoveryPeriod(of: table))
    }

    /// Forgets what is too old of a log, and stores its inventory: before any file is removed that it names.
    private func store(_ table: String) throws(TableError) {
        var removed: [String] = []
        if let now = store.time.timeForForgetting {
            removed = open[table]?.prune(now: now, store.time.history) ?? []
        }
        if let log = open[table], !log.isInventoryStored {
            try store.writer.write { (connection) throws(TableError) in
                try convertingErrors { () throws(SQLiteError) in
                    try log.contents.inventory.store(log.life, connection)
                }
            }
            open[table]?.isInventoryStored = true
        }
        for path in removed { try store.vault.remove(path) }
    }

    /// Takes the last changes of a table that is no more into its log. On the queue.
    private func finish(_ former: FormerTable) throws(TableError) {
        guard let life = former.life else { return }
        let (inventory, stream) = (try store.inventory(of: life), try store.stream())
        switch try ContinuousLog.open(life, of: former.name, store.vault, inventory, stream) {
        case .nothing:
            // It was never begun.
            try former.update(store) { noted, _ in noted.life = nil }
            return
        case .ahead: break
        case .log(var log):
            try finish(&log, former)
            let inventory = log.contents.inventory
            try former.update(store) { (noted, connection) throws(SQLiteError) in
                try inventory.store(life, connection)
                noted.isLogComplete = true
            }
            return
        }
        try former.update(store) { noted, _ in noted.isLogComplete = true }
    }

    private func finish(_ log: inout ContinuousLog, _ former: FormerTable) throws(TableError) {
        while log.contents.position < former.image.sequence {
            let after = log.contents.position
            let step = try store.readers.read { (connection) throws(TableError) in
                try connection.read(failing: TableError.init) { () throws(TableError) in
                    try ChangeJournal.records(
                        connection, after: after, upTo: former.image.sequence, of: former.image.definition,
                        bytes: Self.bytesPerStep, store.seal)
                }
            }
            guard step.last > after else { break }
            try log.append(step.records, upTo: step.last, now: store.clock())
        }
        try log.note(now: store.clock())
    }

    /// Two processes must not write the same logs: the one that has the lock writes those of both.
    private func takeLock() throws(TableError) {
        if lock != nil { return }
        let file = try store.vault.lockFile("\(ContinuousLog.parentFolder)/lock")
        guard file.lock() else {
            throw .storage(
                StorageFailure(
                    kind: .locked, reason: "cannot write to \(file.path): another process keeps the logs",
                    hint: "End the other process that has this data directory open"))
        }
        lock = file
    }
}
