import JSON
import Testing

@testable import FlagCore

@Suite("Flag definitions")
struct DefinitionTests {
    @Test(
        "that are right are accepted",
        arguments: [
            #"{"state":"ENABLED","variants":{"a":1}}"#,
            #"{"state":"DISABLED","variants":{"a":1,"b":2.5},"defaultVariant":null,"targeting":{}}"#,
            #"{"state":"ENABLED","variants":{"a":{"x":[1]},"b":{}},"metadata":{"s":"t","n":1,"b":true}}"#,
            #"{"state":"ENABLED","variants":{"a":"x"},"defaultVariant":"","targeting":null,"somethingElse":[1]}"#,
            #"{"state":"ENABLED","variants":{"a":true},"targeting":{"fractional":[{"var":"x"},["a",{"var":"w"}]]}}"#,
            #"{"state":"ENABLED","variants":{"a":true},"targeting":{"if":[{"sem_ver":[{"var":"v"},"~","1.2"]},"a"]}}"#,
        ])
    func accepted(text: String) throws {
        #expect(try FlagDefinition(validating: JSONValue(parsing: text)).issues.isEmpty)
    }

    @Test(
        "that are wrong are refused, with the place and all that is wrong there",
        arguments: [
            ("[]", [""]), ("{}", ["/state", "/variants"]),
            (#"{"state":"ON","variants":{}}"#, ["/state", "/variants"]),
            (#"{"state":true,"variants":[1]}"#, ["/state", "/variants"]),
            (#"{"state":"ENABLED","variants":{"a":true,"b":"x","":true}}"#, ["/variants/b", "/variants/"]),
            (#"{"state":"ENABLED","variants":{"a":null,"b":[1],"c":2,"d":3}}"#, ["/variants/a", "/variants/b"]),
            (#"{"state":"ENABLED","variants":{"a":1},"defaultVariant":"b"}"#, ["/defaultVariant"]),
            (#"{"state":"ENABLED","variants":{"a":1},"defaultVariant":1}"#, ["/defaultVariant"]),
            (
                #"{"state":"ENABLED","variants":{"a":1},"metadata":{"x":{},"y":[],"z":1}}"#,
                ["/metadata/x", "/metadata/y"]
            ),
            (#"{"state":"ENABLED","variants":{"a":1},"metadata":1,"targeting":"a"}"#, ["/targeting", "/metadata"]),
        ] as [(String, [String])])
    func refused(text: String, pointers: [String]) throws {
        #expect(try issues(of: text).map(\.pointer) == pointers)
    }

    @Test(
        "with wrong rules are refused, with the place in the rule",
        arguments: [
            (#"{"no_such":[1]}"#, ["/no_such"]), (#"{"if":[{"nope":1},"a",{"=":[1,1]}]}"#, ["/if/0/nope", "/if/2/="]),
            (#"{"$ref":"shared"}"#, ["/$ref"]), (#"{"and":[],"or":[]}"#, [""]),
            (#"{"==":[1]}"#, ["/=="]), (#"{"<":[1,2,3,4]}"#, ["/<"]), (#"{"!":{"a~/b":1}}"#, ["/!/a~0~1b"]),
            (#"{"var":"$flagd.nope"}"#, ["/var"]), (#"{"starts_with":[{"var":"x"},1]}"#, ["/starts_with/1"]),
            (#"{"ends_with":["x"]}"#, ["/ends_with"]),
            (#"{"sem_ver":["1.x","=>",true]}"#, ["/sem_ver/0", "/sem_ver/2", "/sem_ver/1"]),
            (#"{"fractional":["constant",["a",1]]}"#, ["/fractional/0"]),
            (#"{"fractional":[["a",1.5],["b",-1],["c","1"],["d",1,1],"e"]}"#, (0...4).map { "/fractional/\($0)" }),
            (#"{"fractional":[["a",2147483647],["b",1]]}"#, ["/fractional"]),
        ] as [(String, [String])])
    func refusedRules(rule: String, pointers: [String]) throws {
        let text = #"{"state":"ENABLED","variants":{"a":"x"},"targeting":\#(rule)}"#
        #expect(try issues(of: text).map(\.pointer) == pointers.map { "/targeting\($0)" })
    }

    @Test("issues point into the document that the definition stands in, and read well")
    func pointers() throws {
        let pointer = JSONPointer().appending("flags").appending("a/b")
        let found = FlagDefinition(keeping: ["state": "on", "variants": ["x": true]], at: pointer).issues
        #expect(found.map(\.description) == [#"/flags/a~1b/state: must be "ENABLED" or "DISABLED""#])
    }

    @Test("kept in spite of an issue are evaluated until evaluation reaches it")
    func kept() throws {
        let rule: JSONValue = ["if": [["var": "broken"], ["no_such": 1], "a"]]
        let definition = FlagDefinition(keeping: ["state": "ENABLED", "variants": ["a": true], "targeting": rule])
        let flag = CompiledFlag(key: "f", definition: definition, fractional: .v3)
        #expect(evaluate(flag, ["broken": false]) == Evaluation(variant: 0, reason: .targetingMatch))
        let failed = evaluate(flag, ["broken": true])
        #expect(failed.error?.code == .parseError)
        #expect(failed.error?.details == #"/targeting/if/1/no_such: unknown operator "no_such""#)
    }

    @Test(
        "that cannot be understood at all answer PARSE_ERROR and say why",
        arguments: [
            "[]", "{}", #"{"state":"x","variants":{"a":1}}"#, #"{"state":"ENABLED","variants":{"a":1},"targeting":1}"#,
        ])
    func unusable(text: String) throws {
        let flag = CompiledFlag(
            key: "f", definition: FlagDefinition(keeping: try JSONValue(parsing: text)), fractional: .v3)
        #expect(evaluate(flag, [:]).error?.code == .parseError)
        #expect(evaluate(flag, [:]).error?.details.isEmpty == false)
    }

    private func issues(of text: String) throws -> [DefinitionIssue] {
        FlagDefinition(keeping: try JSONValue(parsing: text)).issues
    }
}

/// The evaluation of a flag for some attributes.
func evaluate(_ flag: CompiledFlag, _ attributes: JSONValue) -> Evaluation {
    guard let document = try? JSONDocument(parsing: attributes.serializedBytes()) else {
        return Evaluation(error: EvaluationError(code: .invalidContext, details: "not JSON"))
    }
    return flag.evaluate(
        EvaluationContext(attributes: document.root), killSwitch: nil, override: nil,
        now: Timestamp(millisecondsSinceEpoch: 0))
}

@Suite("The bounds of rules")
struct RuleLimitTests {
    @Test("a rule nested too deeply is refused, not run")
    func depth() {
        var rule: JSONValue = true
        for _ in 0..<200 { rule = ["!": [rule]] }
        let definition = FlagDefinition(keeping: ["state": "ENABLED", "variants": ["a": true], "targeting": rule])
        #expect(definition.issues.map(\.pointer) == ["/targeting"])
        #expect(
            evaluate(CompiledFlag(key: "f", definition: definition, fractional: .v3), [:]).error?.code == .parseError)
    }

    @Test("a rule with too many parts is refused, not run")
    func nodes() {
        let rule: JSONValue = ["or": .array((0..<30_000).map { _ in ["var": "x"] })]
        let definition = FlagDefinition(keeping: ["state": "ENABLED", "variants": ["a": true], "targeting": rule])
        #expect(definition.issues.count == 1)
        #expect(
            evaluate(CompiledFlag(key: "f", definition: definition, fractional: .v3), [:]).error?.code == .parseError)
    }

    @Test("an evaluation that takes too many steps ends with an error")
    func steps() throws {
        var test: JSONValue = ["==": [1, ["var": "x"]]]
        var data: JSONValue = [:]
        for _ in 0..<3 {
            test = ["some": [["var": "l"], test]]
            data = ["l": .array(Array(repeating: data, count: 40))]
        }
        #expect(try failure(["if": [test, "a", "a"]], data)?.code == .general)
    }

    @Test("searching a long text for a part that nearly fits takes no longer than for any other")
    func search() throws {
        let rule: JSONValue = ["if": [["in": [["var": "part"], ["var": "text"]]], "a", "a"]]
        let text = String(repeating: "a", count: 40_000)
        let part = String(repeating: "a", count: 20_000) + "b"
        #expect(try failure(rule, ["text": .string(text), "part": .string(part)]) == nil)
    }

    @Test(
        "a list that shares its parts with itself is not walked over by each of its ways",
        arguments: [
            ["===": [doubling, doubling]], ["!==": [doubling, doubling]], ["in": [doubling, [doubling]]],
            ["in": [doubling, ["merge": [[doubling], 1]]]], ["==": [doubling, "x"]], ["cat": doubling],
            ["+": doubling], ["<": [doubling, 1]], ["substr": [doubling, 1]],
            ["starts_with": [["cat": doubling], "x"]], ["missing": doubling], ["var": [doubling]], doubling,
        ] as [JSONValue])
    func sharedParts(rule: JSONValue) throws {
        // 2⁴⁰ ways through it: without a bound this does not end.
        #expect(try failure(rule, [:])?.code == .general)
    }

    @Test(
        "a list that is nested deeper than any walk may go ends with an error",
        arguments: [
            ["===": [nesting, nesting]], ["==": [nesting, "x"]], ["cat": nesting],
            nesting,
        ] as [JSONValue])
    func deepValues(rule: JSONValue) throws {
        #expect(try failure(rule, ["l": .array(Array(repeating: 1, count: 3_000))])?.code == .general)
    }

    /// A list of two, both of which are the same list of two, and so on for 40 levels.
    private static let doubling: JSONValue = [
        "reduce": [.array(Array(repeating: 0, count: 40)), [["var": "accumulator"], ["var": "accumulator"]], 0]
    ]
    /// A list in a list in a list, as often as `l` has elements.
    private static let nesting: JSONValue = ["reduce": [["var": "l"], [["var": "accumulator"]], 0]]

    @Test("texts that grow without bound end with an error")
    func memory() throws {
        let doubled: JSONValue = ["cat": [["var": "accumulator"], ["var": "accumulator"]]]
        let rule: JSONValue = ["reduce": [["var": "l"], doubled, "0123456789"]]
        #expect(try failure(rule, ["l": .array(Array(repeating: 1, count: 40))])?.code == .general)
    }

    private func failure(_ rule: JSONValue, _ attributes: JSONValue) throws -> EvaluationError? {
        let definition = try FlagDefinition(
            validating: ["state": "ENABLED", "variants": ["a": true], "targeting": rule])
        return evaluate(CompiledFlag(key: "f", definition: definition, fractional: .v3), attributes).error
    }
}
