import Dispatch
import Lock
import SQLite
import Synchronization

/// Keeps the continuous backups of all tables that have them: takes changes out of the change stream into their logs,
/// on a queue of its own, so that no write waits for it.
///
/// What is not in a log yet is kept in the change stream, where the change's own transaction has put it: whatever
/// happens between, nothing of a log is lost. The logs follow within a second; `flush` waits until they have.
final class ContinuousArchive: @unchecked Sendable {
    // Proof for `@unchecked Sendable`: `logs`, `lock` and `isClosed` are touched only on `queue`; the rest is immutable
    // or guarded by itself.
    private let queue = DispatchQueue(label: "table.archive")
    let parts: StoreParts
    private var logs: [String: ContinuousLog] = [:]
    private var lock: StoredFile?
    private var isClosed = false

    private let isNeeded = Atomic(false)
    private let isScheduled = Atomic(false)
    private let isCancelled = Atomic(false)
    /// Whether the logs follow at the moment.
    let trouble = TroubleNotice()

    /// How long changes are gathered before they are written to the logs: each time costs a sync of each log.
    private static let gatherMilliseconds = 250
    /// How long after a failure it is tried again.
    private static let retryMilliseconds = 5000
    /// How many bytes of changes are taken out of the stream at a time.
    private static let bytesPerStep = 8 * 1024 * 1024

