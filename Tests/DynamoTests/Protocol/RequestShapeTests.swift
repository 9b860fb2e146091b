import JSON
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Requests of the protocol")
struct RequestShapeTests {
    private static let ofParameterized =
        "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class"
        + " (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base"
        + " of loader 'bootstrap')"

    @Test(
        "Expressions and the parameters that they have replaced do not go together, and are told in DynamoDB's order",
        arguments: [
            (
                DynamoOperation.query,
                #""KeyConditions":{},"QueryFilter":{},"AttributesToGet":["a"],"ConditionalOperator":"OR","#
                    + #""KeyConditionExpression":"a = :a""#,
                "{AttributesToGet, QueryFilter, ConditionalOperator, KeyConditions} Expression parameters:"
                    + " {KeyConditionExpression}"
            ),
            (
                .query, #""KeyConditions":{},"QueryFilter":{},"FilterExpression":"a = :a""#,
                "{QueryFilter} Expression parameters: {FilterExpression}"
            ),
            (
                .updateItem, #""Key":{},"Expected":{},"AttributeUpdates":{},"UpdateExpression":"SET a = :a""#,
                "{AttributeUpdates, Expected} Expression parameters: {UpdateExpression}"
            ),
        ])
    func mixed(operation: DynamoOperation, members: String, told: String) throws {
        let reply = try TestService().call(operation, #"{"TableName":"things",\#(members)}"#)
        #expect(
            reply.message
                == "Can not use both expression and non-expression parameters in the same request: Non-expression"
                + " parameters: \(told)")
    }

