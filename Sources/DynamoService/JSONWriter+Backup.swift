import DynamoModel
import JSON

extension JSONWriter {
    /// Writes a backup as `BackupDescription` has it.
    mutating func backupDescription(_ backup: ListedBackup, _ resources: ResourceNames, isDeleted: Bool = false) {
        beginObject()
        key("BackupDetails")
        backupDetails(backup, resources, isDeleted: isDeleted)
        if let table = backup.description?.table {
            sourceTable(table, resources)
            sourceFeatures(table)
        }
        endObject()
    }

    /// Writes a backup as `BackupDetails` has it.
    mutating func backupDetails(_ backup: ListedBackup, _ resources: ResourceNames, isDeleted: Bool = false) {
        beginObject()
        backupMembers(backup, resources, status: isDeleted ? "DELETED" : backup.status)
        endObject()
    }

    /// Writes a backup as `BackupSummary` has it.
    mutating func backupSummary(_ backup: ListedBackup, _ resources: ResourceNames) {
        beginObject()
        if let table = backup.description?.table {
            key("TableName")
            string(table.schema.name)
            key("TableId")
            string(table.id)
            key("TableArn")
            string(resources.table(table.schema.name))
        }
        backupMembers(backup, resources, status: backup.status)
        endObject()
    }

    private mutating func backupMembers(_ backup: ListedBackup, _ resources: ResourceNames, status: StaticString) {
        key("BackupArn")
        string(resources.backup(backup))
        key("BackupName")
        switch backup {
        case .available(let backup), .creating(let backup):
            string(backup.name)
            backupMembers(sizeBytes: backup.sizeBytes, status, backup.kind, createdAt: backup.createdAt)
            if let expiresAt = backup.expiresAt {
                key("BackupExpiryDateTime")
                instant(expiresAt)
            }
        case .damaged(let backup):
            // Clients expect a name and a type, and the file does not say them any more.
            string(backup.id)
            backupMembers(sizeBytes: backup.sizeBytes, status, .user, createdAt: backup.createdAt)
        }
    }

    private mutating func backupMembers(
        sizeBytes: Int64, _ status: StaticString, _ kind: BackupDescription.Kind, createdAt: Int64
    ) {
        key("BackupSizeBytes")
        int(sizeBytes)
        key("BackupStatus")
        string(status)
        key("BackupType")
        string(kind.rawValue)
        key("BackupCreationDateTime")
        instant(createdAt)
    }

    private mutating func sourceTable(_ table: TableDescription, _ resources: ResourceNames) {
        key("SourceTableDetails")
        beginObject()
        key("TableName")
        string(table.schema.name)
        key("TableId")
        string(table.id)
        key("TableArn")
        string(resources.table(table.schema.name))
        key("TableSizeBytes")
        int(table.content.bytes)
        keySchema(table.schema.partitionKey, table.schema.sortKey)
        key("TableCreationDateTime")
        instant(table.createdAt)
        plainThroughput(table.schema.throughput)
        key("ItemCount")
        int(table.content.items)
        key("BillingMode")
        string(table.schema.throughput == nil ? "PAY_PER_REQUEST" : "PROVISIONED")
        endObject()
    }

    private mutating func sourceFeatures(_ table: TableDescription) {
        key("SourceTableFeatureDetails")
        beginObject()
        indexes(of: table.schema, areLocal: true)
        indexes(of: table.schema, areLocal: false)
        endObject()
    }

    private mutating func indexes(of schema: TableSchema, areLocal: Bool) {
        let indexes = schema.indexes(local: areLocal)
        if indexes.isEmpty { return }
        key(areLocal ? "LocalSecondaryIndexes" as StaticString : "GlobalSecondaryIndexes")
        array(indexes.map(\.element)) { writer, index in
            writer.beginObject()
            writer.key("IndexName")
            writer.string(index.name)
            writer.keySchema(index.partitionKey, index.sortKey)
            writer.projection(index.projection)
            if !index.isLocal {
                writer.plainThroughput(schema.throughput == nil ? nil : index.throughput ?? schema.throughput)
            }
            writer.endObject()
        }
    }

    private mutating func plainThroughput(_ throughput: Throughput?) {
        key("ProvisionedThroughput")
        beginObject()
        key("ReadCapacityUnits")
        int(throughput?.readUnits ?? 0)
        key("WriteCapacityUnits")
        int(throughput?.writeUnits ?? 0)
        endObject()
    }

    /// Writes where a restored table comes from.
    mutating func restoreSummary(_ summary: RestoreSummary, _ resources: ResourceNames) {
        key("RestoreSummary")
        beginObject()
        if let backup = summary.backup {
            key("SourceBackupArn")
            string(resources.backup(backup, of: summary.sourceTable))
        }
        key("SourceTableArn")
        string(resources.table(summary.sourceTable))
        key("RestoreDateTime")
        instant(summary.restoredTo)
        key("RestoreInProgress")
        bool(summary.isInProgress)
        endObject()
    }

    /// Writes whether a table can be restored to points in time.
    mutating func continuousBackups(_ backups: ContinuousBackups) {
        key("ContinuousBackupsDescription")
        beginObject()
        // DynamoDB's own continuous backups of every table, which nobody can turn off.
        key("ContinuousBackupsStatus")
        string("ENABLED")
        key("PointInTimeRecoveryDescription")
        beginObject()
        key("PointInTimeRecoveryStatus")
        string(backups.isEnabled ? "ENABLED" : "DISABLED")
        if let restorable = backups.restorable {
            key("RecoveryPeriodInDays")
            int(Int64(backups.recoveryPeriodDays))
            // Clients send whole seconds, cut off: what they are told must be restorable when it comes back.
            let earliest = (restorable.lowerBound + 999) / 1000
            key("EarliestRestorableDateTime")
            int(earliest)
            key("LatestRestorableDateTime")
            int(max(earliest, restorable.upperBound / 1000))
        }
        endObject()
        endObject()
    }
}

extension ListedBackup {
    /// The protocol's word for the state it is in; it has none for damage.
    fileprivate var status: StaticString {
        switch self {
        case .available: "AVAILABLE"
        case .creating: "CREATING"
        case .damaged: "DAMAGED"
        }
    }
}

extension ResourceNames {
    /// The ARN of a backup. Of a damaged one it is not known which table it is of; the identifier is all that counts.
    func backup(_ backup: ListedBackup) -> String {
        self.backup(backup.id, of: backup.description?.table.schema.name ?? "unknown")
    }

    /// The ARN of a backup of a table.
    func backup(_ id: String, of table: String) -> String { "\(self.table(table))/backup/\(id)" }

    /// The identifier in the ARN of a backup; the text itself, which is none, when it is no such ARN.
    func backupID(inARN text: String) -> String {
        guard let slash = text.lastIndex(of: "/"), text[..<slash].hasSuffix("/backup") else { return text }
        return String(text[text.index(after: slash)...])
    }
}
