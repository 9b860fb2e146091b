import Dispatch
import DynamoModel
import Glibc
import Platform
import SQLite
import Synchronization

/// Keeps the continuous backups of all tables that have them: takes changes out of the change stream into their logs,
/// on a queue of its own, so that no write waits for it.
///
/// What is not in a log yet is kept in the change stream, where the change's own transaction has put it: whatever
/// happens between, nothing of a log is lost. The logs follow within a second; `flush` waits until they have.
final class ContinuousArchive: @unchecked Sendable {
    // Proof for `@unchecked Sendable`: the variables are touched only on `queue`; the rest is immutable or guarded by
    // itself.
    private let queue = DispatchQueue(label: "table.archive")
    let parts: StoreParts
    private var logs: [String: ContinuousLog] = [:]
    /// Why a log does not follow, by the table's name.
    private var failures: [String: TableError] = [:]
    private var lock: StoredFile?
    private var isClosed = false
    private var isExamining = false

    private let isNeeded = Atomic(false)
    private let isScheduled = Atomic(false)
    private let isCancelled = Atomic(false)
    private let progress = FollowerProgress("continuous-backups")
    /// Whether the logs follow at the moment.
    let trouble = TroubleNotice()
    /// What is damaged of the logs.
    let damage = DamageNotice()

    /// Where logs are read to find damage: it takes long, and nobody waits for it.
    private let examinations = DispatchQueue(label: "table.archive.examination")

    /// How long changes are gathered before they are written to the logs: each time costs a sync of each log.
    private static let gatherMilliseconds = 250
    /// How long after a failure it is tried again.
    private static let retryMilliseconds = 5000
    /// How many bytes of changes are taken out of the stream at a time.
    private static let bytesPerStep = 8 * 1024 * 1024
    /// How often everything is read to find damage, in hours.
    private static let examinationHours = 24
    /// How long reading for that rests after each block, in microseconds: others need the disk more.
    private static let examinationRest: UInt32 = 2000

    /// The archive of a store that nobody writes to yet.
    init(_ parts: StoreParts) throws(TableError) {
        self.parts = parts
        if try Self.lives(parts).isEmpty, try Self.unfinished(parts).isEmpty {
            parts.retention.firstKept = try Self.firstKept(parts)
            progress.note(.unconcerned)
            parts.attach(progress)
            return
        }
        // Until the logs were looked at, everything is needed.
        parts.retention.firstKept = 0
        parts.attach(progress)
        isNeeded.store(true, ordering: .releasing)
        wake()
    }

    /// Told after each commit; returns at once.
    func wake() { wake(after: Self.gatherMilliseconds) }

