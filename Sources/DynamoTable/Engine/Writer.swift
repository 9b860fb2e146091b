import Dispatch
import Lock
import SQLite
import Synchronization

/// The one that writes: drains the transactions that wait into one transaction of SQLite, made durable by one sync.
///
/// Transactions keep their order. The conditions of each see what those before it in the batch have done; one that does
/// not happen takes nothing else back. Where the disk fails, the whole batch fails and nothing of it is acknowledged.
final class Writer: @unchecked Sendable {
    // Proof for `@unchecked Sendable`: `connection` and the private variables below it are touched only on `queue`
    // (and in `init`, before anybody else knows the writer); everything else is immutable or guarded by itself.
    private let queue = DispatchQueue(label: "table.writer")
    private var connection: Connection
    private var journal: ChangeJournal
    private var foreignVersion: Int64
    private var doubt: (failure: StorageFailure, retryAt: Int64)?
    private var isProbing = false

    private let waiting = Locked(WaitingTransactions())
    private let subscribers = Locked<[@Sendable ([Change]) -> Void]>([])
    private let lastDelivered: Atomic<Int64>
    /// Whether writes reach the disk.
    let trouble = TroubleNotice()
    private let readers: ReaderPool
    private let checkpointer: Checkpointer?
    private let catalog: TableCatalog
    private let limits: TableLimits
    private let clock: @Sendable () -> Int64

    /// How many batches are committed before other work of the queue gets its turn; each turn costs a wake-up.
    private static let batchesPerTurn = 16

    /// How long a file in doubt is left alone after it failed a verification.
    private static let doubtRetryMilliseconds: Int64 = 1000
    /// How long after a write that failed it is tried whether one succeeds.
    private static let probeMilliseconds = 1000

    /// Takes over a connection that was opened for writing.
    init(
        connection: Connection, catalog: TableCatalog, readers: ReaderPool, checkpointer: Checkpointer?,
        limits: TableLimits, retention: ChangeRetention, time: StoreClock
    ) throws(TableError) {
        self.connection = connection
        self.catalog = catalog
        self.readers = readers
        self.checkpointer = checkpointer
        self.limits = limits
        clock = time.wall
        (journal, foreignVersion) = try convertingErrors { () throws(SQLiteError) in
            (try ChangeJournal(connection, limits, retention, time), try connection.dataVersion())
        }
        lastDelivered = Atomic(journal.lastSequence)
        catalog.replace(with: try StoreFile.definitions(connection))
    }

    /// The sequence of the last change that was delivered.
    var lastSequence: Int64 { lastDelivered.load(ordering: .acquiring) }

    /// Adds somebody to be told of changes.
    func subscribe(_ deliver: @escaping @Sendable ([Change]) -> Void) { subscribers.withLock { $0.append(deliver) } }

    /// Puts a transaction in the queue of those that wait.
    ///
    /// - Throws: `closed`, `tooManyWaiting`; then the transaction's completion is not called.
    func enqueue(_ transaction: PreparedTransaction) throws(TableError) {
        let mustWake = try waiting.withLock { (waiting) throws(TableError) in
            try waiting.append(transaction, limits)
        }
        if mustWake { queue.async { self.drain() } }
    }

