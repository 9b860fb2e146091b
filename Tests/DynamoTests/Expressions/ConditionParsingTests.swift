import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Condition expressions")
struct ConditionParsingTests {
    private static let item: Item = [
        "a": 1, "b": 2, "s": "hello", "deep": .map(["elems": .list([10, .map(["x y": "found"])])]), "odd name": true,
        "n1_": 7, "words": .stringSet(["x"]), "bin": .binary([1, 2, 3]), "nul": .null,
    ]

    private static let names = ["#a": "a", "#odd": "odd name", "#xy": "x y", "#_1": "s"]
    private static let values: [String: AttributeValue] = [
        ":one": 1, ":two": 2, ":s": "hello", ":h": "he", ":S": "S", ":x": "x", ":true": true, ":found": "found",
        ":ten": 10, ":bytes": .binary([1, 2]), ":list": .list([1]), ":NULL": "NULL", ":five": 5,
    ]

    @Test(
        "An expression holds exactly when DynamoDB says so",
        arguments: [
            ("a = :one", true), ("a=:one", true), (" \t\na\r\n=  :one ", true), (":one = a", true),
            ("a <> :one", false),
            ("a < b", true), ("a <= b", true), ("a > b", false), ("a >= b", false), ("(a) = (b)", false),
            ("a BETWEEN :one AND :two", true), ("b between a and b AND a = :one", true),
            ("b BETWEEN :ten AND :ten OR a = :one", true), ("a IN (:two, :one)", true), ("a in(:two)", false),
            (":one IN (b, a)", true), ("size(s) = :five", true), ("size (s) > size(bin)", true),
            ("size(:s) = :five", true), ("(size(s)) = :five", true), ("size(words) = :one", true),
            ("size(a) >= :one", false), ("attribute_exists(#odd)", true), ("attribute_exists (s)", true),
            ("(attribute_exists(s))", true), ("attribute_not_exists(deep.elems[2])", true),
            ("attribute_type(s, :S)", true), ("attribute_type(nul, :NULL)", true), ("attribute_type(a, :S)", false),
            ("attribute_type(:s, :S)", true), ("attribute_type(:one, :S)", false),
            ("begins_with(s, :h)", true), ("begins_with(:s, :h)", true), ("begins_with(bin, :bytes)", true),
            ("begins_with(a, :h)", false), ("contains(words, :x)", true), ("contains(s, :h)", true),
            ("contains(a, b)", false), ("contains(:list, a)", true),
            ("deep.elems[1].#xy = :found", true), ("deep . elems [ 0 ] = :ten", true), ("(deep.elems)[0] = :ten", true),
            ("(deep).elems[00] = :ten", true), ("n1_ > :one", true), ("#_1 = :s", true), ("#a = :one", true),
            ("q = z", false), ("q <> z", true), ("q < z", false),
            ("NOT a = :one", false), ("not a = :two", true), ("NOT NOT a = :one", true),
            ("NOT (a = :one OR b = :one)", false),
            ("a = :one OR a = :two AND b = :one", true), ("(a = :one OR a = :two) AND b = :one", false),
            ("NOT a = :two AND b = :two", true), ("NOT a = :one OR b = :two", true),
            ("NOT (a = :one) OR b = :two", true), ("NOT (a = :one OR b = :two)", false),
            ("a = :two AND a = :two OR b = :two", true), ("a = :two AND (a = :two OR b = :two)", false),
            ("((a = :one) AND (b = :two))", true), ("(a = :one) AND ((b = :two) OR a = :two)", true),
            ("((a) = :one AND b = :two)", true), ("(((a) = :one AND b = :two) OR s = :s)", true),
            ("a = :true", false), ("a = :list", false), ("a IN (:true, :list, :one)", true),
        ])
    func holds(_ text: String, _ expected: Bool) throws {
        var context = try ExpressionContext(names: Self.names, values: Self.values)
        let condition = try Condition(parsing: text, context: &context)
        #expect(condition.holds(for: Self.item) == expected)
    }

