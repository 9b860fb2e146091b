import DynamoModel
import Platform

/// Some items of a table as values in memory: read once, and followed from then on, so that asking costs no I/O.
final class FollowedItems<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct State {
        var values: [Key: Value] = [:]
        /// What has changed while the items are being read; nil while nobody reads them.
        var early: [(key: Key, value: Value?)]?
        var isFollowing = false
        var isRead = false
    }

    private let store: any TableStore
    private let table: String
    private let queries: [Query]
    private let key: @Sendable (TableKey) -> Key?
    private let value: @Sendable (Item) -> Value?
    private let state = Locked(State())
    /// Held while the items are read: of two who read at once, the later could put what it read before a change over
    /// that change.
    private let reading = Locked(())

    /// Items that `queries` of a table find.
    ///
    /// - Parameters:
    ///   - key: what an item goes by; nil for one that the queries do not find.
    ///   - value: what is kept of an item; nil where nothing is.
    init(
        _ store: any TableStore, _ table: String, _ queries: [Query],
        key: @escaping @Sendable (TableKey) -> Key?, value: @escaping @Sendable (Item) -> Value?
    ) {
        self.store = store
        self.table = table
        self.queries = queries
        self.key = key
        self.value = value
    }

    /// What there is, by key. No I/O.
    var all: [Key: Value] { state.withLock { $0.values } }

    /// One of them. O(1), no I/O.
    subscript(key: Key) -> Value? { state.withLock { $0.values[key] } }

    /// Reads the items unless they have been read, and follows them from then on. Blocks; O(items) the first time.
    func start() throws(TableError) {
        if state.withLock({ $0.isRead }) { return }
        try reading.withLock { _ throws(TableError) in
            // Somebody else may have read them while this waited.
            if !state.withLock({ $0.isRead }) { try readWhileAlone() }
        }
    }

    /// Reads all items, whatever is known: after the table was replaced by another. Blocks; O(items).
    func readAgain() throws(TableError) {
        try reading.withLock { _ throws(TableError) in try readWhileAlone() }
    }

    private func readWhileAlone() throws(TableError) {
        let isFirst = state.withLock { state in
            state.early = state.early ?? []
            defer { state.isFollowing = true }
            return !state.isFollowing
        }
        if isFirst { store.subscribe { [weak self] changes in self?.take(changes) } }
        let values: [Key: Value]
        do throws(TableError) { values = try read() } catch {
            // Nothing is gathered for a reading that is over.
            state.withLock { $0.early = nil }
            throw error
        }
        state.withLock { state in
            state.values = values
            // What has changed meanwhile is newer than what was read.
            for (key, value) in state.early ?? [] { state.values[key] = value }
            state.early = nil
            state.isRead = true
        }
    }

    private func read() throws(TableError) -> [Key: Value] {
        var values: [Key: Value] = [:]
        guard try store.listTables().contains(table) else { return values }
        for var query in queries {
            while true {
                let page = try store.query(query)
                for item in page.items {
                    guard let key = itemKey(item).flatMap(key) else { continue }
                    values[key] = value(item)
                }
                guard let next = page.lastEvaluatedKey else { break }
                query.exclusiveStart = next
            }
        }
        return values
    }

    private func itemKey(_ item: Item) -> TableKey? {
        guard let partition = item[ChangeControlTable.partition] else { return nil }
        return TableKey(partition, item[ChangeControlTable.sort])
    }

    /// On the writer's queue, before a change is answered.
    private func take(_ changes: [TableChange]) {
        let news = changes.compactMap { change -> (key: Key, value: Value?)? in
            guard change.table == table, let key = key(change.key) else { return nil }
            return (key, change.newItem.flatMap(value))
        }
        guard !news.isEmpty else { return }
        state.withLock { state in
            for (key, value) in news { state.values[key] = value }
            state.early?.append(contentsOf: news)
        }
    }
}
