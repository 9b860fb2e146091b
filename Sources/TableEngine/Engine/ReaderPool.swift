import Dispatch
import DynamoModel
import Platform
import SQLite

/// Connections for reading: as many reads at a time as there are, the others wait.
///
/// Each read sees every commit that ended before it began, and is not held up by writing: readers and the writer do not
/// wait for one another with a write-ahead log. In memory mode there is one connection for all, and the pool is what
/// keeps reads and the writer's batches apart.
final class ReaderPool: Sendable {
    /// A connection that is handed from thread to thread.
    private struct Reader: @unchecked Sendable {
        // Proof for `@unchecked Sendable`: a reader is in `idle` or with the one thread that took it out, never both,
        // and the lock around `idle` orders what they do.
        let connection: DatabaseConnection
    }

    private struct State {
        var idle: [Reader] = []
        var isClosed = false
    }

    private let path: String
    private let isShared: Bool
    private let state: Locked<State>
    private let permits: DispatchSemaphore

    /// A pool of up to `count` connections to the file at `path`, opened when they are first needed.
    init(path: String, count: Int) {
        self.path = path
        isShared = false
        state = Locked(State())
        permits = DispatchSemaphore(value: count)
    }

    /// A pool of the writer's own connection, for a database in memory. The writer uses it in `excludingReaders`.
    init(sharing connection: DatabaseConnection) {
        path = connection.path
        isShared = true
        state = Locked(State(idle: [Reader(connection: connection)]))
        permits = DispatchSemaphore(value: 1)
    }

    /// Runs `body` with a connection for reading.
    ///
    /// Where something cannot be read or is damaged, it is read once more, by a connection that has nothing in memory:
    /// only what is wrong twice is so in the file.
    ///
    /// - Throws: `closed`, what opening a connection throws, and what `body` throws.
    func read<Result>(_ body: (DatabaseConnection) throws(TableError) -> Result) throws(TableError) -> Result {
        do throws(TableError) {
            return try readOnce(body)
        } catch {
            guard !isShared, case .storage(let failure) = error, failure.isOfReading else { throw error }
            return try readOnce(body)
        }
    }

    /// Runs `body` once with a connection for reading, since it takes long or must not begin anew.
    func readOnce<Result>(_ body: (DatabaseConnection) throws(TableError) -> Result) throws(TableError) -> Result {
        permits.wait()
        defer { permits.signal() }
        return try use(body)
    }

    private func use<Result>(_ body: (DatabaseConnection) throws(TableError) -> Result) throws(TableError) -> Result {
        let reader = try take()
        do throws(TableError) {
            let result = try body(reader.connection)
            giveBack(reader)
            return result
        } catch {
            // A connection that ran into the disk's or the file's troubles is not used again.
            if isShared || !error.isStorageFailure { giveBack(reader) }
            throw error
        }
    }

    /// Runs `body` with a connection for reading if there is one at once; nil if not.
    func readWithoutWaiting<Result>(
        _ body: (DatabaseConnection) throws(TableError) -> Result
    ) throws(TableError) -> Result? {
        guard permits.wait(timeout: .now()) == .success else { return nil }
        defer { permits.signal() }
        return try use(body)
    }

    /// Runs `body` while nobody reads, where readers share the writer's connection; else just runs it.
    func excludingReaders<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard isShared else { return try body() }
        permits.wait()
        defer { permits.signal() }
        return try body()
    }

    /// Has the idle connections give back what they keep of the file in memory, one after the other, so that reads go
    /// on beside. What is being read with keeps what it has.
    func releaseMemory() {
        for _ in 0..<state.withLock({ $0.idle.count }) {
            guard permits.wait(timeout: .now()) == .success else { return }
            defer { permits.signal() }
            // The first: it comes back as the last.
            guard let reader = state.withLock({ $0.idle.isEmpty ? nil : $0.idle.removeFirst() }) else { return }
            reader.connection.releaseMemory()
            giveBack(reader)
        }
    }

    /// Closes the idle connections, and the others as they come back.
    func close() {
        let idle = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle
        }
        if !isShared { idle.forEach { $0.connection.close() } }
    }

    private func take() throws(TableError) -> Reader {
        let (idle, isClosed) = state.withLock { ($0.idle.popLast(), $0.isClosed) }
        if isClosed { throw .closed }
        if let idle { return idle }
        return Reader(connection: try convertingErrors { () throws(SQLiteError) in try StoreFile.openForReading(path) })
    }

    private func giveBack(_ reader: Reader) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.idle.append(reader) }
            return state.isClosed
        }
        if isClosed, !isShared { reader.connection.close() }
    }
}

extension TableError {
    fileprivate var isStorageFailure: Bool { if case .storage = self { true } else { false } }
}
