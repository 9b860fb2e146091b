import FlagCore

/// Something that an operator should know of schedules.
package enum ScheduleEvent: Sendable {
    /// One has ended, in whichever way: `state` and `end` say how.
    case ended(Schedule)
    /// One could not be applied now, and is tried again: why, and for which time that is told.
    case retried(Schedule, reason: String, failures: Int)
    /// What is stored of one cannot be read: it stays as it is, and is not applied.
    case damaged(id: String)
    /// The schedules cannot be read: why. It is tried again; until then nothing is applied.
    case unreadable(reason: String, failures: Int)
}

/// What a timer of schedules has done since the start, and has still to do.
package struct ScheduleStatistics: Sendable, Equatable {
    /// Schedules that were applied, in time or late.
    package internal(set) var applied: UInt64 = 0
    /// Those of them that were late.
    package internal(set) var late: UInt64 = 0
    /// Schedules that could not be applied when their time came.
    package internal(set) var refused: UInt64 = 0
    /// Schedules whose time had passed too long ago.
    package internal(set) var skipped: UInt64 = 0
    /// How often something failed that was tried again.
    package internal(set) var retries: UInt64 = 0
    /// Schedules that cannot be read.
    package internal(set) var damaged: UInt64 = 0
    /// Schedules that wait or are being applied.
    package internal(set) var waiting = 0
    /// When the next is due; nil when none waits.
    package internal(set) var next: Timestamp?

    mutating func count(_ schedule: Schedule) {
        switch schedule.state {
        case .applied:
            applied += 1
            if schedule.isLate { late += 1 }
        case .refused: refused += 1
        case .skipped: skipped += 1
        case .waiting, .applying, .cancelled: break
        }
    }
}
