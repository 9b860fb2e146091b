import Audit
import DynamoModel

/// A block that records are added to, with the terms that they are found by, until a transaction has no room for more.
struct AuditBlockInProgress {
    private var block: AuditBlock
    private let start: AuditState
    private var places: [AuditTerm: [Int]] = [:]

    /// Beside the postings, a transaction stores the block and the state.
    private static let termsMaximum = TableLimits().transactionOperationsMax - 2
    /// The places of records have two bytes.
    private static let recordsMaximum = 4096

    init(after state: AuditState) {
        start = state
        block = AuditBlock(first: state.sequence + 1, latest: state.latest)
    }

    /// Whether a record fits: the first always does.
    func hasRoom(for bytes: Int, _ terms: [AuditTerm]) -> Bool {
        guard !block.records.isEmpty else { return true }
        let new = terms.count { places[$0] == nil }
        return block.records.count < Self.recordsMaximum && block.bytes + bytes <= AuditBlock.bytesMaximum
            && places.count + new <= Self.termsMaximum
    }

    mutating func append(_ record: AuditBlock.Stored, at time: Int64, _ terms: [AuditTerm]) {
        for term in terms { places[term, default: []].append(block.records.count) }
        block.append(record, at: time)
    }

    /// What stores the block, if there is anything in it, and the state that the log has with it.
    func operations(endingIn state: AuditState) -> [WriteOperation] {
        let end = WriteOperation.put(table: AuditTable.name, item: state.item, condition: start.isUnchanged)
        if block.records.isEmpty { return [end] }
        let postings = places.map { term, places in
            WriteOperation.put(
                table: AuditTable.name, item: AuditPosting.item(term, in: block.first, places))
        }
        return [end, .put(table: AuditTable.name, item: block.item)] + postings
    }
}
