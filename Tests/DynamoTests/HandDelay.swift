import Dispatch
import Platform

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

/// Waiting that is over when a test says so.
final class HandDelay: Sendable {
    private struct Waiting {
        let queue: DispatchQueue
        let body: @Sendable () -> Void
    }

    private let waiting = Locked<[Waiting]>([])
    private let happened = DispatchSemaphore(value: 0)

    /// What a store waits by.
    var delay: Delay {
        Delay { [self] _, queue, body in
            waiting.withLock { $0.append(Waiting(queue: queue, body: body)) }
            happened.signal()
        }
    }

    /// Ends what is being waited for now.
    func pass() {
        let over = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for waiting in over { waiting.queue.async(execute: waiting.body) }
    }

    /// Awaits that the store has done what it waited for and waits again.
    func passAndAwaitAnother() -> Bool {
        while happened.wait(timeout: .now()) == .success {}
        pass()
        return happened.wait(timeout: .now() + 20) == .success
    }

    /// Ends what is waited for, again and again, until the store takes writes.
    ///
    /// - Throws: when it does not.
    func passUntilWritten(_ store: SQLiteTableStore) throws {
        store.subscribeToWriteTrouble { [happened] trouble in if trouble == nil { happened.signal() } }
        let deadline = ContinuousClock.now + .seconds(20)
        while let trouble = store.writeTrouble {
            if ContinuousClock.now > deadline { throw trouble }
            pass()
            _ = happened.wait(timeout: .now() + 20)
        }
    }
}
