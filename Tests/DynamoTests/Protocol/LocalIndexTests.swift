import JSON
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Local secondary indexes")
struct LocalIndexTests {
    private let service: TestService

    init() throws {
        service = try TestService()
        let reply = service.call(.createTable, Self.request(Self.index("by-rank", "rank", #""KEYS_ONLY""#)))
        try #require(reply.status == 200, "\(reply.json)")
        put(1, #""rank":{"N":"30"},"text":{"S":"c"}"#)
        put(2, #""rank":{"N":"10"},"text":{"S":"a"}"#)
        put(3, #""text":{"S":"not in the index"}"#)
    }

    private static func index(_ name: String, _ sort: String?, partition: String = "pk", _ projection: String) -> String
    {
        let sort = sort.map { #",{"AttributeName":"\#($0)","KeyType":"RANGE"}"# } ?? ""
        return #"{"IndexName":"\#(name)","KeySchema":[{"AttributeName":"\#(partition)","KeyType":"HASH"}\#(sort)],"#
            + #""Projection":{"ProjectionType":\#(projection)}}"#
    }

    private static func request(
        _ indexes: String, table: String = "notes", sortKey: Bool = true, more: String = ""
    ) -> String {
        let sort = sortKey ? #",{"AttributeName":"sk","KeyType":"RANGE"}"# : ""
        let types = (["pk": "S", "rank": "N"].merging(sortKey ? ["sk": "N"] : [:]) { $1 })
            .sorted { $0.key < $1.key }
            .map { #"{"AttributeName":"\#($0.key)","AttributeType":"\#($0.value)"}"# }.joined(separator: ",")
        return #"{"TableName":"\#(table)","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[\#(types)],"#
            + #""KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}\#(sort)],"#
            + #""LocalSecondaryIndexes":[\#(indexes)]\#(more)}"#
    }

    private func put(_ sort: Int, _ more: String) {
        let item = #"{"pk":{"S":"p"},"sk":{"N":"\#(sort)"},\#(more)}"#
        #expect(service.call(.putItem, #"{"TableName":"notes","Item":\#(item)}"#).status == 200)
    }

    private func query(_ more: String) -> TestService.Reply {
        service.call(
            .query,
            #"{"TableName":"notes","IndexName":"by-rank","KeyConditionExpression":"pk = :p","#
                + #""ExpressionAttributeValues":{":p":{"S":"p"}}\#(more)}"#)
    }

    @Test("The items of a partition come in the index's order; those without its sort key do not")
    func order() throws {
        #expect(query("").sortKeys == ["2", "1"])
        #expect(query(#","ScanIndexForward":false,"ConsistentRead":true"#).sortKeys == ["1", "2"])
        let scan = service.call(.scan, #"{"TableName":"notes","IndexName":"by-rank","ConsistentRead":true}"#)
        #expect(scan.sortKeys == ["2", "1"])
    }

    @Test("A page of the index goes on where it ended, with the keys of both")
    func pages() throws {
        let first = query(#","Limit":1"#)
        let last = try #require(first["LastEvaluatedKey"])
        #expect(last == (try .text(#"{"pk":{"S":"p"},"rank":{"N":"10"},"sk":{"N":"2"}}"#)))
        #expect(query(#","Limit":1,"ExclusiveStartKey":\#(last.serialized())"#).sortKeys == ["1"])
    }

    @Test("What is not projected is left out, unless it is asked for")
    func fetching() throws {
        func texts(_ more: String) -> [String?] {
            (query(more)["Items"]?.arrayValue ?? []).map {
                $0.objectValue?["text"]?.objectValue?["S"]?.stringValue
            }
        }
        #expect(texts("") == [nil, nil])
        #expect(texts(#","Select":"ALL_ATTRIBUTES""#) == ["a", "c"])
        #expect(texts(##","ProjectionExpression":"#t","ExpressionAttributeNames":{"#t":"text"}"##) == ["a", "c"])
    }

    @Test(
        "Reading the index counts as its units; items that are fetched beside it as the table's, each by itself",
        arguments: [
            ("", "0.5", "0.0", "0.5"), (#","ConsistentRead":true"#, "1.0", "0.0", "1.0"),
            (#","Select":"ALL_ATTRIBUTES""#, "0.5", "1.0", "1.5"),
        ])
    func capacity(more: String, index: String, table: String, total: String) throws {
        let used = query(#","ReturnConsumedCapacity":"INDEXES"\#(more)"#)["ConsumedCapacity"]
        #expect(
            used
                == (try .text(
                    #"{"TableName":"notes","CapacityUnits":\#(total),"Table":{"CapacityUnits":\#(table)},"#
                        + #""LocalSecondaryIndexes":{"by-rank":{"CapacityUnits":\#(index)}}}"#)))
    }

    @Test("It is described without a status and throughput of its own")
    func description() throws {
        let table = service.call(.describeTable, #"{"TableName":"notes"}"#)["Table"]?.objectValue
        let index = try #require(table?["LocalSecondaryIndexes"]?.arrayValue?.first?.objectValue)
        #expect(table?["GlobalSecondaryIndexes"] == nil)
        #expect(index["IndexName"] == "by-rank")
        #expect(index["IndexStatus"] == nil)
        #expect(index["ProvisionedThroughput"] == nil)
        #expect(index["Projection"] == (try .text(#"{"ProjectionType":"KEYS_ONLY"}"#)))
        #expect(index["IndexArn"]?.stringValue?.hasSuffix(":table/notes/index/by-rank") == true)
    }

    @Test("It is still a local one when the table's definition has been stored and read")
    func stored() throws {
        let schema = try service.store.schema(of: "notes")
        #expect(TableSchema(item: schema.item) == schema)
        #expect(schema.indexes.map(\.isLocal) == [true])
    }

    @Test("It cannot be changed or removed as a global one")
    func updates() throws {
        let reply = service.call(
            .updateTable,
            #"{"TableName":"notes","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"by-rank"}}]}"#)
        #expect(reply.error == "ResourceNotFoundException")
    }

    @Test(
        "A write answers the item collection that it touched, if asked",
        arguments: [
            (
                DynamoOperation.putItem,
                #"{"TableName":"notes","Item":{"pk":{"S":"p"},"sk":{"N":"9"}},"ReturnItemCollectionMetrics":"SIZE"}"#
            ),
            (
                .deleteItem,
                #"{"TableName":"notes","Key":{"pk":{"S":"p"},"sk":{"N":"9"}},"ReturnItemCollectionMetrics":"SIZE"}"#
            ),
            (
                .updateItem,
                #"{"TableName":"notes","Key":{"pk":{"S":"p"},"sk":{"N":"9"}},"ReturnItemCollectionMetrics":"SIZE"}"#
            ),
        ])
    func collection(operation: DynamoOperation, body: String) throws {
        let metrics = #"{"ItemCollectionKey":{"pk":{"S":"p"}},"SizeEstimateRangeGB":[0.0,1.0]}"#
        #expect(service.call(operation, body)["ItemCollectionMetrics"] == (try .text(metrics)))
        let other = body.replacing("SIZE", with: "NONE")
        #expect(service.call(operation, other)["ItemCollectionMetrics"] == nil)
        #expect(service.call(operation, body.replacing("notes", with: "things"))["ItemCollectionMetrics"] == nil)
    }

    @Test("Writes of several items answer each item collection once, by table")
    func collections() throws {
        let puts = ["1", "2"].map { #"{"PutRequest":{"Item":{"pk":{"S":"p"},"sk":{"N":"\#($0)"}}}}"# }
        let metrics = #"{"notes":[{"ItemCollectionKey":{"pk":{"S":"p"}},"SizeEstimateRangeGB":[0.0,1.0]}]}"#
        let batch = service.call(
            .batchWriteItem,
            #"{"RequestItems":{"notes":[\#(puts.joined(separator: ","))]},"ReturnItemCollectionMetrics":"SIZE"}"#)
        #expect(batch["ItemCollectionMetrics"] == (try .text(metrics)))
        let delete = #"{"Delete":{"TableName":"notes","Key":{"pk":{"S":"p"},"sk":{"N":"1"}}}}"#
        let transaction = service.call(
            .transactWriteItems, #"{"TransactItems":[\#(delete)],"ReturnItemCollectionMetrics":"SIZE"}"#)
        #expect(transaction["ItemCollectionMetrics"] == (try .text(metrics)))
    }

    @Test(
        "What is no local index of its table is refused",
        arguments: [
            ("", true, "List of LocalSecondaryIndexes is empty"),
            (
                index("aaa", "rank", #""ALL""#), false,
                "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
            ),
            (index("aaa", nil, #""ALL""#), true, "Index KeySchema does not have a range key for index: aaa"),
            (
                index("aaa", "sk", partition: "rank", #""ALL""#), true,
                "Index KeySchema does not have the same leading hash key as table KeySchema for index: aaa. index hash"
                    + " key: rank, table hash key: pk"
            ),
            (index("aaa", "rank", "null"), true, "Unknown ProjectionType: null"),
            (
                index("aaa", "rank", #""ALL""#) + "," + index("aaa", "rank", #""ALL""#), true,
                "Duplicate index name: aaa"
            ),
            (
                (0..<6).map { index("index-\($0)", "rank", #""ALL""#) }.joined(separator: ","), true,
                "Number of LocalSecondaryIndexes exceeds per-table limit of 5"
            ),
        ])
    func refused(indexes: String, sortKey: Bool, message: String) throws {
        let reply = service.call(.createTable, Self.request(indexes, table: "other", sortKey: sortKey))
        #expect(reply.error == "ValidationException")
        #expect(reply.message == "One or more parameter values were invalid: \(message)")
    }

    @Test("Global and local indexes share their names")
    func sharedNames() throws {
        let global = #","GlobalSecondaryIndexes":[\#(Self.index("aaa", nil, partition: "rank", #""ALL""#))]"#
        let reply = service.call(
            .createTable, Self.request(Self.index("aaa", "rank", #""ALL""#), table: "other", more: global))
        #expect(reply.message == "One or more parameter values were invalid: Duplicate index name: aaa")
        let both = service.call(
            .createTable, Self.request(Self.index("bbb", "rank", #""ALL""#), table: "other", more: global))
        let table = both["TableDescription"]?.objectValue
        #expect(table?["GlobalSecondaryIndexes"]?.arrayValue?.map { $0.objectValue?["IndexName"] } == ["aaa"])
        #expect(table?["LocalSecondaryIndexes"]?.arrayValue?.map { $0.objectValue?["IndexName"] } == ["bbb"])
    }
}
