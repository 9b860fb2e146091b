import JSON
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("AttributesToGet, which projection expressions have replaced")
struct AttributesToGetTests {
    private let service: TestService

    init() throws {
        service = try TestService()
        service.put(
            "a", 1, #""v.w":{"N":"1"},"v":{"M":{"w":{"N":"2"}}},"x":{"N":"3"},"owner":{"S":"o"},"rank":{"N":"4"}"#)
    }

    @Test(
        "Whole attributes are answered and nothing else; what looks like a path is a name",
        arguments: [
            (DynamoOperation.getItem, #""Key":{"pk":{"S":"a"},"sk":{"N":"1"}}"#),
            (.scan, #""Limit":5"#),
        ])
    func answers(operation: DynamoOperation, members: String) throws {
        let reply = service.call(
            operation, #"{"TableName":"things",\#(members),"AttributesToGet":["v.w","x","absent"]}"#)
        let item = reply["Item"] ?? reply["Items"]?.arrayValue?.first
        #expect(item == (try .text(#"{"v.w":{"N":"1"},"x":{"N":"3"}}"#)))
    }

    @Test("A batch has its own for each table")
    func batch() throws {
        let reply = service.call(
            .batchGetItem,
            #"{"RequestItems":{"things":{"Keys":[{"pk":{"S":"a"},"sk":{"N":"1"}}],"AttributesToGet":["x"]}}}"#)
        #expect(reply["Responses"] == (try .text(#"{"things":[{"x":{"N":"3"}}]}"#)))
    }

    @Test(
        "What does not go with it is refused",
        arguments: [
            (
                #""AttributesToGet":["x","y","x"]"#,
                "One or more parameter values were invalid: Duplicate value in attribute name: x"
            ),
            (
                #""AttributesToGet":["x"],"Select":"COUNT""#,
                "Cannot specify the AttributesToGet when choosing to get COUNT"
            ),
            (
                #""AttributesToGet":["x"],"ProjectionExpression":"x""#,
                "Can not use both expression and non-expression parameters in the same request: Non-expression"
                    + " parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}"
            ),
            (
                #""AttributesToGet":["x"],"IndexName":"by-tag""#,
                "One or more parameter values were invalid: Global secondary index by-tag does not project [x]"
            ),
        ])
    func refused(members: String, message: String) throws {
        #expect(service.call(.scan, #"{"TableName":"things",\#(members)}"#).message == message)
    }
}
