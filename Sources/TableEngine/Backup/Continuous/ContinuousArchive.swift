import Dispatch
import DynamoModel
import Glibc
import Platform
import SQLite
import Synchronization

/// Keeps the continuous backups of all tables that have them: the changes follow into their logs on a queue of their
/// own, so that no write waits for it.
///
/// What is not in a log yet is kept in the change stream, where the change's own transaction has put it: whatever
/// happens between, nothing of a log is lost. The logs follow within a second; `flush` waits until they have.
final class ContinuousArchive: Sendable {
    let parts: OpenStore
    private let logs: ContinuousLogs
    private let follower: ChangeFollower<ContinuousLogs>
    private let isExamining = Atomic(false)

    /// Whether the logs follow at the moment.
    var trouble: TroubleNotice { logs.trouble }
    /// What is damaged of the logs.
    var damage: DamageNotice { logs.damage }

    /// Where logs are read to find damage: it takes long, and nobody waits for it.
    private let examinations = DispatchQueue(label: "table.archive.examination")

    /// What the logs are called among those who follow the changes of a store.
    static let followerName = "continuous-backups"
    /// How long changes are gathered before they are written to the logs: each time costs a sync of each log.
    private static let gatherMilliseconds = 250
    /// How often everything is read to find damage, in hours.
    private static let examinationHours = 24
    /// How long reading for that rests after each block, in microseconds: others need the disk more.
    private static let examinationRest: UInt32 = 2000

    /// The archive of a store that nobody writes to yet.
    init(_ parts: OpenStore) throws(TableError) {
        self.parts = parts
        var timing = FollowerTiming()
        timing.gatherMilliseconds = Self.gatherMilliseconds
        timing.wall = parts.time.wall
        timing.delay = parts.delay
        logs = try ContinuousLogs(parts, timing)
        follower = ChangeFollower(Self.followerName, of: parts, logs, on: logs.queue, timing: timing)
        logs.followed.withLock { $0 = { [weak self] in self?.beginExamining() } }
        logs.retryDue.withLock { $0 = { [weak self] in self?.wake() } }
        follower.attach()
        wake()
    }

    /// Has the logs follow, if there are any; returns at once.
    func wake() {
        if logs.isNeeded.load(ordering: .acquiring) { follower.wake() }
    }

    /// Turns the continuous backups of a table on, or gives those that are on another recovery period: a shorter one
    /// forgets what is older. Blocks; O(items) when they go on.
    func begin(_ table: String, recoveryPeriodDays: Int) throws(TableError) -> ContinuousBackups {
        try onQueue { () throws(TableError) in
            try follow(table)
            if let period = logs.open[table]?.contents.recoveryPeriodDays, period != recoveryPeriodDays {
                try change(table, to: recoveryPeriodDays)
            }
            if let log = logs.open[table] { return state(of: log) }
            let life = StoreFile.randomID()
            try parts.writer.write { (connection) throws(TableError) in
                _ = try parts.catalog.definition(table)
                try convertingErrors { () throws(SQLiteError) in
                    try StoreFile.set(connection, TableSetting.continuous.name(table), to: life)
                    try Self.setRecoveryPeriod(of: table, days: recoveryPeriodDays, connection)
                }
            }
            do throws(TableError) {
                logs.isNeeded.store(true, ordering: .releasing)
                try follow(table)
                guard let log = logs.open[table] else { throw .tableNotFound(table) }
                return state(of: log)
            } catch {
                // It was not turned on: the response says so.
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
            guard try parts.lives()[table] != nil else { return ContinuousBackups(restorable: nil) }
            // Where it does not follow, it tells until when it did.
            do throws(TableError) { try follow(table) } catch { if logs.open[table] == nil { throw error } }
            return logs.open[table].map(state) ?? ContinuousBackups(restorable: nil)
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
            guard try parts.lives()[table] != nil else { throw .backup(.pointInTimeUnavailable(table: table)) }
            try follow(table)
            guard let contents = logs.open[table]?.contents else {
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
            let kept = Set(try parts.lives().values).union(try FormerTable.all(parts).compactMap(\.life))
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
            if let failure = logs.failing.first { throw failure }
        }
    }

    /// What there is of the logs at the moment, without bringing them up to date.
    func current() throws(TableError) -> [LogContents] {
        try onQueue { () throws(TableError) in logs.open.values.map(\.contents) }
    }

    /// Brings the logs up to date if that can be done, and ends. Blocks.
    func close() {
        logs.isCancelled.store(true, ordering: .releasing)
        examinations.sync {}
        let isClosed = logs.queue.sync {
            logs.isHurried = true
            return logs.isClosed
        }
        if isClosed { return }
        follower.stop(taking: logs.isNeeded.load(ordering: .acquiring))
        logs.queue.sync { logs.close() }
    }

    private func onQueue<Result>(_ body: () throws(TableError) -> Result) throws(TableError) -> Result {
        let result: Swift.Result<Result, TableError> = logs.queue.sync {
            if logs.isClosed { return .failure(.closed) }
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
        if let failure = logs.failing[table] { throw failure }
    }

    /// Brings the logs up to date with the change stream, also those that wait to be tried again. What keeps one of
    /// them from that is no failure.
    private func follow() throws(TableError) {
        logs.isHurried = true
        defer { logs.isHurried = false }
        try follower.turn()
    }

    /// Gives a log another recovery period, and removes what is older.
    private func change(_ table: String, to days: Int) throws(TableError) {
        try parts.writer.write { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                try Self.setRecoveryPeriod(of: table, days: days, connection)
            }
        }
        logs.setRecoveryPeriod(of: table, days: days)
        try follow(table)
    }

    private func end(_ table: String) throws(TableError) {
        let life = try parts.lives()[table]
        try parts.writer.write { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                try StoreFile.removeSetting(connection, TableSetting.continuous.name(table))
                try StoreFile.removeSetting(connection, TableSetting.recoveryPeriod.name(table))
            }
        }
        logs.forget(table)
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
}

// MARK: - Examinations

extension ContinuousArchive {
    /// Has everything read once to find damage, and again every day. On the queue.
    private func beginExamining() {
        guard
            isExamining.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return }
        examine()
        examineTomorrow()
    }

    private func examineTomorrow() {
        examinations.asyncAfter(deadline: .now() + .seconds(Self.examinationHours * 3600)) { [weak self] in
            guard let self, !logs.isCancelled.load(ordering: .acquiring) else { return }
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
                    return !logs.isCancelled.load(ordering: .acquiring)
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
            try logs.note(damages, of: contents)
            try follow()
        }
    }
}
