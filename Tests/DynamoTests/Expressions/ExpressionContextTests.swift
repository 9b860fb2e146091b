import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Placeholders")
struct ExpressionContextTests {
    @Test(
        "A placeholder that is not spelled as one is refused",
        arguments: ["", "#", "a", "a#", ":a", "#a-b", "#a b", "#ä", "##"])
    func wrongNames(_ name: String) {
        #expect(
            refusal { _ = try ExpressionContext(names: [name: "a"]) }
                == "ExpressionAttributeNames contains invalid key: Syntax error; key: \"\(name)\"")
    }

    @Test("A value's placeholder is refused likewise", arguments: ["", ":", "a", "#a", ":a.b", "::"])
    func wrongValues(_ name: String) {
        #expect(
            refusal { _ = try ExpressionContext(values: [name: 1]) }
                == "ExpressionAttributeValues contains invalid key: Syntax error; key: \"\(name)\"")
    }

    @Test("What is given must not be empty, nor any attribute's name")
    func empty() {
        #expect(
            refusal { _ = try ExpressionContext(names: [:]) } == "ExpressionAttributeNames must not be empty")
        #expect(
            refusal { _ = try ExpressionContext(values: [:]) } == "ExpressionAttributeValues must not be empty")
        #expect(refusal { _ = try ExpressionContext(names: ["#a": ""]) }?.contains("Empty attribute name") == true)
        let long = String(repeating: "n", count: 65_536)
        #expect(refusal { _ = try ExpressionContext(names: ["#a": long]) }?.contains("65535") == true)
    }

    @Test("Placeholders must be used by some expression of the request")
    func unused() throws {
        var context = try ExpressionContext(names: ["#a": "a", "#b": "b"], values: [":x": 1, ":y": 2])
        _ = try Condition(parsing: "#a = :x", context: &context)
        #expect(
            refusal { try context.finish() }
                == "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}")
        _ = try ItemProjection(parsing: "#b", context: &context)
        #expect(
            refusal { try context.finish() }
                == "Value provided in ExpressionAttributeValues unused in expressions: keys: {:y}")
        _ = try [UpdateAction](parsing: "SET c = :y", context: &context)
        try context.finish()
    }

    @Test("Placeholders without an expression to stand in are refused")
    func pointless() {
        func refusal(names: Bool, values: Bool, _ given: [ExpressionParameter]) -> String? {
            DynamoTests.refusal {
                try ExpressionContext.checkPlaceholders(
                    hasNames: names, hasValues: values, possible: [.update, .condition], given: given)
            }
        }
        #expect(
            refusal(names: true, values: true, [])
                == "ExpressionAttributeNames can only be specified when using expressions")
        #expect(
            refusal(names: false, values: true, [])
                == "ExpressionAttributeValues can only be specified when using expressions:"
                + " UpdateExpression and ConditionExpression are null")
        #expect(refusal(names: true, values: true, [.condition]) == nil)
        #expect(refusal(names: false, values: false, []) == nil)
        #expect(
            DynamoTests.refusal {
                try ExpressionContext.checkPlaceholders(
                    hasNames: false, hasValues: true, possible: [.condition], given: [])
            }
                == "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null"
        )
    }

    @Test("Names that are spelled with different bytes are different names")
    func exactNames() throws {
        let composed = "\u{E9}"
        let decomposed = "e\u{301}"
        let item: Item = [AttributeName(composed): 1, AttributeName(decomposed): 2]
        #expect(item.count == 2 && item[composed] == 1 && item[decomposed] == 2)
        var context = try ExpressionContext(names: ["#c": composed, "#d": decomposed], values: [":one": 1])
        #expect(try Condition(parsing: "#c = :one AND #d <> :one", context: &context).holds(for: item))
        #expect(try ItemProjection(parsing: "#c, #d", context: &context).apply(to: item) == item)
        #expect(try ItemCodec.encode(item).withUnsafeBytes { try ItemCodec.decode($0) } == item)
    }

    @Test("All 573 reserved words are known, in any case")
    func reservedWords() {
        #expect(ReservedWord.all.count == 573)
        for word in ["name", "Status", "zone", "TTL", "time"] {
            #expect(ReservedWord.contains(word))
        }
        for word in ["", "flagKey", "owner_", "PK", "CURRENT_TIMESTAMPED"] { #expect(!ReservedWord.contains(word)) }
    }
}
