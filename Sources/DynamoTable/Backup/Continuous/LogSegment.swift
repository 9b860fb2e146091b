/// One change of a table in a log: what an item was after it.
struct LogRecord {
    /// The change's place in the change stream of the store.
    let sequence: Int64
    /// When it was committed, in milliseconds since 1970.
    let committedAt: Int64
    /// The bytes of the item's key, without the table's space.
    let key: [UInt8]
    /// The item afterwards, as it is stored; nil when it was removed.
    let content: [UInt8]?
}

/// A file of changes of a table: a block that says after which change of the store it begins, then blocks of changes.
enum LogSegment {
    /// The kind of block that says where the segment begins.
    static let head: UInt8 = 1
    /// The kind of block that holds changes.
    static let changes: UInt8 = 2
    /// The kind of block that says up to which change of the store the log is complete.
    static let note: UInt8 = 3

    /// The bytes of a record.
    static func append(_ record: LogRecord, to bytes: inout [UInt8]) {
        RecordWriter.append(record.sequence, to: &bytes)
        RecordWriter.append(record.committedAt, to: &bytes)
        RecordWriter.append(record.key, to: &bytes)
        RecordWriter.append(record.content == nil ? 0 : 1, to: &bytes)
        if let content = record.content { RecordWriter.append(content, to: &bytes) }
    }
}

/// Reads a segment of a log.
struct LogSegmentReader {
    /// The change of the store after which the segment begins.
    let after: Int64
    /// The last change that was read, or `after`.
    private(set) var lastSequence: Int64
    /// When it was committed, 0 while none was read.
    private(set) var lastCommittedAt: Int64 = 0
    /// Where the block begins that is read next.
    var position: Int { blocks.position }

    private var blocks: BlockReader

    /// Opens a segment, up to `end` or as far as it goes.
    ///
    /// - Throws: `backup(.damaged)`.
    init(_ file: StoredFile, end: Int? = nil) throws(TableError) {
        blocks = try BlockReader(file, .log, end: end)
        guard let head = try blocks.next(), head.kind == LogSegment.head else {
            throw .damaged(file.path, "it does not say where it begins")
        }
        var record = RecordReader(head.content)
        guard let after = record.number(), record.isAtEnd, TableImage.numbers.contains(after) else {
            throw .damaged(file.path, "it does not say where it begins")
        }
        self.after = after
        lastSequence = after
    }

    /// The changes of the next block, nil at the end.
    ///
    /// - Throws: `backup(.damaged)`, also when changes are not in order.
    mutating func next() throws(TableError) -> [LogRecord]? {
        guard let block = try blocks.next() else { return nil }
        var records = RecordReader(block.content)
        if block.kind == LogSegment.note {
            guard let sequence = records.number(), sequence >= lastSequence, TableImage.numbers.contains(sequence)
            else {
                throw .damaged(blocks.file.path, "it says of less than it holds that it is complete")
            }
            lastSequence = sequence
            return []
        }
        var changes: [LogRecord] = []
        while !records.isAtEnd {
            guard block.kind == LogSegment.changes, let sequence = records.number(),
                let committedAt = records.number(), let key = records.content(), let kind = records.number(),
                let content = kind == 0 ? .some(nil) : records.content().map(Optional.some)
            else { throw .damaged(blocks.file.path, "a block holds something else than changes") }
            guard sequence > lastSequence, committedAt >= lastCommittedAt, TableImage.numbers.contains(sequence),
                TableImage.numbers.contains(committedAt)
            else {
                throw .damaged(blocks.file.path, "the change \(sequence) is behind a later one")
            }
            (lastSequence, lastCommittedAt) = (sequence, committedAt)
            changes.append(LogRecord(sequence: sequence, committedAt: committedAt, key: key, content: content))
        }
        return changes
    }
}
