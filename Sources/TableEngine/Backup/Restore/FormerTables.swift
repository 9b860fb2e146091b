import Dispatch
import DynamoModel
import SQLite
import Synchronization

/// Does what is still to be done about tables that are no more, on a queue of its own and in small steps, so that no
/// write waits long for it: makes the last backup of them, removes their items and what restores have left, lets their
/// changes go from the stream, and removes their continuous backups when those have had their time.
final class FormerTables: Sendable {
    private let parts: OpenStore
    private let queue = DispatchQueue(label: "table.former")
    private let underWay = DispatchGroup()
    private let isScheduled = Atomic(false)
    private let isRetrying = Atomic(false)
    private let isCancelled = Atomic(false)
    /// Whether backups that are due can be made.
    let trouble = TroubleNotice()

    /// How many rows of a leftover one transaction removes.
    private static let sweepRows = 5000
    /// How many changes of the stream one transaction looks at.
    private static let changesPerStep: Int64 = 1000
    /// How long after a failure it is tried again.
    private static let retrySeconds = 60

    init(_ parts: OpenStore) { self.parts = parts }

    /// Begins with what there is to do. Returns at once.
    func settle() {
        guard isScheduled.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return }
        step()
    }

    /// Makes the backups that are due. Blocks; O(items) of them. What fails is tried again, and told by `trouble`.
    func makeBackups() { queue.sync { _ = makeDueBackups() } }

    /// Waits until nothing is left to be done, or something has failed.
    func waitUntilSettled() { underWay.wait() }

    /// Ends what is under way. Blocks.
    func close() {
        isCancelled.store(true, ordering: .releasing)
        queue.sync {}
    }

    /// Each step comes through the queue, so that a backup that somebody waits for has its turn between two.
    private func step() {
        underWay.enter()
        queue.async { [weak self, underWay] in
            defer { underWay.leave() }
            guard let self, !isCancelled.load(ordering: .acquiring) else { return }
            let haveBackups = makeDueBackups()
            do throws(TableError) {
                if try sweepSome() { return step() }
                if try releaseSome() { return step() }
                let isMoreToRelease = try isMoreToRelease()
                isScheduled.store(false, ordering: .releasing)
                if isMoreToRelease || !haveBackups { retry() }
            } catch {
                isScheduled.store(false, ordering: .releasing)
                retry()
            }
        }
    }

    private func retry() {
        guard isRetrying.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return }
        queue.asyncAfter(deadline: .now() + .seconds(Self.retrySeconds)) { [weak self] in
            guard let self else { return }
            isRetrying.store(false, ordering: .releasing)
            settle()
        }
    }
}

// MARK: - Backups

extension FormerTables {
    /// The backups that are being made, as lists have them.
    func dueBackups() throws(TableError) -> [BackupDescription] {
        try FormerTable.all(parts).filter(\.isBackupDue).map { $0.image.backup(sizeBytes: 0) }
    }

    /// Gives up a backup that is being made.
    ///
    /// - Returns: what it would have been; nil when it is not being made.
    func giveUpBackup(_ id: String) throws(TableError) -> BackupDescription? {
        for former in try FormerTable.all(parts) where former.isBackupDue && former.image.label.id == id {
            let before = try former.update(parts) { noted, _ in noted.isBackupDue = false }
            guard before?.isBackupDue == true else { return nil }
            settle()
            return former.image.backup(sizeBytes: 0)
        }
        return nil
    }

    /// On the queue.
    ///
    /// - Returns: whether all were made.
    private func makeDueBackups() -> Bool {
        var failure: TableError?
        do throws(TableError) {
            for former in try FormerTable.all(parts) where former.isBackupDue {
                // One that cannot be made keeps no other from being made.
                do throws(TableError) { try makeBackup(of: former) } catch { failure = failure ?? error }
            }
        } catch {
            failure = error
        }
        if case .closed = failure { return false }
        trouble.note(failure)
        return failure == nil
    }

