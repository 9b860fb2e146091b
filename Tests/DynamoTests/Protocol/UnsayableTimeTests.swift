import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Times of requests")
struct UnsayableTimeTests {
    @Test(
        "that no text could say are refused by the member's name",
        arguments: [
            (DynamoOperation.listBackups, "TimeRangeLowerBound", #"{"TimeRangeLowerBound":253402300800}"#),
            (.listBackups, "TimeRangeUpperBound", #"{"TimeRangeUpperBound":1e300}"#),
            (.listBackups, "TimeRangeUpperBound", #"{"TimeRangeUpperBound":-62167219200.001}"#),
            (
                .restoreTableToPointInTime, "RestoreDateTime",
                #"{"SourceTableName":"things","TargetTableName":"then","RestoreDateTime":1e18}"#
            ),
        ] as [(DynamoOperation, String, String)])
    func refused(operation: DynamoOperation, member: String, body: String) throws {
        let reply = try TestService().call(operation, body)
        #expect(reply.error == "ValidationException")
        #expect(reply.message?.contains(member) == true)
    }

    @Test("of the first and the last year are taken")
    func taken() throws {
        let body = #"{"TimeRangeLowerBound":-62167219200,"TimeRangeUpperBound":253402300799.999}"#
        #expect(try TestService().call(.listBackups, body).status == 200)
    }

    @Test(
        "in the file of an image, and its other numbers, are such that can be reckoned with",
        arguments: ["createdAt", "committedAt", "sequence", "itemCount", "itemBytes"])
    func image(name: AttributeName) throws {
        let schema = TableSchema(name: "things", partitionKey: KeyAttribute("pk"))
        let image = TableImage(
            label: TableImage.Label(id: "i", name: "n", kind: .system), createdAt: 1,
            definition: TableDefinition(
                schema: schema, createdAt: 1, space: 7, startSequence: 0, indexSpaces: []),
            tableID: "t", sequence: 2, committedAt: 3, itemCount: 4, itemBytes: 5)
        #expect(TableImage(item: image.item)?.backup(sizeBytes: 1).expiresAt == 1 + ContinuousLog.retentionMax)
        for number in [Int64.max, .min] {
            #expect(TableImage(item: image.item.merging([name: .number(number)]) { $1 }) == nil)
        }
    }
}
