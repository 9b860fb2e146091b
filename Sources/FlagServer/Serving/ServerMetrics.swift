import Evaluation
import HTTPRouting
import Telemetry

/// What the server counts, one block for each event loop and one for the workers.
final class ServerMetrics: Sendable {
    /// Requests by their routes.
    let requests: RequestMetrics
    /// Evaluations and caches.
    let evaluation: EvaluationMetrics
    private let batches: CounterFamily
    private let writes: CounterFamily
    /// The blocks of the loops, by loop.
    let loops: [CounterBlock]
    /// The block of the control socket's loop.
    let door: CounterBlock
    /// What was counted away from the loops.
    let workers: CounterBlock

    /// Counters for so many loops.
    ///
    /// - Parameter labels: what requests are counted under.
    init(loopCount: Int, labels: [String]) {
        var layout = MetricLayout()
        requests = RequestMetrics(labels: labels, in: &layout)
        evaluation = EvaluationMetrics(in: &layout)
        batches = CounterFamily(
            "flag_server_store_batches_total", "Commits of the store, each with one sync.", in: &layout)
        writes = CounterFamily("flag_server_store_writes_total", "Items that these wrote or deleted.", in: &layout)
        let count = layout.count
        loops = (0..<loopCount).map { _ in CounterBlock(count: count) }
        door = CounterBlock(count: count)
        workers = CounterBlock(count: count)
    }

    /// The sum of a counter over all blocks.
    subscript(index: Int) -> UInt64 {
        loops.reduce(workers[index] &+ door[index]) { $0 &+ $1[index] }
    }

    /// Counts one commit of the store, which is one batch of whatever writes waited, and the items it wrote. From any
    /// thread.
    func countCommit(ofItems items: Int) {
        workers.raiseShared(batches.first)
        workers.raiseShared(writes.first, by: UInt64(items))
    }

    /// Writes all of it.
    func write(to text: inout MetricsText) {
        requests.write({ self[$0] }, to: &text)
        evaluation.write({ self[$0] }, to: &text)
        batches.write({ self[$0] }, to: &text)
        writes.write({ self[$0] }, to: &text)
    }
}
