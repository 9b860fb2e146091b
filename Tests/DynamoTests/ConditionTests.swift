import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Conditions")
struct ConditionTests {
    private static let item: Item = [
        "text": "hello", "number": 5, "bytes": .binary([1, 2, 3]), "yes": true, "null": .null,
        "list": .list(["a", 1, .map(["deep": "down"])]), "map": .map(["inner": 2]), "empty": "",
        "words": .stringSet(["x", "y"]), "numbers": .numberSet([DynamoNumber(1), DynamoNumber(2)]),
        "composed": .string("\u{E9}"), "wide": .string("e\u{301}\u{1F600}"),
    ]

    private static func path(_ attribute: AttributeName, _ steps: DocumentPath.Step...) -> Operand {
        .path(DocumentPath(attribute, steps))
    }

    @Test(
        "A condition holds exactly when DynamoDB says so",
        arguments: [
            (Condition.attributeExists("text"), true), (.attributeExists("none"), false),
            (.attributeExists(DocumentPath("list", [.element(2), .member("deep")])), true),
            (.attributeExists(DocumentPath("list", [.element(3)])), false),
            (.attributeExists(DocumentPath("text", [.member("x")])), false),
            (.attributeNotExists("none"), true), (.attributeNotExists("null"), false),
            (.attributeType("null", .null), true), (.attributeType("text", .number), false),
            (.attributeType("none", .string), false),
            (.equals("number", 5), true), (.equals("number", .number(decimal("5.00"))), true),
            (.equals("number", "5"), false), (.equals("none", 5), false),
            (.equals("composed", .string("\u{E9}")), true), (.equals("composed", .string("e\u{301}")), false),
            (.comparison(path("none"), .equal, path("nothing")), false),
            (.comparison(path("none"), .notEqual, path("nothing")), true),
            (.compare("none", .notEqual, 5), true), (.compare("number", .notEqual, "5"), true),
            (.compare("number", .notEqual, 5), false),
            (.compare("number", .less, 6), true), (.compare("number", .less, 5), false),
            (.compare("number", .lessOrEqual, 5), true), (.compare("number", .greater, 4), true),
            (.compare("number", .greater, "4"), false), (.compare("none", .less, 4), false),
            (.compare("text", .less, "hellp"), true), (.compare("text", .greater, "Hello"), true),
            (.compare("bytes", .less, .binary([1, 2, 4])), true), (.compare("yes", .less, true), false),
            (.between(path("number"), lower: .value(5), upper: .value(7)), true),
            (.between(path("number"), lower: .value(6), upper: .value(7)), false),
            (.between(path("none"), lower: .value(6), upper: .value(7)), false),
            (.isIn(path("number"), [.value(1), .value(5)]), true), (.isIn(path("number"), [.value("5")]), false),
            (.beginsWith(path("text"), .value("hel")), true), (.beginsWith(path("text"), .value("el")), false),
            (.beginsWith(path("bytes"), .value(.binary([1, 2]))), true),
            (.beginsWith(path("number"), .value(5)), false),
            (.contains(path("text"), .value("ell")), true), (.contains(path("text"), .value("")), true),
            (.contains(path("text"), .value("lle")), false), (.contains(path("bytes"), .value(.binary([2, 3]))), true),
            (.contains(path("list"), .value(1)), true), (.contains(path("list"), .value("1")), false),
            (.contains(path("words"), .value("y")), true), (.contains(path("words"), .value("z")), false),
            (.contains(path("numbers"), .value(2)), true), (.contains(path("number"), .value(5)), false),
            (.comparison(.size("text"), .equal, .value(5)), true),
            (.comparison(.size("empty"), .equal, .value(0)), true),
            // UTF-16 code units, as DynamoDB counts.
            (.comparison(.size("wide"), .equal, .value(4)), true),
            (.comparison(.size("list"), .equal, .value(3)), true),
            (.comparison(.size("words"), .greater, .value(1)), true),
            (.comparison(.size("number"), .greaterOrEqual, .value(0)), false),
            (.and([]), true), (.or([]), false), (.not(.or([])), true),
            (.and([.attributeExists("text"), .attributeExists("none")]), false),
            (.or([.attributeExists("none"), .attributeExists("text")]), true),
        ])
    func table(_ condition: Condition, _ holds: Bool) {
        #expect(condition.holds(for: Self.item) == holds)
    }

    @Test("Of an absent item nothing exists")
    func absentItem() {
        #expect(Condition.attributeNotExists("PK").holds(for: nil))
        #expect(!Condition.attributeExists("PK").holds(for: nil))
    }
}
