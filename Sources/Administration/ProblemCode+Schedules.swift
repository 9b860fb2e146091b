import HTTPRouting

extension ProblemCode {
    /// There is no such schedule.
    static let scheduleNotFound = ProblemCode("schedule_not_found", 404, "There is no such schedule")
    /// The schedule has ended.
    static let scheduleEnded = ProblemCode("schedule_ended", 409, "The schedule has ended")
    /// There are too many schedules.
    static let tooManySchedules = ProblemCode("too_many_schedules", 409, "There are too many schedules")
    /// Whoever asks cannot schedule anything.
    static let cannotSchedule = ProblemCode("cannot_schedule", 403, "Whoever asks cannot schedule anything")
}
