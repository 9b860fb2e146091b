import DynamoModel
import JSON

/// Where a restored table comes from, as it is stored with it.
struct RestoreOrigin: Sendable, Equatable {
    /// The identifier of the backup; nil when it was restored to a point in time.
    let backup: String?
    /// The name of the table that the content was of.
    let table: String
    /// The time that the content is of, in milliseconds since 1970.
    let time: Int64

    /// The origin as text.
    var text: String {
        let value: JSONValue = [
            "backup": backup.map { .string($0) } ?? .null, "table": .string(table),
            "time": .number(JSONNumber(time)),
        ]
        return value.serialized()
    }

    init(backup: String?, table: String, time: Int64) {
        self.backup = backup
        self.table = table
        self.time = time
    }

    /// Reads what `text` writes; nil when it is something else.
    init?(text: String) {
        guard let value = try? JSONValue(parsing: text), let table = value["table"]?.stringValue,
            let time = value["time"]?.numberValue?.int64
        else { return nil }
        self.init(backup: value["backup"]?.stringValue, table: table, time: time)
    }

    /// The origin for those who ask, of a restore that is over or not.
    func summary(isInProgress: Bool) -> RestoreSummary {
        RestoreSummary(backup: backup, sourceTable: table, restoredTo: time, isInProgress: isInProgress)
    }
}
