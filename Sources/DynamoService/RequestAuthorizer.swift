import DynamoModel
import JSON

/// Decides what of a request may be done.
package struct RequestAuthorizer: Sendable {
    /// Whether it looks at partition keys; else these are not looked for.
    let asksForLeadingKeys: Bool
    /// Whether it looks at attributes; else these are not looked for.
    let asksForAttributes: Bool
    /// Throws for what may not be done.
    let check: @Sendable (RequestedAccess) throws(ProtocolError) -> Void

    /// An authorizer.
    package init(
        asksForLeadingKeys: Bool, asksForAttributes: Bool,
        check: @escaping @Sendable (RequestedAccess) throws(ProtocolError) -> Void
    ) {
        self.asksForLeadingKeys = asksForLeadingKeys
        self.asksForAttributes = asksForAttributes
        self.check = check
    }
}

extension TableService {
    /// Has decided whether a request may be done, as a whole.
    func authorize(
        _ operation: DynamoOperation, _ request: RequestReader, by authorizer: RequestAuthorizer
    ) throws(ProtocolError) {
        let accesses = try accesses(operation, request, for: authorizer)
        for access in accesses { try authorizer.check(access) }
        // What does nothing is refused further on; until then it needs to be allowed everywhere.
        if accesses.isEmpty { try authorizer.check(RequestedAccess(operation.rawValue, to: "*")) }
    }

    /// Everything that a request would do, each of which must be allowed.
    ///
    /// Actions and resources are those of the "Service Authorization Reference" for DynamoDB: batches are actions of
    /// their own on each table, the parts of transactions are those that they would be alone, and what reads an index
    /// needs the index's ARN.
    func accesses(
        _ operation: DynamoOperation, _ request: RequestReader, for authorizer: RequestAuthorizer
    ) throws(ProtocolError) -> [RequestedAccess] {
        let part = AccessedPart(service: self, request: request, authorizer: authorizer)
        let resources = request.resources
        switch operation {
        case .getItem, .putItem, .updateItem, .deleteItem: return [try part.access(operation.rawValue, operation)]
        case .query, .scan: return [try part.pageAccess(operation)]
        case .batchGetItem, .batchWriteItem: return try part.batchAccesses(operation)
        case .transactGetItems, .transactWriteItems: return try part.transactionAccesses()
        case .describeBackup, .deleteBackup:
            return [RequestedAccess(operation.rawValue, to: try backupARN(request))]
        case .restoreTableFromBackup:
            let target = resources.table(request.text("TargetTableName") ?? "")
            return [try backupARN(request), target].map { RequestedAccess(operation.rawValue, to: $0) }
        case .restoreTableToPointInTime:
            let sources = (["SourceTableName", "SourceTableArn"] as [StaticString]).compactMap { name in
                request.member(name)?.stringBytes.map { RequestReader.tableName($0) }
            }
            let tables = sources + [request.text("TargetTableName") ?? ""]
            return tables.map { RequestedAccess(operation.rawValue, to: resources.table($0)) }
        case .listTables, .listBackups, .describeLimits, .describeEndpoints:
            return [RequestedAccess(operation.rawValue, to: "*")]
        case .createTable, .updateTable, .deleteTable, .describeTable, .createBackup, .describeContinuousBackups,
            .updateContinuousBackups:
            return [RequestedAccess(operation.rawValue, to: resources.table(request.tableName))]
        }
    }

    /// The ARN of the backup that a request names: the one that it has, whatever table an ARN with the same identifier
    /// says that it is of.
    private func backupARN(_ request: RequestReader) throws(ProtocolError) -> String {
        do throws(ProtocolError) {
            return request.resources.backup(try backup(request))
        } catch {
            guard error.code == .backupNotFound else { throw error }
            return request.text("BackupArn") ?? ""
        }
    }
}
