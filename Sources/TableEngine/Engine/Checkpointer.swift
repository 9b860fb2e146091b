import Dispatch
import DynamoModel
import SQLite
import Synchronization

/// Moves the write-ahead log into the database file, on a queue of its own, so that no write waits for it.
final class Checkpointer: @unchecked Sendable {
    // Proof for `@unchecked Sendable`: `connection` is touched only on `queue`; everything else is immutable or atomic.
    private let queue = DispatchQueue(label: "table.checkpoint")
    private let path: String
    private let isScheduled = Atomic(false)
    private let longReads = Atomic(0)
    /// How long the log was when it was last moved, 0 when it was made to begin anew.
    private let framesMoved = Atomic(0)
    private var connection: DatabaseConnection?

    /// The log is moved when it has grown by this many pages: 4 MB. Not at every commit from there on, as long as it
    /// has not begun anew: moving costs two syncs, and writes would share the disk with it.
    private static let framesStep = 1000
    /// From this many on (16 MB), writers wait until the log can begin anew: a log that is never wholly moved while
    /// writing goes on would grow without end. Most of it was moved beside them before, so that they wait shortly.
    private static let framesMax = 4000
    /// How long writers wait for those who read, so that the log can begin anew.
    private static let busyTimeoutMilliseconds: Int32 = 100
    /// How often they waited in vain.
    let refusedRestarts = Atomic(0)

    /// Moves the log of the database file at `path`.
    init(path: String) {
        self.path = path
    }

    /// Told after each commit how long the log is.
    ///
    /// The writer is told when moving fails. It holds the checkpointer, so that it is no member of it: the two would
    /// keep each other, and the files of a store that nobody holds any more would stay open.
    func committed(walFrames: Int, by writer: Writer) {
        guard Self.isDue(walFrames: walFrames, framesMoved: framesMoved.load(ordering: .relaxed)) else { return }
        guard isScheduled.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return }
        queue.async { [self] in
            do throws(SQLiteError) { try checkpoint(walFrames: walFrames) } catch { note(error, writer) }
            isScheduled.store(false, ordering: .releasing)
        }
    }

    /// Whether a log of so many pages is to be moved that was last moved when it had `framesMoved`.
    static func isDue(walFrames: Int, framesMoved: Int) -> Bool {
        // A log that is shorter than it was has begun anew.
        let grownBy = walFrames < framesMoved ? walFrames : walFrames - framesMoved
        return grownBy >= framesStep
    }

    /// Runs `body`, which reads one state of the file for long: the log grows meanwhile, and nobody waits for it.
    func duringLongRead<Result>(_ body: () throws(TableError) -> Result) throws(TableError) -> Result {
        longReads.add(1, ordering: .acquiringAndReleasing)
        defer { longReads.subtract(1, ordering: .acquiringAndReleasing) }
        return try body()
    }

    /// Moves the whole log into the file and cuts it off, so that nothing is left of what it had. Blocks.
    ///
    /// - Throws: `storage` of kind `locked` where somebody reads an old state for long.
    func emptyLog() throws(TableError) {
        let result: Result<Void, TableError> = queue.sync {
            do throws(TableError) {
                try convertingErrors { () throws(SQLiteError) in
                    try openConnection().checkpoint(.truncate)
                    framesMoved.store(0, ordering: .relaxed)
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Waits for a checkpoint under way and closes the connection.
    func close() {
        queue.sync {
            connection?.close()
            connection = nil
        }
    }

    private func checkpoint(walFrames: Int) throws(SQLiteError) {
        let connection = try openConnection()
        try connection.checkpoint(.passive)
        // The log cannot begin anew under somebody who reads for long, and writers must not wait for that.
        let isReadForLong = longReads.load(ordering: .acquiring) > 0
        var beginsAnew = walFrames >= Self.framesMax && !isReadForLong
        if beginsAnew {
            do throws(SQLiteError) {
                try connection.checkpoint(.restart)
            } catch {
                // Somebody reads an old state. Writers have waited for him as long as they may: they do so again when
                // the log has grown by another step, not at each commit.
                guard error.kind == .locked else { throw error }
                beginsAnew = false
                refusedRestarts.add(1, ordering: .relaxed)
            }
        }
        framesMoved.store(beginsAnew ? 0 : walFrames, ordering: .relaxed)
    }

    private func note(_ error: SQLiteError, _ writer: Writer) {
        // Somebody reads what is to be moved: the next commit brings the next chance.
        if error.kind == .locked { return }
        connection?.close()
        connection = nil
        writer.suspect(StorageFailure(error))
    }

    private func openConnection() throws(SQLiteError) -> DatabaseConnection {
        if let connection { return connection }
        let opened = try DatabaseConnection(
            path: path, mode: .readWrite, busyTimeoutMilliseconds: Self.busyTimeoutMilliseconds)
        connection = opened
        return opened
    }
}
