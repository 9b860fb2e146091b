import ChangeControl
import Logging

extension Logger {
    /// Tells of what has become of a schedule.
    func report(_ event: ScheduleEvent) {
        switch event {
        case .ended(let schedule): report(ended: schedule)
        case .retried(let schedule, let reason, let failures):
            warning(
                "a schedule cannot be applied now, and is tried again",
                metadata: metadata(of: schedule).merging(
                    ["reason": "\(reason)", "failures": .stringConvertible(failures)]) { $1 })
        case .damaged(let id):
            error(
                "what is stored of a schedule cannot be read: it stays as it is, and is not applied",
                metadata: ["schedule": "\(id)"])
        case .unreadable(let reason, let failures):
            error(
                "the schedules cannot be read: none is applied until they can",
                metadata: ["reason": "\(reason)", "failures": .stringConvertible(failures)])
        }
    }

    private func report(ended schedule: Schedule) {
        var metadata = metadata(of: schedule)
        if let detail = schedule.end?.detail { metadata["reason"] = "\(detail)" }
        switch schedule.state {
        case .applied where schedule.isLate: notice("schedule applied late", metadata: metadata)
        case .applied: info("schedule applied", metadata: metadata)
        case .skipped: warning("schedule skipped", metadata: metadata)
        default: warning("schedule refused", metadata: metadata)
        }
    }

    private func metadata(of schedule: Schedule) -> Metadata {
        [
            "schedule": "\(schedule.id)", "at": "\(schedule.at)", "change": "\(schedule.summary)",
            "author": "\(schedule.change.author)",
        ]
    }
}
