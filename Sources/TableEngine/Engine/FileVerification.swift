import Dispatch
import DynamoModel
import Platform
import SQLite
import Synchronization

/// Verifies a file that is in doubt, beside its readers, on a queue of its own: it may take long, and neither reads nor
/// the writer's queue wait for it. The writer takes no writes meanwhile.
///
/// After a failed write or sync it verifies what the last sync has covered, which is all that can have suffered: that
/// the log holds every commit since it began anew. O(log), some 16 MB. Where a page contradicted itself, the whole file
/// is checked. O(file).
final class FileVerification: Sendable {
    /// A connection that another thread may interrupt.
    private struct Checking: @unchecked Sendable {
        // Proof for `@unchecked Sendable`: it is used on `queue` only, except for `interrupt`, which any thread may
        // call while the connection is open: it is in `checking` only as long as it is, and the lock orders the two.
        let connection: DatabaseConnection
    }

    private let path: String
    private let queue = DispatchQueue(label: "table.verification")
    private let checking = Locked<Checking?>(nil)
    private let isCancelled = Atomic(false)

    /// Verifies the file at `path`.
    init(path: String) { self.path = path }

    /// Verifies what is in doubt, and tells how it went and how long it took.
    func verify(
        _ doubt: StorageFailure.Doubt,
        completion: @escaping @Sendable (_ outcome: Result<Void, TableError>, _ took: Duration) -> Void
    ) {
        queue.async { [self] in
            let start = ContinuousClock.now
            let outcome = Result { () throws(TableError) in try verify(doubt) }
            completion(outcome, start.duration(to: .now))
        }
    }

    /// Ends what is under way, and verifies no more. Blocks until it has ended.
    func cancel() {
        isCancelled.store(true, ordering: .releasing)
        checking.withLock { $0?.connection.interrupt() }
        queue.sync {}
    }

    private func verify(_ doubt: StorageFailure.Doubt) throws(TableError) {
        let problems = try convertingErrors { () throws(SQLiteError) in
            let connection = try StoreFile.openForReading(path)
            defer { connection.close() }
            let checking = Checking(connection: connection)
            self.checking.withLock { $0 = checking }
            defer { self.checking.withLock { $0 = nil } }
            try WriteAheadLog.check(through: connection) { isCancelled.load(ordering: .acquiring) }
            if doubt != .file || isCancelled.load(ordering: .acquiring) { return [] }
            return try connection.integrityProblems()
        }
        guard let problem = problems.first else { return }
        throw .storage(
            StorageFailure(
                kind: .corrupt, reason: "cannot go on writing \(path): \(problem)",
                hint: "Stop the server, keep a copy of the file, and restore the last backup", doubt: .file))
    }
}
