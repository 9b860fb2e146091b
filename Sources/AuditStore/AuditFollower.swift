import Audit
import DynamoModel
import JSON
import Platform

/// Makes records of the changes of a store: whoever makes them and whichever way, since the change stream has them all.
///
/// How far it has come is stored in the transaction that stores the records: after a crash it goes on there, so that
/// nothing is left out and nothing told twice.
final class AuditFollower: ChangeConsumer {
    private let log: AuditLog
    private let flagTables: Set<String>
    private let nameOf: @Sendable (Principal) -> String?
    private let recent: RecentChanges
    private let state = Locked(State())

    private struct State {
        var position = FollowerPosition.unknown
        /// Whether it is open how much of what was taken last is stored.
        var isUncertain = false
    }

    /// What it is called among those who follow the changes of a store.
    static let name = "audit"
    /// Changes that are looked at together.
    private static let batchMaximum = 2_000

    init(_ log: AuditLog, flagTables: Set<String>, nameOf: @escaping @Sendable (Principal) -> String?) {
        self.log = log
        self.flagTables = flagTables
        self.nameOf = nameOf
        recent = RecentChanges(of: log.store) { AuditedChanges.selected($0, flagTables: flagTables) }
    }

    var position: FollowerPosition { state.withLock { $0.position } }

    func concern(of changes: [TableChange]) -> Int { recent.add(changes) }

    func storedPosition() throws(TableError) -> Int64? {
        try log.open()
        return noteStored()
    }

    func beginTurn() throws(TableError) -> Int64? {
        guard state.withLock({ $0.isUncertain }) else { return nil }
        state.withLock { $0.isUncertain = false }
        guard let stored = noteStored() else { return nil }
        return max(stored, position.taken)
    }

    func batch(after position: Int64) throws(TableError) -> ChangeBatch<[TableChange]>? {
        try recent.batch(after: position, limit: Self.batchMaximum)
    }

    func take(_ batch: ChangeBatch<[TableChange]>, storing: Bool) throws(TableError) {
        var changes = AuditedChanges(flagTables: flagTables, nameOf: nameOf)
        for change in batch.content { changes.add(change) }
        changes.endRun()
        var additions = changes.additions
        if !storing { additions = additions.map { AuditLog.Addition(entry: $0.entry, position: nil) } }
        if storing || !additions.isEmpty {
            do throws(TableError) { try log.append(additions, upTo: storing ? batch.upTo : nil) } catch {
                state.withLock { $0.isUncertain = true }
                throw error
            }
        }
        noteStored()
        state.withLock { $0.position.taken = max($0.position.taken, batch.upTo) }
    }

    /// Nothing can be looked at again: what the stream has lost is told as a gap.
    func sweep(isCancelled: () -> Bool) throws(TableError) {}

    func store(_ position: Int64) throws(TableError) {
        guard let before = log.state?.position else { throw .closed }
        if position > before {
            let gap = AuditLog.entry(.gap, ["after": .integer(before), "upTo": .integer(position)])
            try log.append([AuditLog.Addition(entry: gap, position: position)])
        }
        noteStored()
    }

    /// Takes over what is stored.
    @discardableResult
    private func noteStored() -> Int64? {
        guard let stored = log.state?.position else { return nil }
        state.withLock { state in
            state.position.stored = stored
            state.position.taken = max(state.position.taken, stored)
        }
        return stored
    }
}