    @Test(
        "A syntax error shows the token and its neighbours",
        arguments: [
            ("INVALID SYNTAX HERE", "SYNTAX", "INVALID SYNTAX HERE"), ("!!!", "!", "!!"), ("a", "<EOF>", "a"),
            (":one", "<EOF>", ":one"), ("a =", "<EOF>", "="), ("a = 4", "4", "= 4"), ("a != :one", "!", "a !="),
            ("a == :one", "=", "== :one"), ("things are not gonna be ok", "are", "things are not"),
            ("attribute_exists(Pictures-RearView)", "-", "Pictures-RearView"),
            ("attribute_exists(\"Pictures\")", "\"", "(\"Pictures"), ("a..b = :one", ".", "..b"),
            ("attribute_exists(Pi#ctures.x)", "#ctures", "Pi#ctures."), ("a[b] = :one", "b", "[b]"),
            ("a[:one] = :one", ":one", "[:one]"), ("a[#a] = :one", "#a", "[#a]"), ("a[] = :one", "]", "[] ="),
            ("a[-1] = :one", "-", "[-1"), ("a[4.5] = b", ".", "4.5"), ("a in b, c", "b", "in b,"),
            ("a in b", "b", "in b"),
            ("a IN ()", ")", "()"), ("a in (b,c,)", ")", ",)"), ("a > between", "between", "> between"),
            ("(a)between(b.(c.d))and(c)", "(", ".(c"), ("(a)between(b.c.d)and((c)", "<EOF>", ")"),
            ("#$.b > a", "#", "#$"), ("a > :one.stuff", ".", ":one.stuff"), ("ü > a", "ü", "ü >"),
            ("size(a).b > a", ".", ").b"), ("(size(a)).b > a", ".", ").b"), ("size(a)[0] > a", "[", ")[0"),
            ("(size(a))[0] > a", "[", ")[0"), ("_a = :one", "_", "_a"), ("1a = :one", "1", "1a"),
            ("a = :one AND", "<EOF>", "AND"), ("AND a = :one", "AND", "AND a"), ("a = :one b = :two", "b", ":one b ="),
            ("a = :one)", ")", ":one)"), ("(a = :one", "<EOF>", ":one"), ("()", ")", "()"), ("NOT", "<EOF>", "NOT"),
            ("NOT a", "<EOF>", "a"), ("a AND b = :two", "AND", "a AND b"), ("(a AND b = :two)", "AND", "a AND b"),
            ("(b = :two AND a)", ")", "a)"), ("(NOT a)", ")", "a)"), ("(a) AND b = :two", "AND", ") AND b"),
            ("a OR NOT :one", "OR", "a OR NOT"), ("a BETWEEN :one", "<EOF>", ":one"),
            ("a BETWEEN :one OR :two", "OR", ":one OR :two"), ("attribute_exists()", ")", "()"), ("f(a", "<EOF>", "a"),
            ("_f(a)", "_", "_f"), ("a + b = :two", "+", "a + b"), ("a = :one;", ";", ":one;"),
        ])
    func syntax(_ text: String, _ token: String, _ near: String) {
        let message = "Invalid ConditionExpression: Syntax error; token: \"\(token)\", near: \"\(near)\""
        #expect(refusal { try Self.parse(text) } == message)
    }

    @Test(
        "Words, parentheses and functions are checked before placeholders, in the whole expression",
        arguments: [
            ("", "The expression can not be empty;"), (" \n", "The expression can not be empty;"),
            ("((a = :none))", redundant), ("a = :none AND a > ((views))", redundant),
            ("(a)between(((b.c)).d)and(c)", redundant), ("a > whatever((:none), ((a)))", redundant),
            ("a=a AND ((a=a AND a=a)) AND a=a", redundant), ("a=a OR ((a=a OR a=a)) OR a=a", redundant),
            ("((attribute_exists(a)))", redundant), ("((p <> :p) AND ((a = b)))", redundant),
            ("((a = b)", "Syntax error; token: \"<EOF>\", near: \")\""),
            ("a=a and whatever((:none)) > a", "Invalid function name; function: whatever"),
            ("attRIbute_exIsts((views), #none)", "Invalid function name; function: attRIbute_exIsts"),
            ("outer(inner(a)) = b", "Invalid function name; function: inner"),
            (
                "if_not_exists(a, b) = :none",
                "The function is not allowed in a condition expression; function: if_not_exists"
            ),
            ("list_append(a, b) = c", "The function is not allowed in a condition expression; function: list_append"),
            ("a=a and attribute_exists((views), (#none)) > b", misused("attribute_exists")),
            ("attribute_not_exists(things) > b", misused("attribute_not_exists")),
            ("attribute_type(things, :none) > b", misused("attribute_type")),
            ("begins_with(things, a) > b", misused("begins_with")), ("contains(:none, c) > b", misused("contains")),
            ("size(contains(a, b)) > a", misused("contains")), ("size(things)", misused("size")),
            ("NOT size(things)", misused("size")), ("a = b AND (size(c))", misused("size")),
            ("a between b and attribute_exists(things)", misused("attribute_exists")),
            ("a in (b, attribute_exists(things))", misused("attribute_exists")),
            ("attribute_exists(views, #none)", "Attribute name is a reserved keyword; reserved keyword: views"),
            (":none < abOrT", "Attribute name is a reserved keyword; reserved keyword: abOrT"),
            ("a.b.name = c", "Attribute name is a reserved keyword; reserved keyword: name"),
            ("set = a", "Attribute name is a reserved keyword; reserved keyword: set"),
            ("a[2147483648] = b", "List index is not within the allowable range; index: [2147483648]"),
            (
                "a[99999999999999999999] = b",
                "List index is not within the allowable range; index: [99999999999999999999]"
            ),
            (
                "a\(String(repeating: ".b", count: 32)) = c",
                "The document path has too many nesting levels; nesting levels: 33"
            ),
        ])
    func words(_ text: String, _ message: String) {
        #expect(refusal { try Self.parse(text) } == "Invalid ConditionExpression: \(message)")
    }

