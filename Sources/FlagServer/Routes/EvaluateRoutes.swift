import HTTPTransport

/// Evaluation for callers without an OpenFeature SDK.
enum EvaluateRoutes {
    /// The routes.
    static let routes = [
        Route(
            .post, "/api/evaluate", in: .evaluate,
            Operation(
                id: "evaluate", summary: "Evaluates one flag for a tenant and a user.",
                detail: "An unknown flag is no error: enabled is false and reason flag_not_found.",
                query: EvaluationQuery.parameters(of: .evaluate),
                body: Operation.Body(
                    schema: "EvaluationRequest",
                    example: #"{"tenantId":"acme","flagKey":"new-checkout","userId":"u1","metadata":{"plan":"pro"}}"#),
                answers: [.init(status: 200, meaning: "What the flag is and why.", schema: "Evaluation")],
                problems: [.invalidJSON, .invalidBody, .invalidQuery, .unknownEnvironment, .overloaded]),
            .onLoop { $0.evaluate($1, $2, &$3) }),
        Route(
            .post, "/api/evaluate/batch", in: .evaluateBatch,
            Operation(
                id: "evaluateBatch", summary: "Evaluates up to 50 flags for a tenant and a user.",
                query: EvaluationQuery.parameters(of: .evaluateBatch),
                body: Operation.Body(
                    schema: "BatchEvaluationRequest",
                    example: #"{"tenantId":"acme","flagKeys":["new-checkout","theme"],"userId":"u1"}"#),
                answers: [
                    .init(status: 200, meaning: "Each flag in the order asked for.", schema: "BatchEvaluation")
                ],
                problems: [.invalidJSON, .invalidBody, .invalidQuery, .unknownEnvironment, .overloaded]),
            .onLoop { $0.evaluateBatch($1, $2, &$3) }),
        Route(
            .post, "/api/explain", in: .explain,
            Operation(
                id: "explain", summary: "Evaluates one flag and says why the answer is what it is.",
                detail: "For persons: each step that was asked, each operator of the rule with its arguments and "
                    + "its result, the bucket, and when the answer changes next. The body is that of /api/evaluate, "
                    + "or one of OFREP; the flag stands in the body or in the query.",
                query: EvaluationQuery.parameters(of: .explain),
                body: Operation.Body(
                    schema: "ExplanationRequest",
                    example: #"{"flagKey":"new-checkout","context":{"targetingKey":"u1","plan":"pro"}}"#),
                answers: [.init(status: 200, meaning: "The answer and how it came about.", schema: "Explanation")],
                problems: [.invalidJSON, .invalidBody, .invalidQuery, .unknownEnvironment, .overloaded]),
            .onLoop { $0.explain($1, $2, &$3) }),
    ]
}
