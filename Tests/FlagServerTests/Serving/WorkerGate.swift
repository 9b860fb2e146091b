import Dispatch

@testable import FlagServer
@testable import HTTPRouting

/// Keeps workers of a pool busy until it is opened.
final class WorkerGate {
    private let gate = DispatchSemaphore(value: 0)

    /// Gives a pool so many jobs that wait here, or as many as it takes.
    init(_ workers: WorkerPool, _ urgency: WorkerPool.Urgency = .usual, _ count: Int = .max) {
        let pass = { @Sendable [gate] in
            gate.wait()
            // For the next one that waits.
            gate.signal()
        }
        var taken = 0
        while taken < count, workers.submit(urgency, pass) { taken += 1 }
    }

    func open() { gate.signal() }
}