    /// The archive of a store that nobody writes to yet.
    init(_ parts: StoreParts) throws(TableError) {
        self.parts = parts
        if try Self.lives(parts).isEmpty, try Self.unfinished(parts).isEmpty { return }
        // Until the logs were looked at, everything is needed.
        parts.retention.firstNeeded = 0
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
            do throws(TableError) { try follow() } catch { wake(after: Self.retryMilliseconds) }
        }
    }

    /// Turns the continuous backups of a table on, or gives those that are on another recovery period: a shorter one
    /// forgets what is older. Blocks; O(items) when they go on.
    func begin(_ table: String, recoveryPeriodDays: Int) throws(TableError) -> ContinuousBackups {
        try onQueue { () throws(TableError) in
            try follow()
            if let period = logs[table]?.recoveryPeriodDays, period != recoveryPeriodDays {
                try change(table, to: recoveryPeriodDays)
            }
            if let log = logs[table] { return state(of: log) }
            let life = StoreFile.randomID()
            try parts.writer.write { (connection) throws(TableError) in
                _ = try parts.catalog.definition(table)
                try convertingErrors { () throws(SQLiteError) in
                    try StoreFile.set(connection, Self.settingPrefix + table, to: life)
                    try Self.setRecoveryPeriod(of: table, days: recoveryPeriodDays, connection)
                }
            }
            do throws(TableError) {
                isNeeded.store(true, ordering: .releasing)
                try follow()
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
    func isOn(_ table: String) throws(TableError) -> Bool { try parts.setting(Self.settingPrefix + table) != nil }

    /// Whether the continuous backups of a table are on, and the times that it can be restored to.
    func state(of table: String) throws(TableError) -> ContinuousBackups {
        try onQueue { () throws(TableError) in
            guard try lives()[table] != nil else { return ContinuousBackups(restorable: nil) }
            if logs[table] == nil { try follow() }
            return logs[table].map(state) ?? ContinuousBackups(restorable: nil)
        }
    }

    private func state(of log: ContinuousLog) -> ContinuousBackups {
        ContinuousBackups(
            restorable: log.restorable(now: parts.clock()), recoveryPeriodDays: log.recoveryPeriodDays)
    }

    /// What a table is restored from to be as it was at a time.
    ///
    /// - Returns: that, and the time that is meant.
    /// - Throws: `backup(.pointInTimeUnavailable)`, `backup(.invalidRestoreTime)`.
    func source(of table: String, at point: RestorePoint) throws(TableError) -> (RestoreSource, Int64) {
        try onQueue { () throws(TableError) in
            guard try lives()[table] != nil else { throw .backup(.pointInTimeUnavailable(table: table)) }
            try follow()
            guard let log = logs[table] else { throw .backup(.pointInTimeUnavailable(table: table)) }
            let range = log.restorable(now: parts.clock())
            switch point {
            case .latest:
                let last = try parts.readers.read { (connection) throws(TableError) in
                    try convertingErrors { () throws(SQLiteError) in try ChangeJournal.end(connection) }
                }
                // The clock may have been set back behind the last commit.
                return (try log.source(until: .max), max(range.upperBound, last.committedAt))
            case .time(let time):
                guard range.contains(time) else {
                    throw .backup(.invalidRestoreTime(earliest: range.lowerBound, latest: range.upperBound))
                }
                return (try log.source(until: time), time)
            }
        }
    }

    /// Removes lives that ended so long ago that nothing could be restored from them: of tables that were restored, or
    /// whose changes were missing.
    func removeOldLives() throws(TableError) {
        try onQueue { () throws(TableError) in
            let kept = Set(try lives().values).union(try FormerTable.all(parts).compactMap(\.life))
            let old = parts.vault.folders(
                in: ContinuousLog.parentFolder, unchangedSince: parts.clock() - ContinuousLog.retentionMax)
            // One that cannot be removed keeps no other from it.
            for life in old where !kept.contains(life) { try? parts.vault.removeFolder(ContinuousLog.folder(life)) }
        }
    }

    /// Waits until every change that was committed before is in the logs, on disk.
    func flush() throws(TableError) { try onQueue { () throws(TableError) in try follow() } }

    /// The logs as they are, brought up to date.
    func current() throws(TableError) -> [String: ContinuousLog] {
        try onQueue { () throws(TableError) in
            if !isNeeded.load(ordering: .acquiring) { return [:] }
            try follow()
            return logs
        }
    }

    /// Brings the logs up to date if that can be done, and ends. Blocks.
    func close() {
        isCancelled.store(true, ordering: .releasing)
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
    /// Brings the logs up to date with the change stream.
    private func follow() throws(TableError) {
        do throws(TableError) {
            try follow(lives())
            trouble.note(nil)
        } catch {
            trouble.note(error)
            throw error
        }
    }

    private func follow(_ lives: [String: String]) throws(TableError) {
        // A table that was deleted, or lives again, takes nothing more into its old log.
        for log in logs.values where lives[log.table] != log.life { logs[log.table] = nil }
        let unfinished = try Self.unfinished(parts)
        guard !lives.isEmpty || !unfinished.isEmpty else {
            isNeeded.store(false, ordering: .releasing)
            parts.retention.firstNeeded = .max
            return
        }
        try takeLock()
        for former in unfinished { try finish(former) }
        for (table, life) in lives where logs[table] == nil {
            let days = try recoveryPeriod(of: table)
            try open(life, table)
            logs[table]?.recoveryPeriodDays = days
        }
        while try takeStep() {}
        for table in logs.keys {
            try logs[table]?.renewBase(parts, isCancelled: { isCancelled.load(ordering: .acquiring) })
            try logs[table]?.prune(now: parts.clock())
        }
        parts.retention.firstNeeded = (logs.values.map(\.notedPosition).min() ?? .max - 1) + 1
    }

    /// Opens the log of a life, or begins it: anew when changes are missing between it and the change stream.
    private func open(_ life: String, _ table: String) throws(TableError) {
        if let log = try ContinuousLog(opening: life, of: table, parts.vault), try isContinued(log) {
            logs[table] = log
            return
        }
        let isCancelled = { self.isCancelled.load(ordering: .acquiring) }
        if try parts.vault.files(in: ContinuousLog.folder(life)).isEmpty {
            logs[table] = try ContinuousLog(beginning: life, of: table, parts, isCancelled: isCancelled)
            return
        }
        // The old life's files stay: they may be all that is left of something.
        let next = StoreFile.randomID()
        let log = try ContinuousLog(beginning: next, of: table, parts, isCancelled: isCancelled)
        try parts.writer.write { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                try StoreFile.set(connection, Self.settingPrefix + table, to: next)
            }
        }
        logs[table] = log
    }

    /// Whether the change stream has all that the log lacks.
    private func isContinued(_ log: ContinuousLog) throws(TableError) -> Bool {
        let (first, last) = try parts.readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                (try ChangeJournal.start(connection), try ChangeJournal.end(connection).sequence)
            }
        }
        return log.position <= last && (log.position == last || first <= log.position + 1)
    }

    /// Takes a part of what the logs lack out of the change stream.
    ///
    /// - Returns: whether there may be more.
    private func takeStep() throws(TableError) -> Bool {
        guard let after = logs.values.map(\.position).min() else { return false }
        let tables = Set(logs.keys)
        let step = try parts.readers.read { (connection) throws(TableError) in
            try connection.read(failing: TableError.init) { () throws(TableError) in
                try ChangeJournal.records(connection, after: after, of: tables, bytes: Self.bytesPerStep)
            }
        }
        guard step.last > after else { return false }
        let now = parts.clock()
        for (table, log) in logs {
            let records = (step.records[table] ?? []).filter { $0.sequence > log.position }
            // Not through a copy: what the log has done before a failure must be known afterwards.
            try logs[table]?.append(records, upTo: max(step.last, log.position), now: now)
        }
        return true
    }

    /// Gives a log another recovery period, and removes what is older.
    private func change(_ table: String, to days: Int) throws(TableError) {
        try parts.writer.write { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                try Self.setRecoveryPeriod(of: table, days: days, connection)
            }
        }
        logs[table]?.recoveryPeriodDays = days
        try follow()
    }

    private func end(_ table: String) throws(TableError) {
        let life = try lives()[table]
        try parts.writer.write { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                try StoreFile.removeSetting(connection, Self.settingPrefix + table)
                try StoreFile.removeSetting(connection, Self.periodPrefix + table)
            }
        }
        logs[table] = nil
        if let life { try parts.vault.removeFolder(ContinuousLog.folder(life)) }
        try follow()
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
