import HTTPTransport

/// The OpenFeature Remote Evaluation Protocol 0.3.0 (https://github.com/open-feature/protocol).
enum OFREPRoutes {
    /// The routes.
    static let routes = [
        Route(
            .post, "/ofrep/v1/evaluate/flags/{key...}", in: .ofrepFlag,
            Operation(
                id: "evaluateFlag", summary: "Evaluates one flag.",
                detail: "The tenant is the context's tenantId.",
                query: EvaluationQuery.parameters(of: .ofrepFlag),
                body: Operation.Body(
                    schema: "OfrepRequest", example: #"{"context":{"targetingKey":"user-123","plan":"premium"}}"#),
                answers: [
                    .init(status: 200, meaning: "The flag's variant and why.", schema: "OfrepSuccess"),
                    .init(
                        status: 400, meaning: "The body, the context or the flag's definition cannot be used.",
                        schema: "OfrepFailure"),
                    .init(status: 404, meaning: "There is no such flag.", schema: "OfrepFailure"),
                    .init(
                        status: 503, meaning: "The store does not answer, and nothing is known of the flag.",
                        schema: "OfrepFailure"),
                ]),
            .onLoop { $0.evaluateOFREPFlag($1, $2, &$3) }),
        Route(
            .post, "/ofrep/v1/evaluate/flags", in: .ofrepFlags,
            Operation(
                id: "evaluateFlagsBulk", summary: "Evaluates all flags of the environment.",
                detail: "The ETag changes whenever the answer may: with the flags, the tenant's overrides, the kill "
                    + "switches, the tenant and the context, but not with the order of the context's members.",
                query: EvaluationQuery.parameters(of: .ofrepFlags),
                header: [
                    .init(name: "If-None-Match", meaning: "Entity tags of answers that the client has.")
                ],
                body: Operation.Body(
                    schema: "OfrepRequest", example: #"{"context":{"targetingKey":"user-456","plan":"free"}}"#),
                answers: [
                    .init(
                        status: 200, meaning: "Every flag's evaluation, by key.", schema: "OfrepBulkSuccess",
                        header: [.entityTag]),
                    .init(status: 304, meaning: "The client has this answer.", header: [.entityTag]),
                    .init(status: 400, meaning: "The body or the context cannot be used.", schema: "OfrepFailure"),
                    .init(
                        status: 503, meaning: "The store does not answer, and nothing is known of the flags.",
                        schema: "OfrepFailure"),
                ]),
            .onLoop { $0.evaluateOFREPFlags($1, $2, &$3) }),
    ]
}
