import ChangeControl
import FlagCore
import Telemetry

extension MetricsPage {
    /// What was and is to be applied at an instant.
    func writeSchedules(to text: inout MetricsText) {
        let schedules = schedules.statistics
        text.family("flag_server_schedules_waiting", .gauge, "Schedules that wait or are being applied.")
        text.sample(UInt64(schedules.waiting))
        text.family(
            "flag_server_schedule_next_seconds", .gauge,
            "Seconds until the next schedule is due; negative while one cannot be applied.")
        if let next = schedules.next {
            text.sample(
                fraction: Double(next.millisecondsSinceEpoch - health.now().millisecondsSinceEpoch) / 1_000)
        }
        text.family("flag_server_schedules_total", .counter, "Schedules that have come to their end, by how.")
        text.sample(schedules.applied - schedules.late, ["result": "applied"])
        text.sample(schedules.late, ["result": "late"])
        text.sample(schedules.refused, ["result": "refused"])
        text.sample(schedules.skipped, ["result": "skipped"])
        text.sample(schedules.damaged, ["result": "damaged"])
        text.family(
            "flag_server_schedule_retries_total", .counter, "Schedules that could not be applied and were tried again.")
        text.sample(schedules.retries)
    }
}
