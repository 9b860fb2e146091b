import FlagCache
import FlagCore
import Telemetry

/// What is counted of evaluations and of the caches that response them.
package struct EvaluationMetrics: Sendable {
    /// Which way an evaluation was asked for.
    enum Interface: Int, CaseIterable {
        case ofrep
        case api
    }

    /// The codes of failed evaluations of flags that exist, in the order of their counters.
    private static let failureCodes: [ErrorCode] = [.parseError, .general]
    /// The reasons of evaluations in the words of `/api/evaluate`, in the order of their counters.
    private static let reasons = [
        "default", "targeting", "rollout", "tenant_override", "kill_switch", "disabled", "prerequisite_failed",
        "flag_not_found", "error",
    ]
    private static let cacheKinds = MetricLabel("kind", ["flags", "overrides", "rule_sets", "absences"])

    private let evaluations: CounterFamily
    private let failures: CounterFamily
    private let unknownSegments: CounterFamily
    private let hits: CounterFamily
    private let misses: CounterFamily
    private let evictions: CounterFamily
    private let entries: CounterFamily
    private let failedAnswers: CounterFamily
    private let joinedLoads: CounterFamily

    /// Takes the counters' places.
    package init(in layout: inout MetricLayout) {
        evaluations = CounterFamily(
            "flag_server_evaluations_total", "Evaluations by interface and reason.",
            [
                MetricLabel("interface", Interface.allCases.map { "\($0)" }),
                MetricLabel("reason", EvaluationMetrics.reasons),
            ],
            in: &layout)
        failures = CounterFamily(
            "flag_server_evaluation_failures_total",
            "Evaluations that failed because of the flag's own definition or rule, by error code.",
            [MetricLabel("code", EvaluationMetrics.failureCodes.map(\.rawValue))], in: &layout)
        unknownSegments = CounterFamily(
            "flag_server_unknown_segments_total",
            "Evaluations whose rule named a segment that does not exist: nobody is in it.", in: &layout)
        let kinds = [EvaluationMetrics.cacheKinds]
        hits = CounterFamily(
            "flag_server_cache_hits_total", "Look-ups that the cache answered, by kind of entry.", kinds, in: &layout)
        misses = CounterFamily(
            "flag_server_cache_misses_total", "Look-ups that it could not answer.", kinds, in: &layout)
        evictions = CounterFamily(
            "flag_server_cache_evictions_total", "Entries that went because there were too many.", kinds, in: &layout)
        entries = CounterFamily(
            "flag_server_cache_entries", "Entries now, over all loops.", kinds, kind: .gauge, in: &layout)
        failedAnswers = CounterFamily(
            "flag_server_cache_failed_answers_total", "Answers without the store, which did not answer.",
            [MetricLabel("source", ["stale", "default"])], in: &layout)
        joinedLoads = CounterFamily(
            "flag_server_cache_joined_loads_total", "Requests that waited for another's load.", in: &layout)
    }

    /// The counter of evaluations that ended with a reason.
    func evaluation(_ interface: Interface, _ reason: Reason) -> Int {
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
        return evaluations.place(interface.rawValue, place)
    }

    /// The counter of evaluations of flags that do not exist.
    func unknownFlag(_ interface: Interface) -> Int { evaluations.place(interface.rawValue, 7) }

    /// The counter of failed evaluations with a code.
    func failure(_ code: ErrorCode) -> Int { failures.place(code == .parseError ? 0 : 1) }

    /// The counter of evaluations whose rule named a segment that does not exist.
    var unknownSegment: Int { unknownSegments.first }

    /// Copies what a loop's cache counts into the loop's block, where others can read it.
    func publish(_ statistics: CacheStatistics, in block: CounterBlock) {
        let kinds = [statistics.flags, statistics.overrides, statistics.ruleSets, statistics.absences]
        for (place, kind) in kinds.enumerated() {
            block.publish(hits.place(place), kind.hits)
            block.publish(misses.place(place), kind.misses)
            block.publish(evictions.place(place), kind.evictions)
            block.publish(entries.place(place), UInt64(kind.entries))
        }
        block.publish(failedAnswers.place(0), statistics.staleAnswers)
        block.publish(failedAnswers.place(1), statistics.defaultAnswers)
        block.publish(joinedLoads.first, statistics.joinedLoads)
    }

    /// Writes all of it.
    package func write(_ value: (Int) -> UInt64, to text: inout MetricsText) {
        for family in [
            evaluations, failures, unknownSegments, hits, misses, evictions, entries, failedAnswers, joinedLoads,
        ] {
            family.write(value, to: &text)
        }
    }
}
