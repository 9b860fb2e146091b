import Access
import AccessStore
import ChangeControl
import Dispatch
import FlagCache
import FlagCore
import FlagStore
import Glibc
import HTTPRouting
import HTTPTransport
import Platform
import Telemetry

extension MetricsText.Format {
    /// The one that a client wants, by its field `Accept`: OpenMetrics where it names that, and wants it no less than
    /// plain text.
    init(accept: String?) {
        let types = AcceptedTypes(accept)
        let weight = types.weight(named: "application/openmetrics-text") ?? 0
        self = weight > 0 && weight >= types.weight(of: "text/plain") ? .openMetrics : .prometheus
    }
}

/// What `GET /metrics` shows.
struct MetricsPage: Sendable {
    let metrics: ServerMetrics
    let health: Health
    let feed: CacheFeed
    let follower: FlagTableFollower
    let repository: FlagRepository
    let workers: WorkerPool
    let server: HTTPServer<LoopHandler.Message>
    /// The keys that callers come in by; nil where nobody is asked for one.
    let keys: KeyStore?
    /// What applies schedules.
    let schedules: ScheduleTimer
    /// The name of the profile.
    let profile: String
    /// Writes metrics that are counted elsewhere.
    let moreMetrics: @Sendable (inout MetricsText) -> Void

    /// The response. Blocks shortly while the loops publish what they count for themselves; a loop that does not get to
    /// it in time is shown as it was last.
    ///
    /// - Parameter accept: which formats the client takes.
    func response(accept: String?) -> HTTPResponse {
        let published = DispatchGroup()
        for loop in 0..<metrics.loops.count {
            published.enter()
            server.send(.publish { published.leave() }, toLoop: loop)
        }
        _ = published.wait(timeout: .now() + .milliseconds(250))
        var text = MetricsText(MetricsText.Format(accept: accept))
        writeProcess(to: &text)
        metrics.write(to: &text)
        writeFlags(to: &text)
        writeKillSwitches(to: &text)
        writeKeys(to: &text)
        writeFeed(to: &text)
        writeFollower(to: &text)
        writeSchedules(to: &text)
        writeTransport(to: &text)
        writeAccepting(to: &text)
        writeCertificate(to: &text)
        moreMetrics(&text)
        text.end()
        return HTTPResponse(
            status: .ok, fields: [("Vary", "Accept")], contentType: text.contentType, body: text.bytes)
    }

    private func writeProcess(to text: inout MetricsText) {
        text.family("flag_server_build_info", .gauge, "The program; always 1.")
        text.sample(1 as UInt64, ["version": health.version, "profile": profile])
        text.family("flag_server_ready", .gauge, "Whether /health/ready answers 200.")
        text.sample(health.report().isReady ? 1 : 0 as UInt64)
        text.family("flag_server_start_time_seconds", .gauge, "When the server began, in seconds since 1970.")
        text.sample(fraction: Double(health.startedAt.millisecondsSinceEpoch) / 1_000)
        text.family("flag_server_uptime_seconds", .gauge, "For how long the server has run.")
        text.sample(
            fraction: Double(health.now().millisecondsSinceEpoch - health.startedAt.millisecondsSinceEpoch) / 1_000)
        writeFigures(to: &text)
        text.family("flag_server_worker_jobs", .gauge, "Work on the store that waits or is being done.")
        text.sample(UInt64(max(0, workers.jobCount)))
    }

    /// What every process tells of itself, by the names that Prometheus's own clients have for it.
    private func writeFigures(to text: inout MetricsText) {
        guard let figures = ProcessFigures() else { return }
        text.family("process_resident_memory_bytes", .gauge, "Memory that the process holds.")
        text.sample(figures.residentBytes)
        text.family("process_virtual_memory_bytes", .gauge, "Addresses that the process has mapped.")
        text.sample(figures.virtualBytes)
        text.family("process_cpu_seconds_total", .counter, "Processor time that the process took.")
        text.sample(fraction: figures.processorSeconds)
        text.family("process_threads", .gauge, "Threads of the process.")
        text.sample(figures.threads)
        text.family("process_open_fds", .gauge, "Descriptors that are open.")
        text.sample(figures.descriptors.open)
        text.family("process_max_fds", .gauge, "Descriptors that may be open at most.")
        text.sample(figures.descriptors.maximum)
        text.family("process_start_time_seconds", .gauge, "When the process began, in seconds since 1970.")
        text.sample(fraction: Double(health.startedAt.millisecondsSinceEpoch) / 1_000)
    }

