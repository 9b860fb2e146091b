import Dispatch
import Platform

/// Waits for what the token library only does asynchronously: loading a key. Not for a loop.
enum Waiting {
    /// Runs `body` and blocks until it is done.
    ///
    /// On a queue of its own: whoever waits may hold one of the few threads that Swift runs tasks on.
    static func forResult<Success: Sendable>(
        _ body: @escaping @Sendable () async throws -> Success
    ) throws -> Success {
        let done = DispatchSemaphore(value: 0)
        let result = Locked<Result<Success, any Error>?>(nil)
        Task.detached(executorPreference: executor) {
            let outcome: Result<Success, any Error>
            do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
            result.withLock { $0 = outcome }
            done.signal()
        }
        done.wait()
        guard let outcome = result.withLock({ $0 }) else { preconditionFailure("the result is there when it is told") }
        return try outcome.get()
    }

    private static let executor = QueueExecutor()
}

/// Runs tasks on a Dispatch queue.
private final class QueueExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "flag-server.token-keys")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
