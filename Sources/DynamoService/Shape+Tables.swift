import DynamoModel

/// The members of requests on tables. Where the name of the table is missing or none, DynamoDB says so by itself before
/// it looks at anything else: see `RequestReader.checkTableName`.
extension Shape {
    private static let controlTable = Member("TableName", .text(TextRule(isTable: true)))

    static let describeTable: [Member] = [controlTable]
    static let deleteTable: [Member] = [controlTable]
    static let describeLimits: [Member] = []
    static let describeEndpoints: [Member] = []

    static let listTables: [Member] = [
        Member("ExclusiveStartTableName", .name), Member("Limit", .integer(.integer, 1...100)),
    ]

    static let createTable: [Member] = [
        Member("AttributeDefinitions", attributeDefinitions, required: true), controlTable, billingMode,
        Member("ProvisionedThroughput", throughput), Member("KeySchema", keySchema, required: true),
        Member("LocalSecondaryIndexes", .list(.structure("LocalSecondaryIndex", index), count: nil)),
        Member(
            "GlobalSecondaryIndexes",
            .list(
                .structure("GlobalSecondaryIndex", index + [Member("ProvisionedThroughput", throughput)]),
                count: nil)),
        Member("DeletionProtectionEnabled", .boolean),
        Member("TableClass", .word("STANDARD", "STANDARD_INFREQUENT_ACCESS")),
    ]

    static let updateTable: [Member] = [
        controlTable, Member("ProvisionedThroughput", throughput), billingMode,
        Member("AttributeDefinitions", attributeDefinitions),
        Member(
            "GlobalSecondaryIndexUpdates",
            .list(
                .structure(
                    "GlobalSecondaryIndexUpdate",
                    [
                        Member(
                            "Update",
                            .structure(
                                "UpdateGlobalSecondaryIndexAction",
                                [indexName, Member("ProvisionedThroughput", throughput, required: true)])),
                        Member(
                            "Create",
                            .structure(
                                "CreateGlobalSecondaryIndexAction",
                                index + [Member("ProvisionedThroughput", throughput)])),
                        Member("Delete", .structure("DeleteGlobalSecondaryIndexAction", [indexName])),
                    ]), count: nil)), Member("DeletionProtectionEnabled", .boolean),
        Member("TableClass", .word("STANDARD", "STANDARD_INFREQUENT_ACCESS")),
    ]

    /// `BillingMode`.
    static let billingMode = Member("BillingMode", .word("PROVISIONED", "PAY_PER_REQUEST"))

    /// `ProvisionedThroughput`.
    static let throughput = Shape.structure(
        "ProvisionedThroughput",
        [
            Member("WriteCapacityUnits", .integer(.long, 1...Int64.max), required: true),
            Member("ReadCapacityUnits", .integer(.long, 1...Int64.max), required: true),
        ])

    /// The members of an index.
    static let index = [
        indexName, Member("KeySchema", keySchema, required: true),
        Member(
            "Projection",
            .structure(
                "Projection",
                [
                    Member("ProjectionType", .word("ALL", "INCLUDE", "KEYS_ONLY")),
                    Member("NonKeyAttributes", .list(.text(TextRule(length: 1...255)), count: 1...20)),
                ]), required: true),
    ]

    private static let indexName = Member("IndexName", .name, required: true)

    private static let attributeDefinitions = Shape.list(
        .structure(
            "AttributeDefinition",
            [
                Member("AttributeName", .text(TextRule(length: 1...255)), required: true),
                Member("AttributeType", .word("B", "N", "S"), required: true),
            ]), count: nil)

    private static let keySchema = Shape.list(
        .structure(
            "KeySchemaElement",
            [
                Member("AttributeName", .text(TextRule(length: 1...255)), required: true),
                Member("KeyType", .word("HASH", "RANGE"), required: true),
            ]), count: 1...2)
}
