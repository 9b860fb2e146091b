import Audit
import DynamoModel
import FlagCore

/// Up to where records were removed since they are older than they are kept: where the chain begins now. Sealed with
/// the log's key, so that nobody without it can have the log begin later.
struct AuditCheckpoint: Sendable, Equatable {
    private enum Name {
        static let sequence: AttributeName = "sequence"
        static let mark: AttributeName = "mark"
        static let time: AttributeName = "time"
        static let seal: AttributeName = "seal"
    }

    /// The last record that was removed.
    let sequence: Int64
    /// Its mark.
    let mark: [UInt8]
    /// When that was decided.
    let time: Timestamp
    private let seal: [UInt8]

    /// A checkpoint, sealed.
    init(sequence: Int64, mark: [UInt8], time: Timestamp, _ seal: AuditSeal) {
        self.sequence = sequence
        self.mark = mark
        self.time = time
        self.seal = seal.seal("audit checkpoint", Self.text(sequence, mark, time))
    }

    /// Whether it was made with the key of a seal.
    func isSealed(with seal: AuditSeal) -> Bool {
        self.seal == seal.seal("audit checkpoint", Self.text(sequence, mark, time))
    }

    private static func text(_ sequence: Int64, _ mark: [UInt8], _ time: Timestamp) -> String {
        "\(sequence) \(AuditSeal.text(mark)) \(time.rfc3339)"
    }

    /// As an item of the table.
    var item: Item {
        AuditTable.item(
            AuditTable.checkpoint,
            [
                Name.sequence: .number(sequence), Name.mark: .binary(mark), Name.time: .string(time.rfc3339),
                Name.seal: .binary(seal),
            ])
    }

    /// Reads the one of a store; nil when nothing was removed yet.
    static func read(_ store: any TableReader) throws(TableError) -> AuditCheckpoint? {
        try store.getItem(table: AuditTable.name, key: AuditTable.checkpoint).flatMap(AuditCheckpoint.init(item:))
    }

    private init?(item: Item) {
        guard let sequence = item[Name.sequence]?.int64Value, case .binary(let mark)? = item[Name.mark],
            let time = item[Name.time]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
            case .binary(let seal)? = item[Name.seal]
        else { return nil }
        self.sequence = sequence
        self.mark = mark
        self.time = time
        self.seal = seal
    }
}
