import FlagCache
import FlagCore
import FlagStore
import HTTPTransport

/// What the server counts, one block for each event loop and one for the workers.
final class ServiceMetrics: Sendable {
    /// Which way an evaluation was asked for.
    enum Interface: Int, CaseIterable {
        case ofrep
        case api
    }

    /// The blocks of the loops, by loop.
    let loops: [CounterBlock]
    /// What was counted away from the loops.
    let workers: CounterBlock

    /// Counters for so many loops.
    init(loopCount: Int) {
        loops = (0..<loopCount).map { _ in CounterBlock(count: ServiceMetrics.count) }
        workers = CounterBlock(count: ServiceMetrics.count)
    }

    /// The sum of a counter over all blocks.
    subscript(index: Int) -> UInt64 {
        loops.reduce(workers[index]) { $0 &+ $1[index] }
    }
}

// MARK: - Where each counter lies

extension ServiceMetrics {
    /// The statuses that are counted one by one, 200 first; others count as `other`.
    static let statuses: [UInt16] = [
        200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 409, 412, 413, 415, 421, 429, 500, 503,
    ]

    /// The reasons of evaluations in the words of `/api/evaluate`, by their counter's place.
    static let reasons: [StaticString] = [
        "default", "targeting", "rollout", "tenant_override", "kill_switch", "disabled", "prerequisite_failed",
        "flag_not_found", "error",
    ]

    private static let statusPlaces = statuses.count + 1
    private static let evaluations = RouteGroup.allCases.count * statusPlaces
    private static let caches = evaluations + Interface.allCases.count * reasons.count
    private static let store = caches + cacheKinds.count * cacheCounters + 4
    private static let failures = store + 2
    /// The counter of evaluations whose rule named a segment that does not exist.
    static let unknownSegment = failures + failureCodes.count
    private static let count = unknownSegment + 1

    /// The codes of failed evaluations of flags that exist, in the order of their counters.
    private static let failureCodes: [ErrorCode] = [.parseError, .general]

    /// The kinds of cache entries, in the order of their counters.
    private static let cacheKinds = ["flags", "overrides", "rule_sets", "absences"]
    /// Hits, misses, evictions, entries.
    private static let cacheCounters = 4

    /// The counter of a route group's answers with a status.
    static func request(_ group: RouteGroup, _ status: UInt16) -> Int {
        // Nearly all are 200: the others may be looked for.
        let place = status == 200 ? 0 : statuses.firstIndex(of: status) ?? statuses.count
        return group.place * statusPlaces + place
    }

    /// The counter of evaluations that ended with a reason.
    static func evaluation(_ interface: Interface, _ reason: Reason) -> Int {
        let place =
            switch reason {
            case .static, .default: 0
            case .targetingMatch: 1
            case .split: 2
            case .tenantOverride: 3
            case .killSwitch: 4
            case .disabled: 5
            case .prerequisiteFailed: 6
            case .error: 8
            }
        return evaluations + interface.rawValue * reasons.count + place
    }

    /// The counter of evaluations of flags that do not exist.
    static func unknownFlag(_ interface: Interface) -> Int {
        evaluations + interface.rawValue * reasons.count + 7
    }

    /// The counter of failed evaluations with a code.
    static func failure(_ code: ErrorCode) -> Int { failures + (code == .parseError ? 0 : 1) }

    /// Writes what is counted here.
    func write(to text: inout MetricsText) {
        text.family("flag_server_http_requests_total", .counter, "Requests by group of routes and status.")
        for group in RouteGroup.allCases {
            for place in 0..<ServiceMetrics.statusPlaces {
                let value = self[group.place * ServiceMetrics.statusPlaces + place]
                guard value > 0 else { continue }
                let status = place < ServiceMetrics.statuses.count ? "\(ServiceMetrics.statuses[place])" : "other"
                text.sample(value, ["route": group.rawValue, "status": status])
            }
        }
        text.family("flag_server_evaluations_total", .counter, "Evaluations by interface and reason.")
        for interface in Interface.allCases {
            for (place, reason) in ServiceMetrics.reasons.enumerated() {
                let index = ServiceMetrics.evaluations + interface.rawValue * ServiceMetrics.reasons.count + place
                text.sample(self[index], ["interface": "\(interface)", "reason": "\(reason)"])
            }
        }
        text.family(
            "flag_server_evaluation_failures_total", .counter,
            "Evaluations that failed because of the flag's own definition or rule, by error code.")
        for (place, code) in ServiceMetrics.failureCodes.enumerated() {
            text.sample(self[ServiceMetrics.failures + place], ["code": code.rawValue])
        }
        text.family(
            "flag_server_unknown_segments_total", .counter,
            "Evaluations whose rule named a segment that does not exist: nobody is in it.")
        text.sample(self[ServiceMetrics.unknownSegment])
    }
}

