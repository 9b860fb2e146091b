import Audit
import DynamoModel

/// Where the log ends, and how far the changes of the store are in it.
struct AuditState: Sendable, Equatable {
    private enum Name {
        static let sequence: AttributeName = "sequence"
        static let mark: AttributeName = "mark"
        static let latest: AttributeName = "latest"
        static let position: AttributeName = "position"
        static let keyID: AttributeName = "keyID"
        static let isSetBack: AttributeName = "isSetBack"
    }

    /// The last record's sequence; 0 when there is none.
    var sequence: Int64 = 0
    /// Its mark.
    var mark = AuditSeal.origin
    /// The latest time of any record, in milliseconds since 1970.
    var latest: Int64 = 0
    /// The last change of the store that was taken.
    var position: Int64
    /// What the key is known by that the last records are sealed with.
    var keyID: String
    /// Whether some record has a much earlier time than one before it: the clock was set back.
    var isSetBack = false

    /// How much earlier than the one before a record may be as a matter of course: what is counted for a minute is told
    /// with when it began, and what failed is tried again.
    static let delayMilliseconds: Int64 = 600_000

    /// The state of a log that has nothing yet.
    init(position: Int64, keyID: String) {
        self.position = position
        self.keyID = keyID
    }

    /// The state as an item of the table.
    var item: Item {
        AuditTable.item(
            AuditTable.state,
            [
                Name.sequence: .number(sequence), Name.mark: .binary(mark), Name.latest: .number(latest),
                Name.position: .number(position), Name.keyID: .string(keyID), Name.isSetBack: .bool(isSetBack),
            ])
    }

    /// Reads what `item` wrote; nil when it is something else.
    init?(item: Item) {
        guard let sequence = item[Name.sequence]?.int64Value, case .binary(let mark)? = item[Name.mark],
            mark.count == AuditSeal.markBytes, let latest = item[Name.latest]?.int64Value,
            let position = item[Name.position]?.int64Value, let keyID = item[Name.keyID]?.stringValue
        else { return nil }
        self.init(position: position, keyID: keyID)
        self.sequence = sequence
        self.mark = mark
        self.latest = latest
        isSetBack = item[Name.isSetBack]?.boolValue ?? true
    }

    /// What holds of the stored state as long as nobody else has written to the log.
    var isUnchanged: Condition {
        .and([
            .equals(DocumentPath(Name.sequence), .number(sequence)), .equals(DocumentPath(Name.mark), .binary(mark)),
        ])
    }
}
