import JSON

extension JSONWriter {
    /// Writes a backup as `BackupDescription` has it.
    mutating func backupDescription(
        _ backup: BackupDescription, _ resources: ResourceNames, status: StaticString = "AVAILABLE"
    ) {
        beginObject()
        key("BackupDetails")
        backupDetails(backup, resources, status: status)
        sourceTable(backup.table, resources)
        sourceFeatures(backup.table)
        endObject()
    }

    /// Writes a backup as `BackupDetails` has it.
    mutating func backupDetails(
        _ backup: BackupDescription, _ resources: ResourceNames, status: StaticString = "AVAILABLE"
    ) {
        beginObject()
        backupMembers(backup, resources, status: status)
        endObject()
    }

    /// Writes a backup as `BackupSummary` has it.
    mutating func backupSummary(_ backup: BackupDescription, _ resources: ResourceNames) {
        beginObject()
        key("TableName")
        string(backup.table.schema.name)
        key("TableId")
        string(backup.table.id)
        key("TableArn")
        string(resources.table(backup.table.schema.name))
        backupMembers(backup, resources, status: "AVAILABLE")
        endObject()
    }

    private mutating func backupMembers(
        _ backup: BackupDescription, _ resources: ResourceNames, status: StaticString
    ) {
        key("BackupArn")
        string(resources.backup(backup))
        key("BackupName")
        string(backup.name)
        key("BackupSizeBytes")
        int(backup.sizeBytes)
        key("BackupStatus")
        string(status)
        key("BackupType")
        string(backup.kind.rawValue)
        key("BackupCreationDateTime")
        instant(backup.createdAt)
        if let expiresAt = backup.expiresAt {
            key("BackupExpiryDateTime")
            instant(expiresAt)
        }
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

extension ResourceNames {
    /// The ARN of a backup.
    func backup(_ backup: BackupDescription) -> String { self.backup(backup.id, of: backup.table.schema.name) }

    /// The ARN of a backup of a table.
    func backup(_ id: String, of table: String) -> String { "\(self.table(table))/backup/\(id)" }

    /// The identifier in the ARN of a backup; the text itself, which is none, when it is no such ARN.
    func backupID(inARN text: String) -> String {
        guard let slash = text.lastIndex(of: "/"), text[..<slash].hasSuffix("/backup") else { return text }
        return String(text[text.index(after: slash)...])
    }
}
