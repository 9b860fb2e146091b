import Dispatch
import JSON
import Platform
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("What batches and transactions of the protocol may have")
struct BatchBoundTests {
    private static func key(_ number: Int) -> String { #"{"pk":{"S":"a"},"sk":{"N":"\#(number)"}}"# }

    private static func get(_ keys: some Sequence<Int>, _ more: String = "") -> String {
        #"{"RequestItems":{"things":{"Keys":[\#(keys.map(key).joined(separator: ","))]\#(more)}}}"#
    }

    @Test("A BatchGetItem reads up to 100 items, each once")
    func keys() throws {
        let service = try TestService()
        #expect(service.call(.batchGetItem, Self.get(1...100)).status == 200)
        let many = service.call(.batchGetItem, Self.get(1...101))
        #expect((many.status, many.error) == (400, "ValidationException"))
        let twice = service.call(.batchGetItem, Self.get([1, 2, 1]))
        #expect(twice.message == "Provided list of item keys contains duplicates")
    }

    @Test("The 100 items of a BatchGetItem are counted over all its tables", arguments: [40, 41])
    func keysOfTables(count: Int) throws {
        let service = try TestService()
        try service.store.createTable(
            TableSchema(
                name: "others", partitionKey: KeyAttribute("pk"), sortKey: KeyAttribute("sk", .number), indexes: []))
        func keys(_ count: Int) -> String { (0..<count).map(Self.key).joined(separator: ",") }
        let reply = service.call(
            .batchGetItem,
            #"{"RequestItems":{"things":{"Keys":[\#(keys(60))]},"others":{"Keys":[\#(keys(count))]}}}"#)
        #expect(reply.status == (count == 40 ? 200 : 400))
        #expect(count == 40 || reply.message == "Too many items requested for the BatchGetItem call")
    }

    @Test("What is more than 16 MB of a BatchGetItem is left, to be asked for as it was")
    func bytes() throws {
        let service = try TestService()
        let text = AttributeValue.string(String(repeating: "x", count: 390_000))
        for number in 1...45 {
            let item: Item = ["pk": "a", "sk": .number(Int64(number)), "text": text]
            try service.store.transactAndWait([.put(table: "things", item: item)], principal: .anonymous)
        }
        let more = ##","ProjectionExpression":"#n","ExpressionAttributeNames":{"#n":"sk"},"ConsistentRead":true"##
        let reply = service.call(.batchGetItem, Self.get(1...45, more))
        // 43 such items are less than 16 MB.
        #expect(reply["Responses"]?["things"]?.arrayValue?.count == 43)
        let rest = try #require(reply["UnprocessedKeys"]?["things"])
        #expect(rest["Keys"] == (try .text("[\(Self.key(44)),\(Self.key(45))]")))
        #expect(rest["ProjectionExpression"] == "#n")
        #expect(rest["ExpressionAttributeNames"] == ["#n": "sk"])
        #expect(rest["ConsistentRead"] == true)
        let again = service.call(.batchGetItem, #"{"RequestItems":{"things":\#(rest.serialized())}}"#)
        #expect(again["Responses"]?["things"]?.arrayValue?.count == 2)
        #expect(again["UnprocessedKeys"] == [:])
    }

    @Test("A transaction reads no item twice")
    func transactGet() throws {
        let service = try TestService()
        func get(_ numbers: [Int]) -> TestService.Reply {
            let gets = numbers.map { #"{"Get":{"TableName":"things","Key":\#(Self.key($0))}}"# }
            return service.call(.transactGetItems, #"{"TransactItems":[\#(gets.joined(separator: ","))]}"#)
        }
        #expect(get([1, 2]).status == 200)
        #expect(get([1, 2, 1]).message == "Transaction request cannot include multiple operations on one item")
    }

    @Test("Writes of a batch that the store is too busy for are given back by table, to be sent as they were")
    func busy() throws {
        var limits = TableLimits()
        limits.waitingTransactionsMax = 1
        let service = try TestService(limits: limits)
        try service.store.createTable(TableSchema(name: "others", partitionKey: KeyAttribute("id")))
        let (isHeld, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        service.store.subscribe { _ in
            isHeld.signal()
            gate.wait()
            gate.signal()
        }
        let done = DispatchGroup()
        for number in 0..<2 {
            done.enter()
            service.store.transact(
                [.put(table: "others", item: ["id": .string("first \(number)")])], principal: .anonymous
            ) { _ in done.leave() }
            // The second waits behind the one that is held, and nothing more may wait.
            if number == 0 { isHeld.wait() }
        }
        let puts = [1, 2].map { #"{"PutRequest":{"Item":\#(Self.key($0))}}"# }.joined(separator: ",")
        let deletion = #"{"DeleteRequest":{"Key":{"id":{"S":"x"}}}}"#
        let body = #"{"RequestItems":{"things":[\#(puts)],"others":[\#(deletion)]}}"#
        let reply = service.call(.batchWriteItem, body)
        gate.signal()
        done.wait()
        #expect(reply.status == 200)
        #expect(reply["UnprocessedItems"] == (try .text(#"{"things":[\#(puts)],"others":[\#(deletion)]}"#)))
        let again = service.call(.batchWriteItem, #"{"RequestItems":{"others":[\#(deletion)]}}"#)
        #expect(again["UnprocessedItems"] == [:])
    }
}
