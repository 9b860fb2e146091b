import FlagCache
import FlagCore
import FlagStore
import HTTPTransport
import JSON

extension LoopHandler {
    /// `GET /health/live`
    func reportLife(_ exchange: inout Exchange) {
        counters.raise(ServiceMetrics.request(.health, 200))
        exchange.respond(.ok, contentType: "application/json", text: "{\"status\":\"ok\"}")
    }

    /// `GET /health` and `GET /health/ready`
    func reportHealth(_ exchange: inout Exchange) {
        let (isReady, body) = service.health()
        let status: HTTPStatus = isReady ? .ok : .serviceUnavailable
        counters.raise(ServiceMetrics.request(.health, status.code))
        exchange.respond(status, contentType: "application/json", body: body) { fields in
            if !isReady { fields.add("Retry-After", "1") }
        }
    }

    /// `GET /openapi.json`
    func describeRoutes(_ exchange: inout Exchange) {
        counters.raise(ServiceMetrics.request(.openAPI, 200))
        exchange.respond(.ok, contentType: "application/json", body: service.openAPI)
    }
}

extension FlagService {
    /// Whether requests should be sent here, and what that consists of.
    func health() -> (isReady: Bool, body: [UInt8]) {
        let checks: [(name: StaticString, complaint: StaticString?)] = [
            ("cache", readiness.isWarm ? nil : "is being filled"),
            ("draining", readiness.isDraining ? "the server is about to stop" : nil),
            ("store", storeComplaint),
        ]
        let isReady = checks.allSatisfy { $0.complaint == nil }
        let canWrite = readiness.isWritable
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("status")
        writer.string(isReady ? canWrite ? StaticString("ok") : "degraded" : "unavailable")
        writer.member("version", settings.version)
        writer.member("startedAt", startedAt.rfc3339)
        writer.key("checks")
        writer.beginObject()
        for check in checks {
            writer.key(check.name)
            writer.string(check.complaint ?? "ok")
        }
        // Evaluations need no writes: a full disk must not take every server out of service.
        writer.key("writes")
        writer.string(canWrite ? StaticString("ok") : "fail, evaluations go on; the log says why")
        writer.key("reserve")
        writer.string(reserveComplaint() ?? "ok")
        // Nor do they need the past.
        writer.key("backups")
        writer.string(backupComplaint() ?? "ok")
        writer.key("killSwitches")
        writer.string(killSwitchComplaint ?? "ok")
        writer.endObject()
        writer.endObject()
        return (isReady, writer.bytes)
    }

    private var storeComplaint: StaticString? {
        let statistics = feed.statistics
        if !statistics.tableIsThere { return "the table of the flags is gone; what is known goes on being served" }
        return statistics.storeAnswers ? nil : "does not answer; what is known goes on being served"
    }

    /// What kill switches have taken away, by environment; nil when none is on. The server does as it should: this is
    /// for persons who wonder why.
    private var killSwitchComplaint: String? {
        let on = feed.killSwitches
        let parts = FlagCore.Environment.allCases.compactMap { environment in
            on[environment].flatMap { $0.isEmpty ? nil : "\($0.inWords) of \(environment.rawValue)" }
        }
        return parts.isEmpty ? nil : "on, and take away " + parts.joined(separator: ", ")
    }
}