    /// Runs `body` in a transaction of its own, between two batches, and `finish` when it is durable. Blocks.
    func write<Result: Sendable>(
        _ body: (Connection) throws(TableError) -> Result, finish: (Result) -> Void = { _ in }
    ) throws(TableError) {
        dispatchPrecondition(condition: .notOnQueue(queue))
        let result: Swift.Result<Void, TableError> = queue.sync {
            do throws(TableError) {
                if waiting.withLock({ $0.isClosed }) { throw .closed }
                finish(try inTransaction { () throws(TableError) in try body(connection) })
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Delivers what other processes have changed. Blocks.
    func deliverForeignChanges() throws(TableError) {
        let result: Swift.Result<Void, TableError> = queue.sync {
            do throws(TableError) {
                if waiting.withLock({ $0.isClosed }) { throw .closed }
                return .success(try readers.excludingReaders { () throws(TableError) in try catchUp() })
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Notes on the writer's queue that the file is in doubt, after a failure that happened elsewhere.
    func suspect(_ failure: StorageFailure) {
        queue.async { if failure.leavesFileInDoubt, self.doubt == nil { self.doubt = (failure, 0) } }
    }

    /// Takes no more, finishes what waits, and closes the connection. Blocks.
    func close() {
        dispatchPrecondition(condition: .notOnQueue(queue))
        let wasClosed = waiting.withLock { waiting in
            defer { waiting.isClosed = true }
            return waiting.isClosed
        }
        if wasClosed { return }
        queue.sync {
            while commitBatch() {}
            readers.excludingReaders { connection.close() }
        }
    }
}

// MARK: - Batches

extension Writer {
    private func drain() {
        for _ in 0..<Self.batchesPerTurn {
            guard commitBatch() else { return }
        }
        // Through the queue again, so that what else waits for it gets its turn.
        queue.async { self.drain() }
    }

    /// Commits what waits, up to the limit of a batch.
    ///
    /// - Returns: whether there is more to do.
    private func commitBatch() -> Bool {
        let batch = waiting.withLock { $0.take(limits.batchTransactionsMax) }
        guard !batch.isEmpty else { return false }
        do throws(TableError) {
            var changes: [Change] = []
            let results = try inTransaction { () throws(TableError) in
                let results = try apply(batch, &changes)
                try TableStatistics.note(changes, connection, catalog)
                return results
            }
            deliver(changes)
            for (transaction, result) in zip(batch, results) { transaction.completion(result) }
        } catch {
            for transaction in batch { transaction.completion(.failure(error)) }
        }
        return true
    }

    /// Does what `body` does in one transaction of SQLite, and notes the state of the file when that fails.
    private func inTransaction<Result>(
        _ body: () throws(TableError) -> Result
    ) throws(TableError) -> Result {
        do throws(TableError) { try settleDoubt() } catch { throw noted(error) }
        do throws(TableError) {
            let result = try readers.excludingReaders { () throws(TableError) in
                try convertingErrors { () throws(SQLiteError) in try connection.beginWriting() }
                do throws(TableError) {
                    try catchUp()
                    journal.begin(at: clock())
                    let result = try body()
                    try convertingErrors { () throws(SQLiteError) in
                        try journal.prune(connection)
                        try connection.commit()
                    }
                    return result
                } catch {
                    connection.rollBack()
                    throw error
                }
            }
            journal.commit()
            checkpointer?.committed(walFrames: connection.walFrames, by: self)
            trouble.note(nil)
            return result
        } catch {
            if case .storage(let failure) = error {
                if failure.leavesFileInDoubt { doubt = (failure, clock() + Self.doubtRetryMilliseconds) }
                // Damage may be one item's; where it is the file's, the next write finds that out.
                if failure.kind != .corrupt { throw noted(error) }
            }
            throw error
        }
    }

    private func noted(_ error: TableError) -> TableError {
        trouble.note(error)
        probe()
        return error
    }

    /// Tries until it succeeds whether something can be written, so that it is known without somebody's write.
    private func probe() {
        guard !isProbing else { return }
        isProbing = true
        queue.asyncAfter(deadline: .now() + .milliseconds(Self.probeMilliseconds)) { [weak self] in
            guard let self else { return }
            isProbing = false
            guard trouble.current != nil, !waiting.withLock({ $0.isClosed }) else { return }
            let time = "\(clock())"
            // A failure has it tried again.
            try? inTransaction { () throws(TableError) in
                try convertingErrors { () throws(SQLiteError) in
                    try StoreFile.set(connection, StoreFile.Setting.probe, to: time)
                }
            }
        }
    }

    private func apply(
        _ batch: [PreparedTransaction], _ changes: inout [Change]
    ) throws(TableError) -> [Result<[WriteOutcome], TableError>] {
        var results: [Result<[WriteOutcome], TableError>] = []
        results.reserveCapacity(batch.count)
        for transaction in batch {
            var application = TransactionApplication(transaction, connection, limits)
            do throws(TableError) {
                try application.decide(catalog)
            } catch {
                results.append(.failure(error))
                continue
            }
            // From here on only the disk can fail, and then the whole batch does.
            do throws(SQLiteError) {
                results.append(.success(try application.write(&journal, &changes)))
            } catch {
                throw TableError(error)
            }
        }
        return results
    }

    private func deliver(_ changes: [Change]) {
        guard let last = changes.last else { return }
        lastDelivered.store(last.sequence, ordering: .releasing)
        for deliver in subscribers.withLock({ $0 }) { deliver(changes) }
    }
}

// MARK: - Other writers and doubts

extension Writer {
    /// Reads what other processes have changed since the last look: tables and changes, which it delivers.
    private func catchUp() throws(TableError) {
        let version = try convertingErrors { () throws(SQLiteError) in try connection.dataVersion() }
        guard version != foreignVersion else { return }
        catalog.replace(with: try StoreFile.definitions(connection))
        while true {
            let changes = try ChangeJournal.changes(connection, after: lastSequence, limit: 1000)
            if changes.isEmpty { break }
            deliver(changes)
        }
        try convertingErrors { () throws(SQLiteError) in try journal.reload(connection) }
        foreignVersion = version
    }

    /// Where the file is in doubt: opens it anew, verifies it, and goes on only if it is in order.
    private func settleDoubt() throws(TableError) {
        guard let (failure, retryAt) = doubt else { return }
        guard clock() >= retryAt else { throw .storage(failure) }
        do throws(TableError) {
            // A database in memory lives in its connection: it is verified as it is.
            if checkpointer != nil {
                let opened = try StoreFile.openForWriting(connection.path, creating: false)
                connection.close()
                connection = opened
            }
            let problems = try convertingErrors { () throws(SQLiteError) in try connection.integrityProblems() }
            guard problems.isEmpty else {
                throw .storage(
                    StorageFailure(
                        kind: .corrupt, reason: "cannot go on writing \(connection.path): \(problems[0])",
                        hint: "Stop the server, keep a copy of the file, and restore the last backup"))
            }
            // Versions of the old connection mean nothing to the new one.
            foreignVersion = -1
            doubt = nil
        } catch {
            if case .storage(let failure) = error {
                doubt = (failure, clock() + Self.doubtRetryMilliseconds)
            }
            throw error
        }
    }
}