    private func wake(after milliseconds: Int) {
        guard isNeeded.load(ordering: .acquiring),
            isScheduled.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return }
        queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak self] in
            guard let self else { return }
            isScheduled.store(false, ordering: .releasing)
            if isClosed { return }
            try? follow()
            if trouble.current != nil { wake(after: Self.retryMilliseconds) }
        }
    }

    /// Turns the continuous backups of a table on, or gives those that are on another recovery period: a shorter one
    /// forgets what is older. Blocks; O(items) when they go on.
    func begin(_ table: String, recoveryPeriodDays: Int) throws(TableError) -> ContinuousBackups {
        try onQueue { () throws(TableError) in
            try follow(table)
            if let period = logs[table]?.contents.recoveryPeriodDays, period != recoveryPeriodDays {
                try change(table, to: recoveryPeriodDays)
            }
            if let log = logs[table] { return state(of: log) }
            let life = StoreFile.randomID()
            try parts.writer.write { (connection) throws(TableError) in
                _ = try parts.catalog.definition(table)
                try convertingErrors { () throws(SQLiteError) in
                    try StoreFile.set(connection, TableSetting.continuous.name(table), to: life)
                    try Self.setRecoveryPeriod(of: table, days: recoveryPeriodDays, connection)
                }
            }
            do throws(TableError) {
                isNeeded.store(true, ordering: .releasing)
                try follow(table)
                guard let log = logs[table] else { throw .tableNotFound(table) }
                return state(of: log)
            } catch {
                // It was not turned on: the answer says so.
                try? end(table)
                throw error
            }
        }
    }

    /// Turns the continuous backups of a table off, and forgets what there was of them.
    func stop(_ table: String) throws(TableError) {
        try onQueue { () throws(TableError) in try end(table) }
    }

    /// Whether the continuous backups of a table are on.
    func isOn(_ table: String) throws(TableError) -> Bool {
        try parts.setting(TableSetting.continuous.name(table)) != nil
    }

    /// Whether the continuous backups of a table are on, the times that it can be restored to, and what is damaged.
    func state(of table: String) throws(TableError) -> ContinuousBackups {
        try onQueue { () throws(TableError) in
            guard try lives()[table] != nil else { return ContinuousBackups(restorable: nil) }
            // Where it does not follow, it tells until when it did.
            do throws(TableError) { try follow(table) } catch { if logs[table] == nil { throw error } }
            return logs[table].map(state) ?? ContinuousBackups(restorable: nil)
        }
    }

    private func state(of log: ContinuousLog) -> ContinuousBackups {
        ContinuousBackups(
            restorable: log.contents.restorable(now: log.contents.completeAt, parts.time.history),
            recoveryPeriodDays: log.contents.recoveryPeriodDays, damages: log.contents.damageReport)
    }

    /// What a table is restored from to be as it was at a time.
    ///
    /// - Returns: that, and the time that is meant.
    /// - Throws: `backup(.pointInTimeUnavailable)`, `backup(.invalidRestoreTime)`, `backup(.ambiguousRestoreTime)`,
    ///   `backup(.lostRestoreTime)`.
    func source(of table: String, at point: RestorePoint) throws(TableError) -> (RestoreSource, Int64) {
        try onQueue { () throws(TableError) in
            guard try lives()[table] != nil else { throw .backup(.pointInTimeUnavailable(table: table)) }
            try follow(table)
            guard let contents = logs[table]?.contents else {
                throw .backup(.pointInTimeUnavailable(table: table))
            }
            switch point {
            case .latest: return (try contents.source(.latest), contents.completeAt)
            case .time(let time, let pass):
                return (try contents.source(try contents.moment(at: time, pass, parts.time.history)), time)
            }
        }
    }

    /// Removes lives that ended so long ago that nothing could be restored from them: of tables that were restored, or
    /// whose changes were missing.
    ///
    /// - Parameter now: the time as far as things may be forgotten by it.
    func removeOldLives(_ now: Int64) throws(TableError) {
        try onQueue { () throws(TableError) in
            let kept = Set(try lives().values).union(try FormerTable.all(parts).compactMap(\.life))
            let old = parts.vault.folders(
                in: ContinuousLog.parentFolder, unchangedSince: now - ContinuousLog.retentionMax)
            // One that cannot be removed keeps no other from it.
            for life in old where !kept.contains(life) { try? remove(life) }
        }
    }

    /// Waits until every change that was committed before is in the logs, on disk.
    func flush() throws(TableError) {
        try onQueue { () throws(TableError) in
            try follow()
            if let failure = failures.values.first { throw failure }
        }
    }

    /// What there is of the logs at the moment, without bringing them up to date.
    func current() throws(TableError) -> [LogContents] {
        try onQueue { () throws(TableError) in logs.values.map(\.contents) }
    }

    /// Brings the logs up to date if that can be done, and ends. Blocks.
    func close() {
        isCancelled.store(true, ordering: .releasing)
        examinations.sync {}
        queue.sync {
            if isClosed { return }
            isClosed = true
            if isNeeded.load(ordering: .acquiring) {
                try? follow()
                for table in logs.keys { try? logs[table]?.note(now: parts.clock()) }
            }
            logs = [:]
            lock = nil
        }
    }

    private func onQueue<Result>(_ body: () throws(TableError) -> Result) throws(TableError) -> Result {
        let result: Swift.Result<Result, TableError> = queue.sync {
            if isClosed { return .failure(.closed) }
            do throws(TableError) { return .success(try body()) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

// MARK: - On the queue

extension ContinuousArchive {
    /// Brings the logs up to date with the change stream, and fails when that of one table cannot be.
    private func follow(_ table: String) throws(TableError) {
        try follow()
        if let failure = failures[table] { throw failure }
    }

    /// Brings the logs up to date with the change stream. What keeps one of them from that keeps no other.
    private func follow() throws(TableError) {
        failures = [:]
        do throws(TableError) {
            try follow(lives())
        } catch {
            trouble.note(error)
            throw error
        }
        trouble.note(failures.min { $0.key.precedes($1.key) }?.value)
        damage.note(logs.values.flatMap(\.contents.damageReport))
    }

    private func follow(_ lives: [String: String]) throws(TableError) {
        // A table that was deleted, or lives again, takes nothing more into its old log.
        for log in logs.values where lives[log.table] != log.life { logs[log.table] = nil }
        let unfinished = try Self.unfinished(parts)
        guard !lives.isEmpty || !unfinished.isEmpty else {
            isNeeded.store(false, ordering: .releasing)
            progress.note(.unconcerned)
            parts.retention.firstKept = try Self.firstKept(parts)
            return
        }
        try takeLock()
        for former in unfinished { attempt(Self.ended(former)) { () throws(TableError) in try finish(former) } }
        for (table, life) in lives where logs[table] == nil {
            attempt(table) { () throws(TableError) in try open(life, table) }
        }
        let now = parts.clock()
        while try takeStep() {}
        for table in logs.keys where failures[table] == nil {
            attempt(table) { () throws(TableError) in
                try logs[table]?.renewBase(parts, isCancelled: { isCancelled.load(ordering: .acquiring) })
                try store(table)
                logs[table]?.isComplete(at: now)
            }
        }
        // What cannot be opened, or finished, may need everything.
        let isAllOpen =
            lives.keys.allSatisfy { logs[$0] != nil } && unfinished.allSatisfy { failures[Self.ended($0)] == nil }
        let noted = isAllOpen ? logs.values.map(\.notedPosition).min() ?? .max : 0
        progress.note(FollowerPosition(taken: noted, stored: noted))
        let ofLogs = logs.values.map { $0.contents.bases.first?.image.sequence ?? 0 }.min() ?? .max
        parts.retention.firstKept = isAllOpen ? min(ofLogs, try Self.firstKept(parts)) : 0
        beginExamining()
    }

    /// Stands among the names of tables for one that is no more.
    private static func ended(_ former: FormerTable) -> String { "\(former.name) (ended)" }

    private func attempt(_ table: String, _ body: () throws(TableError) -> Void) {
        do throws(TableError) { try body() } catch { failures[table] = error }
    }

    /// Opens the log of a life, or begins it: anew when it has changes that the store does not have.
    private func open(_ life: String, _ table: String) throws(TableError) {
        let isCancelled = { self.isCancelled.load(ordering: .acquiring) }
        let stream = try stream()
        let inventory = try inventory(of: life)
        switch try ContinuousLog.open(life, of: table, parts.vault, inventory, stream) {
        case .log(let log): logs[table] = log
        case .nothing: logs[table] = try ContinuousLog(beginning: life, of: table, parts, isCancelled: isCancelled)
        case .ahead:
            // The old life's files stay: they may be all that is left of something.
            let next = StoreFile.randomID()
            let log = try ContinuousLog(beginning: next, of: table, parts, isCancelled: isCancelled)
            try parts.writer.write { (connection) throws(TableError) in
                try convertingErrors { () throws(SQLiteError) in
                    try StoreFile.set(connection, TableSetting.continuous.name(table), to: next)
                }
            }
            logs[table] = log
            damage.note(
                ended: LogDamage(
                    table: table, file: parts.vault.path(ContinuousLog.folder(life)), byte: nil,
                    reason:
                        "it has changes that the store does not have, as when an older flags.db was put in its place",
                    lost: 0...log.contents.completeAt))
        }
        logs[table]?.setRecoveryPeriod(days: try recoveryPeriod(of: table))
    }

    /// The first and the last change in the change stream.
    func stream() throws(TableError) -> (first: Int64, last: Int64) {
        try parts.readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                (first: try ChangeJournal.start(connection), last: try ChangeJournal.end(connection).sequence)
            }
        }
    }

    /// What files there should be of a life; nil when that is not known.
    func inventory(of life: String) throws(TableError) -> LogInventory? {
        try parts.readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try LogInventory.read(life, connection) }
        }
    }

    /// Takes a part of what the logs lack out of the change stream.
    ///
    /// - Returns: whether there may be more.
    private func takeStep() throws(TableError) -> Bool {
        let following = logs.filter { failures[$0.key] == nil }
        guard let after = following.values.map(\.contents.position).min() else { return false }
        let tables = Set(following.keys)
        let step = try parts.readers.read { (connection) throws(TableError) in
            try connection.read(failing: TableError.init) { () throws(TableError) in
                try ChangeJournal.records(connection, after: after, of: tables, bytes: Self.bytesPerStep)
            }
        }
        guard step.last > after else { return false }
        let now = parts.clock()
        for (table, log) in following {
            let position = log.contents.position
            let records = (step.records[table] ?? []).filter { $0.sequence > position }
            attempt(table) { () throws(TableError) in
                // Not through a copy: what the log has done before a failure must be known afterwards.
                try logs[table]?.append(records, upTo: max(step.last, position), now: now)
            }
        }
        return true
    }

    /// Forgets what is too old of a log, and stores its inventory: before any file is removed that it names.
    private func store(_ table: String) throws(TableError) {
        var removed: [String] = []
        if let now = parts.time.timeForForgetting {
            removed = logs[table]?.prune(now: now, parts.time.history) ?? []
        }
        if let log = logs[table], !log.isInventoryStored {
            try parts.writer.write { (connection) throws(TableError) in
                try convertingErrors { () throws(SQLiteError) in
                    try log.contents.inventory.store(log.life, connection)
                }
            }
            logs[table]?.isInventoryStored = true
        }
        for path in removed { try parts.vault.remove(path) }
    }

    /// Gives a log another recovery period, and removes what is older.
    private func change(_ table: String, to days: Int) throws(TableError) {
        try parts.writer.write { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                try Self.setRecoveryPeriod(of: table, days: days, connection)
            }
        }
        logs[table]?.setRecoveryPeriod(days: days)
        try follow(table)
    }

    private func end(_ table: String) throws(TableError) {
        let life = try lives()[table]
        try parts.writer.write { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                try StoreFile.removeSetting(connection, TableSetting.continuous.name(table))
                try StoreFile.removeSetting(connection, TableSetting.recoveryPeriod.name(table))
            }
        }
        logs[table] = nil
        if let life { try remove(life) }
        try follow()
    }

    /// Removes all of a life.
    private func remove(_ life: String) throws(TableError) {
        try parts.vault.removeFolder(ContinuousLog.folder(life))
        try parts.writer.write { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                try StoreFile.removeSetting(connection, LogInventory.setting(life))
            }
        }
    }

    /// Two processes must not write the same logs: the one that has the lock writes those of both.
    private func takeLock() throws(TableError) {
        if lock != nil { return }
        let file = try parts.vault.lockFile("\(ContinuousLog.parentFolder)/lock")
        guard file.lock() else {
            throw .storage(
                StorageFailure(
                    kind: .locked, reason: "cannot write to \(file.path): another process keeps the logs",
                    hint: "End the other process that has this data directory open"))
        }
        lock = file
    }
}

