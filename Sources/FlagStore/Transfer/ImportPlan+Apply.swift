import Dispatch
import DynamoTable
import FlagCore
import Lock

extension ImportPlan {
    /// Does what the plan says. Blocks until all of it is durable: not for a loop or the table's writer queue.
    ///
    /// Writes go out in transactions of up to 99 operations, many at a time. Each is all or nothing; the import as a
    /// whole is not: when it fails half way, what was written stays, and importing the same file again does the rest.
    ///
    /// Kill switches that the file sets come first and those that it clears last, so that nothing is served in between
    /// that neither state would serve.
    ///
    /// - Throws: `conflict` when somebody changed one of the flags since the plan was made; `unavailable`.
    package func apply(to repository: FlagRepository, by principal: Principal) throws(FlagStoreError) {
        let writer = ImportWriter(repository: repository, environment: environment, principal: principal)
        try writer.write(
            killSwitches.created.lazy.map { ($0.flagKey ?? "", repository.put($0.item)) })
        try writer.write(
            killSwitches.changed.lazy.map { ($0.new.flagKey ?? "", repository.put($0.new.item)) })
        try writer.write(
            flags.created.lazy.map {
                ($0.key, repository.put($0.item, if: .attributeNotExists(DocumentPath(Attribute.partition))))
            })
        try writer.write(
            flags.changed.lazy.map {
                ($0.new.key, repository.put($0.new.item, if: .isAt(version: $0.old.version)))
            })
        try writer.write(overrides.created.lazy.map { ($0.flagKey, repository.put($0.item)) })
        try writer.write(overrides.changed.lazy.map { ($0.new.flagKey, repository.put($0.new.item)) })
        try writer.write(overrides.removed.lazy.map { ($0.flagKey, repository.delete($0.itemKey)) })
        for flag in flags.removed { try writer.remove(flag) }
        try writer.write(killSwitches.removed.lazy.map { ($0.flagKey ?? "", repository.delete($0.itemKey)) })
    }
}

/// Writes many operations, with a bounded number of transactions under way.
private struct ImportWriter {
    let repository: FlagRepository
    let environment: Environment
    let principal: Principal

    /// Transactions under way at most: enough to keep the writer busy while the disk syncs, few enough to stay small.
    private static let transactionsMaximum = 32

    /// Writes operations in transactions and waits until all are durable. Each operation comes with the key of the flag
    /// that it is about, for the error.
    func write(_ operations: some Sequence<(flagKey: String, operation: WriteOperation)>) throws(FlagStoreError) {
        let slots = DispatchSemaphore(value: ImportWriter.transactionsMaximum)
        let failure = Locked<FlagStoreError?>(nil)
        var keys: [String] = []
        var batch: [WriteOperation] = []
        func send() {
            guard !batch.isEmpty else { return }
            slots.wait()
            let names = keys
            repository.write(batch, in: environment, by: principal) { result in
                if case .failure(let error) = result {
                    let conflict = error.failedCondition.map { failed in
                        FlagStoreError.conflict(flagKey: names[min(failed.operation, names.count - 1)])
                    }
                    failure.withLock { $0 = $0 ?? conflict ?? FlagStoreError(error) }
                }
                slots.signal()
            }
            batch.removeAll(keepingCapacity: true)
            keys.removeAll(keepingCapacity: true)
        }
        for (flagKey, operation) in operations {
            batch.append(operation)
            keys.append(flagKey)
            guard batch.count == FlagLimits.operationsPerTransaction else { continue }
            send()
            if failure.withLock({ $0 != nil }) { break }
        }
        send()
        // All slots are free again when nothing is under way.
        for _ in 0..<ImportWriter.transactionsMaximum { slots.wait() }
        for _ in 0..<ImportWriter.transactionsMaximum { slots.signal() }
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    /// Deletes a flag with its overrides and waits until it is gone.
    func remove(_ flag: FlagRecord) throws(FlagStoreError) {
        let done = DispatchSemaphore(value: 0)
        let answer = Locked<Result<Void, FlagStoreError>>(.success(()))
        repository.delete(flag.key, in: environment, expecting: flag.version, by: principal) { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        do throws(FlagStoreError) { try answer.withLock { $0 }.get() } catch {
            switch error {
            // Gone already is gone.
            case .notFound: return
            case .versionMismatch: throw .conflict(flagKey: flag.key)
            default: throw error
            }
        }
    }
}
