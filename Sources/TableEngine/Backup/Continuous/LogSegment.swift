import DynamoModel

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
