import Access
import AccessStore
import ChangeControl
import DynamoModel
import FlagCore
import FlagStore
import HTTPRouting

extension Administration {
    /// The changes that are to be made at an instant.
    var schedules: ScheduleStore { ScheduleStore(store: repository.store) }

    /// Who somebody is now who asked for something earlier.
    var currentCallers: CurrentCallers {
        CurrentCallers(keys: keys, users: accounts.users, asksWhoCalls: authentication != nil)
    }

    /// What applies them, in the process that owns the store.
    package var scheduleSurroundings: ScheduleTimer.Surroundings {
        let callers = currentCallers
        var surroundings = ScheduleTimer.Surroundings(
            schedules, repository, listed: listedKeys, caller: { callers.caller($0, at: $1) }, now: now)
        surroundings.obstacle = { [gate] change, now in
            gate.obstacle(to: change.operation, in: change.environment, at: now)
        }
        return surroundings
    }

    /// Schedules what a draft wants. Blocks.
    ///
    /// - Parameters:
    ///   - scope: the leave of whoever wants it to do it now: looked at again when it is applied.
    ///   - pointer: where the operation's body lies in what was sent.
    /// - Returns: the schedule, and why it could not be applied as things are, where it is to be forced.
    /// - Throws: why it is not scheduled.
    func schedule(
        _ draft: ScheduleDraft, in scope: WriteScope, bodyAt pointer: String = ""
    ) throws(Problem) -> (schedule: Schedule, warning: String?) {
        guard currentCallers.caller(scope.principal, at: scope.instant) != nil else { throw .cannotSchedule }
        try admit(draft.operation, at: draft.at, in: scope)
        var operation = draft.operation
        if draft.onConflict == .force, operation.expectedVersion != nil {
            throw Problem(
                .invalidBody, "a version is expected, and onConflict is force: one of them has no meaning",
                fields: [.init(pointer: "/onConflict", detail: "must be refuse where a version is expected")])
        }
        let warning: String?
        do throws(FlagStoreError) {
            if draft.onConflict == .refuse, operation.expectedVersion == nil {
                operation.expectedVersion = try version(of: operation, in: scope)
            }
            _ = try repository.check(operation, in: scope, listed: listedKeys)
            warning = nil
        } catch {
            // What is missing may be there when its time comes: whoever forces it has said that they know.
            guard draft.onConflict == .force, error.mayBeOtherwiseLater else {
                throw Problem(error.moved(to: pointer), in: scope.environment)
            }
            warning = "as things are, it would be refused: \(error)"
        }
        let change = PlannedChange(operation, in: scope.environment, by: scope.principal, at: scope.instant)
        let schedule = Schedule(
            change, at: draft.at, onConflict: draft.onConflict, id: ChangeID.make(at: scope.instant))
        try onSchedules { () throws(ScheduleError) in try schedules.add(schedule, by: scope.principal) }
        return (schedule, warning)
    }

    /// The version that what an operation changes has now.
    private func version(of operation: FlagOperation, in scope: WriteScope) throws(FlagStoreError) -> Int64? {
        try repository.reader(for: scope.reading).version(of: operation.subject)
    }

    /// Gives a schedule other terms. Blocks.
    ///
    /// - Throws: why it keeps those that it has.
    func reschedule(_ schedule: Schedule, _ edit: ScheduleEdit, in scope: WriteScope) throws(Problem) -> Schedule {
        let onConflict = edit.onConflict ?? schedule.onConflict
        var operation = schedule.change.operation
        if onConflict == .force { operation.expectedVersion = nil }
        if onConflict == .refuse, schedule.onConflict == .force {
            do throws(FlagStoreError) { operation.expectedVersion = try version(of: operation, in: scope) } catch {
                throw Problem(error, in: scope.environment)
            }
        }
        var author = schedule.change.author
        if let reason = edit.reason {
            var circumstances = author.circumstances ?? .init()
            circumstances.reason = reason
            author = author.with(circumstances)
        }
        let change = PlannedChange(operation, in: scope.environment, by: author, at: schedule.change.plannedAt)
        let next = schedule.rescheduled(
            change, at: edit.at ?? schedule.at, onConflict: onConflict, by: scope.principal, now: scope.instant)
        try onSchedules { () throws(ScheduleError) in
            try schedules.replace(schedule, by: next, as: scope.principal)
        }
        return next
    }

    /// Does something with schedules; what goes wrong becomes a problem.
    func onSchedules<Value>(_ body: () throws(ScheduleError) -> Value) throws(Problem) -> Value {
        do throws(ScheduleError) { return try body() } catch { throw Problem(error) }
    }
}

extension FlagStoreError {
    /// The same of a body that lies elsewhere in what was sent.
    fileprivate func moved(to pointer: String) -> FlagStoreError {
        guard case .invalid(let issues) = self else { return self }
        return .invalid(issues.map { DefinitionIssue(pointer: pointer + $0.pointer, message: $0.message) })
    }

    /// Whether the same operation may be possible at another time.
    fileprivate var mayBeOtherwiseLater: Bool {
        switch self {
        case .notFound, .noFlagToKill, .alreadyExists, .segmentExists, .invalid, .required, .segmentUsed, .flagArchived,
            .flagNotArchived, .nothingToRestore, .nothingToPromote, .versionNotFound:
            true
        case .versionMismatch, .versionNotKept, .invalidCursor, .conflict, .overtaken, .stopped, .unavailable: false
        }
    }
}
