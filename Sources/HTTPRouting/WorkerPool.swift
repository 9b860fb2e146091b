import Dispatch
import Platform
import Synchronization

/// The threads on which work of requests may block: reading the store, writing metrics.
///
/// The workers take their jobs from one line, so that nobody waits behind a slow job while another worker is free. Each
/// is a serial queue of its own, never one of Dispatch's global queues, whose threads are as many as the cores and can
/// all be taken for seconds. How much may wait is bounded: past the bound the caller answers "overloaded" instead of
/// letting memory grow.
///
/// What is large (by its content) takes at most half of the workers. What is urgent (a kill switch) has a worker of its
/// own and is never refused. What is long (a file) has another, so that nobody else waits behind it.
package final class WorkerPool: Sendable {
    /// What kind of job it is.
    package enum Urgency {
        case usual
        case large
        case urgent
        case long
    }

    /// How much a pool does at a time.
    package struct Limits: Sendable {
        /// The number of threads.
        package var workers: Int
        /// The number of jobs that may wait or run at once.
        package var waitingJobs: Int
        /// The number of long jobs that may wait or run at once.
        package var longJobs: Int

        /// The defaults, or others.
        package init(workers: Int = 4, waitingJobs: Int = 10_000, longJobs: Int = 8) {
            self.workers = workers
            self.waitingJobs = waitingJobs
            self.longJobs = longJobs
        }
    }

    private typealias Job = @Sendable () -> Void

    private struct Line {
        /// Ends of work that was taken before: first.
        var finishing = Jobs()
        var usual = Jobs()
        var large = Jobs()
        /// Workers without a job.
        var idle: [Int]
        /// How many workers do what is large.
        var largeRunning = 0
        /// How many usual and large jobs wait or run.
        var count = 0

        /// The next job, and whether it is a large one; nil when there is none that may run now.
        mutating func next(largeMaximum: Int) -> (job: Job, isLarge: Bool)? {
            if let job = finishing.popFirst() ?? usual.popFirst() { return (job, false) }
            guard largeRunning < largeMaximum, let job = large.popFirst() else { return nil }
            largeRunning += 1
            return (job, true)
        }
    }

    /// Jobs in the order they came; each is taken in constant time.
    private struct Jobs {
        private var jobs: [Job?] = []
        private var first = 0

        mutating func append(_ job: @escaping Job) { jobs.append(job) }

        mutating func popFirst() -> Job? {
            guard first < jobs.count else { return nil }
            defer {
                jobs[first] = nil
                first += 1
                if first == jobs.count || first > 1024 {
                    jobs.removeFirst(first)
                    first = 0
                }
            }
            return jobs[first]
        }
    }

    private let queues: [DispatchQueue]
    private let urgentQueue = DispatchQueue(label: "flag-server.worker.urgent")
    private let longQueue = DispatchQueue(label: "flag-server.worker.long")
    private let limits: Limits
    private let line: Locked<Line>
    private let waitingLong = Atomic<Int>(0)

    /// Makes the queues; their threads start when there is work.
    package init(limits: Limits = Limits()) {
        precondition(limits.workers > 0 && limits.waitingJobs >= limits.workers)
        self.limits = limits
        queues = (0..<limits.workers).map { DispatchQueue(label: "flag-server.worker.\($0)") }
        line = Locked(Line(idle: Array(0..<limits.workers)))
    }

    /// The number of usual and large jobs that wait or run.
    package var jobCount: Int { line.withLock { $0.count } }

    /// Runs `job` on one of the workers, or returns false at once when too much waits already.
    package func submit(_ urgency: Urgency = .usual, _ job: @escaping @Sendable () -> Void) -> Bool {
        switch urgency {
        case .urgent:
            urgentQueue.async(execute: job)
            return true
        case .long: return submitLong(job)
        case .usual, .large:
            let isTaken = line.withLock { line in
                guard line.count < limits.waitingJobs else { return false }
                line.count += 1
                if urgency == .large { line.large.append(job) } else { line.usual.append(job) }
                return true
            }
            if isTaken { wake() }
            return isTaken
        }
    }

    /// Runs the end of work that was taken before, such as the response to a write that is durable: never refused, and
    /// before what has not begun.
    package func finish(_ job: @escaping @Sendable () -> Void) {
        line.withLock { line in
            line.count += 1
            line.finishing.append(job)
        }
        wake()
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

    private func wake() {
        guard let worker = line.withLock({ $0.idle.popLast() }) else { return }
        queues[worker].async { self.work(worker) }
    }

    /// Does jobs until there is none for this worker.
    private func work(_ worker: Int) {
        let largeMaximum = max(1, limits.workers / 2)
        while true {
            let next = line.withLock { line in
                let next = line.next(largeMaximum: largeMaximum)
                if next == nil { line.idle.append(worker) }
                return next
            }
            guard let next else { return }
            next.job()
            line.withLock { line in
                line.count -= 1
                if next.isLarge { line.largeRunning -= 1 }
            }
        }
    }
}