    private func stored(_ environment: FlagCore.Environment) -> FlagReader {
        repository.reader(for: .server("metrics", in: environment))
    }

    /// What there is to clean up. Left out where the store does not answer: a gauge has no way to say so.
    private func writeFlags(to text: inout MetricsText) {
        text.family("flag_server_flags_stale", .gauge, "Flags past their expiresAt, which somebody should clean up.")
        let now = health.now()
        for environment in FlagCore.Environment.allCases {
            guard let count = try? stored(environment).staleFlagCount(at: now) else { continue }
            text.sample(UInt64(count), ["environment": environment.rawValue])
        }
    }

    /// What somebody has taken away, which must not be forgotten. The kill switches are told from memory, as they are
    /// in force; the flags, for whose number the store is asked, are left out where it does not answer.
    private func writeKillSwitches(to text: inout MetricsText) {
        let on = feed.killSwitches
        text.family("flag_server_kill_switches", .gauge, "Kill switches that are on: of all flags, or of one.")
        for environment in FlagCore.Environment.allCases {
            let isGlobal = on[environment]?.isGlobal ?? false
            text.sample(isGlobal ? 1 : 0 as UInt64, ["environment": environment.rawValue, "scope": "global"])
            let flags = UInt64(on[environment]?.flagKeys.count ?? 0)
            text.sample(flags, ["environment": environment.rawValue, "scope": "flag"])
        }
        text.family("flag_server_killed_flags", .gauge, "Flags that kill switches take away.")
        for environment in FlagCore.Environment.allCases {
            let killSwitches = on[environment] ?? DecodedKillSwitches()
            guard let count = try? stored(environment).killedFlagCount(by: killSwitches) else { continue }
            text.sample(UInt64(count), ["environment": environment.rawValue])
        }
    }

    /// The ends of keys that are near: those that are far are nobody's worry, and there may be many.
    private func writeKeys(to text: inout MetricsText) {
        text.family(
            "flag_server_key_expires_timestamp_seconds", .gauge,
            "When API keys end that end within 14 days, in seconds since 1970.")
        guard let keys else { return }
        for key in keys.ring.endingSoon(at: health.now()) {
            guard let end = key.expiresAt else { continue }
            text.sample(fraction: Double(end.millisecondsSinceEpoch) / 1_000, ["selector": key.selector])
        }
    }

    private func writeFeed(to text: inout MetricsText) {
        let feed = feed.statistics
        text.family("flag_server_cache_loads_total", .counter, "Loads from the store, by how they ended.")
        text.sample(feed.loads, ["result": "loaded"])
        text.sample(feed.failures, ["result": "failed"])
        text.family("flag_server_cache_loads_under_way", .gauge, "Loads from the store that are under way.")
        text.sample(UInt64(feed.loadsUnderWay))
        text.family("flag_server_store_changes_total", .counter, "Changes of flags, overrides and kill switches.")
        text.sample(feed.changes)
        text.family("flag_server_invalid_items_total", .counter, "Items that were no valid flag or override.")
        text.sample(feed.invalidItems)
        text.family("flag_server_store_answers", .gauge, "Whether the store answered when it was last asked.")
        text.sample(feed.storeAnswers ? 1 : 0 as UInt64)
        text.family("flag_server_store_writable", .gauge, "Whether writes reach the store.")
        text.sample(health.readiness.isWritable ? 1 : 0 as UInt64)
        text.family("flag_server_tenants_with_overrides", .gauge, "Tenants that have, or had, overrides.")
        text.sample(UInt64(feed.tenants))
    }

    private func writeFollower(to text: inout MetricsText) {
        let follower = follower.statistics
        text.family(
            "flag_server_items_corrected_total", .counter,
            "Items that somebody wrote by hand and whose derived attributes were corrected.")
        text.sample(follower.corrected)
        text.family(
            "flag_server_history_entries_total", .counter, "Entries written into the histories of flags and segments.")
        text.sample(follower.entries)
        text.family(
            "flag_server_flags_in_last_valid_form", .gauge,
            "Flags whose item is not valid and that are served as they were when it last was.")
        text.sample(UInt64(follower.held))
        text.family(
            "flag_server_overrides_in_last_valid_form", .gauge,
            "Tenants' overrides whose item is not valid and that hold as they were when it last was.")
        text.sample(UInt64(follower.heldOverrides))
        text.family(
            "flag_server_segments_in_last_valid_form", .gauge,
            "Segments whose item is not valid and whose condition holds as it was when it last was.")
        text.sample(UInt64(follower.heldSegments))
        text.family(
            "flag_server_changes_set_aside_total", .counter,
            "What follows from changes of the table and cannot be done: corrections, histories, last valid forms.")
        text.sample(follower.setAside)
        text.family("flag_server_changes_waiting", .gauge, "Changes of the table that wait to be looked at.")
        text.sample(UInt64(follower.waiting))
    }

