import FlagCore
import FlagStore
import JSON
import Platform

/// The long work that is under way in this process: imports, backups, restores. It is looked at and cancelled from
/// here, and stops when the process is to end or when nobody waits for it any more.
package final class WorkList: Sendable {
    /// One piece of work.
    package struct Entry: Sendable {
        /// What it is cancelled by. Random, so that what was listed before a restart means nothing after it.
        let id: String
        /// What is done, `import into staging` for example.
        package let what: String
        /// Who has it done.
        package let client: String
        package let startedAt: Timestamp
        package let progress: WorkProgress
    }

    /// How a piece of work ended.
    package enum Outcome: Sendable {
        case done
        /// It was told to stop.
        case stopped(WorkStopped)
        /// It could not be done: why.
        case failed(String)
    }

    private struct State {
        var entries: [Entry] = []
        var isStopping = false
    }

    private let state = Locked(State())
    private let now: @Sendable () -> Timestamp
    private let report: @Sendable (Entry, Outcome) -> Void

    /// A list without entries.
    ///
    /// - Parameters:
    ///   - now: the wall clock.
    ///   - report: told of each piece of work that has ended, on the thread that did it.
    package init(
        now: @escaping @Sendable () -> Timestamp = { .systemClock },
        report: @escaping @Sendable (Entry, Outcome) -> Void = { _, _ in }
    ) {
        self.now = now
        self.report = report
    }

    /// What is under way, the oldest first.
    package var entries: [Entry] { state.withLock { $0.entries } }

    /// Does a piece of work, which is listed meanwhile. Blocks as long as it takes.
    ///
    /// - Parameter work: is to ask its progress at each point where it may stop.
    /// - Throws: what the work throws; `FlagStoreError.stopped` when it failed because it was told to stop.
    package func run<Result>(_ what: String, for client: WorkClient, _ work: (WorkProgress) throws -> Result) throws
        -> Result
    {
        let entry = begin(what, for: client)
        do {
            try entry.progress.check()
            let result = try work(entry.progress)
            end(entry, .done)
            return result
        } catch FlagStoreError.stopped(let stopped) {
            end(entry, .stopped(stopped))
            throw FlagStoreError.stopped(stopped)
        } catch {
            end(entry, .failed("\(error)"))
            throw error
        }
    }

    /// Lists a piece of work that is done elsewhere, until `end` is told how it ended.
    package func begin(_ what: String, for client: WorkClient) -> Entry {
        let entry = Entry(
            id: String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16), what: what, client: client.name,
            startedAt: now(), progress: WorkProgress(isAbandoned: client.hasLeft))
        state.withLock { state in
            state.entries.append(entry)
            if state.isStopping { entry.progress.stop(.serverStops) }
        }
        client.follow?({ entry.json })
        return entry
    }

    /// A piece of work that was begun has ended.
    package func end(_ entry: Entry, _ outcome: Outcome) {
        state.withLock { $0.entries.removeAll { $0.id == entry.id } }
        report(entry, outcome)
    }

    /// Has a piece of work stop at its next step.
    ///
    /// - Returns: the work; nil when there is none of that identifier.
    package func cancel(_ id: String, by name: String) -> Entry? {
        let entry = entries.first { $0.id == id }
        entry?.progress.stop(.cancelled(by: name))
        return entry
    }

    /// Has all work stop at its next step, and what is begun from now on at once.
    package func stop() {
        state.withLock { state in
            state.isStopping = true
            for entry in state.entries { entry.progress.stop(.serverStops) }
        }
    }
}

extension WorkList.Entry {
    /// The work as it is shown.
    package var json: JSONValue {
        let (done, total) = progress.counts
        return [
            "id": .string(id), "what": .string(what), "by": .string(client), "startedAt": .string(startedAt.rfc3339),
            "done": .integer(Int64(done)), "total": total > 0 ? .integer(Int64(total)) : .null,
            "stopping": .bool(progress.stopReason != nil),
        ]
    }
}

extension WorkList {
    /// The list as it is shown.
    package var json: JSONValue { ["work": .array(entries.map(\.json))] }

    /// Why nothing was cancelled.
    package static func unknown(_ id: String) -> String {
        "there is no work \(id) under way: it has ended, or the server has been started again"
    }
}
