import Access
import Dispatch
import DynamoModel
import FlagCore
import Platform

/// Writes many operations, with a bounded number of transactions under way.
package struct BulkWriter {
    package let repository: FlagRepository
    /// Who writes, where and when.
    package let scope: WriteScope
    /// Counts what is durable, and says between two transactions whether to go on.
    package var progress = WorkProgress()

    /// Writes to an environment of a repository, in somebody's name.
    package init(
        repository: FlagRepository, scope: WriteScope, progress: WorkProgress = WorkProgress()
    ) {
        self.repository = repository
        self.scope = scope
        self.progress = progress
    }

    /// Transactions under way at most: enough to keep the writer busy while the disk syncs, few enough to stay small.
    private static let transactionsMaximum = 32

    /// Writes operations in transactions and waits until all are durable. Each operation comes with the name of what it
    /// is about, for the error.
    ///
    /// - Parameter check: what must hold for every transaction, about that name.
    /// - Throws: `conflict`, `stopped`, `unavailable`; what was written until then stays.
    package func write(
        _ operations: some Sequence<(name: String, operation: WriteOperation)>,
        check: (name: String, operation: WriteOperation)? = nil
    ) throws(FlagStoreError) {
        let slots = DispatchSemaphore(value: BulkWriter.transactionsMaximum)
        let failure = Locked<FlagStoreError?>(nil)
        var keys = check.map { [$0.name] } ?? []
        var batch = check.map { [$0.operation] } ?? []
        let empty = batch.count
        /// Sends what is collected; false when it is not to be sent.
        func send() -> Bool {
            let count = batch.count - empty
            guard count > 0 else { return true }
            guard failure.withLock({ $0 == nil }), progress.stopReason == nil else { return false }
            slots.wait()
            transact(Batch(names: keys, operations: batch, shared: empty)) { error in
                if let error { failure.withLock { $0 = $0 ?? error } }
                slots.signal()
            }
            batch.removeLast(count)
            keys.removeLast(count)
            return true
        }
        var goesOn = true
        for (name, operation) in operations {
            batch.append(operation)
            keys.append(name)
            guard batch.count == FlagLimits.operationsPerTransaction else { continue }
            goesOn = send()
            if !goesOn { break }
        }
        if goesOn { goesOn = send() }
        // All slots are free again when nothing is under way.
        for _ in 0..<BulkWriter.transactionsMaximum { slots.wait() }
        for _ in 0..<BulkWriter.transactionsMaximum { slots.signal() }
        if let failure = failure.withLock({ $0 }) { throw failure }
        if !goesOn { try progress.check() }
    }

    /// Does a batch. When the table does not take it as it is, since its items are too large together, those that are
    /// there already included, it is done in halves.
    private func transact(_ batch: Batch, completion: @escaping @Sendable (FlagStoreError?) -> Void) {
        repository.write(batch.operations, in: scope) { result in
            guard case .failure(let error) = result else {
                progress.note(done: batch.operations.count - batch.shared)
                return completion(nil)
            }
            if let failed = error.failedCondition {
                return completion(.conflict(name: batch.names[min(failed.operation, batch.names.count - 1)]))
            }
            guard !error.mayPass, let (first, second) = batch.halves else { return completion(FlagStoreError(error)) }
            transact(first) { error in
                if let error { completion(error) } else { transact(second, completion: completion) }
            }
        }
    }

    /// Operations that are done together, and what each is about.
    private struct Batch: Sendable {
        var names: [String]
        var operations: [WriteOperation]
        /// How many at the begin are the same in every batch.
        let shared: Int

        /// The same in two batches; nil when it is one operation.
        var halves: (Batch, Batch)? {
            let count = operations.count - shared
            guard count > 1 else { return nil }
            var (first, second) = (self, self)
            first.names.removeLast(count / 2)
            first.operations.removeLast(count / 2)
            second.names.removeSubrange(shared..<first.names.count)
            second.operations.removeSubrange(shared..<first.operations.count)
            return (first, second)
        }
    }
}