    private func writeCertificate(to text: inout MetricsText) {
        text.family(
            "flag_server_certificate_expiry_time_seconds", .gauge,
            "When the certificate ends that new connections get, in seconds since 1970.")
        if let end = server.certificateEnd { text.sample(fraction: Double(end)) }
    }

    private func writeAccepting(to text: inout MetricsText) {
        let accepting = server.acceptStatistics()
        text.family("flag_server_accept_pauses_total", .counter, "Pauses in accepting for want of descriptors.")
        text.sample(accepting.pauses)
        text.family("flag_server_connections_unserved_total", .counter, "Connections that no loop took, by why.")
        text.sample(accepting.refusedWithoutDescriptor, ["reason": "descriptors"])
        text.sample(accepting.closed, ["reason": "refusals"])
        let closedForOutput = server.statistics().reduce(0) { $0 + $1.closedForOutput }
        text.family(
            "flag_server_connections_cut_total", .counter, "Connections closed because slow readers held too much.")
        text.sample(closedForOutput)
        text.family(
            "flag_server_content_refused_total", .counter, "Requests refused because all had too much content at once.")
        text.sample(server.statistics().reduce(0) { $0 + $1.refusedForInput })
    }

    private func writeTransport(to text: inout MetricsText) {
        let loops = Array(server.statistics().enumerated())
        func family(
            _ name: String, _ kind: MetricsText.Kind, _ meaning: String, _ value: (LoopStatistics) -> UInt64
        ) {
            text.family(name, kind, meaning)
            for (loop, statistics) in loops { text.sample(value(statistics), ["loop": "\(loop)"]) }
        }
        family("flag_server_connections_open", .gauge, "Open connections.") { UInt64(max(0, $0.connectionsOpen)) }
        family("flag_server_connections_accepted_total", .counter, "Connections accepted.") { $0.connectionsAccepted }
        family("flag_server_connections_refused_total", .counter, "Connections refused because of too many.") {
            $0.connectionsRefused
        }
        family("flag_server_connections_refused_by_address_total", .counter, "Connections refused for their address.") {
            $0.connectionsRefusedByAddress
        }
        family("flag_server_requests_shed_total", .counter, "Requests refused because they had waited too long.") {
            $0.requestsShed
        }
        family("flag_server_tls_handshakes_total", .counter, "Handshakes of TLS that came to their end.") {
            $0.handshakes
        }
        family("flag_server_tls_resumptions_total", .counter, "Handshakes that resumed an earlier session.") {
            $0.resumptions
        }
        family("flag_server_tls_failures_total", .counter, "Handshakes of TLS that failed.") { $0.failedHandshakes }
        family("flag_server_loop_requests_total", .counter, "Requests by event loop.") { $0.requests }
        family("flag_server_loop_deferred_answers_total", .counter, "Answers that waited for other work.") {
            $0.deferredResponses
        }
        family("flag_server_received_bytes_total", .counter, "Bytes read from connections.") { $0.bytesRead }
        family("flag_server_sent_bytes_total", .counter, "Bytes written to connections.") { $0.bytesWritten }
        text.family(
            "flag_server_loop_lag_seconds", .gauge, "How long requests waited for the loop at worst, last minute.")
        for (loop, statistics) in loops {
            text.sample(fraction: Double(statistics.lagMaximumMicroseconds) / 1_000_000, ["loop": "\(loop)"])
        }
        text.family("flag_server_http_faults_total", .counter, "Requests that no route saw, by what was wrong.")
        var faults: [String: UInt64] = [:]
        var timeouts: [String: UInt64] = [:]
        for (_, statistics) in loops {
            for (fault, count) in statistics.faults { faults["\(fault)", default: 0] += count }
            for (timeout, count) in statistics.timeouts { timeouts["\(timeout)", default: 0] += count }
        }
        for (fault, count) in faults.sorted(by: { $0.key < $1.key }) { text.sample(count, ["fault": fault]) }
        text.family("flag_server_http_timeouts_total", .counter, "Time-outs of connections, by kind.")
        for (timeout, count) in timeouts.sorted(by: { $0.key < $1.key }) { text.sample(count, ["kind": timeout]) }
    }
}
