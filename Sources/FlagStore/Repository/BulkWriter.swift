import Dispatch
import DynamoTable
import Lock

/// Writes many operations, with a bounded number of transactions under way.
struct BulkWriter {
    let repository: FlagRepository
    let environment: Environment
    let principal: Principal

    /// Transactions under way at most: enough to keep the writer busy while the disk syncs, few enough to stay small.
    private static let transactionsMaximum = 32

    /// Writes operations in transactions and waits until all are durable. Each operation comes with the name of what it
    /// is about, for the error.
    ///
    /// - Parameter check: what must hold for every transaction, about that name.
    func write(
        _ operations: some Sequence<(name: String, operation: WriteOperation)>,
        check: (name: String, operation: WriteOperation)? = nil
    ) throws(FlagStoreError) {
        let slots = DispatchSemaphore(value: BulkWriter.transactionsMaximum)
        let failure = Locked<FlagStoreError?>(nil)
        var keys = check.map { [$0.name] } ?? []
        var batch = check.map { [$0.operation] } ?? []
        let empty = batch.count
        func send() {
            guard batch.count > empty else { return }
            slots.wait()
            let names = keys
            repository.write(batch, in: environment, by: principal) { result in
                if case .failure(let error) = result {
                    let conflict = error.failedCondition.map { failed in
                        FlagStoreError.conflict(name: names[min(failed.operation, names.count - 1)])
                    }
                    failure.withLock { $0 = $0 ?? conflict ?? FlagStoreError(error) }
                }
                slots.signal()
            }
            batch.removeLast(batch.count - empty)
            keys.removeLast(keys.count - empty)
        }
        for (name, operation) in operations {
            batch.append(operation)
            keys.append(name)
            guard batch.count == FlagLimits.operationsPerTransaction else { continue }
            send()
            if failure.withLock({ $0 != nil }) { break }
        }
        send()
        // All slots are free again when nothing is under way.
        for _ in 0..<BulkWriter.transactionsMaximum { slots.wait() }
        for _ in 0..<BulkWriter.transactionsMaximum { slots.signal() }
        if let failure = failure.withLock({ $0 }) { throw failure }
    }
}
