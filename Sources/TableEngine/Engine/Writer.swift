import Dispatch
import DynamoModel
import Platform
import SQLite
import Synchronization

/// The one that writes: drains the transactions that wait into one transaction of SQLite, made durable by one sync.
///
/// Transactions keep their order. The conditions of each see what those before it in the batch have done; one that does
/// not happen takes nothing else back. Where the disk fails, the whole batch fails and nothing of it is acknowledged:
/// the file holds what it held after the batches that succeeded.
final class Writer: @unchecked Sendable {
    // Proof for `@unchecked Sendable`: `connection` and the private variables below it are touched only on `queue`
    // (and in `init`, before anybody else knows the writer); everything else is immutable or guarded by itself.
    private let queue = DispatchQueue(label: "table.writer")
    private var connection: DatabaseConnection
    private var journal: ChangeJournal
    private var foreignVersion: Int64
    /// Why it is in doubt what the file holds, if it is: then nothing is written until it was verified.
    private var doubt: StorageFailure?
    private var isProbing = false

    private let waiting = Locked(WaitingTransactions())
    private let subscribers = Locked<[@Sendable ([TableChange]) -> Void]>([])
    private let lastDelivered: Atomic<Int64>
    /// Whether writes reach the disk.
    let trouble = TroubleNotice()
    private let readers: ReaderPool
    private let checkpointer: Checkpointer?
    /// What urgent writes are given when the disk is full; nil where nothing was set aside.
    private let reserve: DiskReserve?
    private let catalog: TableCatalog
    private let seal: ItemSeal
    private let limits: TableLimits
    private let clock: @Sendable () -> Int64
    private let delay: Delay
    private let verification: FileVerification

    /// How many batches are committed before other work of the queue gets its turn; each turn costs a wake-up.
    private static let batchesPerTurn = 16

    /// How many transactions of a batch that failed may fail by themselves before the rest is not tried: a device that
    /// fails may take long for each.
    private static let failuresAlone = 8
    /// How long after a write that failed it is tried whether one succeeds, and a file in doubt is verified.
    private static let probeMilliseconds = 1000
    /// A file that did not pass is left alone for so many times as long as verifying it took, but for the second above.
    private static let verificationRest = 10

    /// Takes over a connection that was opened for writing.
    init(
        connection: DatabaseConnection, catalog: TableCatalog, seal: ItemSeal, readers: ReaderPool,
        checkpointer: Checkpointer?, reserve: DiskReserve?, limits: TableLimits, retention: ChangeRetention,
        time: StoreClock, delay: Delay
    ) throws(TableError) {
        self.connection = connection
        self.catalog = catalog
        self.seal = seal
        self.readers = readers
        self.checkpointer = checkpointer
        self.reserve = reserve
        self.limits = limits
        clock = time.wall
        self.delay = delay
        verification = FileVerification(path: connection.path)
        (journal, foreignVersion) = try convertingErrors { () throws(SQLiteError) in
            (try ChangeJournal(connection, limits, retention, time), try connection.dataVersion())
        }
        lastDelivered = Atomic(journal.lastSequence)
        catalog.replace(with: try StoreFile.definitions(connection))
    }

    /// The sequence of the last change that was delivered.
    var lastSequence: Int64 { lastDelivered.load(ordering: .acquiring) }

    /// Adds somebody to be told of changes.
    func subscribe(_ deliver: @escaping @Sendable ([TableChange]) -> Void) {
        subscribers.withLock { $0.append(deliver) }
    }

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
        _ body: (DatabaseConnection) throws(TableError) -> Result, finish: (Result) -> Void = { _ in }
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

