import Access
import FlagCache
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON
import Telemetry

/// Whether the server serves, and what that consists of.
struct Health: Sendable {
    /// The program's version.
    let version: String
    /// When the server began.
    let startedAt: Timestamp
    /// Whether the process is warm, drains, and can write.
    let readiness: Readiness
    /// What is known of the store.
    let feed: CacheFeed
    /// The wall clock.
    let now: @Sendable () -> Timestamp
    /// Says what is wrong with continuous backups; nil when nothing is.
    let backupComplaint: @Sendable () -> StaticString?
    /// What is left of the disk space for kill switches; nil while nothing of it was needed.
    let reserveComplaint: @Sendable () -> String?

    /// Whether requests should be sent here, and what that consists of.
    ///
    /// - Parameter isDetailed: whether more is told than strangers need, who send requests here or not.
    func report(isDetailed: Bool = true) -> (isReady: Bool, body: [UInt8]) {
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
        guard isDetailed else {
            writer.endObject()
            return (isReady, writer.bytes)
        }
        writer.member("version", version)
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
        let dependencies = FlagCore.Environment.allCases.compactMap { environment in
            on[environment].flatMap { $0.isEmpty ? nil : "\($0.inWords) of \(environment.rawValue)" }
        }
        return dependencies.isEmpty ? nil : "on, and take away " + dependencies.joined(separator: ", ")
    }
}

extension LoopHandler {
    /// `GET /health/live`
    func reportLife(_ route: Route, _ exchange: inout Exchange) {
        counter.count(route.label, 200, exchange)
        exchange.respond(.ok, contentType: "application/json", text: "{\"status\":\"ok\"}")
    }

    /// `GET /health` and `GET /health/ready`
    func reportHealth(_ route: Route, to caller: Caller, _ exchange: inout Exchange) {
        let (isReady, body) = dependencies.health.report(isDetailed: !caller.anywhere.isEmpty)
        let status: HTTPStatus = isReady ? .ok : .serviceUnavailable
        counter.count(route.label, status.code, exchange)
        exchange.respond(status, contentType: "application/json", body: body) { fields in
            if !isReady { fields.add("Retry-After", "1") }
        }
    }

    /// `GET /openapi.json`
    func describeRoutes(_ route: Route, _ exchange: inout Exchange) {
        counter.count(route.label, 200, exchange)
        exchange.respond(.ok, contentType: "application/json", body: dependencies.document.text)
    }
}