extension ServiceMetrics {
    /// Counts one commit of the store, which is one batch of whatever writes waited, and the items it wrote. From any
    /// thread.
    func countCommit(ofItems items: Int) {
        workers.raiseShared(ServiceMetrics.store)
        workers.raiseShared(ServiceMetrics.store + 1, by: UInt64(items))
    }

    /// Writes what was counted of the store.
    func writeStore(to text: inout MetricsText) {
        text.family("flag_server_store_batches_total", .counter, "Commits of the store, each with one sync.")
        text.sample(self[ServiceMetrics.store])
        text.family("flag_server_store_writes_total", .counter, "Items that these wrote or deleted.")
        text.sample(self[ServiceMetrics.store + 1])
    }

    /// Copies what a loop's cache counts into the loop's block, where others can read it.
    static func publish(_ statistics: CacheStatistics, in block: CounterBlock) {
        var index = caches
        for kind in [statistics.flags, statistics.overrides, statistics.ruleSets, statistics.absences] {
            block.publish(index, kind.hits)
            block.publish(index + 1, kind.misses)
            block.publish(index + 2, kind.evictions)
            block.publish(index + 3, UInt64(kind.entries))
            index += cacheCounters
        }
        block.publish(index, statistics.staleAnswers)
        block.publish(index + 1, statistics.defaultAnswers)
        block.publish(index + 2, statistics.joinedLoads)
        block.publish(index + 3, statistics.changes)
    }

    /// Writes what the caches counted, all loops together.
    func writeCaches(to text: inout MetricsText) {
        let families: [(name: String, kind: MetricsText.Kind, meaning: String)] = [
            ("flag_server_cache_hits_total", .counter, "Look-ups that the cache answered, by kind of entry."),
            ("flag_server_cache_misses_total", .counter, "Look-ups that it could not answer."),
            ("flag_server_cache_evictions_total", .counter, "Entries that went because there were too many."),
            ("flag_server_cache_entries", .gauge, "Entries now, over all loops."),
        ]
        for (offset, family) in families.enumerated() {
            text.family(family.name, family.kind, family.meaning)
            for (place, kind) in ServiceMetrics.cacheKinds.enumerated() {
                text.sample(
                    self[ServiceMetrics.caches + place * ServiceMetrics.cacheCounters + offset], ["kind": kind])
            }
        }
        let index = ServiceMetrics.caches + ServiceMetrics.cacheKinds.count * ServiceMetrics.cacheCounters
        text.family(
            "flag_server_cache_failed_answers_total", .counter, "Answers without the store, which did not answer.")
        text.sample(self[index], ["source": "stale"])
        text.sample(self[index + 1], ["source": "default"])
        text.family("flag_server_cache_joined_loads_total", .counter, "Requests that waited for another's load.")
        text.sample(self[index + 2])
    }
}

extension RouteGroup {
    /// The group's number, from 0.
    fileprivate var place: Int {
        switch self {
        case .ofrepFlag: 0
        case .ofrepFlags: 1
        case .evaluate: 2
        case .evaluateBatch: 3
        case .flags: 4
        case .tenantOverrides: 5
        case .killSwitch: 6
        case .health: 7
        case .metrics: 8
        case .openAPI: 9
        case .none: 10
        case .explain: 11
        case .segments: 12
        case .transfer: 13
        case .work: 14
        }
    }
}
