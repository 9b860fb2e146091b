import Platform
import TableEngine
import Testing

@testable import DynamoModel
@testable import DynamoService

@Suite("What requests have to be allowed")
struct AuthorizationTests {
    /// A request, and what it has to be allowed: `ACTION RESOURCE [LEADING KEYS] [ATTRIBUTES]`.
    struct Case: Sendable {
        let operation: DynamoOperation
        let body: String
        let accesses: [String]

        init(_ operation: DynamoOperation, _ body: String, _ accesses: String...) {
            self.operation = operation
            self.body = body.replacing("KEY", with: #""Key":{"pk":{"S":"a"},"sk":{"N":"1"}}"#)
                .replacing("TABLE", with: #""TableName":"things""#)
            self.accesses = accesses
        }
    }

    private static let projected = #""ProjectionExpression":"#
    private static let owner = #""ExpressionAttributeValues":{":o":{"S":"o"}}"#
    private static let putOther = #"{"Put":{"TableName":"others","Item":{"pk":{"S":"b"}}}}"#

    static let cases = [
        Case(.getItem, "{TABLE,KEY}", "GetItem things [a] any"),
        Case(.getItem, #"{TABLE,KEY,"ProjectionExpression":"x.y, z[1]"}"#, "GetItem things [a] [pk, sk, x, z]"),
        Case(.getItem, #"{TABLE,KEY,"AttributesToGet":["x"]}"#, "GetItem things [a] [pk, sk, x]"),
        Case(
            .getItem, #"{"TableName":"arn:aws:dynamodb:x:1:table/things",KEY}"#, "GetItem things [a] any"),
        Case(.getItem, #"{"TableName":"nowhere",KEY,"ProjectionExpression":"x"}"#, "GetItem nowhere any [pk, sk, x]"),
        Case(
            .putItem,
            #"{TABLE,"Item":{"pk":{"S":"a"},"sk":{"N":"1"},"x":{"S":"y"}},"ConditionExpression":"size(z) = z"}"#,
            "PutItem things [a] [pk, sk, x, z]"),
        Case(
            .putItem, #"{TABLE,"Item":{"pk":{"S":"a"},"sk":{"N":"1"}},"ReturnValues":"ALL_OLD"}"#,
            "PutItem things [a] any"),
        Case(
            .updateItem,
            ##"{TABLE,KEY,"UpdateExpression":"SET x = if_not_exists(y, z) REMOVE #r","##
                + ##""ExpressionAttributeNames":{"#r":"q"}}"##,
            "UpdateItem things [a] [pk, q, sk, x, y, z]"),
        Case(
            .updateItem, #"{TABLE,KEY,"UpdateExpression":"SET x = y","ReturnValues":"UPDATED_NEW"}"#,
            "UpdateItem things [a] [pk, sk, x, y]"),
        Case(
            .updateItem, #"{TABLE,KEY,"UpdateExpression":"SET x = y","ReturnValues":"ALL_NEW"}"#,
            "UpdateItem things [a] any"),
        Case(.deleteItem, "{TABLE,KEY}", "DeleteItem things [a] [pk, sk]"),
        Case(
            .deleteItem,
            #"{TABLE,KEY,"ConditionExpression":"attribute_exists(x)","ReturnValuesOnConditionCheckFailure":"ALL_OLD"}"#,
            "DeleteItem things [a] any"),
        Case(
            .query, #"{TABLE,"KeyConditionExpression":"pk = :o",\#(projected)"x",\#(owner)}"#,
            "Query things [o] [pk, x]"),
        Case(
            .query, #"{TABLE,"KeyConditionExpression":"pk = :o","FilterExpression":"y = :o",\#(owner)}"#,
            "Query things [o] any"),
        Case(
            .query,
            ##"{TABLE,"IndexName":"by-owner","KeyConditionExpression":"#o = :o","Select":"COUNT","##
                + ##""ExpressionAttributeNames":{"#o":"owner"},\##(owner)}"##,
            "Query things/index/by-owner [o] [owner]"),
        Case(
            .query, #"{TABLE,"IndexName":"none","KeyConditionExpression":"pk = :o",\#(owner)}"#,
            "Query things/index/none any any"),
        // No partition can be told.
        Case(.query, #"{TABLE,"KeyConditionExpression":"x = :o",\#(owner)}"#, "Query things any any"),
        Case(.scan, "{TABLE}", "Scan things any any"),
        Case(
            .scan, #"{TABLE,"IndexName":"by-tag",\#(projected)"tag"}"#, "Scan things/index/by-tag any [tag]"),
        Case(
            .batchGetItem,
            #"{"RequestItems":{"things":{"Keys":[{"pk":{"S":"a"},"sk":{"N":"1"}},{"pk":{"S":"b"},"sk":{"N":"1"}}],"#
                + #""ProjectionExpression":"x"},"others":{"Keys":[{"pk":{"N":"1.50"}}]}}}"#,
            "BatchGetItem things [a, b] [pk, sk, x]", "BatchGetItem others [1.5] any"),
        Case(
            .batchWriteItem,
            #"{"RequestItems":{"things":[{"PutRequest":{"Item":{"pk":{"S":"a"},"sk":{"N":"1"},"x":{"S":"y"}}}},"#
                + #"{"DeleteRequest":{"Key":{"pk":{"S":"b"},"sk":{"N":"1"}}}}]}}"#,
            "BatchWriteItem things [a, b] [pk, sk, x]"),
        Case(
            .transactGetItems,
            #"{"TransactItems":[{"Get":{TABLE,KEY}},{"Get":{TABLE,KEY,"ProjectionExpression":"x"}}]}"#,
            "GetItem things [a] any", "GetItem things [a] [pk, sk, x]"),
        Case(
            .transactWriteItems,
            #"{"TransactItems":[{"ConditionCheck":{TABLE,KEY,"ConditionExpression":"attribute_exists(x)"}},"#
                + #"{"Update":{TABLE,KEY,"UpdateExpression":"REMOVE y"}},{"Delete":{TABLE,KEY}},\#(putOther)]}"#,
            "ConditionCheckItem things [a] [pk, sk, x]", "UpdateItem things [a] [pk, sk, y]",
            "DeleteItem things [a] [pk, sk]", "PutItem others [b] [pk]"),
        // More than one in the place of one is refused further on, and needs all of them until then.
        Case(
            .transactWriteItems, #"{"TransactItems":[{"Delete":{TABLE,KEY},\#(putOther.dropFirst())]}"#,
            "PutItem others [b] [pk]", "DeleteItem things [a] [pk, sk]"),
        Case(.transactWriteItems, #"{"TransactItems":[{}]}"#, "TransactWriteItems * none none"),
        Case(.listTables, "{}", "ListTables * none none"), Case(.describeLimits, "{}", "DescribeLimits * none none"),
        Case(.listBackups, "{TABLE}", "ListBackups * none none"),
        Case(.describeTable, "{TABLE}", "DescribeTable things none none"),
        Case(.deleteTable, "{TABLE}", "DeleteTable things none none"),
        Case(.createBackup, #"{TABLE,"BackupName":"one"}"#, "CreateBackup things none none"),
        Case(
            .restoreTableToPointInTime,
            #"{"SourceTableName":"things","TargetTableName":"copy","UseLatestRestorableTime":true}"#,
            "RestoreTableToPointInTime things none none", "RestoreTableToPointInTime copy none none"),
        Case(
            .restoreTableToPointInTime,
            #"{"SourceTableArn":"arn:aws:dynamodb:x:1:table/things","TargetTableName":"copy"}"#,
            "RestoreTableToPointInTime things none none", "RestoreTableToPointInTime copy none none"),
        Case(
            .restoreTableFromBackup,
            #"{"BackupArn":"arn:aws:dynamodb:x:000000000000:table/things/backup/none","TargetTableName":"copy"}"#,
            "RestoreTableFromBackup arn:aws:dynamodb:x:000000000000:table/things/backup/none none none",
            "RestoreTableFromBackup copy none none"),
    ]

    private static func text(_ access: RequestedAccess) -> String {
        func text(_ names: RequestedAccess.Names) -> String {
            switch names {
            case .none: "none"
            case .any: "any"
            case .these(let names): "[\(names.joined(separator: ", "))]"
            }
        }
        let resource = access.resource.replacing("arn:aws:dynamodb:us-east-1:000000000000:table/", with: "")
        return "\(access.action) \(resource) \(text(access.leadingKeys)) \(text(access.attributes))"
    }

    private func service() throws -> TestService {
        let service = try TestService()
        try service.store.createTable(TableSchema(name: "others", partitionKey: KeyAttribute("pk", .number)))
        return service
    }

    @Test("A request has to be allowed everything that it does", arguments: cases)
    func accesses(_ sample: Case) throws {
        let asked = Locked<[String]>([])
        let authorizer = RequestAuthorizer(asksForLeadingKeys: true, asksForAttributes: true) {
            access throws(ProtocolError) in
            asked.withLock { $0.append(Self.text(access)) }
        }
        _ = try service().call(sample.operation, sample.body, authorizer)
        #expect(asked.withLock { $0 }.sorted() == sample.accesses.sorted())
    }

    @Test("What is not allowed is not done, whichever part it is", arguments: cases)
    func refused(_ sample: Case) throws {
        for refused in sample.accesses {
            let service = try service()
            let before = service.store.lastSequence
            let authorizer = RequestAuthorizer(asksForLeadingKeys: true, asksForAttributes: true) {
                access throws(ProtocolError) in
                if Self.text(access) == refused { throw ProtocolError(.accessDenied, "no") }
            }
            let reply = service.call(sample.operation, sample.body, authorizer)
            #expect(reply.error == "AccessDeniedException", "\(refused): \(reply.json)")
            #expect(service.store.lastSequence == before)
            #expect(try service.store.listTables().sorted() == ["others", "things"])
        }
    }

    @Test("Every operation has to be allowed something")
    func every() throws {
        let known = Set(Self.cases.map(\.operation))
        let bodies: [DynamoOperation: String] = [
            .createTable: #"{"TableName":"new","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"}],"#
                + #""KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"}"#,
            .describeBackup: #"{"BackupArn":"arn:aws:dynamodb:x:000000000000:table/things/backup/none"}"#,
            .deleteBackup: #"{"BackupArn":"arn:aws:dynamodb:x:000000000000:table/things/backup/none"}"#,
            .updateContinuousBackups:
                #"{"TableName":"things","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}"#,
        ]
        for operation in DynamoOperation.allCases where !known.contains(operation) {
            let authorizer = RequestAuthorizer(asksForLeadingKeys: false, asksForAttributes: false) {
                access throws(ProtocolError) in
                throw ProtocolError(.accessDenied, access.action)
            }
            let reply = try service().call(operation, bodies[operation] ?? #"{"TableName":"things"}"#, authorizer)
            #expect(reply.error == "AccessDeniedException", "\(operation): \(reply.json)")
            #expect(reply.message == operation.rawValue)
        }
    }
}
