import Dispatch
import JSON
import Platform
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Operations on items")
struct ItemOperationTests {
    @Test("An index key that is too large is told by its index; that of an update is told as the update's")
    func largeIndexKeys() throws {
        let service = try TestService()
        let text = String(repeating: "t", count: 2049)
        let put = service.call(
            .putItem,
            #"{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"tag":{"S":"\#(text)"}}}"#)
        #expect(
            put.message
                == "One or more parameter values were invalid: Size limit exceeded for Index Key tag Actual Size: 2049"
                + " bytes Max Size: 2048 bytes IndexName: by-tag")
        let update = service.call(
            .updateItem,
            #"{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"SET tag = :t","#
                + #""ExpressionAttributeValues":{":t":{"S":"\#(text)"}}}"#)
        #expect(
            update.message
                == "The update expression attempted to update the secondary index key beyond allowed size limits")
    }

    @Test("A write that is urgent is done however many wait", arguments: [true, false])
    func urgency(isUrgent: Bool) throws {
        var limits = TableLimits()
        limits.waitingTransactionsMax = 2
        let service = try TestService(limits: limits) { operation in
            if case .put(_, let item, _) = operation { isUrgent && item["pk"] == "switch" } else { false }
        }
        let (isHeld, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        func put(_ key: String, _ completion: @escaping @Sendable () -> Void = {}) {
            service.store.transact([.put(table: "things", item: ["pk": .string(key), "sk": 1])], principal: .anonymous)
            {
                _ in completion()
            }
        }
        put("first") {
            isHeld.signal()
            mayGoOn.wait()
        }
        isHeld.wait()
        for key in ["second", "third"] { put(key) }
        let put = Array(#"{"TableName":"things","Item":{"pk":{"S":"switch"},"sk":{"N":"1"}}}"#.utf8)
        let answered = DispatchSemaphore(value: 0)
        let status = Locked<UInt16>(0)
        put.withUnsafeBytes { body in
            let request = TableService.Request(.putItem, body: body, principal: .anonymous)
            service.service.perform(request, tape: TableService.makeTape()) { answer in
                status.withLock { $0 = answer.status }
                answered.signal()
            }
        }
        mayGoOn.signal()
        answered.wait()
        #expect((status.withLock { $0 } == 200) == isUrgent)
    }

    @Test("An empty key is told in other words when it is given by itself")
    func emptyKeys() throws {
        let service = try TestService()
        let rest = "The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"
        let key = #"{"pk":{"S":""},"sk":{"N":"1"}}"#
        #expect(
            service.call(.getItem, #"{"TableName":"things","Key":\#(key)}"#).message
                == "One or more parameter values were invalid: \(rest)")
        #expect(
            service.call(.putItem, #"{"TableName":"things","Item":\#(key)}"#).message
                == "One or more parameter values are not valid. \(rest)")
    }

    @Test("An update that only takes away makes no item, and answers none")
    func removeFromNothing() throws {
        let service = try TestService()
        let reply = service.call(
            .updateItem,
            #"{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"REMOVE v","#
                + #""ReturnValues":"ALL_NEW"}"#)
        #expect(reply.json == (try .text("{}")))
        #expect(service.call(.scan, #"{"TableName":"things"}"#)["Count"] == (try .text("0")))
    }

    private let key = #""TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}}"#

    @Test("Old values are answered only where they are asked for and there are any")
    func oldValues() throws {
        let service = try TestService()
        let put = #""TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"v":{"N":"\#(1)"}}"#
        #expect(service.call(.putItem, #"{\#(put),"ReturnValues":"ALL_OLD"}"#).json == (try .text("{}")))
        #expect(service.call(.putItem, "{\(put)}").json == (try .text("{}")))
        let again = service.call(.putItem, #"{\#(put),"ReturnValues":"ALL_OLD"}"#)
        #expect(again["Attributes"]?.objectValue?["v"] == (try .text(#"{"N":"1"}"#)))
        let deleted = service.call(.deleteItem, #"{\#(key),"ReturnValues":"ALL_OLD"}"#)
        #expect(deleted["Attributes"]?.objectValue?.members.count == 3)
        #expect(service.call(.deleteItem, #"{\#(key),"ReturnValues":"ALL_OLD"}"#).json == (try .text("{}")))
    }

    @Test(
        "An update answers what it touched, and nothing beside it",
        arguments: [
            ("NONE", nil),
            ("ALL_OLD", #"{"pk":{"S":"a"},"sk":{"N":"1"},"m":{"M":{"x":{"N":"1"},"y":{"N":"2"}}},"n":{"N":"1"}}"#),
            ("UPDATED_OLD", #"{"m":{"M":{"x":{"N":"1"}}},"n":{"N":"1"}}"#),
            ("UPDATED_NEW", #"{"m":{"M":{"x":{"N":"11"}}}}"#),
            ("ALL_NEW", #"{"pk":{"S":"a"},"sk":{"N":"1"},"m":{"M":{"x":{"N":"11"},"y":{"N":"2"}}}}"#),
        ] as [(String, String?)])
    func updatedValues(returned: String, expected: String?) throws {
        let service = try TestService()
        service.put("a", 1, #""m":{"M":{"x":{"N":"1"},"y":{"N":"2"}}},"n":{"N":"1"}"#)
        let reply = service.call(
            .updateItem,
            #"{\#(key),"UpdateExpression":"SET m.x = m.x + :d REMOVE n","ReturnValues":"\#(returned)","#
                + #""ExpressionAttributeValues":{":d":{"N":"10"}}}"#)
        #expect(reply.status == 200)
        #expect(reply["Attributes"] == (try expected.map { try .text($0) }))
    }

    @Test("A failed condition shows the item only to those who ask")
    func failedCondition() throws {
        let service = try TestService()
        service.put("a", 1)
        let condition = #"\#(key),"ConditionExpression":"attribute_not_exists(pk)""#
        let plain = service.call(.deleteItem, "{\(condition)}")
        #expect(plain["__type"]?.stringValue == "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException")
        #expect(plain.message == "The conditional request failed")
        #expect(plain["Item"] == nil)
        let shown = service.call(
            .deleteItem, #"{\#(condition),"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}"#)
        #expect(shown["Item"] == (try .text(#"{"pk":{"S":"a"},"sk":{"N":"1"}}"#)))
    }

    @Test(
        "Errors come in DynamoDB's order: expressions, then the table, then the key, then the condition",
        arguments: [
            (
                #"{"TableName":"nowhere","Key":{"x":{"S":"a"}},"ConditionExpression":"a ="}"#,
                "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"=\""
            ),
            (
                #"{"TableName":"nowhere","Key":{"x":{"S":"a"}},"ConditionExpression":"a = :b"}"#,
                "Invalid ConditionExpression: An expression attribute value used in expression is not defined;"
                    + " attribute"
                    + " value: :b"
            ),
            (
                ##"{"TableName":"nowhere","Key":{"x":{"S":"a"}},"ExpressionAttributeNames":{"#n":"x"}}"##,
                "ExpressionAttributeNames can only be specified when using expressions"
            ),
            (
                #"{"TableName":"nowhere","Key":{"x":{"S":"a"}},"ConditionExpression":"attribute_exists(a)","#
                    + #""ExpressionAttributeValues":{":v":{"N":"x"}}}"#,
                "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric"
                    + " value: x"
                    + " for key :v"
            ),
            (#"{"TableName":"nowhere","Key":{"x":{"S":"a"}}}"#, "Requested resource not found"),
            (
                #"{"TableName":"things","Key":{"x":{"S":"a"}},"ConditionExpression":"attribute_exists(a)"}"#,
                "The provided key element does not match the schema"
            ),
            (
                #"{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"S":"1"}},"#
                    + #""ConditionExpression":"attribute_exists(a)"}"#,
                "The provided key element does not match the schema"
            ),
            (
                #"{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"#
                    + #""ConditionExpression":"attribute_exists(a)"}"#,
                "The conditional request failed"
            ),
            (
                #"{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"ReturnValues":"ALL_NEW"}"#,
                "ReturnValues can only be ALL_OLD or NONE"
            ),
        ])
    func order(body: String, message: String) throws {
        #expect(try TestService().call(.deleteItem, body).message == message)
    }

    @Test("The program's own tables do not exist")
    func internalTables() throws {
        let service = try TestService()
        let name = InternalTables.prefix + "audit"
        try service.store.createTable(TableSchema(name: name, partitionKey: KeyAttribute("pk")))
        let item = #"{"TableName":"\#(name)","Item":{"pk":{"S":"a"}}}"#
        #expect(service.call(.putItem, item).error == "ResourceNotFoundException")
        #expect(service.call(.describeTable, #"{"TableName":"\#(name)"}"#).error == "ResourceNotFoundException")
        #expect(service.call(.deleteTable, #"{"TableName":"\#(name)"}"#).error == "ResourceNotFoundException")
        #expect(service.call(.scan, #"{"TableName":"\#(name)"}"#).error == "ResourceNotFoundException")
        #expect(service.call(.listTables, "{}")["TableNames"] == .array([.string("things")]))
    }

    @Test("A point read that need not wait is answered at once, as it is otherwise")
    func withoutWaiting() throws {
        let service = try TestService()
        service.put("a", 1)
        let body = "{\(key)}"
        let response = Array(body.utf8).withUnsafeBytes {
            service.service.performWithoutWaiting(
                TableService.Request(.getItem, body: $0, principal: .anonymous), tape: TableService.makeTape())
        }
        #expect(response.map { TestService.Reply($0).json } == service.call(.getItem, body).json)
    }
}
