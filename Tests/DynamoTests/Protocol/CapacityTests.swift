import JSON
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Consumed capacity")
struct CapacityTests {
    private func units(_ reply: TestService.Reply) -> Double? {
        reply["ConsumedCapacity"]?.objectValue?["CapacityUnits"].flatMap(number)
    }

    private func number(_ value: JSONValue) -> Double? {
        if case .number(let number) = value { number.double } else { nil }
    }

    private func text(bytes: Int) -> String { String(repeating: "x", count: bytes) }

    @Test(
        "Reads cost half a unit for 4 KB begun, a whole one when consistent; nothing found costs as much",
        arguments: [(0, 0.5, 1), (4000, 0.5, 1), (4096, 1, 2), (8100, 1, 2), (8200, 1.5, 3)])
    func reads(bytes: Int, eventual: Double, strong: Double) throws {
        let service = try TestService()
        if bytes > 0 { service.put("a", 1, #""v":{"S":"\#(text(bytes: bytes))"}"#) }
        let get = #""TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"ReturnConsumedCapacity":"TOTAL""#
        #expect(units(service.call(.getItem, "{\(get)}")) == eventual)
        #expect(units(service.call(.getItem, #"{\#(get),"ConsistentRead":true}"#)) == strong)
        let gets =
            #"{"TransactItems":[{"Get":{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}}}}],"#
            + #""ReturnConsumedCapacity":"TOTAL"}"#
        let transaction = service.call(.transactGetItems, gets)["ConsumedCapacity"]?.arrayValue?.first?.objectValue
        #expect(transaction?["ReadCapacityUnits"].flatMap(number) == 2 * strong)
    }

    @Test("Writes cost a unit for each KB begun of the larger item, before or after")
    func writes() throws {
        let service = try TestService()
        func put(_ bytes: Int) -> Double? {
            units(
                service.call(
                    .putItem,
                    #"{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"v":{"S":"\#(text(bytes: bytes))"}},"#
                        + #""ReturnConsumedCapacity":"TOTAL"}"#))
        }
        #expect(put(10) == 1)
        #expect(put(1024) == 2)
        #expect(put(10) == 2)
        #expect(put(10) == 1)
        let delete = #"{"TableName":"things","Key":{"pk":{"S":"z"},"sk":{"N":"1"}},"ReturnConsumedCapacity":"TOTAL"}"#
        #expect(units(service.call(.deleteItem, delete)) == 1)
    }

    @Test("A write in a transaction costs twice as much")
    func transactionalWrites() throws {
        let service = try TestService()
        let item = #"{"pk":{"S":"a"},"sk":{"N":"1"},"v":{"S":"\#(text(bytes: 1500))"}}"#
        let body =
            #"{"TransactItems":[{"Put":{"TableName":"things","Item":\#(item)}}],"ReturnConsumedCapacity":"TOTAL"}"#
        let used = service.call(.transactWriteItems, body)["ConsumedCapacity"]?.arrayValue?.first?.objectValue
        #expect(used?["CapacityUnits"].flatMap(number) == 4)
        #expect(used?["WriteCapacityUnits"].flatMap(number) == 4)
    }

    @Test("An index costs what its entry does: none, a write, or a deletion and an insertion")
    func indexes() throws {
        let service = try TestService()
        func put(_ attributes: String) -> JSONValue? {
            service.call(
                .putItem,
                #"{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"}\#(attributes)},"#
                    + #""ReturnConsumedCapacity":"INDEXES"}"#)["ConsumedCapacity"]
        }
        func expected(_ total: String, _ indexes: String?) throws -> JSONValue {
            try .text(
                #"{"TableName":"things","CapacityUnits":\#(total),"Table":{"CapacityUnits":1.0}"#
                    + (indexes.map { #","GlobalSecondaryIndexes":\#($0)"# } ?? "") + "}")
        }
        #expect(put("") == (try expected("1.0", nil)))
        #expect(put(#","tag":{"S":"t"}"#) == (try expected("2.0", #"{"by-tag":{"CapacityUnits":1.0}}"#)))
        // Nothing that is projected changes.
        #expect(put(#","tag":{"S":"t"},"v":{"N":"1"}"#) == (try expected("1.0", nil)))
        // The entry moves.
        #expect(
            put(#","tag":{"S":"u"},"v":{"N":"1"}"#) == (try expected("3.0", #"{"by-tag":{"CapacityUnits":2.0}}"#)))
    }

    @Test("A query costs by the bytes that it looked at, counted for the index if it reads one")
    func queries() throws {
        let service = try TestService()
        for sort in 0..<10 {
            service.put("a", sort, #""owner":{"S":"o"},"rank":{"N":"1"},"v":{"S":"\#(text(bytes: 900))"}"#)
        }
        let query =
            #""TableName":"things","ExpressionAttributeValues":{":p":{"S":"a"}},"KeyConditionExpression":"pk = :p""#
        let table = service.call(
            .query, #"{\#(query),"ReturnConsumedCapacity":"TOTAL","FilterExpression":"attribute_exists(nothing)"}"#)
        #expect(units(table) == 1.5)
        #expect(table["Count"] == (try .text("0")))
        let index = service.call(
            .query,
            #"{"TableName":"things","IndexName":"by-owner","ExpressionAttributeValues":{":p":{"S":"o"}},"#
                + ##""KeyConditionExpression":"#o = :p","ExpressionAttributeNames":{"#o":"owner"},"##
                + #""ReturnConsumedCapacity":"INDEXES"}"#)
        #expect(
            index["ConsumedCapacity"]
                == (try .text(
                    #"{"TableName":"things","CapacityUnits":1.5,"Table":{"CapacityUnits":0.0},"#
                        + #""GlobalSecondaryIndexes":{"by-owner":{"CapacityUnits":1.5}}}"#)))
    }

    @Test("Everything is counted for the operator, whether it was asked for or not")
    func counters() throws {
        let service = try TestService()
        service.put("a", 1, #""tag":{"S":"t"}"#)
        _ = service.call(.getItem, #"{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}}}"#)
        _ = service.call(.scan, #"{"TableName":"things","IndexName":"by-tag"}"#)
        let counted = service.service.capacity.all
        #expect(counted.map(\.subject.index) == [nil, "by-tag"])
        #expect(counted.map(\.units.read) == [0.5, 0.5])
        #expect(counted.map(\.units.write) == [1, 1])
    }
}
