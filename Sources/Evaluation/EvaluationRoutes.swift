import Access
import HTTPRouting
import HTTPTransport

/// A route of evaluation: what it demands, and which kind of evaluation it asks for.
package struct EvaluationRoute: Sendable {
    /// What it demands.
    package let declaration: RouteDeclaration
    /// What it asks for.
    package let kind: EvaluationKind

    init(_ pattern: StaticString, _ operationID: String, _ policy: RoutePolicy, _ kind: EvaluationKind) {
        declaration = RouteDeclaration(.post, pattern, operationID, policy)
        self.kind = kind
    }

    /// All of them, the busiest first: the OpenFeature Remote Evaluation Protocol 0.3.0
    /// (https://github.com/open-feature/protocol), and evaluation for callers without an OpenFeature SDK.
    package static let all = [
        EvaluationRoute("/ofrep/v1/evaluate/flags/{key...}", "evaluateFlag", evaluating("ofrep_flag"), .ofrepFlag),
        EvaluationRoute("/ofrep/v1/evaluate/flags", "evaluateFlagsBulk", evaluating("ofrep_flags"), .ofrepFlags),
        EvaluationRoute("/api/evaluate", "evaluate", evaluating("evaluate"), .evaluate),
        EvaluationRoute("/api/evaluate/batch", "evaluateBatch", evaluating("evaluate_batch"), .evaluateBatch),
        EvaluationRoute("/api/explain", "explain", RoutePolicy("explain", .needs(.read)), .explain),
    ]

    private static func evaluating(_ label: String) -> RoutePolicy {
        RoutePolicy(label, .needs(.evaluate)).with {
            $0.audit = .none
            $0.rate = .evaluation
            $0.isForListedPages = true
        }
    }
}
