import Audit
import Bytes
import DynamoModel
import DynamoService
import FlagCore
import FlagStore
import HTTPTransport
import JSON
import Logging

/// A request of DynamoDB's protocol that changes a table, its backups, or flags, as the log tells of it.
///
/// Writes of items of other tables are their clients' daily work, and are counted only.
struct DynamoChange: Sendable {
    private let operation: DynamoOperation
    private let tables: [String]
    private let backup: String?
    private let principal: Principal
    private let client: String
    /// Whether it is about items alone, of which the store tells by itself.
    private let isOfItems: Bool

    /// Tables that one request names are told up to this many.
    private static let tablesMaximum = 10

    /// What a request says of itself; nil when it is none of these.
    ///
    /// - Parameters:
    ///   - operation: what it asks for.
    ///   - body: its body, whatever is in it.
    ///   - flagTable: the table of the flags; nil where none are served.
    ///   - principal: who asks.
    ///   - client: where from.
    init?(
        _ operation: DynamoOperation, body: UnsafeRawBufferPointer, flagTable: String?, by principal: Principal,
        from client: PeerAddress
    ) {
        isOfItems = operation.manner == .write
        if isOfItems {
            // Nearly no write has the name in it: those are not read a second time.
            guard let flagTable, body.holds(flagTable) else { return nil }
        } else {
            guard operation.changesTables else { return nil }
        }
        let content = (try? JSONValue(parsing: Array(body))) ?? .null
        tables = Self.tables(of: content)
        if isOfItems, let flagTable, !tables.contains(flagTable) { return nil }
        backup = content["BackupArn"]?.stringValue ?? content["BackupName"]?.stringValue
        self.operation = operation
        self.principal = principal
        self.client = "\(client)"
    }

    /// Tells how it ended.
    func report(_ status: UInt16, to logger: Logger) {
        var metadata: Logger.Metadata = [
            "client": "\(client)", "operation": "\(operation.rawValue)", "principal": "\(principal)",
            "status": .stringConvertible(Int(status)),
        ]
        if !tables.isEmpty { metadata["table"] = "\(tables.prefix(Self.tablesMaximum).joined(separator: ", "))" }
        if let backup { metadata["backup"] = "\(backup)" }
        logger.log(level: status >= 500 ? .warning : status < 400 ? .notice : .info, "change", metadata: metadata)
    }

    /// What the audit log has of it; nil where it finds that in the store.
    func entry(_ status: UInt16) -> AuditEntry? {
        guard !isOfItems else { return nil }
        var entry = AuditEntry(AuditAction("table", operation.rawValue), by: principal, at: .systemClock)
        entry.outcome = status < 400 ? .done : .failed
        entry.target = backup.map { AuditTarget("backup", $0) } ?? AuditTarget("table", tables.last)
        entry.details = [
            "tables": .array(tables.prefix(Self.tablesMaximum).map { .string($0) }), "status": .integer(Int64(status)),
        ]
        return entry
    }

    /// The tables that a request names, that which is made last.
    private static func tables(of content: JSONValue) -> [String] {
        var names: [String] = []
        func add(_ value: JSONValue?) {
            if let name = value?.stringValue, !names.contains(name) { names.append(name) }
        }
        for (name, _) in content["RequestItems"]?.objectValue?.members ?? [] { add(.string(name)) }
        for item in content["TransactItems"]?.arrayValue ?? [] {
            for (_, action) in item.objectValue?.members ?? [] { add(action["TableName"]) }
        }
        for member in ["TableName", "SourceTableName", "TargetTableName"] { add(content[member]) }
        return names
    }
}

extension DynamoOperation {
    /// Whether it changes a table as a whole, or its backups.
    fileprivate var changesTables: Bool {
        switch self {
        case .createTable, .updateTable, .deleteTable, .createBackup, .deleteBackup, .restoreTableFromBackup,
            .restoreTableToPointInTime, .updateContinuousBackups:
            true
        default: false
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes of `text` stand in it somewhere.
    fileprivate func holds(_ text: String) -> Bool {
        text.withBytes { firstOffset(of: $0) != nil }
    }
}
