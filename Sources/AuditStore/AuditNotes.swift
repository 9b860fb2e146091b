import Audit
import Dispatch
import DynamoModel
import FlagCore
import JSON
import Platform

/// Entries of what is no change of an item, on their way into the log. Noting one never blocks; how much waits is
/// bounded, and what there was no room for is counted and told.
final class AuditNotes: Sendable {
    private struct State {
        var waiting: [Note] = []
        var bytes = 0
        var lost = 0
        /// The same, of those that were told, too.
        var allLost: UInt64 = 0
        var isScheduled = false
        var failures = 0
        var tally = AuditTally()
        var isTallyScheduled = false
    }

    private struct Note {
        let entry: AuditEntry
        let bytes: Int
        let done: (@Sendable () -> Void)?
    }

    private let log: AuditLog
    private let state = Locked(State())

    /// Bytes of entries that wait at most.
    private static let bytesMaximum = 4 << 20
    /// What an entry takes beside its texts, about.
    private static let entryBytes = 512
    /// For how long entries that nobody waits for are gathered.
    private static let gatherMilliseconds = 200
    /// How many are stored together.
    private static let together = 1_000
    private static let retryMilliseconds = 1_000
    private static let tallyMilliseconds = 60_000

    init(_ log: AuditLog) { self.log = log }

    /// How many entries there was no room for since the start.
    var lost: UInt64 { state.withLock { $0.allLost } }

    /// Notes an entry.
    ///
    /// - Parameter done: called when it is durable, or when that cannot be had now: then it is tried again later.
    func note(_ entry: AuditEntry, done: (@Sendable () -> Void)? = nil) {
        let bytes = entry.stored(as: 0).count + Self.entryBytes
        let isTaken = state.withLock { state in
            guard state.bytes + bytes <= Self.bytesMaximum else {
                state.lost += 1
                state.allLost += 1
                return false
            }
            state.waiting.append(Note(entry: entry, bytes: bytes, done: done))
            state.bytes += bytes
            return true
        }
        guard isTaken else {
            done?()
            return
        }
        if done != nil { log.queue.async { self.drain() } } else { schedule(in: Self.gatherMilliseconds) }
    }

    /// Counts something that is told once a minute for each principal and address.
    func tally(_ entry: AuditEntry) {
        let mustSchedule = state.withLock { state in
            state.tally.add(entry)
            defer { state.isTallyScheduled = true }
            return !state.isTallyScheduled
        }
        guard mustSchedule else { return }
        log.queue.asyncAfter(deadline: .now() + .milliseconds(Self.tallyMilliseconds)) { [weak self] in
            self?.tell()
        }
    }

    /// Makes entries of what was counted.
    private func tell() {
        let entries = state.withLock { state in
            state.isTallyScheduled = false
            return state.tally.take()
        }
        for entry in entries { note(entry) }
    }

    private func schedule(in milliseconds: Int) {
        let mustSchedule = state.withLock { state in
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        guard mustSchedule else { return }
        log.queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak self] in
            self?.state.withLock { $0.isScheduled = false }
            self?.drain()
        }
    }

    /// Stores what waits. On the queue; blocks until it is durable.
    ///
    /// - Parameter telling: whether what is being counted is told, too.
    func drain(telling: Bool = false) {
        if telling { tell() }
        while true {
            let (notes, lost) = state.withLock { state in (Array(state.waiting.prefix(Self.together)), state.lost) }
            if notes.isEmpty, lost == 0 { return }
            var entries = notes.map(\.entry)
            if lost > 0 { entries.append(AuditLog.entry(.loss, ["entries": .integer(lost)])) }
            do throws(TableError) {
                try log.open()
                try log.append(entries.map { AuditLog.Addition(entry: $0, position: nil) })
            } catch { return retry(notes.map(\.done)) }
            state.withLock { state in
                state.waiting.removeFirst(notes.count)
                state.lost -= lost
                state.failures = 0
                state.bytes -= notes.reduce(0) { $0 + $1.bytes }
            }
            for note in notes { note.done?() }
        }
    }

    /// Has it tried again; whoever waits is told now.
    private func retry(_ waiting: [(@Sendable () -> Void)?]) {
        let failures = state.withLock { state in
            state.waiting = state.waiting.map { Note(entry: $0.entry, bytes: $0.bytes, done: nil) }
            state.failures = min(state.failures + 1, 4)
            return state.failures
        }
        for done in waiting { done?() }
        schedule(in: Self.retryMilliseconds << (failures - 1))
    }
}
