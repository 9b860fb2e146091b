import Dispatch
import Synchronization

/// The threads on which work of requests may block: reading the store, writing metrics.
///
/// Each worker is a serial queue of its own, never one of Dispatch's global queues, whose threads are as many as the
/// cores and can all be taken for seconds. How much may wait is bounded: past the bound the caller answers "overloaded"
/// instead of letting memory grow.
///
/// What is urgent (a kill switch) has a worker of its own and is never refused. What is long (a file) has another, so
/// that nobody else waits behind it.
final class WorkerPool: Sendable {
    /// How soon a job must be done.
    enum Urgency {
        case usual
        case urgent
        case long
    }

    /// How much a pool does at a time.
    struct Limits: Sendable {
        /// The number of threads.
        var workers = 4
        /// The number of jobs that may wait or run at once.
        var waitingJobs = 10_000
        /// The number of long jobs that may wait or run at once.
        var longJobs = 8
    }

    private let queues: [DispatchQueue]
    private let urgentQueue = DispatchQueue(label: "flag-server.worker.urgent", qos: .userInteractive)
    private let longQueue = DispatchQueue(label: "flag-server.worker.long")
    private let limits: Limits
    private let waiting = Atomic<Int>(0)
    private let waitingLong = Atomic<Int>(0)
    private let next = Atomic<UInt>(0)

    /// Makes the queues; their threads start when there is work.
    init(limits: Limits = Limits()) {
        precondition(limits.workers > 0 && limits.waitingJobs >= limits.workers)
        self.limits = limits
        queues = (0..<limits.workers).map { DispatchQueue(label: "flag-server.worker.\($0)") }
    }

    /// The number of jobs that wait or run.
    var jobCount: Int { waiting.load(ordering: .relaxed) }

    /// Runs `job` on one of the workers, or returns false at once when too much waits already.
    func submit(_ urgency: Urgency = .usual, _ job: @escaping @Sendable () -> Void) -> Bool {
        switch urgency {
        case .urgent:
            urgentQueue.async(execute: job)
            return true
        case .long: return submitLong(job)
        case .usual: break
        }
        guard waiting.wrappingAdd(1, ordering: .relaxed).newValue <= limits.waitingJobs else {
            waiting.wrappingSubtract(1, ordering: .relaxed)
            return false
        }
        let turn = next.wrappingAdd(1, ordering: .relaxed).newValue
        queues[Int(turn % UInt(queues.count))].async { [self] in
            job()
            waiting.wrappingSubtract(1, ordering: .relaxed)
        }
        return true
    }

    private func submitLong(_ job: @escaping @Sendable () -> Void) -> Bool {
        guard waitingLong.wrappingAdd(1, ordering: .relaxed).newValue <= limits.longJobs else {
            waitingLong.wrappingSubtract(1, ordering: .relaxed)
            return false
        }
        longQueue.async { [self] in
            job()
            waitingLong.wrappingSubtract(1, ordering: .relaxed)
        }
        return true
    }
}