    @Test(
        "Each simple condition is checked by itself: placeholders, counts, distinct operands, types",
        arguments: [
            ("attribute_exists(#P.RearView, :none) and a=a", undefined(name: "#P")),
            ("begins_with(Pictures.#RearView)", undefined(name: "#RearView")),
            ("(#P between :lo and :hi) and (#PC in (:cat1, :cat2))", undefined(name: "#P")),
            ("#4g > a", undefined(name: "#4g")), ("#_ > a", undefined(name: "#_")),
            ("(a)between(b.c[45].#d)and(:none)", undefined(name: "#d")),
            ("begins_with(:hello, #none, #b)", undefined(value: ":hello")), (":lo < :hi", undefined(value: ":lo")),
            (":_ > a", undefined(value: ":_")), ("a = a AND :none = b", sameOperands("=", "[a]")),
            ("attribute_exists(things, a) and a=a", count("attribute_exists", 2)),
            ("attribute_not_exists(things, b)", count("attribute_not_exists", 2)),
            ("attribute_type(things)", count("attribute_type", 1)), ("begins_with(things)", count("begins_with", 1)),
            ("begins_with(things, size(a), b)", count("begins_with", 3)), ("contains(things)", count("contains", 1)),
            ("size(things, a) > b", count("size", 2)), ("size(a, a) > b", count("size", 2)),
            ("a = a AND #a = b AND :none > a", sameOperands("=", "[a]")), ("#a <> a", sameOperands("<>", "[a]")),
            ("a > #a", sameOperands(">", "[a]")), ("((a=a) OR (a=a))", sameOperands("=", "[a]")),
            ("contains(ab.bc[1].a, ab.bc[1].#a)", sameOperands("contains", "[ab, bc, [1], a]")),
            ("attribute_type(ab.bc[1].#a, ab.bc[1].a)", sameOperands("attribute_type", "[ab, bc, [1], a]")),
            ("begins_with(ab.bc[1].a, ab.bc[1].#a)", sameOperands("begins_with", "[ab, bc, [1], a]")),
            ("a IN (b, a)", sameOperands("IN", "[a]")),
            ("attribute_exists(:one) and a=a", needsPath("attribute_exists")),
            ("attribute_not_exists(size(:s))", needsPath("attribute_not_exists")),
            ("attribute_not_exists(size(:one))", type("size", "N")),
            ("attribute_type(a, size(a)) and a=a", type("attribute_type", "N")),
            ("attribute_type(a, b)", type("attribute_type", "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")),
            (
                "attribute_type(a, :x)",
                "Invalid attribute type name found; type: x, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
            ),
            ("begins_with(a, size(a))", type("begins_with", "N")), ("size(size(a)) > b", type("size", "N")),
            ("size(:one) > a", type("size", "N")), ("size(:true) > a", type("size", "BOOL")),
            ("size(:null) > a", type("size", "NULL")),
            (
                "a BETWEEN :one AND :s",
                "The BETWEEN operator requires same data type for lower and upper bounds;"
                    + " lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:hello}"
            ),
            (
                "a BETWEEN :two AND :one",
                "The BETWEEN operator requires upper bound to be greater than or equal to"
                    + " lower bound; lower bound operand: AttributeValue: {N:2},"
                    + " upper bound operand: AttributeValue: {N:1}"
            ),
            ("a = b OR NOT (b = c AND :none = d)", undefined(value: ":none")),
        ])
    func operands(_ text: String, _ message: String) {
        #expect(refusal { try Self.parse(text) } == "Invalid ConditionExpression: \(message)")
    }

