import Bytes

/// Damage of the continuous backups of a table: bytes that are not what was written, or a file that is gone.
package struct LogDamage: Sendable, Equatable {
    /// The table.
    package let table: String
    /// The file, as it is named now.
    package let file: String
    /// Where in the file the damage begins; nil when it is the whole of it.
    package let byte: Int?
    /// What is wrong.
    package let reason: String
    /// The times that the table cannot be restored to for it, in milliseconds since 1970; nil when there are none.
    package let lost: ClosedRange<Int64>?

    /// Takes the parts as they are.
    package init(table: String, file: String, byte: Int?, reason: String, lost: ClosedRange<Int64>?) {
        self.table = table
        self.file = file
        self.byte = byte
        self.reason = reason
        self.lost = lost
    }
}

extension LogDamage: CustomStringConvertible {
    package var description: String {
        let place = byte.map { "\(file), byte \($0)" } ?? file
        let loss = lost.map {
            "\(table) cannot be restored to a time from \(RFC3339.utc($0.lowerBound)) to "
                + RFC3339.utc($0.upperBound)
        }
        return "continuous backups of \(table): \(place): \(reason). \(loss ?? "No time is lost for it")"
    }
}
