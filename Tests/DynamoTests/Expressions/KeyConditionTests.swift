import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Key-condition expressions")
struct KeyConditionTests {
    private static let values: [String: AttributeValue] = [
        ":p": "part", ":c": 3, ":d": 5, ":s": "s", ":t": "t", ":true": true, ":empty": "",
    ]

    private static func terms(_ text: String) throws -> KeyTerms {
        var context = try ExpressionContext(names: ["#p": "p", "#c": "c"], values: values)
        return try KeyCondition(parsing: text, context: &context).terms()
    }

    private static func bounds(
        _ text: String, sort: KeyType? = .number
    ) throws -> (partition: AttributeValue, sort: SortCondition?) {
        try terms(text).bounds(partitionKey: KeyAttribute("p"), sortKey: sort.map { KeyAttribute("c", $0) })
    }

    @Test(
        "The partition and the range of sort keys are found, in whatever order they stand",
        arguments: [
            ("p = :p", nil), ("p=:p AND c=:c", .equal(3)), ("c=:c AND p=:p", .equal(3)), (":p=p AND :c=c", .equal(3)),
            ("p=:p AND c<:c", .less(3)), ("p=:p AND :c<c", .greater(3)), ("p=:p AND c<=:c", .lessOrEqual(3)),
            ("p=:p AND :c<=c", .greaterOrEqual(3)), ("p=:p AND c>:c", .greater(3)), ("p=:p AND :c>c", .less(3)),
            ("p=:p AND c>=:c", .greaterOrEqual(3)), ("p=:p AnD c BeTwEeN :c aNd :d", .between(3, 5)),
            ("((c=:c) AND (p=:p))", .equal(3)), ("(#p = :p AND (#c = :c))", .equal(3)),
            ("(p = :p) AND (c BETWEEN :c AND :d)", .between(3, 5)),
        ] as [(String, SortCondition?)])
    func found(_ text: String, _ sort: SortCondition?) throws {
        let bounds = try Self.bounds(text)
        #expect(bounds.partition == "part" && bounds.sort == sort)
    }

    @Test("begins_with asks for the strings that begin so")
    func beginsWith() throws {
        #expect(try Self.bounds("p=:p AND begins_with(c, :s)", sort: .string).sort == .beginsWith("s"))
    }

    @Test(
        "What no query can ask is refused before the table is looked at",
        arguments: [
            ("", "Invalid KeyConditionExpression: The expression can not be empty;"),
            ("a > 4", "Invalid KeyConditionExpression: Syntax error; token: \"4\", near: \"> 4\""),
            ("p=:p AND c!=:c", "Invalid KeyConditionExpression: Syntax error; token: \"!\", near: \"c!=\""),
            ("((p = :p))", "Invalid KeyConditionExpression: The expression has redundant parentheses;"),
            ("p=:p AND dog(c, :c)", "Invalid KeyConditionExpression: Invalid function name; function: dog"),
            (
                "p=:p AND BEGINS_WITH(c,:s)",
                "Invalid KeyConditionExpression: Invalid function name; function: BEGINS_WITH"
            ),
            (
                "p=:p AND begins_with(c, :c)",
                "Invalid KeyConditionExpression: Incorrect operand type for operator or function;"
                    + " operator or function: begins_with, operand type: N"
            ),
            (
                "p=:none",
                "Invalid KeyConditionExpression: An expression attribute value used in expression is not defined;"
                    + " attribute value: :none"
            ),
            ("a > b and size(b) > c or a > c", invalidOperator("OR")), ("a in (b, size(c), d)", invalidOperator("IN")),
            ("attribute_exists(a)", invalidOperator("attribute_exists")),
            ("attribute_not_exists(a)", invalidOperator("attribute_not_exists")),
            ("attribute_type(a, :S)", invalidOperator("attribute_type")),
            ("contains(a.d, b)", invalidOperator("contains")),
            ("not a > b", invalidOperator("NOT")), ("a <> b", invalidOperator("<>")),
            ("NOT c=:c AND p=:p", invalidOperator("NOT")), ("c=:c OR p=:p", invalidOperator("OR")),
            (":p between size(b) and size(a) and b > :p", keyFirst("BETWEEN")),
            ("begins_with(:p, b) and a > :p", keyFirst("begins_with")),
            ("size(b) > a AND a.b > b AND b > c", nested), ("a > size(b.d)", nested),
            ("a between size(b) and size(a)", nested), ("b > a.b", multiple), ("b between c[1] and d", multiple),
            ("a between b and size(a)", multiple), ("begins_with(a, b)", multiple), ("p = c", multiple),
            ("b.d > a AND c.d > e.f", nestedAttributes), ("a.d > c", nestedAttributes), ("b[0] > a", nestedAttributes),
            (":c > :d AND a < :c", noKey), (":p = :s", noKey), ("b > :c AND b < :d and c = :c and d = :d", onePerKey),
            ("(a > :c and b > :c) and (b > :c and c > :c)", onePerKey), ("p=:p AND p=:p", onePerKey),
            ("p=:p AND c>=:c AND c<=:d", onePerKey),
            ("p=:p AND c<:c AND a<:d", "Conditions can be of length 1 or 2 only"),
        ])
    func refused(_ text: String, _ message: String) {
        #expect(
            refusal {
                var context = try ExpressionContext(values: Self.values.merging([":S": "S"]) { $1 })
                _ = try KeyCondition(parsing: text, context: &context).terms()
            } == message)
    }

    @Test(
        "What does not fit the key is refused",
        arguments: [
            ("c=:c", .number, "Query condition missed key schema element: p"),
            ("p=:p AND a<:c", .number, "Query condition missed key schema element: c"),
            ("p<:p", .number, "Query key condition not supported"),
            ("p=:p AND c=:c", nil, "Query key condition not supported"),
            ("p=:c", .number, wrongType), ("p=:p AND c=:s", .number, wrongType), ("p=:p AND c=:c", .string, wrongType),
            ("p=:empty", nil, emptyKey("p")), ("p=:p AND begins_with(c, :empty)", .string, emptyKey("c")),
            ("p=:true", nil, wrongType), ("p BETWEEN :s AND :t", nil, "Query key condition not supported"),
        ] as [(String, KeyType?, String)])
    func unfit(_ text: String, _ sort: KeyType?, _ message: String) {
        #expect(refusal { _ = try Self.bounds(text, sort: sort) } == message)
    }

    private static let nested = "KeyConditionExpressions cannot contain nested operations"
    private static let nestedAttributes = "KeyConditionExpressions cannot have conditions on nested attributes"
    private static let onePerKey = "KeyConditionExpressions must only contain one condition per key"
    private static let multiple =
        "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"
    private static let noKey = "Invalid condition in KeyConditionExpression: No key attribute specified"
    private static let wrongType =
        "One or more parameter values were invalid: Condition parameter type does not match schema type"

    private static func emptyKey(_ name: String) -> String {
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty"
            + " string value. Key: \(name)"
    }

    private static func invalidOperator(_ name: String) -> String {
        "Invalid operator used in KeyConditionExpression: \(name)"
    }

    private static func keyFirst(_ name: String) -> String {
        "Invalid condition in KeyConditionExpression: \(name) operator must have the key attribute as its first operand"
    }
}
