import Access
import Dispatch
import DynamoModel
import FlagCore
import FlagStore
import Platform

/// Applies schedules when their time has come: in the process that owns the store, one after the other, in the order of
/// their times, each once.
///
/// It waits by the monotonic clock, never for longer than half a second while something waits, and looks at the wall
/// clock then: one that is set makes nobody wait. It follows the schedules by the change stream.
package final class ScheduleTimer: Sendable {
    /// What it works with.
    package struct Surroundings: Sendable {
        let schedules: ScheduleStore
        let repository: FlagRepository
        /// Which keys a segment lists.
        let listed: FlagRepository.ListedKeys
        /// Who somebody is now who scheduled something; nil for one who may nothing any more.
        let caller: @Sendable (Principal, Timestamp) -> Caller?
        /// Why a change must not be made now; nil where nothing keeps it.
        package var obstacle: @Sendable (PlannedChange, Timestamp) -> String? = { _, _ in nil }
        /// For how long a schedule may be overdue and still be applied, in milliseconds.
        package var lateMilliseconds: Int64 = 3_600_000
        /// The wall clock.
        package var now: @Sendable () -> Timestamp
        /// A clock that nobody sets and that goes on while the machine sleeps, in milliseconds.
        package var clock: @Sendable () -> Int64 = { SystemClock.bootMilliseconds }
        /// How it waits, and for how long where something fails.
        package var timing = FollowerTiming()
        /// Told of what an operator should know.
        package var report: @Sendable (ScheduleEvent) -> Void = { _ in }

        /// The parts that every timer needs.
        package init(
            _ schedules: ScheduleStore, _ repository: FlagRepository,
            listed: @escaping FlagRepository.ListedKeys,
            caller: @escaping @Sendable (Principal, Timestamp) -> Caller?,
            now: @escaping @Sendable () -> Timestamp
        ) {
            self.schedules = schedules
            self.repository = repository
            self.listed = listed
            self.caller = caller
            self.now = now
        }
    }

    private struct State {
        var agenda: ScheduleAgenda
        /// What has changed before the schedules were read; nil once they were.
        var early: [(id: String, entry: ScheduleAgenda.Entry?)]? = []
        /// Where some have ended that may be too many, or too old, to be kept with the others.
        var unswept = Set(Environment.allCases)
        /// Whether a turn is to come soon.
        var isWoken = false
        /// Which of those that wait is to go on: the last.
        var wait = 0
        /// How often something failed, one time after the other.
        var failures = 0
        var isStopped = false
        var statistics = ScheduleStatistics()
    }

    let surroundings: Surroundings
    private let state: Locked<State>
    /// Where everything is done, one thing after the other.
    let queue = DispatchQueue(label: "flag-server.schedules")

    /// A timer that has not begun.
    package init(_ surroundings: Surroundings) {
        self.surroundings = surroundings
        state = Locked(State(agenda: ScheduleAgenda(lateMilliseconds: surroundings.lateMilliseconds)))
    }

    /// Begins, as long as this is kept: reads what waits, and applies what is due. Returns at once.
    package func start() {
        surroundings.schedules.store.subscribe { [weak self] changes in self?.take(changes) }
        queue.async { [weak self] in self?.turn() }
    }

    /// Applies nothing any more once this returns. What is being applied is done first.
    package func stop() {
        state.withLock { $0.isStopped = true }
        queue.sync {}
    }

    /// What it has done, and has to do.
    package var statistics: ScheduleStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.waiting = state.agenda.count
            statistics.next = state.agenda.next
            return statistics
        }
    }

    /// On the writer's queue, before a change is answered.
    private func take(_ changes: [TableChange]) {
        let news = changes.compactMap(ScheduleTimer.news)
        guard !news.isEmpty else { return }
        let wakes = state.withLock { state in
            for (environment, _, entry) in news where entry == nil { state.unswept.insert(environment) }
            guard state.early == nil else {
                state.early?.append(contentsOf: news.map { ($0.id, $0.entry) })
                return false
            }
            for (_, id, entry) in news { state.agenda.set(id, entry) }
            defer { state.isWoken = true }
            return !state.isWoken
        }
        if wakes { queue.async { [weak self] in self?.turn() } }
    }

    private static func news(
        of change: TableChange
    ) -> (environment: Environment, id: String, entry: ScheduleAgenda.Entry?)? {
        guard change.table == ChangeControlTable.name, let partition = change.key.partition.stringValue,
            let id = change.key.sort?.stringValue,
            let environment = Environment.allCases.first(where: { ChangeControlTable.schedules($0) == partition })
        else { return nil }
        return (environment, id, change.newItem.flatMap { ScheduleAgenda.Entry(item: $0) })
    }

    // MARK: - Turns

    /// Does what is due, and sees to it that it is called again.
    private func turn() {
        state.withLock { $0.isWoken = false }
        do throws(Trouble) {
            try load()
            let decisions = state.withLock { state in
                state.agenda.look(at: surroundings.now(), surroundings.clock())
            }
            for decision in decisions {
                if state.withLock({ $0.isStopped }) { return }
                try perform(decision)
            }
        } catch {
            return wait(afterFailure: error)
        }
        sweep()
        let pause = state.withLock { state in
            state.failures = 0
            return state.isStopped ? nil : state.agenda.pause(at: surroundings.now())
        }
        if let pause { wait(pause) }
    }

    /// Reads what there is to do, once.
    private func load() throws(Trouble) {
        guard state.withLock({ $0.early != nil }) else { return }
        do throws(ScheduleError) {
            let entries = try surroundings.schedules.agenda()
            state.withLock { state in
                for entry in entries { state.agenda.set(entry.id, entry) }
                // What has changed meanwhile is newer than what was read.
                for (id, entry) in state.early ?? [] { state.agenda.set(id, entry) }
                state.early = nil
            }
        } catch { throw Trouble(nil, "\(error)") }
    }

    /// Lets go of some that have ended: once for all that a turn has done.
    private func sweep() {
        let unswept = state.withLock { state in
            defer { state.unswept = [] }
            return state.unswept
        }
        for environment in unswept { surroundings.schedules.sweep(environment, at: surroundings.now()) }
    }

    private func wait(_ milliseconds: Int) {
        let number = state.withLock { state in
            state.wait += 1
            return state.wait
        }
        surroundings.timing.delay.call(milliseconds, queue) { [weak self] in
            guard let self, state.withLock({ $0.wait == number }) else { return }
            turn()
        }
    }

    private func wait(afterFailure trouble: Trouble) {
        let failures = state.withLock { state in
            state.failures += 1
            state.statistics.retries += 1
            return state.failures
        }
        // Told less and less often: at the first time, the second, the fourth …
        if failures & (failures - 1) == 0 {
            surroundings.report(
                trouble.schedule.map { .retried($0, reason: trouble.reason, failures: failures) }
                    ?? .unreadable(reason: trouble.reason, failures: failures))
        }
        wait(surroundings.timing.pause(afterFailures: failures))
    }

    // MARK: - For what is done

    /// Notes that one has ended, and tells of it.
    func note(_ ended: Schedule) {
        state.withLock { $0.statistics.count(ended) }
        surroundings.report(.ended(ended))
    }

    /// Lets go of one for which there is nothing to do; of one that cannot be read, it is told.
    func forget(_ id: String, isDamaged: Bool) {
        state.withLock { state in
            state.agenda.set(id, nil)
            if isDamaged { state.statistics.damaged += 1 }
        }
        if isDamaged { surroundings.report(.damaged(id: id)) }
    }

    /// Something that cannot be done now and is tried again.
    struct Trouble: Error {
        /// What it is about; nil for all.
        let schedule: Schedule?
        let reason: String

        init(_ schedule: Schedule?, _ reason: String) {
            self.schedule = schedule
            self.reason = reason
        }
    }
}
