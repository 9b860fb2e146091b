import Audit
import DynamoModel

/// The internal table of the audit log. Its changes are not in the change stream, and it is in no backup of a table.
///
/// | item | PK | SK |
/// |---|---|---|
/// | records that were stored together | `RECORDS` | the sequence of the first |
/// | which of them have a term | the term, `flag#new-checkout` | the sequence of the first |
/// | the end of the chain, and of the changes that are in it | `STATE` | 0 |
/// | up to where records were removed | `CHECKPOINT` | 0 |
/// | digests of the settings that the server ran with | `SETTINGS` | 0 |
/// | up to where records were shipped | `SHIPPED` | 0 |
enum AuditTable {
    static let name = InternalTables.audit
    static let partition: AttributeName = "PK"
    static let sort: AttributeName = "SK"

    static let schema = TableSchema(
        name: name, partitionKey: KeyAttribute(partition), sortKey: KeyAttribute(sort, .number))

    static let records: AttributeValue = "RECORDS"
    static let state = TableKey("STATE", 0)
    static let checkpoint = TableKey("CHECKPOINT", 0)
    static let settings = TableKey("SETTINGS", 0)
    static let shipped = TableKey("SHIPPED", 0)

    static func block(_ first: Int64) -> TableKey { TableKey(records, .number(first)) }
    static func posting(_ term: AuditTerm, _ first: Int64) -> TableKey { TableKey(partition(of: term), .number(first)) }

    /// The partition of a term; of one that is too long for a key, its digest.
    static func partition(of term: AuditTerm) -> AttributeValue {
        let text = "\(term.kind.rawValue)#\(term.value)"
        if text.utf8.count <= termBytesMaximum { return .string(text) }
        return .string("\(term.kind.rawValue)##\(AuditSeal.digest(of: Array(term.value.utf8)))")
    }

    private static let termBytesMaximum = 1024

    static func item(_ key: TableKey, _ attributes: Item) -> Item {
        var item = attributes
        item[partition] = key.partition
        item[sort] = key.sort
        return item
    }
}