// MARK: - Examinations

extension ContinuousArchive {
    /// Has everything read once to find damage, and again every day. On the queue.
    private func beginExamining() {
        if isExamining { return }
        isExamining = true
        examine()
        examineTomorrow()
    }

    private func examineTomorrow() {
        examinations.asyncAfter(deadline: .now() + .seconds(Self.examinationHours * 3600)) { [weak self] in
            guard let self, !isCancelled.load(ordering: .acquiring) else { return }
            examine()
            examineTomorrow()
        }
    }

    /// Has everything read to find damage: returns at once. What is found is kept aside and told.
    func examine() {
        examinations.async { [weak self] in
            guard let self else { return }
            for contents in (try? current()) ?? [] {
                // What cannot be read now is read again tomorrow.
                let survey = try? LogSurvey(
                    contents.life, parts.vault, contents.inventory, .everything, written: contents.writtenBytes
                ) { [self] in
                    usleep(Self.examinationRest)
                    return !isCancelled.load(ordering: .acquiring)
                }
                guard let survey, !survey.damages.isEmpty else { continue }
                try? note(survey.damages, of: contents)
            }
        }
    }

    /// Waits until what was to be read is read.
    func waitForExamination() { examinations.sync {} }

    private func note(_ damages: [LogInventory.Damage], of contents: LogContents) throws(TableError) {
        try onQueue { () throws(TableError) in
            guard logs[contents.table]?.life == contents.life else { return }
            try logs[contents.table]?.note(damages, try stream())
            try follow()
        }
    }
}