    private func makeBackup(of former: FormerTable) throws(TableError) {
        let name = BackupService.file(former.image.label.id)
        _ = try parts.writeImage(to: name) { (writer, connection) throws(TableError) in
            try writer.write(
                former.image, connection, isCancelled: { isCancelled.load(ordering: .acquiring) })
        }
        let before = try former.update(parts) { noted, _ in noted.isBackupDue = false }
        // Somebody has deleted it meanwhile.
        if before?.isBackupDue != true { try parts.vault.remove(name) }
    }
}

// MARK: - Leftovers

extension FormerTables {
    /// Removes some of what belongs to no table.
    ///
    /// - Returns: whether there may be more.
    private func sweepSome() throws(TableError) -> Bool {
        // Where there is nothing, nothing is written.
        let next = try parts.readers.read { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in try nextSpace(connection) }
        }
        guard next != nil else { return false }
        try parts.writer.write { (connection) throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                // Once more: a restore may have begun to fill it.
                guard let space = try nextSpace(connection) else { return }
                _ = try LeftoverSpaces.sweep(space, Self.sweepRows, connection)
            }
        }
        return true
    }

    private func nextSpace(_ connection: DatabaseConnection) throws(SQLiteError) -> UInt32? {
        let needed = try FormerTable.neededSpaces(connection)
        return try LeftoverSpaces.all(connection).first { !needed.contains($0) && !parts.filling.contains($0) }
    }
}

// MARK: - The change stream

extension FormerTables {
    /// Lets some changes of former tables go from the stream, unless somebody needs them still: a row without content
    /// stays of each, so that the stream has no gap.
    ///
    /// - Returns: whether there may be more.
    private func releaseSome() throws(TableError) -> Bool {
        for former in try FormerTable.all(parts) {
            let end = releasableEnd(of: former)
            guard former.releasedSequence < end else { continue }
            try release(former, end: end)
            return true
        }
        return false
    }

    /// Whether changes are to be let go that somebody still needs.
    private func isMoreToRelease() throws(TableError) -> Bool {
        try FormerTable.all(parts).contains { !$0.isReleased }
    }

    /// The last change that may be let go of those that a table has in the stream.
    private func releasableEnd(of former: FormerTable) -> Int64 {
        if former.life != nil, !former.isLogComplete { return 0 }
        return min(former.image.sequence, parts.retention.bound - 1)
    }

    private func release(_ former: FormerTable, end: Int64) throws(TableError) {
        try former.update(parts) { (noted, connection) throws(SQLiteError) in
            // What is older than the stream is gone already.
            let start = max(noted.releasedSequence, try ChangeJournal.start(connection) - 1)
            let last = min(end, start + Self.changesPerStep)
            if start < last {
                try ChangeJournal.release(connection, of: former.name, in: (start + 1)...last, parts.retention)
            }
            noted.releasedSequence = max(noted.releasedSequence, last)
        }
    }
}

// MARK: - Continuous backups

extension FormerTables {
    /// Removes the continuous backups that have had their time.
    ///
    /// - Parameter now: the time as far as things may be forgotten by it.
    func removeExpired(_ now: Int64) throws(TableError) {
        let history = parts.time.history
        for former in try FormerTable.all(parts) where former.life != nil {
            let expiresAt = history.inPresentTime(former.lifeExpiresAt, behind: former.image.sequence)
            if expiresAt <= now { try forgetLife(of: former) }
        }
    }

    /// Removes the continuous backups of former tables of a name.
    ///
    /// - Returns: whether there were any.
    func forgetLives(ofTable name: String) throws(TableError) -> Bool {
        let formers = try FormerTable.all(parts).filter { $0.name == name && $0.life != nil }
        for former in formers { try forgetLife(of: former) }
        return !formers.isEmpty
    }

    private func forgetLife(of former: FormerTable) throws(TableError) {
        guard let life = former.life else { return }
        try former.update(parts) { (noted, connection) throws(SQLiteError) in
            noted.life = nil
            try StoreFile.removeSetting(connection, LogInventory.setting(life))
        }
        try parts.vault.removeFolder(ContinuousLog.folder(life))
        settle()
    }
}
