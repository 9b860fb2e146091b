import Bytes
import FlagCore
import JSON

/// Where the log ends at some time: kept elsewhere, it shows later whether records up to there are what they were.
package struct AuditHead: Sendable, Equatable {
    /// The last record's sequence; 0 when there is none.
    package let sequence: Int64
    /// Its mark.
    package let mark: [UInt8]
    /// When it was looked at.
    package let time: Timestamp

    /// The end of the log.
    package init(sequence: Int64, mark: [UInt8], time: Timestamp) {
        self.sequence = sequence
        self.mark = mark
        self.time = time
    }

    /// As it is printed, shipped and read again.
    package var json: JSONValue {
        ["head": .integer(sequence), "mark": .string(AuditSeal.text(mark)), "time": .string(time.rfc3339)]
    }

    /// Reads what `json` gave; nil for anything else.
    package init?(json: JSONValue) {
        guard let number = json["head"]?.numberValue, let sequence = number.int64, sequence >= 0,
            let mark = json["mark"]?.stringValue.flatMap({ URLSafeText.decode($0.utf8) }),
            mark.count == AuditSeal.markBytes,
            let time = json["time"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) })
        else { return nil }
        self.init(sequence: sequence, mark: mark, time: time)
    }
}
