import DynamoModel

/// Why something was not done with a schedule.
package enum ScheduleError: Error, Equatable {
    /// There is none of this name.
    case notFound(String)
    /// It has ended, or was begun: nothing can be changed any more.
    case ended(String, Schedule.State)
    /// Somebody else changed it at the same time, or it was applied.
    case overtaken(String)
    /// As many wait as may.
    case tooMany(Int)
    /// It has more bytes than may be kept of one.
    case tooLarge(bytes: Int, maximum: Int)
    /// The cursor is not one that the list handed out.
    case invalidCursor
    /// What is stored of it cannot be read.
    case damaged(String)
    /// The store could not read or write.
    case store(TableError)
}

extension ScheduleError: CustomStringConvertible {
    /// One sentence for people.
    package var description: String {
        switch self {
        case .notFound(let id): "There is no schedule \(id)"
        case .ended(let id, .applying): "The schedule \(id) is being applied"
        case .ended(let id, let state): "The schedule \(id) has ended: it was \(state.rawValue)"
        case .overtaken(let id): "The schedule \(id) was changed or applied at the same time"
        case .tooMany(let maximum): "\(maximum) schedules wait, and no more may"
        case .tooLarge(let bytes, let maximum):
            "The schedule has \(bytes) bytes as it is stored: at most \(maximum) are allowed"
        case .invalidCursor: "The cursor is not the nextCursor of a page of this list"
        case .damaged(let id): "What is stored of the schedule \(id) cannot be read"
        case .store(let error): "\(error)"
        }
    }
}
