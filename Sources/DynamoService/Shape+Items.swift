import DynamoModel

/// The members of requests that read and write items, in the order in which DynamoDB tells what is wrong with them.
extension Shape {
    static let getItem: [Member] = [
        returnCapacity, attributesToGet, table, Member("Key", .attributes, required: true),
        Member("ConsistentRead", .boolean), Member("ProjectionExpression", .text), expressionNames,
    ]

    static let putItem: [Member] = [
        returnCapacity, table, Member("Item", .attributes, required: true), conditionalOperator, expected,
        returnValues, returnMetrics, returnOnFailure, Member("ConditionExpression", .text), expressionValues,
        expressionNames,
    ]

    static let deleteItem: [Member] = [
        returnCapacity, table, returnValues, returnMetrics, returnOnFailure,
        Member("Key", .attributes, required: true), conditionalOperator, expected,
        Member("ConditionExpression", .text), expressionValues, expressionNames,
    ]

    static let updateItem: [Member] = [
        returnCapacity, table, returnMetrics, returnValues, returnOnFailure,
        Member("Key", .attributes, required: true), conditionalOperator, expected, attributeUpdates,
        Member("ConditionExpression", .text), Member("UpdateExpression", .text), expressionValues, expressionNames,
    ]

    static let query: [Member] = [
        select, Member("IndexName", .name), returnCapacity,
        Member("QueryFilter", .map(condition, of: "com.amazonaws.dynamodb.v20120810.Condition", MapRule())), table,
        conditionalOperator, attributesToGet, Member("Limit", .integer(.integer, 1...Int64.max)),
        Member("KeyConditions", .map(condition, of: "com.amazonaws.dynamodb.v20120810.Condition", MapRule())),
        Member("ExclusiveStartKey", .attributes), Member("ConsistentRead", .boolean),
        Member("ScanIndexForward", .boolean), Member("KeyConditionExpression", .text),
        Member("FilterExpression", .text), Member("ProjectionExpression", .text), expressionValues, expressionNames,
    ]

    static let scan: [Member] = [
        select, Member("IndexName", .name), returnCapacity,
        Member("ScanFilter", .map(condition, of: "com.amazonaws.dynamodb.v20120810.Condition", MapRule())),
        attributesToGet, Member("Segment", .integer(.integer, 0...999_999)),
        Member("TotalSegments", .integer(.integer, 1...1_000_000)), table, conditionalOperator,
        Member("Limit", .integer(.integer, 1...Int64.max)), Member("ExclusiveStartKey", .attributes),
        Member("ConsistentRead", .boolean), Member("FilterExpression", .text), Member("ProjectionExpression", .text),
        expressionValues, expressionNames,
    ]

    private static let select = Member(
        "Select", .word("SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"))

    private static let returnValues = Member(
        "ReturnValues", .word("ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"))

    // The parameters that expressions have replaced.

    private static let attributesToGet = Member("AttributesToGet", .list(.text, count: 1...255))

    private static let conditionalOperator = Member("ConditionalOperator", .word("OR", "AND"))

    private static let comparisonOperator = Shape.word(
        "IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT", "NOT_NULL", "NE", "LE", "BEGINS_WITH", "GE",
        "CONTAINS")

    private static let condition = Shape.structure(
        "Condition",
        [
            Member("AttributeValueList", .list(.attributeValue, count: nil)),
            Member("ComparisonOperator", comparisonOperator, required: true),
        ])

    private static let expected = Member(
        "Expected",
        .map(
            .structure(
                "ExpectedAttributeValue",
                [
                    Member("AttributeValueList", .list(.attributeValue, count: nil)),
                    Member("ComparisonOperator", comparisonOperator), Member("Exists", .boolean),
                    Member("Value", .attributeValue),
                ]), of: "com.amazonaws.dynamodb.v20120810.ExpectedAttributeValue", MapRule()))

    private static let attributeUpdates = Member(
        "AttributeUpdates",
        .map(
            .structure(
                "AttributeValueUpdate",
                [Member("Action", .word("ADD", "PUT", "DELETE")), Member("Value", .attributeValue)]),
            of: "com.amazonaws.dynamodb.v20120810.AttributeValueUpdate", MapRule()))
}

/// The members of requests on several items.
extension Shape {
    static let batchGetItem: [Member] = [
        returnCapacity,
        Member(
            "RequestItems",
            .map(
                .structure(
                    "KeysAndAttributes",
                    [
                        Member("Keys", .list(.attributes, count: 1...100), required: true), attributesToGet,
                        Member("ConsistentRead", .boolean), Member("ProjectionExpression", .text), expressionNames,
                    ]), of: "com.amazonaws.dynamodb.v20120810.KeysAndAttributes",
                MapRule(count: 0...100, hasTableNames: true)), required: true),
    ]

    static let batchWriteItem: [Member] = [
        returnCapacity, returnMetrics,
        Member(
            "RequestItems",
            .map(
                .list(
                    .structure(
                        "WriteRequest",
                        [
                            Member(
                                "DeleteRequest",
                                .structure("DeleteRequest", [Member("Key", .attributes, required: true)])),
                            Member(
                                "PutRequest", .structure("PutRequest", [Member("Item", .attributes, required: true)])),
                        ]), count: nil),
                of: "java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>",
                MapRule(count: 0...25, hasTableNames: true, valueCount: 1...25, hasParameterizedValues: true)),
            required: true),
    ]

    static let transactGetItems: [Member] = [
        Member(
            "TransactItems",
            .list(
                .structure(
                    "TransactGetItem",
                    [
                        Member(
                            "Get",
                            .structure(
                                "Get",
                                [
                                    Member("Key", .attributes, required: true), table,
                                    Member("ProjectionExpression", .text), expressionNames,
                                ]), required: true)
                    ]), count: 1...100), required: true), returnCapacity,
    ]

    static let transactWriteItems: [Member] = [
        returnMetrics, Member("ClientRequestToken", .text(TextRule(length: 1...36))), returnCapacity,
        Member(
            "TransactItems",
            .list(
                .structure(
                    "TransactWriteItem",
                    [
                        transactMember(
                            "ConditionCheck",
                            [
                                Member("Key", .attributes, required: true),
                                Member("ConditionExpression", .text, required: true),
                            ]),
                        transactMember(
                            "Put",
                            [Member("Item", .attributes, required: true), Member("ConditionExpression", .text)]),
                        transactMember(
                            "Delete",
                            [Member("Key", .attributes, required: true), Member("ConditionExpression", .text)]),
                        transactMember(
                            "Update",
                            [
                                Member("Key", .attributes, required: true),
                                Member("UpdateExpression", .text, required: true),
                                Member("ConditionExpression", .text),
                            ]),
                    ]), count: 1...100), required: true),
    ]

    private static func transactMember(_ name: StaticString, _ members: [Member]) -> Member {
        Member(name, .structure(name, members + [table, returnOnFailure, expressionNames, expressionValues]))
    }
}
