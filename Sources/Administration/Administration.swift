import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport

/// What the routes of administration work with.
package struct Administration: Sendable {
    /// The flags.
    package let repository: FlagRepository
    /// What the caches know, where that is asked for.
    let feed: CacheFeed
    /// The long work that is under way.
    package let work: WorkList
    /// Where work may block.
    package let workers: WorkerPool
    /// The environment of a request that names none.
    package let defaultEnvironment: Environment
    /// The wall clock.
    let now: @Sendable () -> Timestamp

    /// Puts the parts together.
    package init(
        repository: FlagRepository, feed: CacheFeed, work: WorkList, workers: WorkerPool,
        defaultEnvironment: Environment, now: @escaping @Sendable () -> Timestamp
    ) {
        self.repository = repository
        self.feed = feed
        self.work = work
        self.workers = workers
        self.defaultEnvironment = defaultEnvironment
        self.now = now
    }

    /// Answers with what a write gave. To be called from the write's completion, on the writer's queue, which must
    /// not be kept waiting: the answer is written on a worker.
    func answer<Value: Sendable>(
        _ reply: Reply, _ result: Result<Value, FlagStoreError>, in environment: Environment,
        _ urgency: WorkerPool.Urgency = .usual, _ response: @escaping @Sendable (Value) -> HTTPResponse
    ) {
        let write: @Sendable () -> Void = {
            switch result {
            case .success(let value): reply(response(value))
            case .failure(let error): reply(.failure(Problem(error, in: environment)))
            }
        }
        // What is durable is answered, however much else waits.
        if urgency == .urgent { _ = workers.submit(.urgent, write) } else { workers.finish(write) }
    }
}
