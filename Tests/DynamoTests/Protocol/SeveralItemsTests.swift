import JSON
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Batches and transactions over the protocol")
struct SeveralItemsTests {
    private func put(_ partition: String, _ sort: String = "1") -> String {
        #"{"PutRequest":{"Item":{"pk":{"S":"\#(partition)"},"sk":{"N":"\#(sort)"}}}}"#
    }

    private func delete(_ partition: String) -> String {
        #"{"DeleteRequest":{"Key":{"pk":{"S":"\#(partition)"},"sk":{"N":"1"}}}}"#
    }

    private func batch(_ requests: String...) -> String {
        #"{"RequestItems":{"things":[\#(requests.joined(separator: ","))]},"ReturnConsumedCapacity":"TOTAL"}"#
    }

    @Test("A batch writes and deletes, and a batch reads it back; what is not there is left out")
    func batches() throws {
        let service = try TestService()
        service.put("b", 1)
        let written = service.call(.batchWriteItem, batch(put("a"), delete("b"), put("c")))
        #expect(
            written.json
                == (try .text(
                    #"{"ConsumedCapacity":[{"TableName":"things","CapacityUnits":3.0}],"UnprocessedItems":{}}"#)))
        let read = service.call(
            .batchGetItem,
            #"{"RequestItems":{"things":{"Keys":[{"pk":{"S":"a"},"sk":{"N":"1"}},{"pk":{"S":"b"},"sk":{"N":"1"}},"#
                + #"{"pk":{"S":"c"},"sk":{"N":"1"}}],"ProjectionExpression":"pk"}}}"#)
        #expect(
            read.json
                == (try .text(#"{"Responses":{"things":[{"pk":{"S":"a"}},{"pk":{"S":"c"}}]},"UnprocessedKeys":{}}"#)))
    }

    @Test("A batch of which one request cannot be done does nothing")
    func batchIsCheckedFirst() throws {
        let service = try TestService()
        #expect(
            service.call(.batchWriteItem, batch(put("a"), #"{"PutRequest":{"Item":{"pk":{"S":"b"}}}}"#)).message
                == "The provided key element does not match the schema")
        let wrongType = #"{"PutRequest":{"Item":{"pk":{"N":"1"},"sk":{"N":"1"}}}}"#
        #expect(
            service.call(.batchWriteItem, batch(put("a"), wrongType)).message
                == "The provided key element does not match the schema")
        #expect(
            service.call(.batchWriteItem, batch(put("a"), put("a", "1.0"))).message
                == "Provided list of item keys contains duplicates")
        #expect(
            service.call(.batchWriteItem, batch(put("a"), delete("a"))).message
                == "Provided list of item keys contains duplicates")
        #expect(service.call(.scan, #"{"TableName":"things"}"#)["Count"] == (try .text("0")))
        let tooMany = (0..<26).map { put("p\($0)") }.joined(separator: ",")
        #expect(
            service.call(.batchWriteItem, #"{"RequestItems":{"things":[\#(tooMany)]}}"#).message?.contains(
                "Member must have length less than or equal to 25") == true)
        #expect(
            service.call(.batchWriteItem, #"{"RequestItems":{"things":[{}]}}"#).message
                == "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported"
                + " datatypes")
    }

    @Test("Keys that are asked for twice, or more than 100, are refused")
    func batchGetLimits() throws {
        let service = try TestService()
        func get(_ keys: [String]) -> String? {
            let keys = keys.map { #"{"pk":{"S":"\#($0)"},"sk":{"N":"1"}}"# }.joined(separator: ",")
            return service.call(.batchGetItem, #"{"RequestItems":{"things":{"Keys":[\#(keys)]}}}"#).message
        }
        #expect(get(["a", "a"]) == "Provided list of item keys contains duplicates")
        #expect(get((0..<100).map { "p\($0)" }) == nil)
        #expect(get((0..<101).map { "p\($0)" })?.contains("Member must have length less than or equal to 100") == true)
    }

    private func transact(_ items: String..., more: String = "") -> String {
        #"{"TransactItems":[\#(items.joined(separator: ","))]\#(more)}"#
    }

    private func operation(_ name: String, _ partition: String, _ more: String = "") -> String {
        let target = name == "Put" ? "Item" : "Key"
        return
            #"{"\#(name)":{"TableName":"things","\#(target)":{"pk":{"S":"\#(partition)"},"sk":{"N":"1"}}\#(more)}}"#
    }

    @Test("A transaction happens as a whole, and tells by position why it does not")
    func cancellation() throws {
        let service = try TestService()
        service.put("b", 1)
        let failing = transact(
            operation("Put", "a"),
            operation(
                "ConditionCheck", "b",
                #","ConditionExpression":"attribute_not_exists(pk)","ReturnValuesOnConditionCheckFailure":"ALL_OLD""#),
            operation("Delete", "c", #","ConditionExpression":"attribute_exists(pk)""#))
        let reply = service.call(.transactWriteItems, failing)
        #expect(reply.error == "TransactionCanceledException")
        #expect(
            reply["Message"]?.stringValue
                == "Transaction cancelled, please refer cancellation reasons for specific reasons [None,"
                + " ConditionalCheckFailed, ConditionalCheckFailed]")
        let failed = #"{"Code":"ConditionalCheckFailed","Message":"The conditional request failed""#
        #expect(
            reply["CancellationReasons"]
                == (try .text(
                    #"[{"Code":"None"},\#(failed),"Item":{"pk":{"S":"b"},"sk":{"N":"1"}}},\#(failed)}]"#)))
        #expect(service.call(.scan, #"{"TableName":"things"}"#)["Count"] == (try .text("1")))
    }

    @Test("A transaction of one operation is cancelled like any other")
    func single() throws {
        let reply = try TestService().call(
            .transactWriteItems,
            transact(operation("Delete", "a", #","ConditionExpression":"attribute_exists(pk)""#)))
        #expect(reply.error == "TransactionCanceledException")
        #expect(reply["CancellationReasons"]?.arrayValue?.count == 1)
    }

    @Test("An operation that does not fit its table cancels the transaction, with its reason in its place")
    func invalidOperation() throws {
        // The third is no better, but nobody looks at it any more.
        let wrong = #"{"Put":{"TableName":"things","Item":{"pk":{"S":"b"}}}}"#
        let reply = try TestService().call(
            .transactWriteItems, transact(operation("Put", "a"), wrong, wrong))
        #expect(
            reply["CancellationReasons"]
                == (try .text(
                    #"[{"Code":"None"},{"Code":"ValidationError","Message":"One or more parameter values were invalid:"#
                        + #" Missing the key sk in the item"},{"Code":"None"}]"#)))
        let key = #"{"Delete":{"TableName":"things","Key":{"pk":{"S":"b"}}}}"#
        let reasons = try TestService().call(.transactWriteItems, transact(key, key))["CancellationReasons"]
        #expect(
            reasons?.arrayValue?.map { $0.objectValue?["Code"]?.stringValue } == ["ValidationError", "None"])
    }

    @Test("Items of more than 4 MB together are too much for a transaction")
    func tooLarge() throws {
        let text = String(repeating: "x", count: 300_000)
        let puts = (0..<15).map { number in
            #"{"Put":{"TableName":"things","Item":{"pk":{"S":"p\#(number)"},"sk":{"N":"1"},"t":{"S":"\#(text)"}}}}"#
        }
        let reply = try TestService().call(.transactWriteItems, transact(puts.joined(separator: ",")))
        #expect(reply.error == "ValidationException")
        #expect(reply.message == "Transaction's aggregate item size cannot exceed 4194304 bytes")
    }

    @Test("No projection looks for something within a key")
    func projectionsWithinKeys() throws {
        let service = try TestService()
        let message =
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: pk"
        let batch =
            #"{"RequestItems":{"things":{"Keys":[{"pk":{"S":"a"},"sk":{"N":"1"}}],"#
            + #""ProjectionExpression":"v, pk.x"}}}"#
        #expect(service.call(.batchGetItem, batch).message == message)
        let transaction = transact(operation("Get", "a", #","ProjectionExpression":"pk[0]""#))
        #expect(service.call(.transactGetItems, transaction).message == message)
    }

    @Test("Operations on one item twice, or of none or several kinds, are refused")
    func refused() throws {
        let service = try TestService()
        #expect(
            service.call(.transactWriteItems, transact(operation("Put", "a"), operation("Delete", "a"))).message
                == "Transaction request cannot include multiple operations on one item")
        #expect(
            service.call(.transactWriteItems, transact("{}")).message
                == "TransactItems can only contain one of Check, Put, Update or Delete")
        #expect(
            service.call(
                .transactWriteItems,
                transact(#"{"Put":{"TableName":"nowhere","Item":{"pk":{"S":"a"}}}}"#)
            ).error == "ResourceNotFoundException")
    }

    @Test("A transaction that is sent again with its token is not done again, for ten minutes")
    func tokens() throws {
        let service = try TestService()
        let update = operation(
            "Update", "a", #","UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}"#)
        func send(_ item: String, _ token: String = "t") -> TestService.Reply {
            service.call(.transactWriteItems, transact(item, more: #","ClientRequestToken":"\#(token)""#))
        }
        func count() -> JSONValue? {
            service.call(.getItem, #"{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}}}"#)["Item"]?
                .objectValue?["n"]
        }
        #expect(send(update).status == 200)
        #expect(send(update).status == 200)
        #expect(count() == (try .text(#"{"N":"1"}"#)))
        #expect(send(operation("Delete", "a")).error == "IdempotentParameterMismatchException")
        #expect(send(update, "u").status == 200)
        #expect(count() == (try .text(#"{"N":"2"}"#)))
        service.advance(milliseconds: 10 * 60 * 1000)
        #expect(send(update).status == 200)
        #expect(count() == (try .text(#"{"N":"3"}"#)))
        // What did not happen may be tried again.
        let failing = operation("Delete", "z", #","ConditionExpression":"attribute_exists(pk)""#)
        #expect(send(failing, "v").error == "TransactionCanceledException")
        service.put("z", 1)
        #expect(send(failing, "v").status == 200)
    }

    @Test("A transaction that happened is not done again after a restart either; one that did not is")
    func tokensAfterRestart() throws {
        let directory = try TemporaryDirectory()
        let now: Int64 = 1_700_000_000_000
        let add = operation(
            "Update", "a", #","UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}"#)
        let failing = operation("Delete", "z", #","ConditionExpression":"attribute_exists(pk)""#)
        func send(_ service: TestService, _ item: String, _ token: String) -> TestService.Reply {
            let more = #","ClientRequestToken":"\#(token)","ReturnConsumedCapacity":"TOTAL""#
            return service.call(.transactWriteItems, transact(item, more: more))
        }
        let first = try TestService(directory: directory.path, at: now)
        #expect(send(first, add, "t")["ConsumedCapacity"] != nil)
        #expect(send(first, failing, "u").error == "TransactionCanceledException")
        first.store.close()
        let second = try TestService(directory: directory.path, at: now + 9 * 60 * 1000)
        let again = send(second, add, "t")
        // What is told is the reading of the item, by which it is seen that nothing was written.
        #expect(
            again["ConsumedCapacity"]
                == (try .text(#"[{"TableName":"things","CapacityUnits":2.0,"ReadCapacityUnits":2.0}]"#)))
        #expect(send(second, failing, "t").error == "IdempotentParameterMismatchException")
        #expect(send(second, failing, "u").error == "TransactionCanceledException")
        let read = #"{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}}}"#
        #expect(second.call(.getItem, read)["Item"]?.objectValue?["n"] == (try .text(#"{"N":"1"}"#)))
        second.store.close()
        let third = try TestService(directory: directory.path, at: now + 10 * 60 * 1000)
        #expect(send(third, add, "t").status == 200)
        #expect(third.call(.getItem, read)["Item"]?.objectValue?["n"] == (try .text(#"{"N":"2"}"#)))
        third.store.close()
    }

    @Test(
        "A clock that is set for a moment has no transaction done again, before a restart or after", arguments: [2, -2])
    func tokensWhenTheClockIsSet(_ hours: Int64) throws {
        let directory = try TemporaryDirectory()
        let now: Int64 = 1_700_000_000_000
        let add = operation(
            "Update", "a", #","UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}"#)
        func send(_ service: TestService, _ token: String) {
            let reply = service.call(.transactWriteItems, transact(add, more: #","ClientRequestToken":"\#(token)""#))
            #expect(reply.status == 200)
        }
        func count(_ service: TestService) -> JSONValue? {
            let read = #"{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}}}"#
            return service.call(.getItem, read)["Item"]?.objectValue?["n"]
        }
        let first = try TestService(directory: directory.path, at: now)
        send(first, "t")
        first.setClock(by: hours * 3_600_000)
        send(first, "u")
        send(first, "t")
        first.setClock(by: -hours * 3_600_000)
        send(first, "v")
        for token in ["t", "u", "v"] { send(first, token) }
        #expect(count(first) == (try .text(#"{"N":"3"}"#)))
        first.store.close()
        let second = try TestService(directory: directory.path, at: now + 60_000)
        for token in ["t", "v"] { send(second, token) }
        #expect(count(second) == (try .text(#"{"N":"3"}"#)))
        // After ten minutes all are forgotten, by the file too.
        second.advance(milliseconds: 10 * 60 * 1000)
        send(second, "w")
        second.store.close()
        let third = try SQLiteTableStore.open(.directory(directory.path))
        #expect(third.storedTokens.map(\.name) == ["w"])
        third.close()
    }

    @Test("A transaction reads several items as of one moment; what is not there is an empty answer in its place")
    func transactGet() throws {
        let service = try TestService()
        service.put("a", 1, #""v":{"N":"1"}"#)
        let reply = service.call(
            .transactGetItems,
            transact(operation("Get", "b"), operation("Get", "a", #","ProjectionExpression":"v""#)))
        #expect(reply.json == (try .text(#"{"Responses":[{},{"Item":{"v":{"N":"1"}}}]}"#)))
    }

    @Test("A read that does not fit its table cancels the transaction, with its reason in its place")
    func transactGetOfNoKey() throws {
        let reply = try TestService().call(
            .transactGetItems,
            transact(operation("Get", "a"), #"{"Get":{"TableName":"things","Key":{"pk":{"S":"b"}}}}"#))
        #expect(reply.error == "TransactionCanceledException")
        #expect(
            reply["CancellationReasons"]
                == (try .text(
                    #"[{"Code":"None"},{"Code":"ValidationError","Message":"The provided key element does not match"#
                        + #" the schema"}]"#)))
    }
}
