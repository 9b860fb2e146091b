import Audit
import Dispatch
import DynamoModel
import FlagCore
import FlagStore
import JSON
import Platform

/// The audit log's end, where records are appended: one after the other, on one queue, so that they make one chain.
///
/// What appends blocks until it is durable, and is called on the queue.
final class AuditLog: Sendable {
    /// An entry that is to become a record.
    struct Addition: Sendable {
        let entry: AuditEntry
        /// The last change of the store that is in the log with it; nil where it is about none.
        let position: Int64?
    }

    let store: any TableStore
    let seal: AuditSeal
    /// Where it is appended.
    let queue: DispatchQueue
    private let current: Locked<AuditState?> = Locked(nil)
    private let counts = Locked(Counts())
    private let subscriber = Locked<@Sendable () -> Void>({})

    /// What happened since the start.
    struct Counts: Sendable {
        var records: UInt64 = 0
        var failures: UInt64 = 0
    }

    init(store: any TableStore, seal: AuditSeal, queue: DispatchQueue) {
        self.store = store
        self.seal = seal
        self.queue = queue
    }

    /// The end of the log; nil until it was opened.
    var state: AuditState? { current.withLock { $0 } }
    /// What happened since the start.
    var statistics: Counts { counts.withLock { $0 } }

    /// Calls back when there are more records. From the queue; it must not block.
    func subscribe(_ body: @escaping @Sendable () -> Void) { subscriber.withLock { $0 = body } }

    /// Makes the table where there is none, and reads where the log ends.
    func open() throws(TableError) {
        if state != nil { return }
        do throws(TableError) { try store.createTable(AuditTable.schema) } catch {
            guard case .tableExists = error else { throw error }
        }
        if let stored = try storedState() {
            current.withLock { $0 = stored }
            if stored.keyID != seal.keyID {
                try append([Addition(entry: Self.entry(.keyChange, ["former": .string(stored.keyID)]), position: nil)])
            }
            return
        }
        // Of a store that was there before, whatever the stream still has.
        let first = try store.firstSequence()
        let start = AuditState(position: max(0, first - 1), keyID: seal.keyID)
        try store.transactAndWait(
            [.put(table: AuditTable.name, item: start.item, condition: .attributeNotExists("PK"))], principal: .server)
        current.withLock { $0 = start }
        try append([Addition(entry: Self.entry(.begin, ["change": .integer(start.position)]), position: nil)])
    }

    /// Appends records. O(bytes of them); blocks until they are durable.
    ///
    /// - Parameter position: the last change of the store that is in the log with all of them; nil for what the
    ///   additions say.
    func append(_ additions: [Addition], upTo position: Int64? = nil) throws(TableError) {
        guard var state else { throw .closed }
        var transactions: [[WriteOperation]] = []
        var block = AuditBlockInProgress(after: state)
        func finish(_ end: AuditState) {
            transactions.append(block.operations(endingIn: end))
            block = AuditBlockInProgress(after: end)
        }
        for addition in additions {
            let bytes = addition.entry.stored(as: state.sequence + 1)
            let terms = addition.entry.terms
            if !block.hasRoom(for: bytes.count, terms) { finish(state) }
            let mark = seal.mark(of: bytes, after: state.mark)
            let time = (addition.entry.until ?? addition.entry.time).millisecondsSinceEpoch
            block.append(AuditBlock.Stored(bytes: bytes, mark: mark), at: time, terms)
            state.sequence += 1
            state.mark = mark
            if addition.entry.time.millisecondsSinceEpoch < state.latest - AuditState.delayMilliseconds {
                state.isSetBack = true
            }
            state.latest = max(state.latest, time)
            state.keyID = seal.keyID
            if let position = addition.position { state.position = position }
        }
        if let position { state.position = max(state.position, position) }
        finish(state)
        try perform(transactions, endingIn: state, count: additions.count)
    }

    /// Does transactions in order, all under way at once: each wants the state that the one before leaves.
    private func perform(
        _ transactions: [[WriteOperation]], endingIn state: AuditState, count: Int
    ) throws(TableError) {
        let done = DispatchGroup()
        let failure = Locked<TableError?>(nil)
        for operations in transactions {
            done.enter()
            store.transact(operations, principal: .server) { result in
                if case .failure(let error) = result { failure.withLock { $0 = $0 ?? error } }
                done.leave()
            }
        }
        done.wait()
        guard let error = failure.withLock({ $0 }) else {
            current.withLock { $0 = state }
            counts.withLock { $0.records += UInt64(count) }
            return subscriber.withLock { $0 }()
        }
        counts.withLock { $0.failures += 1 }
        // Those before the one that failed are there.
        if let stored = try storedState() { current.withLock { $0 = stored } }
        throw error
    }

    /// What the table says of the end; nil where it says nothing.
    func storedState() throws(TableError) -> AuditState? {
        try store.getItem(table: AuditTable.name, key: AuditTable.state).flatMap(AuditState.init(item:))
    }

    /// An entry of the log about itself.
    static func entry(_ action: AuditAction, _ details: JSONObject) -> AuditEntry {
        var entry = AuditEntry(action, by: .server, at: .systemClock)
        entry.details = details
        return entry
    }
}
