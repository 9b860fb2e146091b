import HTTPTransport

/// What operators and their machines ask: health, metrics, and the description of all routes.
enum OperationsRoutes {
    /// The routes.
    static let routes = [
        Route(
            .get, "/health", in: .health,
            Operation(
                id: "getHealth", summary: "Readiness with everything that it consists of.",
                answers: [
                    .init(status: 200, meaning: "The server serves.", schema: "Health"),
                    .init(status: 503, meaning: "It does not, and why.", schema: "Health"),
                ]),
            .onLoop { handler, _, _, exchange in handler.reportHealth(&exchange) }),
        Route(
            .get, "/health/live", in: .health,
            Operation(
                id: "getLiveness",
                summary: "Whether the process lives; it should be restarted when this does not answer.",
                answers: [.init(status: 200, meaning: "It lives.", schema: "Liveness")]),
            .onLoop { handler, _, _, exchange in handler.reportLife(&exchange) }),
        Route(
            .get, "/health/ready", in: .health,
            Operation(
                id: "getReadiness", summary: "Whether requests should be sent here.",
                answers: [
                    .init(status: 200, meaning: "They should.", schema: "Health"),
                    .init(
                        status: 503,
                        meaning: "Not yet (the cache is being filled), not any more (the server drains), "
                            + "or not now (the store does not answer).", schema: "Health"),
                ]),
            .onLoop { handler, _, _, exchange in handler.reportHealth(&exchange) }),
        Route(
            .get, "/metrics", in: .metrics,
            Operation(
                id: "getMetrics", summary: "Metrics for Prometheus.",
                answers: [
                    .init(
                        status: 200, meaning: "The text format.", schema: "Metrics",
                        mediaType: "text/plain; version=0.0.4; charset=utf-8")
                ]),
            .onWorker { _, service, reply in reply(service.metricsResponse()) }),
        Route(
            .get, "/openapi.json", in: .openAPI,
            Operation(
                id: "getOpenAPI", summary: "This document.",
                answers: [.init(status: 200, meaning: "OpenAPI 3.1.", schema: "OpenAPI")]),
            .onLoop { handler, _, _, exchange in handler.describeRoutes(&exchange) }),
    ]
}
