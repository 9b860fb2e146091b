import DynamoModel
import TableEngine
import Testing

@testable import FlagServer
@testable import Telemetry

@Suite("Metrics of who follows the changes")
struct FollowerMetricsTests {
    @Test("Each has its lag, what waits and its failures, by its name")
    func families() throws {
        let store = try SQLiteTableStore.open(.memory)
        defer { store.close() }
        store.attach(FollowerProgress("audit"))
        var text = MetricsText()
        store.writeMetrics(to: &text)
        let lines = String(decoding: text.bytes, as: UTF8.self).split(separator: "\n")
        for follower in ["audit", "continuous-backups"] {
            #expect(lines.contains("flag_server_follower_lag_seconds{follower=\"\(follower)\"} 0.0"))
            #expect(lines.contains("flag_server_follower_pending_changes{follower=\"\(follower)\"} 0"))
            #expect(lines.contains("flag_server_follower_failures_total{follower=\"\(follower)\"} 0"))
        }
        for family in ["lag_seconds gauge", "pending_changes gauge", "failures_total counter"] {
            #expect(lines.count { $0 == "# TYPE flag_server_follower_\(family)" } == 1)
        }
    }
}
