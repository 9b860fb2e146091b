import DynamoModel

/// The members of requests on backups.
extension Shape {
    private static let anyTable = Shape.text(TextRule(isTable: true))
    private static let backup = Member("BackupArn", .text(TextRule(length: 37...1024)), required: true)
    private static let time = Shape.integer(.double, nil)

    static let createBackup: [Member] = [
        Member("TableName", anyTable, required: true), Member("BackupName", .name, required: true),
    ]

    static let describeBackup = [backup]
    static let deleteBackup = [backup]

    static let listBackups: [Member] = [
        Member("TableName", anyTable), Member("Limit", .integer(.integer, 1...100)),
        Member("TimeRangeLowerBound", time), Member("TimeRangeUpperBound", time),
        Member("ExclusiveStartBackupArn", .text(TextRule(length: 37...1024))),
        Member("BackupType", .word("USER", "SYSTEM", "AWS_BACKUP", "ALL")),
    ]

    static let restoreFromBackup: [Member] = [Member("TargetTableName", .name, required: true), backup] + overrides

    static let restoreToPointInTime: [Member] =
        [
            Member("SourceTableArn", anyTable), Member("SourceTableName", .name),
            Member("TargetTableName", .name, required: true), Member("UseLatestRestorableTime", .boolean),
            Member("RestoreDateTime", time),
        ] + overrides

    static let describeContinuousBackups = [Member("TableName", anyTable, required: true)]

    static let updateContinuousBackups: [Member] = [
        Member("TableName", anyTable, required: true),
        Member(
            "PointInTimeRecoverySpecification",
            .structure(
                "PointInTimeRecoverySpecification",
                [
                    Member("PointInTimeRecoveryEnabled", .boolean, required: true),
                    Member("RecoveryPeriodInDays", .integer(.integer, 1...35)),
                ]), required: true),
    ]

    private static let overrides: [Member] = [
        Member("BillingModeOverride", .word("PROVISIONED", "PAY_PER_REQUEST")),
        Member(
            "GlobalSecondaryIndexOverride",
            .list(
                .structure("GlobalSecondaryIndex", index + [Member("ProvisionedThroughput", throughput)]), count: nil)
        ), Member("LocalSecondaryIndexOverride", .list(.structure("LocalSecondaryIndex", index), count: nil)),
        Member("ProvisionedThroughputOverride", throughput),
    ]
}