    /// Rewrites the file, so that nothing is left in it of what was removed or written over. Blocks, and all writes
    /// wait meanwhile. O(file).
    func compact() throws(TableError) {
        let result: Swift.Result<Void, TableError> = queue.sync {
            do throws(TableError) {
                if waiting.withLock({ $0.isClosed }) { throw .closed }
                if let failure = doubt { throw .storage(failure) }
                try readers.excludingReaders { () throws(TableError) in
                    try convertingErrors { () throws(SQLiteError) in try connection.compact() }
                }
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
                try readers.excludingReaders { () throws(TableError) in
                    // Of one state: what is written meanwhile is delivered the next time.
                    try connection.read(failing: TableError.init) { () throws(TableError) in try catchUp() }
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Notes on the writer's queue that the file is in doubt, after a failure that happened elsewhere.
    func suspect(_ failure: StorageFailure) {
        queue.async {
            guard failure.doubt != .nothing, self.doubt == nil else { return }
            self.doubt = failure
            self.note(.storage(failure))
        }
    }

    /// Takes no more, finishes what waits, and closes the connection. Blocks.
    func close() {
        dispatchPrecondition(condition: .notOnQueue(queue))
        let wasClosed = waiting.withLock { waiting in
            defer { waiting.isClosed = true }
            return waiting.isClosed
        }
        if wasClosed { return }
        verification.cancel()
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
        commit(batch)
        return true
    }

    /// Commits transactions together.
    ///
    /// - Returns: whether that succeeded.
    @discardableResult
    private func commit(_ batch: [PreparedTransaction]) -> Bool {
        var batch = batch
        do throws(TableError) {
            var changes = AppliedChanges()
            let results = try inTransaction(batch[0].urgency) { () throws(TableError) in
                let results = try apply(batch, &changes)
                try TableStatistics.note(changes, connection, catalog, seal)
                return results
            }
            deliver(changes.followed)
            // What the batch had no time for is the next one's.
            if results.count < batch.count {
                waiting.withLock { $0.putBack(batch[results.count...]) }
                batch.removeSubrange(results.count...)
            }
            for (transaction, result) in zip(batch, results) { transaction.completion(result) }
            return true
        } catch {
            if batch[0].urgency == .urgent, error.isOfFullDisk, let reserve, reserve.giveUpPart() {
                return commit(batch)
            }
            var rest = batch[...]
            if batch.count > 1, case .storage(let failure) = error, failure.mayBeOneTransactions {
                // The others have nothing to do with it: each is a batch of its own. Where many fail, they have.
                var failures = 0
                while failures < Self.failuresAlone, let transaction = rest.popFirst() {
                    if !commit([transaction]) { failures += 1 }
                }
            }
            for transaction in rest { transaction.completion(.failure(error)) }
            return false
        }
    }

    /// Does what `body` does in one transaction of SQLite, and notes the state of the file when that fails.
    private func inTransaction<Result>(
        _ urgency: WriteUrgency = .usual, _ body: () throws(TableError) -> Result
    ) throws(TableError) -> Result {
        if let doubt { throw .storage(doubt) }
        do throws(TableError) {
            if urgency == .usual, let reserve, !reserve.isWhole { throw reserve.trouble }
            let result = try readers.excludingReaders { () throws(TableError) in
                try convertingErrors { () throws(SQLiteError) in try connection.beginWriting() }
                do throws(TableError) {
                    try catchUp()
                    journal.begin(at: clock())
                    let result = try body()
                    try convertingErrors { () throws(SQLiteError) in
                        try connection.requireTransaction()
                        // What is urgent needs as little space as can be.
                        if urgency == .usual { try journal.prune(connection) }
                        try connection.commit()
                    }
                    return result
                } catch {
                    connection.rollBack()
                    throw error
                }
            }
            journal.commit()
            // With a part of the reserve, not everybody's writes succeed; and the log is not moved, which would take
            // what was given for the file.
            if reserve?.isWhole ?? true {
                checkpointer?.committed(walFrames: connection.walFrames, by: self)
                trouble.note(nil)
            }
            return result
        } catch {
            if case .storage(let failure) = error, failure.concernsAllWrites {
                // A connection that cannot even take back what it wrote is of no use any more. A database in memory
                // lives in its connection.
                if failure.doubt != .nothing || connection.isInTransaction, checkpointer != nil { doubt = failure }
                note(error)
            }
            throw error
        }
    }

    /// Notes that writes fail, and sees to it that it is known when they succeed again, without somebody's write.
    private func note(_ error: TableError) {
        trouble.note(error)
        probe(in: Self.probeMilliseconds)
    }

    /// Tries after a while whether something can be written. A failure has it tried again.
    private func probe(in milliseconds: Int) {
        guard !isProbing else { return }
        isProbing = true
        delay.call(milliseconds, queue) { [weak self] in
            guard let self else { return }
            isProbing = false
            guard trouble.current != nil, !waiting.withLock({ $0.isClosed }) else { return }
            if let doubt { return verify(doubt) }
            reserve?.refill()
            writeProbe()
        }
    }

    private func writeProbe() {
        let time = "\(clock())"
        try? inTransaction { () throws(TableError) in
            try convertingErrors { () throws(SQLiteError) in
                try StoreFile.set(connection, StoreFile.Setting.probe, to: time)
            }
        }
    }

    /// Applies transactions one after the other, as many as a batch may take: the rest would make those wait that are
    /// done, and what is urgent.
    ///
    /// - Returns: the results of the first ones.
    private func apply(
        _ batch: [PreparedTransaction], _ changes: inout AppliedChanges
    ) throws(TableError) -> [Result<[WriteOutcome], TableError>] {
        var results: [Result<[WriteOutcome], TableError>] = []
        results.reserveCapacity(batch.count)
        var bytes = 0
        do throws(SQLiteError) {
            for transaction in batch {
                let isOvertaken = transaction.urgency == .usual && !results.isEmpty && waiting.withLock { $0.hasUrgent }
                if bytes >= limits.batchBytesMax || isOvertaken { break }
                try connection.requireTransaction()
                var application = TransactionApplication(transaction, connection, limits, seal)
                if let refusal = try application.decide(catalog) {
                    results.append(.failure(refusal))
                } else {
                    results.append(.success(try application.write(&journal, &changes)))
                }
                bytes += application.bytes
            }
        } catch {
            // What SQLite says is never the transaction's own: whatever else is in the batch may be gone with it.
            throw TableError(error)
        }
        return results
    }

    private func deliver(_ changes: [TableChange]) {
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
            let changes = try ChangeJournal.changes(connection, after: lastSequence, limit: 1000, seal)
            if changes.isEmpty { break }
            deliver(changes)
        }
        try convertingErrors { () throws(SQLiteError) in try journal.reload(connection) }
        // Behind the last change that was delivered, there are only those of tables that were deleted.
        lastDelivered.store(journal.lastSequence, ordering: .releasing)
        foreignVersion = version
    }

    /// Verifies the file that is in doubt, beside this queue; goes on with it, opened anew, if it is in order.
    private func verify(_ doubt: StorageFailure) {
        isProbing = true
        verification.verify(doubt.doubt) { outcome, took in
            self.queue.async { self.settle(doubt, outcome, took) }
        }
    }

    private func settle(_ doubt: StorageFailure, _ outcome: Result<Void, TableError>, _ took: Duration) {
        isProbing = false
        if waiting.withLock({ $0.isClosed }) { return }
        do throws(TableError) {
            try outcome.get()
            let opened = try StoreFile.openForWriting(connection.path, creating: false)
            connection.close()
            connection = opened
            // Versions of the old connection mean nothing to the new one.
            foreignVersion = -1
            self.doubt = nil
            writeProbe()
        } catch {
            if case .storage(var failure) = error {
                // What was in doubt before, was not verified.
                if failure.doubt == .nothing { failure.doubt = doubt.doubt }
                self.doubt = failure
            }
            trouble.note(error)
            let rest = took * Self.verificationRest
            probe(in: max(Self.probeMilliseconds, Int(rest / .milliseconds(1))))
        }
    }
}
