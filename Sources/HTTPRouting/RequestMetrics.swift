import Telemetry

/// Where requests are counted: by the label of their route and the status of the response.
package struct RequestMetrics: Sendable {
    /// The statuses that are counted one by one, 200 first; others count as `other`.
    private static let statuses: [UInt16] = [
        200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 409, 412, 413, 415, 421, 429, 500, 503,
    ]

    private let requests: CounterFamily
    private let durations: HistogramFamily

    /// Takes the counters' places.
    ///
    /// - Parameter labels: the labels of a router.
    package init(labels: [String], in layout: inout MetricLayout) {
        requests = CounterFamily(
            "flag_server_http_requests_total", "Requests by group of routes and status.",
            [
                MetricLabel("route", labels),
                MetricLabel("status", RequestMetrics.statuses.map { "\($0)" } + ["other"]),
            ],
            isSparse: true, showing: ["200", "429", "500", "503"], in: &layout)
        durations = HistogramFamily(
            "flag_server_http_request_duration_seconds",
            "Time from when a loop began with a request to its answer, by group of routes.",
            MetricLabel("route", labels), in: &layout)
    }

    private func place(_ label: Int, _ status: UInt16) -> Int {
        // Nearly all are 200: the others may be looked for.
        let place = status == 200 ? 0 : Self.statuses.firstIndex(of: status) ?? Self.statuses.count
        return requests.place(label, place)
    }

    /// Counts a response, in a block that the calling thread owns.
    ///
    /// - Parameter microseconds: how long the request took.
    package func count(_ label: Int, _ status: UInt16, _ microseconds: Int64, in block: CounterBlock) {
        block.raise(place(label, status))
        durations.note(label, microseconds, in: block)
    }

    /// Counts a response, in a block that several threads share.
    package func countShared(_ label: Int, _ status: UInt16, _ microseconds: Int64, in block: CounterBlock) {
        block.raiseShared(place(label, status))
        durations.noteShared(label, microseconds, in: block)
    }

    /// Writes what was counted.
    package func write(_ value: (Int) -> UInt64, to text: inout MetricsText) {
        requests.write(value, to: &text)
        durations.write(value, to: &text)
    }
}
