import Dispatch
import Platform

extension TableWriter {
    /// Does all of the operations or none, and waits until they are durable.
    ///
    /// For commands and tests; it blocks, and must not be called on the writer's queue (from a completion).
    @discardableResult
    package func transactAndWait(
        _ operations: [WriteOperation], principal: Principal, urgency: WriteUrgency = .usual
    ) throws(TableError) -> [WriteOutcome] {
        let done = DispatchSemaphore(value: 0)
        let answer = Locked<Result<[WriteOutcome], TableError>?>(nil)
        transact(operations, principal: principal, urgency: urgency) { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        guard let result = answer.withLock({ $0 }) else { throw .closed }
        return try result.get()
    }
}
