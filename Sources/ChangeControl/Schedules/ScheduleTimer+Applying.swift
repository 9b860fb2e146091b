import Access
import DynamoModel
import FlagCore
import FlagStore

extension ScheduleTimer {
    /// Does what was decided about one. Blocks until it is durable.
    ///
    /// Each is done once: that it was applied is stored in the transaction of the change. What takes several
    /// transactions is first stored as begun, and after a stop applied again, which does the rest.
    func perform(_ decision: ScheduleAgenda.Decision) throws(Trouble) {
        switch decision {
        case .skip(let entry):
            guard let schedule = try find(entry) else { return }
            try end(
                schedule, .skipped,
                "it was due while nothing could be applied, for longer than "
                    + "\(surroundings.lateMilliseconds / 1_000) s (schedules.late)")
        case .apply(let entry):
            guard let schedule = try find(entry) else { return }
            try apply(schedule)
        }
    }

    /// The schedule as it is stored; nil when there is nothing to do any more, or not now.
    private func find(_ entry: ScheduleAgenda.Entry) throws(Trouble) -> Schedule? {
        do throws(ScheduleError) {
            let schedule = try surroundings.schedules.find(entry.id)
            guard !schedule.state.isEnded else {
                forget(entry.id, isDamaged: false)
                return nil
            }
            // Somebody has just given it another time, which is on its way here.
            return schedule.at == entry.at ? schedule : nil
        } catch {
            switch error {
            case .notFound: forget(entry.id, isDamaged: false)
            case .damaged: forget(entry.id, isDamaged: true)
            default: throw Trouble(nil, "\(error)")
            }
            return nil
        }
    }

    private func apply(_ schedule: Schedule) throws(Trouble) {
        let now = surroundings.now()
        let change = schedule.change
        guard let scope = leave(for: schedule, at: now) else {
            return try end(
                schedule, .refused,
                "\(change.author) may not \(change.operation.permissions.inWords) in \(change.environment.rawValue) "
                    + "any more")
        }
        // What was begun is not left half done.
        if schedule.state == .waiting, let obstacle = surroundings.obstacle(change, now) {
            return try end(schedule, .refused, obstacle)
        }
        if change.operation.kind.isOneTransaction {
            try applyTogether(schedule, in: scope)
        } else {
            try applyInSteps(schedule, in: scope)
        }
    }

    /// The leave of whoever scheduled it, as they are now; nil when they may not any more.
    private func leave(for schedule: Schedule, at now: Timestamp) -> WriteScope? {
        let change = schedule.change
        guard let caller = surroundings.caller(change.author, now), caller.mayReach(change.operation) else {
            return nil
        }
        if let source = change.operation.readEnvironment, caller.readScope(in: source) == nil { return nil }
        var circumstances = change.author.circumstances ?? ChangeCircumstances()
        circumstances.reason = schedule.reason
        circumstances.cause = "schedule \(schedule.id)"
        return caller.writeScope(change.operation.permissions, in: change.environment, at: now, circumstances)
    }

    /// Applies what is one transaction, which says as well that it is applied.
    private func applyTogether(_ schedule: Schedule, in scope: WriteScope) throws(Trouble) {
        let applied = schedule.ended(.applied, at: scope.instant)
        let companion = surroundings.schedules.replacement(of: schedule, by: applied)
        let repository = surroundings.repository.accompanied(by: [companion])
        do throws(FlagStoreError) {
            try repository.applyAndWait(schedule.change.operation, in: scope, listed: surroundings.listed)
        } catch {
            return try conclude(schedule, error)
        }
        note(applied)
    }

    /// Applies what takes several transactions.
    private func applyInSteps(_ schedule: Schedule, in scope: WriteScope) throws(Trouble) {
        let isResumed = schedule.state == .applying
        guard let current = isResumed ? schedule : try begin(schedule, in: scope) else { return }
        var operation = schedule.change.operation
        do throws(FlagStoreError) {
            if isResumed { operation.expectedVersion = try versionAfterStop(operation, in: scope) }
            try surroundings.repository.applyAndWait(operation, in: scope, listed: surroundings.listed)
        } catch {
            // It was deleted before the stop, and that alone was not noted.
            guard isResumed, operation.kind.removes, case .notFound = error else { return try conclude(current, error) }
        }
        try end(current, .applied, nil)
    }

    /// Stores that a schedule is begun, if it can be applied as things are.
    ///
    /// - Returns: nil when it is not begun.
    private func begin(_ schedule: Schedule, in scope: WriteScope) throws(Trouble) -> Schedule? {
        do throws(FlagStoreError) {
            _ = try surroundings.repository.check(schedule.change.operation, in: scope, listed: surroundings.listed)
        } catch {
            try conclude(schedule, error)
            return nil
        }
        return try replace(schedule, by: schedule.begun())
    }

    /// The version that the flag or segment of an operation must have that was begun before: the begin itself may have
    /// raised it, once.
    private func versionAfterStop(
        _ operation: FlagOperation, in scope: WriteScope
    ) throws(FlagStoreError) -> Int64? {
        guard let expected = operation.expectedVersion else { return nil }
        let current = try surroundings.repository.reader(for: scope.reading).version(of: operation.subject)
        return current == expected + 1 ? current : expected
    }

    /// What becomes of a schedule that could not be applied.
    private func conclude(_ schedule: Schedule, _ error: FlagStoreError) throws(Trouble) {
        switch error {
        case .unavailable, .conflict, .stopped: throw Trouble(schedule, "\(error)")
        // It was changed, or taken back, at the same moment: the next turn sees how it is now.
        case .overtaken: return
        case .versionMismatch(let thing, _, _):
            try end(schedule, .refused, "the \(thing) was changed after this was scheduled")
        default: try end(schedule, .refused, "\(error)")
        }
    }

    private func end(_ schedule: Schedule, _ state: Schedule.State, _ detail: String?) throws(Trouble) {
        let ended = schedule.ended(state, at: surroundings.now(), because: detail)
        if try replace(schedule, by: ended) != nil { note(ended) }
    }

    /// Stores the next version of a schedule.
    ///
    /// - Returns: nil when somebody else has changed it at the same moment.
    private func replace(_ old: Schedule, by new: Schedule) throws(Trouble) -> Schedule? {
        do throws(ScheduleError) {
            try surroundings.schedules.replace(old, by: new, as: Principal(.server, "schedules"))
            return new
        } catch {
            if case .overtaken = error { return nil }
            throw Trouble(old, "\(error)")
        }
    }
}

extension Caller {
    /// Whether an operation is about what somebody may reach who may be bound to one tenant.
    package func mayReach(_ operation: FlagOperation) -> Bool {
        tenant == nil || (operation.kind.isOfTenant && operation.tenant == tenant)
    }
}
