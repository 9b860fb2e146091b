import Platform

/// The last changes that a follower wants, kept as they are delivered, so that one that keeps up reads nothing. Where
/// it does not, the stream has the others.
package final class RecentChanges: Sendable {
    private struct State {
        /// All changes that are wanted behind this one are here; nil while none were delivered.
        var start: Int64?
        /// The last change of any table that was delivered.
        var delivered: Int64 = 0
        var changes: [TableChange] = []
        /// Of the items of these.
        var bytes = 0
    }

    private let state = Locked(State())
    private let stream: any TableChanges
    private let select: Selection
    private let maximum: Int
    private let bytesMaximum: Int

    /// What is wanted of a change: itself, or as much of it as is needed; nil for nothing.
    package typealias Selection = @Sendable (TableChange) -> TableChange?

    /// None yet.
    ///
    /// - Parameters:
    ///   - stream: where they are read that are not here.
    ///   - maximum: how many are kept; when more come than are taken, they are let go.
    ///   - bytesMaximum: the same of the bytes of their items, as they are stored.
    ///   - select: what is wanted. Called on the writer's queue: it must not block.
    package init(
        of stream: any TableChanges, maximum: Int = 5_000, bytesMaximum: Int = 16 << 20,
        selecting select: @escaping Selection
    ) {
        self.stream = stream
        self.select = select
        self.maximum = maximum
        self.bytesMaximum = bytesMaximum
    }

    /// The changes of one table; none yet.
    package convenience init(
        of stream: any TableChanges, table: String, maximum: Int = 5_000, bytesMaximum: Int = 16 << 20
    ) {
        self.init(of: stream, maximum: maximum, bytesMaximum: bytesMaximum) { $0.table == table ? $0 : nil }
    }

    /// Adds the changes of one commit.
    ///
    /// - Returns: how many of them are wanted.
    package func add(_ changes: [TableChange]) -> Int {
        guard let first = changes.first, let last = changes.last else { return 0 }
        let own = changes.compactMap(select)
        let bytes = own.reduce(0) { $0 + $1.bytes }
        state.withLock { state in
            state.delivered = last.sequence
            if state.changes.count + own.count > maximum || state.bytes + bytes > bytesMaximum { state.start = nil }
            if state.start == nil {
                // From here on: nothing has come between this commit and the one before.
                (state.start, state.changes, state.bytes) = (first.sequence - 1, [], 0)
            }
            state.changes += own
            state.bytes += bytes
        }
        return own.count
    }

    /// Up to `limit` changes after a position, with none where there are only others; nil when there are none at all.
    /// Blocks when they must be read.
    package func batch(after position: Int64, limit: Int) throws(TableError) -> ChangeBatch<[TableChange]>? {
        if let batch = recent(after: position, limit: limit) { return batch.upTo > position ? batch : nil }
        let end = stream.lastSequence
        let changes = try stream.changes(after: position, limit: limit)
        if let last = changes.last { return batch(changes.compactMap(select), upTo: last.sequence) }
        // What is left are changes of tables that were deleted, which the stream passes over.
        return end > position ? batch([], upTo: end) : nil
    }

    /// The same of those that are here, with none where nothing waits; nil when they must be read.
    private func recent(after position: Int64, limit: Int) -> ChangeBatch<[TableChange]>? {
        state.withLock { state in
            guard let start = state.start, position >= start else { return nil }
            // Up to here they have been taken.
            let taken = state.changes.firstIndex { $0.sequence > position } ?? state.changes.count
            state.bytes -= state.changes.prefix(taken).reduce(0) { $0 + $1.bytes }
            state.changes.removeFirst(taken)
            state.start = position
            let batch = Array(state.changes.prefix(limit))
            let isAll = batch.count == state.changes.count
            let last = isAll ? max(position, state.delivered) : batch[batch.count - 1].sequence
            return self.batch(batch, upTo: last)
        }
    }

    private func batch(_ changes: [TableChange], upTo last: Int64) -> ChangeBatch<[TableChange]> {
        ChangeBatch(changes, count: changes.count, upTo: last)
    }
}
