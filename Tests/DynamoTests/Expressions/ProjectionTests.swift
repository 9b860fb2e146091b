import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Projection expressions")
struct ProjectionTests {
    private static let item: Item = [
        "a": 1, "b": .map(["x": 1, "y": .list([10, 11, .map(["z": 12, "w": 13])])]),
        "l": .list(["zero", "one", "two", .list([1, 2])]), "a.b": "dotted",
    ]

    private static func parse(_ text: String) throws -> ItemProjection {
        var context = try ExpressionContext(names: ["#dot": "a.b", "#x": "x", "#a": "a"])
        return try ItemProjection(parsing: text, context: &context)
    }

    @Test(
        "A projection answers what is at its paths, in place, and nothing beside it",
        arguments: [
            ("a", ["a": 1]), ("a, absent", ["a": 1]), ("absent", [:]), ("#dot", ["a.b": "dotted"]),
            ("b.#x", ["b": .map(["x": 1])]), ("b.absent", [:]), ("a.b", [:]), ("a[0]", [:]), ("b[0]", [:]),
            ("l.x", [:]),
            ("l[1]", ["l": .list(["one"])]), ("l[2], l[0]", ["l": .list(["zero", "two"])]), ("l[7]", [:]),
            ("l[3][1], l[0]", ["l": .list(["zero", .list([2])])]),
            ("b.y[2].z", ["b": .map(["y": .list([.map(["z": 12])])])]),
            ("b.y[2].z, b.y[0], b.x", ["b": .map(["x": 1, "y": .list([10, .map(["z": 12])])])]),
            (" b . y [ 1 ] ", ["b": .map(["y": .list([11])])]),
        ] as [(String, Item)])
    func applies(_ text: String, _ expected: Item) throws {
        #expect(try Self.parse(text).apply(to: Self.item) == expected)
    }

    @Test(
        "A projection that DynamoDB refuses is refused with its words",
        arguments: [
            ("", "The expression can not be empty;"), ("!!!invalid", "Syntax error; token: \"!\", near: \"!!\""),
            ("a,", "Syntax error; token: \"<EOF>\", near: \",\""), (",a", "Syntax error; token: \",\", near: \",a\""),
            ("a,,b", "Syntax error; token: \",\", near: \",,b\""), ("a b", "Syntax error; token: \"b\", near: \"a b\""),
            ("a[-1]", "Syntax error; token: \"-\", near: \"[-1\""), ("(a)", "Syntax error; token: \"(\", near: \"(a\""),
            (":a", "Syntax error; token: \":a\", near: \":a\""),
            ("a, abort, #none", "Attribute name is a reserved keyword; reserved keyword: abort"),
            ("between", "Attribute name is a reserved keyword; reserved keyword: between"),
            (
                "a, #none",
                "An expression attribute name used in the document path is not defined; attribute name: #none"
            ),
            ("a, #a", paths("overlap", "[a]", "[a]")), ("b, b.y[1]", paths("overlap", "[b]", "[b, y, [1]]")),
            ("b.x, b[1], a, #a.c", paths("overlap", "[a]", "[a, c]")),
            ("b[1].a, b.x", paths("conflict", "[b, [1], a]", "[b, x]")),
            ("a[99999999999999]", "List index is not within the allowable range; index: [99999999999999]"),
            (
                "a\(String(repeating: ".b", count: 32))",
                "The document path has too many nesting levels; nesting levels: 33"
            ),
        ])
    func refused(_ text: String, _ message: String) {
        #expect(refusal { _ = try Self.parse(text) } == "Invalid ProjectionExpression: \(message)")
    }

    @Test("A path may have 32 elements, and an expression one name of 4,096 bytes")
    func limits() {
        #expect(refusal { _ = try Self.parse("a\(String(repeating: ".b", count: 31))") } == nil)
        #expect(refusal { _ = try Self.parse(String(repeating: "x", count: 4_096)) } == nil)
        #expect(refusal { _ = try Self.parse(String(repeating: "x", count: 4_097)) } != nil)
    }

    private static func paths(_ relation: String, _ one: String, _ two: String) -> String {
        "Two document paths \(relation) with each other; must remove or rewrite one of these paths;"
            + " path one: \(one), path two: \(two)"
    }
}