    @Test(
        "A value of a type without order cannot be in an order, nor begin with anything",
        arguments: ["BOOL", "NULL", "L", "M", "SS", "NS", "BS"])
    func unordered(_ name: String) {
        for (text, operation) in [
            ("a < :v", "<"), ("a <= :v", "<="), (":v > a", ">"), ("a >= :v", ">="), (":v BETWEEN a AND b", "BETWEEN"),
            ("a BETWEEN :v AND b", "BETWEEN"), ("a BETWEEN b AND :v", "BETWEEN"), ("begins_with(a, :v)", "begins_with"),
            ("begins_with(:v, a)", "begins_with"), ("attribute_type(a, :v)", "attribute_type"),
        ] {
            #expect(
                refusal { try Self.parse(text, values: [":v": sample(name)]) }
                    == "Invalid ConditionExpression: \(Self.type(operation, name))")
        }
        for text in ["a = :v", "a <> :v", "a IN (:v)", "contains(a, :v)"] {
            #expect(refusal { try Self.parse(text, values: [":v": sample(name)]) } == nil)
        }
    }

    @Test("An expression has at most 4,096 bytes, 300 operators, and 100 choices in an IN")
    func limits() {
        let spaces = String(repeating: " ", count: 4_089)
        #expect(refusal { try Self.parse("a\(spaces)= :one") } == nil)
        #expect(
            refusal { try Self.parse("a\(spaces) = :one") }
                == "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size;"
                + " expression size: 4097")
        func chain(_ depth: Int) -> String {
            "a<b " + String(repeating: "or (a<b ", count: depth) + String(repeating: ")", count: depth)
        }
        #expect(refusal { try Self.parse(chain(149)) } == nil)
        #expect(
            refusal { try Self.parse(chain(300)) }
                == "Invalid ConditionExpression: The expression contains too many operators; operator count: 301")
        func choices(_ count: Int) -> String { "a IN (\((0..<count).map { "b\($0)" }.joined(separator: ",")))" }
        #expect(refusal { try Self.parse(choices(100)) } == nil)
        #expect(
            refusal { try Self.parse(choices(101)) }
                == "Invalid ConditionExpression: The IN operator is provided with too many operands;"
                + " number of operands: 101")
    }

    @Test(
        "However deep an expression is, it is refused in good order",
        arguments: ["(", "NOT ", "f(", "a<(", "a = b AND (", "NOT (", "a IN (", "a BETWEEN b AND ("])
    func deep(_ part: String) {
        let text = String(repeating: part, count: 4_096 / part.utf8.count)
        #expect(refusal { try Self.parse(text) }?.hasPrefix("Invalid ConditionExpression: ") == true)
    }

    @Test("A filter is called one in messages")
    func filter() {
        #expect(
            refusal {
                var context = try ExpressionContext()
                _ = try Condition(parsing: "", as: .filter, context: &context)
            } == "Invalid FilterExpression: The expression can not be empty;")
    }

    private static func parse(_ text: String, values: [String: AttributeValue]? = nil) throws {
        var context = try ExpressionContext(
            names: names, values: values ?? Self.values.merging([":null": .null]) { $1 })
        _ = try Condition(parsing: text, context: &context)
    }

    private static let redundant = "The expression has redundant parentheses;"

    private static func misused(_ function: String) -> String {
        "The function is not allowed to be used this way in an expression; function: \(function)"
    }

    private static func undefined(name: String) -> String {
        "An expression attribute name used in the document path is not defined; attribute name: \(name)"
    }

    private static func undefined(value: String) -> String {
        "An expression attribute value used in expression is not defined; attribute value: \(value)"
    }

    private static func count(_ function: String, _ count: Int) -> String {
        "Incorrect number of operands for operator or function; operator or function: \(function),"
            + " number of operands: \(count)"
    }

    private static func sameOperands(_ operation: String, _ path: String) -> String {
        "The first operand must be distinct from the remaining operands for this operator or function;"
            + " operator: \(operation), first operand: \(path)"
    }

    private static func needsPath(_ function: String) -> String {
        "Operator or function requires a document path; operator or function: \(function)"
    }

    private static func type(_ operation: String, _ type: String) -> String {
        "Incorrect operand type for operator or function; operator or function: \(operation), operand type: \(type)"
    }
}