    @Test("How placeholders are spelled is looked at before any value")
    func placeholders() throws {
        let reply = try TestService().call(
            .deleteItem,
            #"{"TableName":"things","Key":{},"ConditionExpression":"a = :a","ExpressionAttributeValues":{":a":{},"#
                + #""b":{"S":"x"}}}"#)
        #expect(reply.message == #"ExpressionAttributeValues contains invalid key: Syntax error; key: "b""#)
    }

    @Test(
        "What is of another type than it should be is told in the parser's words",
        arguments: [
            (DynamoOperation.getItem, #"{"TableName":1}"#, "NUMBER_VALUE cannot be converted to String"),
            (.getItem, #"{"TableName":1.5}"#, "DECIMAL_VALUE cannot be converted to String"),
            (.getItem, #"{"TableName":true}"#, "TRUE_VALUE cannot be converted to String"),
            (.getItem, #"{"TableName":["a"]}"#, "Unrecognized collection type class java.lang.String"),
            (.getItem, #"{"TableName":{"a":1}}"#, "Start of structure or map found where not expected"),
            (.getItem, #"{"Key":"a"}"#, "Unexpected field type"),
            (
                .getItem, #"{"Key":["a"]}"#,
                "Unrecognized collection type java.util.Map<java.lang.String,"
                    + " com.amazonaws.dynamodb.v20120810.AttributeValue>"
            ),
            (.getItem, #"{"Key":{"a":"b"}}"#, "Unexpected value type in payload"),
            (
                .getItem, #"{"Key":{"a":["b"]}}"#,
                "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"
            ),
            (.getItem, #"{"Key":{"a":{"N":1}}}"#, "NUMBER_VALUE cannot be converted to String"),
            (.getItem, #"{"Key":{"a":{"B":1}}}"#, "only base-64-encoded strings are convertible to bytes"),
            (
                .getItem, #"{"Key":{"a":{"B":"abc"}}}"#,
                "Base64 encoded length is expected a multiple of 4 bytes but found: 3"
            ),
            (.getItem, #"{"Key":{"a":{"B":"a=bc"}}}"#, "Invalid last non-pad Base64 character dectected"),
            (.getItem, #"{"Key":{"a":{"B":"a*bc"}}}"#, "Invalid Base64 character"),
            (.batchGetItem, #"{"RequestItems":{"t":{"Keys":[1]}}}"#, ofParameterized),
            (.batchWriteItem, #"{"RequestItems":{"t":"x"}}"#, ofParameterized),
            (.batchWriteItem, #"{"RequestItems":{"t":["x"]}}"#, "Unexpected value type in payload"),
            (.getItem, #"{"Key":{"a":{"BOOL":"x"}}}"#, "Unexpected token received from parser"),
            (.getItem, #"{"Key":{"a":{"SS":"x"}}}"#, "Unexpected field type"),
            (.getItem, #"{"Key":{"a":{"L":[{"M":{"b":{"S":2}}}]}}}"#, "NUMBER_VALUE cannot be converted to String"),
            (.getItem, #"{"ConsistentRead":"maybe"}"#, "Unexpected token received from parser"),
            (.query, #"{"Limit":"1"}"#, "STRING_VALUE cannot be converted to Integer"),
            (.query, #"{"Limit":true}"#, "TRUE_VALUE cannot be converted to Integer"),
        ])
    func types(operation: DynamoOperation, body: String, message: String) throws {
        let reply = try TestService().call(operation, body)
        #expect(reply.status == 400)
        #expect(reply["__type"]?.stringValue == "com.amazon.coral.service#SerializationException")
        #expect(reply["Message"]?.stringValue == message)
    }

    @Test("What is not JSON, or no object, is refused without a word", arguments: ["", "{", "nul", "\"a\"", "1"])
    func noJSON(body: String) throws {
        let reply = try TestService().call(.getItem, body)
        #expect(reply.error == "SerializationException")
        #expect(reply.message == nil)
    }

    @Test("A member that is null is as good as none; unknown members are ignored")
    func nullIsAbsent() throws {
        let reply = try TestService().call(
            .getItem,
            #"{"TableName":"things","Key":{"pk":{"S":"a","N":null},"sk":{"N":"1"}},"ProjectionExpression":null,"x":1}"#)
        #expect(reply.json == (try .text("{}")))
    }

    @Test(
        "Everything that does not meet its constraints is told at once",
        arguments: [
            (
                DynamoOperation.getItem, "{}",
                "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint: Member must"
                    + " not be"
                    + " null; Value null at 'key' failed to satisfy constraint: Member must not be null"
            ),
            (
                .putItem, #"{"TableName":"abc","ReturnConsumedCapacity":"x","ReturnValues":"y"}"#,
                "3 validation errors detected: Value 'x' at 'returnConsumedCapacity' failed to satisfy constraint:"
                    + " Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; Value null at 'item' failed to"
                    + " satisfy constraint: Member must not be null; Value 'y' at 'returnValues' failed to satisfy"
                    + " constraint: Member must satisfy enum value set:"
                    + " [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
            ),
            (
                .query, #"{"TableName":"abc","IndexName":"a;"}"#,
                "2 validation errors detected: Value 'a;' at 'indexName' failed to satisfy constraint: Member must"
                    + " satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value at 'IndexName' failed to satisfy"
                    + " constraint: Member must have length greater than or equal to 3"
            ),
            (
                .query, #"{"TableName":"abc","Limit":0}"#,
                "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value"
                    + " greater than or equal to 1"
            ),
            (
                .scan, #"{"TableName":"abc","Limit":0}"#,
                "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value"
                    + " greater than or equal to 1"
            ),
            (
                .listTables, #"{"Limit":101}"#,
                "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: Member must have"
                    + " value"
                    + " less than or equal to 100"
            ),
            (
                .batchGetItem, #"{"RequestItems":{"abc":{"Keys":[]}}}"#,
                "1 validation error detected: Value at 'RequestItems.abc.member.Keys' failed to satisfy constraint:"
                    + " Member must have length greater than or equal to 1"
            ),
            (
                .batchGetItem, #"{"RequestItems":{"abc":{}}}"#,
                "1 validation error detected: Value null at 'requestItems.abc.member.keys' failed to satisfy"
                    + " constraint:"
                    + " Member must not be null"
            ),
            (
                .transactGetItems, #"{"TransactItems":[{"Get":{"TableName":"","Key":{}}}]}"#,
                "1 validation error detected: Value '' at 'transactItems.1.member.get.tableName' failed to satisfy"
                    + " constraint: Member must have length greater than or equal to 1"
            ),
            (
                .createTable,
                #"{"TableName":"abc","AttributeDefinitions":[],"KeySchema":[{"AttributeName":"a","KeyType":"HASH"},"#
                    + #"{"AttributeName":"b","KeyType":"RANGE"},{"AttributeName":"c","KeyType":"RANGE"}]}"#,
                "1 validation error detected: Value '[KeySchemaElement(attributeName=a, keyType=HASH),"
                    + " KeySchemaElement(attributeName=b, keyType=RANGE),"
                    + " KeySchemaElement(attributeName=c, keyType=RANGE)]' at 'keySchema' failed to satisfy"
                    + " constraint: Member must have length less than or equal to 2"
            ),
            (
                .transactWriteItems, #"{"TransactItems":[{"Update":{"TableName":"abc","Key":{}}}]}"#,
                "1 validation error detected: Value null at 'transactItems.1.member.update.updateExpression' failed to"
                    + " satisfy constraint: Member must not be null"
            ),
            (
                .createTable,
                #"{"TableName":"abc","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"X"}],"#
                    + #""KeySchema":[]}"#,
                "2 validation errors detected: Value 'X' at 'attributeDefinitions.1.member.attributeType' failed to"
                    + " satisfy"
                    + " constraint: Member must satisfy enum value set: [B, N, S]; Value '[]' at 'keySchema' failed to"
                    + " satisfy constraint: Member must have length greater than or equal to 1"
            ),
        ])
    func constraints(operation: DynamoOperation, body: String, message: String) throws {
        let reply = try TestService().call(operation, body)
        #expect(reply.status == 400)
        #expect(reply["__type"]?.stringValue == "com.amazon.coral.validate#ValidationException")
        #expect(reply["message"]?.stringValue == message)
    }

    @Test(
        "The name of a table is looked at first, and the first thing that is wrong with it is told alone",
        arguments: [
            ("", "have length greater than or equal to 1"), ("ab", "have length greater than or equal to 3"),
            ("a;", "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
            ("arn:aws:dynamodb:us-east-1:000000000000:table/a;", "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
            (String(repeating: "a", count: 256), "have length less than or equal to 255"),
        ], [DynamoOperation.describeTable, .createTable, .putItem, .query, .createBackup])
    func tableName(name: (text: String, constraint: String), operation: DynamoOperation) throws {
        let reply = try TestService().call(
            operation, #"{"TableName":"\#(name.text)","ReturnConsumedCapacity":"x","KeySchema":[],"Limit":0}"#)
        #expect(
            reply.message
                == "1 validation error detected: Value '\(name.text)' at 'tableName' failed to satisfy constraint:"
                + " Member must \(name.constraint)")
    }

    @Test("What is told of a large request is bounded: ten things, and of each value not all")
    func boundedFindings() throws {
        let text = String(repeating: "x", count: 100_000)
        let requests = (0..<500).map { #""\#($0)":[{"PutRequest":{"Item":{"pk":{"S":"\#(text.prefix(200))"}}}}]"# }
        let many = try TestService().call(
            .batchWriteItem, #"{"RequestItems":{\#(requests.joined(separator: ","))}}"#)
        #expect(many.message?.hasPrefix("10 validation errors detected: ") == true)
        #expect(many.message.map { $0.utf8.count < 1_000_000 } == true)
        let long = try TestService().call(
            .transactGetItems, #"{"TransactItems":[],"ReturnConsumedCapacity":"\#(text)"}"#)
        #expect(long.message?.hasPrefix("2 validation errors detected: ") == true)
        #expect(long.message.map { $0.utf8.count < 70_000 } == true)
    }

    @Test("Requests on tables have words of their own for a missing name")
    func missingTableName() throws {
        let reply = try TestService().call(.createTable, #"{"KeySchema":[]}"#)
        #expect(reply.message == "The parameter 'TableName' is required but was not present in the request")
    }

    @Test(
        "A batch of nothing is told as one that is missing",
        arguments: [DynamoOperation.batchGetItem, .batchWriteItem])
    func emptyBatch(operation: DynamoOperation) throws {
        let reply = try TestService().call(operation, #"{"RequestItems":{}}"#)
        #expect(reply.error == "ValidationException")
        #expect(reply.message == "The requestItems parameter is required for \(operation.rawValue)")
    }

    @Test(
        "Values that cannot be stored are refused before the table is looked up",
        arguments: [
            ("{}", "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
            (
                #"{"S":"a","N":"1"}"#,
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported"
                    + " datatypes"
            ),
            (#"{"N":""}"#, "The parameter cannot be converted to a numeric value"),
            (#"{"N":"b"}"#, "The parameter cannot be converted to a numeric value: b"),
            (
                #"{"N":"1e126"}"#,
                "Number overflow. Attempting to store a number with magnitude larger than supported range"
            ),
            (
                #"{"NULL":false}"#,
                "One or more parameter values were invalid: Null attribute value types must have the value of true"
            ),
            (#"{"SS":[]}"#, "One or more parameter values were invalid: An string set  may not be empty"),
            (#"{"NS":[]}"#, "One or more parameter values were invalid: An number set  may not be empty"),
            (#"{"BS":[]}"#, "One or more parameter values were invalid: Binary sets should not be empty"),
            (
                #"{"SS":["a","a"]}"#,
                "One or more parameter values were invalid: Input collection [a, a] contains duplicates."
            ),
            (#"{"NS":["1","1.0"]}"#, "Input collection contains duplicates"),
            (
                #"{"BS":["YQ==","YQ=="]}"#,
                "One or more parameter values were invalid: Input collection [YQ==, YQ==]of type BS contains"
                    + " duplicates."
            ),
            (
                #"{"L":[{"M":{"a":{}}}]}"#,
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
            ),
        ])
    func values(value: String, message: String) throws {
        let reply = try TestService().call(.putItem, #"{"TableName":"nowhere","Item":{"a":\#(value)}}"#)
        #expect(reply.error == "ValidationException")
        #expect(reply.message == message)
    }

    @Test("Lists and maps nest 32 deep, and no deeper")
    func nesting() throws {
        let service = try TestService()
        func put(levels: Int) -> TestService.Reply {
            let value =
                String(repeating: #"{"L":["#, count: levels) + #"{"S":"x"}"# + String(repeating: "]}", count: levels)
            return service.call(
                .putItem, #"{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"deep":\#(value)}}"#)
        }
        #expect(put(levels: 32).status == 200)
        #expect(put(levels: 33).message?.hasPrefix("Nesting Levels have exceeded supported limits") == true)
    }

    @Test("A table may be named by its ARN")
    func arn() throws {
        let service = try TestService()
        service.put("a", 1)
        let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/things"
        let reply = service.call(.getItem, #"{"TableName":"\#(arn)","Key":{"pk":{"S":"a"},"sk":{"N":"1"}}}"#)
        #expect(reply["Item"] != nil)
        #expect(service.call(.describeTable, #"{"TableName":"\#(arn)"}"#)["Table"] != nil)
    }
}
