import ChangeControl
import HTTPRouting

extension Problem {
    /// What was not done with a schedule, for whoever asked.
    init(_ error: ScheduleError) {
        switch error {
        case .notFound(let id): self.init(.scheduleNotFound, "there is no schedule \(id)")
        case .ended: self.init(.scheduleEnded, "\(error): what is done can be changed, and another can be made")
        case .overtaken: self.init(.conflict, "\(error): read it again")
        case .tooMany: self.init(.tooManySchedules, "\(error): cancel some, or wait until some were applied")
        case .tooLarge: self.init(.contentTooLarge, "\(error); make the change in parts")
        case .invalidCursor:
            self = .invalidQuery([
                Field(
                    pointer: "?cursor",
                    detail: "is not the nextCursor of a page of this list; begin without a cursor")
            ])
        case .damaged: self.init(.invalidItem, "\(error): it stays as it is, and is not applied")
        case .store(let error): self.init(error)
        }
    }

    /// Nobody will be able to tell what whoever asks may when the time comes.
    static let cannotSchedule = Problem(
        .cannotSchedule,
        "what whoever sent this may is known by the token alone, and is looked at again when a schedule is applied: "
            + "schedule with an account or an API key of this server")
}
