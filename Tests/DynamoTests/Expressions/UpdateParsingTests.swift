import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Update expressions")
struct UpdateParsingTests {
    private static let item: Item = [
        "k": "key", "n": 5, "elems": .list(["a", "b", "c"]), "tree": .map(["x": 1, "y": .map(["z": 2])]),
        "words": .stringSet(["x", "y"]), "text": "t",
    ]
    private static let names = ["#a": "a", "#b": "b", "#c": "c", "#d": "[3]", "#dot": "a.b"]
    private static let values: [String: AttributeValue] = [
        ":one": 1, ":two": 2, ":s": "a", ":l": .list(["d"]), ":m": .list([]), ":set": .stringSet(["y", "z"]),
    ]

    @Test(
        "An expression changes an item as DynamoDB does",
        arguments: [
            ("SET n = :one", ["n": 1]), ("set n=:one,m=n", ["n": 1, "m": 5]), ("SET n = n + :two", ["n": 7]),
            ("SET n = n-:two", ["n": 3]), ("SET n = (n + :two)", ["n": 7]), ("SET n = ((n)+(:two))", ["n": 7]),
            ("SET n = (n) - n", ["n": 0]), ("SET n = (:two)", ["n": 2]), ("SET m = if_not_exists(m, :two)", ["m": 2]),
            ("SET n = if_not_exists(n, :two) + :one", ["n": 6]),
            ("SET m = if_not_exists(m, if_not_exists(o, :two))", ["m": 2]),
            ("SET elems = list_append(elems, :l)", ["elems": .list(["a", "b", "c", "d"])]),
            ("SET elems = list_append(:l, elems)", ["elems": .list(["d", "a", "b", "c"])]),
            ("SET m = list_append(if_not_exists(m, :m), :l)", ["m": .list(["d"])]),
            ("SET #dot = :one", ["a.b": 1]), ("SET elems[1] = :s", ["elems": .list(["a", "a", "c"])]),
            ("SET elems[9] = :one, elems[7] = :two", ["elems": .list(["a", "b", "c", 2, 1])]),
            ("SET tree . y . z = tree.x", ["tree": .map(["x": 1, "y": .map(["z": 1])])]),
            ("REMOVE elems[0], elems[2]", ["elems": .list(["b"])]),
            ("REMOVE elems[1] SET elems[2] = :one", ["elems": .list(["a", 1])]), ("ADD n :two", ["n": 7]),
            ("ADD fresh :two DELETE words :set", ["fresh": 2, "words": .stringSet(["x"])]),
            ("ADD words :set", ["words": .stringSet(["x", "y", "z"])]), ("add n :one set m = n", ["n": 6, "m": 5]),
            ("REMOVE tree.absent, absent, elems[7]", [:]), ("DELETE absent :set", [:]),
        ] as [(String, Item)])
    func changes(_ text: String, _ changed: Item) throws {
        let actions = try Self.parse(text)
        #expect(
            try ItemUpdate.apply(actions, to: Self.item, key: ["k": "key"]) == Self.item.merging(changed) { $1 })
    }

    @Test(
        "A syntax error shows the token and its neighbours",
        arguments: [
            ("INVALID SYNTAX HERE", "INVALID", "INVALID SYNTAX"), ("whatever", "whatever", "whatever"),
            ("set a", "<EOF>", "a"), ("add a", "<EOF>", "a"), ("set a=set", "set", "=set"),
            ("remove a = b", "=", "a = b"),
            ("add a = b", "=", "a = b"), ("delete a b", "b", "a b"),
            ("add a if_not_exists(b)", "if_not_exists", "a if_not_exists("),
            ("remove a b", "b", "a b"), ("set a b", "b", "a b"), ("set :one = b", ":one", "set :one ="),
            ("remove :one", ":one", "remove :one"), ("set a = b / c", "/", "b / c"), ("set a = b * c", "*", "b * c"),
            ("set a[1] = \"eight\"", "\"", "= \"eight"), ("set a[1] = 1", "1", "= 1"),
            ("SET if_not_exists(a, b) = a", "(", "if_not_exists(a"), ("set (a = (b + c))", "(", "set (a"),
            ("set a = (b.c).d + e", ".", ").d"), ("set a = (b.c)[0] + e", "[", ")[0"),
            ("set a = b + c + d", "+", "c + d"),
            ("SET a = f(b + c)", "+", "b + c"), ("SET a = _f(b)", "_", "= _f"), ("SET a = :one,", "<EOF>", ","),
            ("SET", "<EOF>", "SET"), ("SET a = :one SET", "<EOF>", "SET"), ("SET a = f()", ")", "()"),
            ("SET a = , b = :one", ",", "= , b"), ("SET __typename = :one", "_", "SET __"),
        ])
    func syntax(_ text: String, _ token: String, _ near: String) {
        let message = "Invalid UpdateExpression: Syntax error; token: \"\(token)\", near: \"\(near)\""
        #expect(refusal { _ = try Self.parse(text) } == message)
    }

    @Test(
        "Errors are told in DynamoDB's order",
        arguments: [
            ("", "The expression can not be empty;"),
            ("SET a = ((:none))", "The expression has redundant parentheses;"),
            (" set #none = :none set abOrt = a ", "Attribute name is a reserved keyword; reserved keyword: abOrt"),
            (" remove Absolute ", "Attribute name is a reserved keyword; reserved keyword: Absolute"),
            ("SET between = :one", "Attribute name is a reserved keyword; reserved keyword: between"),
            ("set #none = if_not_exist(:none) set c = d", "Invalid function name; function: if_not_exist"),
            ("set a = size(b)", "The function is not allowed in an update expression; function: size"),
            ("SET a = list_append(list_append(:l, :m), :l)", misused), ("SET a = list_append(b, :l) + :one", misused),
            ("SET a = if_not_exists(a, list_append(b, :l))", misused),
            ("set a = #none set c = :none", section("SET")), ("remove #d set a = b remove e", section("REMOVE")),
            ("add #d :none set a = b add e :none", section("ADD")),
            ("delete #d :none set a = b delete #e :none", section("DELETE")),
            ("SET #none = if_not_exists(:none)", undefined("name used in the document path", "attribute name: #none")),
            ("SET a = :none, b = #none", undefined("name used in the document path", "attribute name: #none")),
            ("SET #a = if_not_exists(:none)", undefined("value used in expression", "attribute value: :none")),
            (
                "set d[1] = a, d.b = a, c[1].a = a, #c = if_not_exists(a)",
                paths("overlap", "[c, [1], a]", "[c]")
            ),
            ("set #c[3].#d = a, #c[3] = a", paths("overlap", "[c, [3], [3]]", "[c, [3]]")),
            ("SET a = :one REMOVE a", paths("overlap", "[a]", "[a]")),
            ("set #c[3].#d = a, #c.#d[3] = if_not_exists(a)", paths("conflict", "[c, [3], [3]]", "[c, [3], [3]]")),
            ("remove a.#c set a[1] = #d", paths("conflict", "[a, c]", "[a, [1]]")),
            ("set b = list_append(:s, a), c = if_not_exists(a) add a.b :s", operand("operator: ADD", "STRING")),
            ("delete a.b :one", operand("operator: DELETE", "NUMBER")),
            ("set a = if_not_exists(c)", count("if_not_exists", 1)),
            ("set a = list_append(c)", count("list_append", 1)),
            ("set a = list_append(c, c, c)", count("list_append", 3)),
            ("set a = if_not_exists(:one, c)", needsPath), ("set a = if_not_exists(if_not_exists(a, b), c)", needsPath),
            ("set a = :s + b", operand("operator or function: +", "S")),
            ("set a = b - :l", operand("operator or function: -", "L")),
        ])
    func order(_ text: String, _ message: String) {
        #expect(refusal { _ = try Self.parse(text) } == "Invalid UpdateExpression: \(message)")
    }

    @Test(
        "What ADD and DELETE, functions and sums are given must be of their types",
        arguments: [
            ("S", "STRING"), ("N", "NUMBER"), ("B", "BINARY"), ("BOOL", "BOOLEAN"), ("NULL", "NULL"), ("L", "LIST"),
            ("M", "MAP"), ("SS", ""), ("NS", ""), ("BS", ""),
        ])
    func types(_ type: String, _ word: String) {
        func refusal(_ text: String) -> String? {
            DynamoTests.refusal { _ = try Self.parse(text, values: [":v": sample(type)]) }
        }
        let isSet = word.isEmpty
        #expect(
            refusal("ADD a.b :v")
                == (isSet || type == "N" ? nil : "Invalid UpdateExpression: \(Self.operand("operator: ADD", word))"))
        #expect(
            refusal("DELETE a.b :v")
                == (isSet ? nil : "Invalid UpdateExpression: \(Self.operand("operator: DELETE", word))"))
        for (text, operation, wanted) in [
            ("SET a = list_append(:v, a)", "list_append", "L"), ("SET a = list_append(a, :v)", "list_append", "L"),
            ("SET a = a + :v", "+", "N"), ("SET a = :v - a", "-", "N"),
        ] {
            let message = Self.operand("operator or function: \(operation)", type)
            #expect(refusal(text) == (type == wanted ? nil : "Invalid UpdateExpression: \(message)"))
        }
    }

    @Test("An update has at most 4,096 bytes and 300 operators and functions")
    func limits() {
        #expect(refusal { _ = try Self.parse("SET\(String(repeating: " ", count: 4_085))a = :one") } == nil)
        #expect(
            refusal { _ = try Self.parse("SET\(String(repeating: " ", count: 4_086))a = :one") }?
                .hasSuffix("expression size: 4097") == true)
        let sums = (0..<301).map { "a\($0)=b+c" }.joined(separator: ",")
        #expect(refusal { _ = try Self.parse("SET \(sums)") }?.hasSuffix("operator count: 301") == true)
    }

    @Test("Of an item that is not there anything may be removed, which makes none, and nothing below an attribute set")
    func noItem() throws {
        for text in ["REMOVE x.y", "REMOVE x[0]", "REMOVE x", "DELETE x :set"] {
            #expect(try ItemUpdate.apply(Self.parse(text), to: nil, key: ["k": "v"]) == nil)
        }
        for text in ["SET x.y = :one", "SET x[0] = :one", "ADD x.y :one"] {
            #expect(throws: TableError.self) { try ItemUpdate.apply(Self.parse(text), to: nil, key: ["k": "v"]) }
        }
    }

    private static func parse(_ text: String, values: [String: AttributeValue]? = nil) throws -> [UpdateAction] {
        var context = try ExpressionContext(names: names, values: values ?? Self.values)
        return try [UpdateAction](parsing: text, context: &context)
    }

    private static let misused =
        "The function is not allowed to be used this way in an expression; function: list_append"
    private static let needsPath =
        "Operator or function requires a document path; operator or function: if_not_exists"

    private static func section(_ name: String) -> String {
        "The \"\(name)\" section can only be used once in an update expression;"
    }

    private static func undefined(_ what: String, _ which: String) -> String {
        "An expression attribute \(what) is not defined; \(which)"
    }

    private static func paths(_ relation: String, _ one: String, _ two: String) -> String {
        "Two document paths \(relation) with each other; must remove or rewrite one of these paths;"
            + " path one: \(one), path two: \(two)"
    }

    private static func operand(_ operation: String, _ type: String) -> String {
        "Incorrect operand type for operator or function; \(operation), operand type: \(type)"
    }

    private static func count(_ function: String, _ count: Int) -> String {
        "Incorrect number of operands for operator or function; operator or function: \(function),"
            + " number of operands: \(count)"
    }
}
