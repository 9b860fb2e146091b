import JSON
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Operations on tables over the protocol")
struct TableOperationTests {
    private func create(_ name: String, _ more: String = #","BillingMode":"PAY_PER_REQUEST""#) -> String {
        #"{"TableName":"\#(name)","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"#
            + #""KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]\#(more)}"#
    }

    @Test("Tables are listed in pages by name")
    func list() throws {
        let service = try TestService()
        for name in ["ccc", "aaa", "bbb"] { #expect(service.call(.createTable, create(name)).status == 200) }
        let first = service.call(.listTables, #"{"Limit":2}"#)
        #expect(first.json == (try .text(#"{"TableNames":["aaa","bbb"],"LastEvaluatedTableName":"bbb"}"#)))
        let rest = service.call(.listTables, #"{"Limit":2,"ExclusiveStartTableName":"bbb"}"#)
        #expect(rest.json == (try .text(#"{"TableNames":["ccc","things"]}"#)))
    }

    @Test("A table is described with what is in it and in its indexes, as soon as it is")
    func describe() throws {
        let service = try TestService()
        service.put("a", 1, #""tag":{"S":"t"}"#)
        service.put("b", 1)
        let table = service.call(.describeTable, #"{"TableName":"things"}"#)["Table"]?.objectValue
        #expect(table?["ItemCount"] == (try .text("2")))
        #expect(table?["TableSizeBytes"] == (try .text("18")))
        #expect(table?["TableArn"]?.stringValue == "arn:aws:dynamodb:us-east-1:000000000000:table/things")
        let indexes = table?["GlobalSecondaryIndexes"]?.arrayValue?.compactMap(\.objectValue)
        #expect(indexes?.map { $0["ItemCount"] } == [try .text("0"), try .text("1")])
        #expect(indexes?.map { $0["IndexStatus"]?.stringValue } == ["ACTIVE", "ACTIVE"])
        #expect(
            indexes?.last?["IndexArn"]?.stringValue
                == "arn:aws:dynamodb:us-east-1:000000000000:table/things/index/by-tag")
    }

    @Test("What a table can take at any moment is what is provisioned, and on demand what a new one can")
    func warmThroughput() throws {
        let service = try TestService()
        func warm(_ table: String) -> JSONValue? {
            service.call(.describeTable, #"{"TableName":"\#(table)"}"#)["Table"]?["WarmThroughput"]
        }
        #expect(
            warm("things")
                == (try .text(#"{"ReadUnitsPerSecond":12000,"WriteUnitsPerSecond":4000,"Status":"ACTIVE"}"#)))
        _ = service.call(
            .createTable, create("fixed", #","ProvisionedThroughput":{"ReadCapacityUnits":7,"WriteCapacityUnits":8}"#))
        #expect(
            warm("fixed") == (try .text(#"{"ReadUnitsPerSecond":7,"WriteUnitsPerSecond":8,"Status":"ACTIVE"}"#)))
    }

    @Test("A table made again under its name has another identifier")
    func identifiers() throws {
        let service = try TestService()
        func make() -> String? {
            let made = service.call(.createTable, create("again"))
            _ = service.call(.deleteTable, #"{"TableName":"again"}"#)
            return made["TableDescription"]?.objectValue?["TableId"]?.stringValue
        }
        let first = try #require(make())
        #expect(first.wholeMatch(of: /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/) != nil)
        #expect(make() != first)
    }

    @Test(
        "A table that cannot be is refused in DynamoDB's words",
        arguments: [
            (
                #","BillingMode":"PROVISIONED""#,
                "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be"
                    + " specified"
                    + " when BillingMode is PROVISIONED"
            ),
            (
                #","BillingMode":"PAY_PER_REQUEST","ProvisionedThroughput":{"ReadCapacityUnits":1,"#
                    + #""WriteCapacityUnits":1}"#,
                "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be"
                    + " specified"
                    + " when BillingMode is PAY_PER_REQUEST"
            ),
            (
                #","BillingMode":"PAY_PER_REQUEST","GlobalSecondaryIndexes":[]"#,
                "One or more parameter values were invalid: List of GlobalSecondaryIndexes is empty"
            ),
            (
                #","BillingMode":"PAY_PER_REQUEST","GlobalSecondaryIndexes":[{"IndexName":"abc","Projection":{},"#
                    + #""KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}]"#,
                "One or more parameter values were invalid: Unknown ProjectionType: null"
            ),
            (
                #","BillingMode":"PAY_PER_REQUEST","GlobalSecondaryIndexes":[{"IndexName":"abc","Projection":"#
                    + #"{"ProjectionType":"INCLUDE","NonKeyAttributes":["a","b","a"]},"#
                    + #""KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}]"#,
                "One or more parameter values were invalid: Duplicate value in attribute name: a"
            ),
            (
                #","BillingMode":"PAY_PER_REQUEST","GlobalSecondaryIndexes":[{"IndexName":"abc","Projection":"#
                    + #"{"ProjectionType":"ALL"},"KeySchema":[{"AttributeName":"x","KeyType":"HASH"}]}]"#,
                "One or more parameter values were invalid: Some index key attributes are not defined in"
                    + " AttributeDefinitions. Keys: [x], AttributeDefinitions: [pk]"
            ),
        ])
    func refused(more: String, message: String) throws {
        let reply = try TestService().call(.createTable, create("another", more))
        #expect(reply.error == "ValidationException")
        #expect(reply.message == message)
    }

    @Test("Tables that are there already, or are not, are told by name")
    func presence() throws {
        let service = try TestService()
        #expect(service.call(.createTable, create("things")).message == "Table already exists: things")
        #expect(service.call(.createTable, create("things")).error == "ResourceInUseException")
        for operation in [DynamoOperation.describeTable, .deleteTable] {
            let reply = service.call(operation, #"{"TableName":"nowhere"}"#)
            #expect(reply.error == "ResourceNotFoundException")
            #expect(reply.message == "Requested resource not found: Table: nowhere not found")
        }
    }

    @Test("An attribute that is defined twice is told by name")
    func definedTwice() throws {
        let reply = try TestService().call(
            .createTable,
            create("another", #","BillingMode":"PAY_PER_REQUEST""#).replacing(
                #"{"AttributeName":"pk","AttributeType":"S"}"#,
                with: #"{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"pk","AttributeType":"N"}"#))
        #expect(
            reply.message
                == "One or more parameter values were invalid: Duplicate AttributeName in AttributeDefinitions: pk")
    }

    @Test("A table that is deleted is told without its keys; its identifier has the form of a random UUID")
    func deleted() throws {
        let reply = try TestService().call(.deleteTable, #"{"TableName":"things"}"#)
        let table = try #require(reply["TableDescription"]?.objectValue)
        #expect(table["TableStatus"]?.stringValue == "DELETING")
        #expect(table["BillingModeSummary"] != nil && table["ProvisionedThroughput"] != nil)
        for name in ["AttributeDefinitions", "KeySchema", "CreationDateTime", "GlobalSecondaryIndexes"] {
            #expect(table[name] == nil)
        }
        let id = try #require(table["TableId"]?.stringValue)
        #expect(id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}/) != nil)
    }

    @Test(
        "What is wrong with a change by itself is told before the table is looked for",
        arguments: [
            (#""GlobalSecondaryIndexUpdates":[]"#, "At least one of ProvisionedThroughput, BillingMode,"),
            (
                #""GlobalSecondaryIndexUpdates":[{}]"#,
                "One or more parameter values were invalid: One of GlobalSecondaryIndexUpdate.Update,"
            ),
            (
                #""GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"abc"}},{"Delete":{"IndexName":"abc"}}]"#,
                "One or more parameter values were invalid: Only one global secondary index update per index is"
                    + " allowed simultaneously. Index: abc"
            ),
            (
                #""GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"abc"},"Update":{"IndexName":"abc","#
                    + #""ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1}}}]"#,
                "One or more parameter values were invalid: Only one of GlobalSecondaryIndexUpdate.Update,"
            ),
            (
                #""BillingMode":"PROVISIONED""#,
                "One or more parameter values were invalid: ProvisionedThroughput must be specified when BillingMode"
                    + " is PROVISIONED"
            ),
            (
                #""ProvisionedThroughput":{"ReadCapacityUnits":1000000000001,"WriteCapacityUnits":1}"#,
                "Given value 1000000000001 for ReadCapacityUnits is out of bounds"
            ),
        ])
    func changesByThemselves(member: String, message: String) throws {
        let reply = try TestService().call(.updateTable, #"{"TableName":"nowhere",\#(member)}"#)
        #expect(reply.error == "ValidationException")
        #expect(reply.message?.hasPrefix(message) == true, "\(reply.json)")
    }

    @Test("A new index may not have a key of another index with another type")
    func redefined() throws {
        let reply = try TestService().call(
            .updateTable,
            #"{"TableName":"things","AttributeDefinitions":[{"AttributeName":"rank","AttributeType":"S"}],"#
                + #""GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"more","KeySchema":"#
                + #"[{"AttributeName":"rank","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]}"#)
        #expect(
            reply.message
                == "One or more parameter values were invalid: Attributes cannot be redefined. Please check that your"
                + " attribute has the same type as previously defined. Existing schema: Schema:[SchemaElement:"
                + " key{owner:S:HASH}, key{rank:N:RANGE}] New schema: Schema:[SchemaElement: key{rank:S:HASH}]")
    }

    @Test("An index that is added leaves out values that no key may be; items with such go on to be updated")
    func addIndexOverOddValues() throws {
        let service = try TestService()
        for (name, size) in [("fits", 1024), ("large", 1025), ("larger", 2049), ("empty", 0)] {
            let text = String(repeating: "s", count: size)
            service.put(name, 1, #""s":{"S":"\#(text)"},"owner":{"S":"o"},"rank":{"N":"1"}"#)
        }
        func add(_ name: String, _ key: String) {
            let reply = service.call(
                .updateTable,
                #"{"TableName":"things","AttributeDefinitions":[{"AttributeName":"s","AttributeType":"S"},"#
                    + #"{"AttributeName":"owner","AttributeType":"S"}],"GlobalSecondaryIndexUpdates":[{"Create":"#
                    + #"{"IndexName":"\#(name)","KeySchema":[\#(key)],"Projection":{"ProjectionType":"KEYS_ONLY"}}}]}"#)
            #expect(reply.status == 200, "\(reply.json)")
        }
        func partitions(_ index: String) -> Set<String> {
            let items = service.call(.scan, #"{"TableName":"things","IndexName":"\#(index)"}"#)["Items"]?.arrayValue
            return Set((items ?? []).compactMap { $0.objectValue?["pk"]?.objectValue?["S"]?.stringValue })
        }
        let owner = #"{"AttributeName":"owner","KeyType":"HASH"}"#
        add("by-s", #"{"AttributeName":"s","KeyType":"HASH"}"#)
        // Definitions that no key needs are refused, so this index has both attributes.
        add("by-owner-s", owner + #",{"AttributeName":"s","KeyType":"RANGE"}"#)
        #expect(partitions("by-s") == ["fits", "large"])
        #expect(partitions("by-owner-s") == ["fits"])
        let update = service.call(
            .updateItem,
            #"{"TableName":"things","Key":{"pk":{"S":"larger"},"sk":{"N":"1"}},"UpdateExpression":"SET v = :v","#
                + #""ExpressionAttributeValues":{":v":{"N":"1"}}}"#)
        #expect(update.status == 200, "\(update.json)")
        #expect(try service.store.verify().problems == [])
    }

    @Test("Throughput, billing and protection are changed and shown")
    func update() throws {
        let service = try TestService()
        _ = service.call(.createTable, create("another"))
        let units = #""ProvisionedThroughput":{"ReadCapacityUnits":50,"WriteCapacityUnits":50}"#
        let changed = service.call(
            .updateTable, #"{"TableName":"another","BillingMode":"PROVISIONED",\#(units)}"#)["TableDescription"]
        let throughput = changed?.objectValue?["ProvisionedThroughput"]?.objectValue
        #expect(throughput?["ReadCapacityUnits"] == (try .text("50")))
        #expect(changed?.objectValue?["BillingModeSummary"] == nil)
        #expect(
            service.call(.updateTable, #"{"TableName":"another",\#(units)}"#).message?.hasPrefix(
                "The provisioned throughput for the table will not change.") == true)
        #expect(service.call(.updateTable, #"{"TableName":"another"}"#).error == "ValidationException")
        _ = service.call(.updateTable, #"{"TableName":"another","DeletionProtectionEnabled":true}"#)
        #expect(
            service.call(.deleteTable, #"{"TableName":"another"}"#).message?.contains("protected against deletion")
                == true)
        _ = service.call(.updateTable, #"{"TableName":"another","DeletionProtectionEnabled":false}"#)
        #expect(service.call(.deleteTable, #"{"TableName":"another"}"#).status == 200)
    }

    @Test("An index that is added has the items that are there, but for those of the wrong type")
    func addIndex() throws {
        let service = try TestService()
        service.put("a", 1, #""n":{"N":"5"}"#)
        service.put("b", 1, #""n":{"S":"x"}"#)
        let definitions = [("pk", "S"), ("sk", "N"), ("owner", "S"), ("rank", "N"), ("tag", "S"), ("n", "N")]
            .map { #"{"AttributeName":"\#($0)","AttributeType":"\#($1)"}"# }.joined(separator: ",")
        let added = service.call(
            .updateTable,
            #"{"TableName":"things","AttributeDefinitions":[\#(definitions)],"GlobalSecondaryIndexUpdates":[{"Create":"#
                + #"{"IndexName":"by-n","KeySchema":[{"AttributeName":"n","KeyType":"HASH"}],"#
                + #""Projection":{"ProjectionType":"ALL"}}}]}"#)
        #expect(added.status == 200, "\(added.json)")
        let found = service.call(.scan, #"{"TableName":"things","IndexName":"by-n"}"#)
        #expect(found["Items"] == (try .text(#"[{"pk":{"S":"a"},"sk":{"N":"1"},"n":{"N":"5"}}]"#)))
        // From now on the wrong type is refused.
        let wrong = service.call(
            .putItem, #"{"TableName":"things","Item":{"pk":{"S":"c"},"sk":{"N":"1"},"n":{"S":"x"}}}"#)
        #expect(wrong.message?.contains("Type mismatch for Index Key n Expected: N Actual: S IndexName: by-n") == true)
        let removed = service.call(
            .updateTable,
            #"{"TableName":"things","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"by-n"}}]}"#)
        #expect(removed.status == 200)
        #expect(service.call(.scan, #"{"TableName":"things","IndexName":"by-n"}"#).error == "ValidationException")
        #expect(try service.store.verify().problems == [])
    }

    @Test("What is counted of tables is what is in them, whatever was done", arguments: 0..<4)
    func statistics(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let service = try TestService()
        for _ in 0..<300 {
            let key = "\(Int.random(in: 0..<20, using: &random))"
            if Bool.random(using: &random) {
                let tag = Bool.random(using: &random) ? #""tag":{"S":"t\#(key)"}"# : ""
                service.put(key, Int.random(in: 0..<3, using: &random), tag)
            } else {
                let sort = Int.random(in: 0..<3, using: &random)
                _ = service.call(
                    .deleteItem, #"{"TableName":"things","Key":{"pk":{"S":"\#(key)"},"sk":{"N":"\#(sort)"}}}"#)
            }
        }
        let definition = try service.store.catalog.definition("things")
        let seal = service.store.seal
        let (kept, counted) = try service.store.readers.read { (connection) throws(TableError) in
            (
                try TableStatistics.read(connection, definition, seal),
                try TableStatistics.counted(connection, definition, seal)
            )
        }
        #expect(kept == counted)
        #expect(counted.table.items > 0)
    }
}
