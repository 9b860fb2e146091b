import DynamoModel
import SQLite

/// How much there is in the stream, as the file says.
extension ChangeJournal {
    /// The setting that holds it: the change behind which changes are counted, the last one that was, and the bytes.
    private static let setting = "store.stream"
    /// How many changes are looked at to estimate what others have.
    private static let sampleMax: Int64 = 200

    /// Reads how much there is. Fast: what has come since it was noted last is counted, and no more.
    ///
    /// - Returns: that, and the last change up to which it is noted; nil when it is not.
    static func size(_ connection: DatabaseConnection) throws(SQLiteError) -> (size: StreamSize, noted: Int64?) {
        var size = StreamSize()
        size.first = try start(connection)
        let last = try end(connection).sequence
        let noted = try StoreFile.setting(connection, setting)?.split(separator: " ").compactMap { Int64($0) } ?? []
        let isNoted = noted.count == 3 && noted[1] <= last
        if isNoted {
            (size.countedAfter, size.last, size.countedBytes) = (noted[0], noted[1], noted[2])
        } else {
            (size.countedAfter, size.last) = (last, last)
        }
        if size.last < last {
            size.countedBytes += try bytes(connection, in: (size.last + 1)...last)
            size.last = last
        }
        if size.first > 0, size.first <= size.countedAfter {
            size.othersBytes = try averageBytes(connection, in: size.first...size.countedAfter)
        }
        return (size, isNoted ? noted[1] : nil)
    }

    /// Notes in the transaction under way how much there is.
    static func note(_ size: StreamSize, _ connection: DatabaseConnection) throws(SQLiteError) {
        try StoreFile.set(connection, setting, to: "\(size.countedAfter) \(size.last) \(max(0, size.countedBytes))")
    }

    /// The bytes of changes. O(changes).
    static func bytes(_ connection: DatabaseConnection, in sequences: ClosedRange<Int64>) throws(SQLiteError) -> Int64 {
        let sum = try connection.statement(
            """
            SELECT coalesce(sum(coalesce(length(old), 0) + coalesce(length(new), 0) + length(CAST(name AS BLOB))
                + length(CAST(principal AS BLOB)) + 24), 0)
            FROM change WHERE sequence BETWEEN ?1 AND ?2
            """)
        try sum.bind(sequences.lowerBound, at: 1)
        try sum.bind(sequences.upperBound, at: 2)
        defer { sum.reset() }
        return try sum.step() ? sum.int64(0) : 0
    }

    /// About how many bytes a change has of those in a range, by some of them.
    private static func averageBytes(
        _ connection: DatabaseConnection, in sequences: ClosedRange<Int64>
    ) throws(SQLiteError) -> Int64 {
        let step = max(1, (sequences.upperBound - sequences.lowerBound) / sampleMax)
        var (total, count): (Int64, Int64) = (0, 0)
        for sequence in stride(from: sequences.lowerBound, through: sequences.upperBound, by: Int64.Stride(step)) {
            total += try bytes(connection, in: sequence...sequence)
            count += 1
        }
        return count == 0 ? 0 : total / count
    }
}
