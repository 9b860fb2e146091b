import DynamoModel

/// A file of changes of a table: a block that says after which change of the store it begins, then blocks of changes.
enum LogSegment {
    /// The kind of block that says where the segment begins.
    static let head: UInt8 = 1
    /// The kind of block that holds changes.
    static let changes: UInt8 = 2
    /// The kind of block that says up to which change of the store the log is complete.
    static let note: UInt8 = 3

    /// The bytes of a record.
    static func append(_ record: StoredChange, to bytes: inout [UInt8]) {
        RecordWriter.append(record.sequence, to: &bytes)
        RecordWriter.append(record.committedAt, to: &bytes)
        RecordWriter.append(record.key, to: &bytes)
        RecordWriter.append(record.content == nil ? 0 : 1, to: &bytes)
        if let content = record.content { RecordWriter.append(content, to: &bytes) }
    }
}
