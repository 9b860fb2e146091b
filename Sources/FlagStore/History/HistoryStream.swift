import DynamoModel
import FlagCore

/// The entries of a history, the newest first, read page after page as they are asked for. Blocks.
struct HistoryStream {
    private let store: any TableStore
    private let subject: HistorySubject
    private var parts: [Part]

    /// The entries of one partition.
    private struct Part {
        var query: Query
        /// Those that were read and not given out, the next one last.
        var waiting: [FlagHistoryEntry] = []
        var isDone = false
    }

    /// The entries of a history.
    ///
    /// - Parameters:
    ///   - subject: whose.
    ///   - table: the internal table.
    ///   - place: the sort key of an entry: those before it; nil for all.
    ///   - page: how many are read at a time.
    ///   - isOwn: whether those of the overrides of a flag are left out.
    init(
        of subject: HistorySubject, in environment: Environment, from store: any TableStore, _ table: String,
        before place: AttributeValue? = nil, page: Int, isOwn: Bool = false
    ) {
        self.store = store
        self.subject = subject
        let partitions = subject.partitions(in: environment).prefix(isOwn ? 1 : .max)
        parts = partitions.map { partition in
            var query = Query(
                table: table, partition: .string(partition), sort: place.map { .less($0) }, forward: false, limit: page)
            query.attributes = FlagHistoryEntry.listedNames
            return Part(query: query)
        }
    }

    /// The next entry, without its content; nil when there is none.
    mutating func next() throws(FlagStoreError) -> FlagHistoryEntry? {
        var newest: Int?
        for index in parts.indices {
            try fill(index)
            guard let entry = parts[index].waiting.last else { continue }
            if let known = newest.flatMap({ parts[$0].waiting.last }), known.sequence > entry.sequence { continue }
            newest = index
        }
        return newest.flatMap { parts[$0].waiting.popLast() }
    }

    private mutating func fill(_ index: Int) throws(FlagStoreError) {
        while parts[index].waiting.isEmpty, !parts[index].isDone {
            let page: QueryPage
            do { page = try store.query(parts[index].query) } catch {
                // A key that is too long for this table has no entries.
                guard error.mayPass else {
                    parts[index].isDone = true
                    return
                }
                throw FlagStoreError(error)
            }
            parts[index].waiting = page.items.reversed().compactMap { FlagHistoryEntry(item: $0) }
                .filter(subject.has)
            parts[index].query.exclusiveStart = page.lastEvaluatedKey
            parts[index].isDone = page.lastEvaluatedKey == nil
        }
    }
}
