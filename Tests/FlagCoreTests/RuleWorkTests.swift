import JSON
import Testing

@testable import FlagCore

/// What each operator is charged for what it looks at.
@Suite("The work of rules")
struct RuleWorkTests {
    /// An operator in a rule that makes it look at a value of the data.
    struct Example: CustomTestStringConvertible, Sendable {
        let name: String
        let rule: String

        init(_ name: String, _ arguments: String) {
            self.name = name
            rule = "{\"\(name)\":\(arguments)}"
        }

        var testDescription: String { rule }
    }

    /// Operators that look at no more of a value than whether it is empty, however large it is.
    private static let constant: Set<String> = ["if", "?:", "and", "or", "!", "!!", "log"]

    /// Every other operator, with each kind of value that it looks into. `text2` and the like are copies elsewhere.
    static let examples: [Example] = [
        Example("var", #"[{"var":"path"}]"#), Example("var", #""text.length""#),
        Example("missing", #"[{"var":"path"}]"#),
        Example("missing", #"{"var":"list"}"#), Example("missing_some", #"[1,{"var":"list"}]"#),
        Example("==", #"[{"var":"text"},{"var":"text2"}]"#), Example("==", #"[{"var":"digits"},1]"#),
        Example("==", #"[{"var":"number"},1]"#), Example("==", #"[{"var":"list"},{"var":"list2"}]"#),
        Example("==", #"[{"var":"list"},"x"]"#), Example("==", #"[{"var":"object"},{"var":"object2"}]"#),
        Example("!=", #"[{"var":"text"},{"var":"text2"}]"#), Example("!=", #"[{"var":"digits"},1]"#),
        Example("===", #"[{"var":"text"},{"var":"text2"}]"#), Example("===", #"[{"var":"list"},{"var":"list2"}]"#),
        Example("===", #"[{"var":"object"},{"var":"object2"}]"#),
        Example("===", #"[{"var":"number"},{"var":"number2"}]"#), Example("===", #"[{"var":"number"},1]"#),
        Example("!==", #"[{"var":"text"},{"var":"text2"}]"#), Example("!==", #"[{"var":"list"},{"var":"list2"}]"#),
        Example("<", #"[{"var":"text"},{"var":"text2"}]"#), Example("<", #"[{"var":"digits"},1]"#),
        Example("<=", #"[{"var":"text"},{"var":"text2"}]"#), Example("<=", #"[1,{"var":"digits"},2]"#),
        Example(">", #"[{"var":"text"},{"var":"text2"}]"#), Example(">", #"[{"var":"list"},1]"#),
        Example(">=", #"[{"var":"text"},{"var":"text2"}]"#), Example(">=", #"[{"var":"number"},1]"#),
        Example("+", #"[{"var":"digits"}]"#), Example("+", #"[{"var":"number"}]"#),
        Example("+", #"[{"var":"list"}]"#), Example("-", #"[{"var":"digits"}]"#), Example("-", #"[1,{"var":"list"}]"#),
        Example("*", #"[{"var":"digits"}]"#), Example("/", #"[{"var":"digits"},2]"#),
        Example("%", #"[{"var":"digits"},2]"#), Example("min", #"[{"var":"digits"}]"#),
        Example("max", #"[1,{"var":"digits"}]"#), Example("max", #"[1,{"var":"number"}]"#),
        Example("cat", #"[{"var":"text"}]"#), Example("cat", #"[{"var":"list"}]"#),
        Example("substr", #"[{"var":"text"},2]"#), Example("in", #"["z",{"var":"text"}]"#),
        Example("in", #"[{"var":"text"},{"var":"text2"}]"#), Example("in", #"["z",{"var":"list"}]"#),
        Example("in", #"[{"var":"text"},["1","2","3","4","5","6"]]"#),
        Example("in", #"[{"var":"number"},["1","2","3","4","5","6"]]"#), Example("merge", #"[{"var":"list"}]"#),
        Example("map", #"[{"var":"list"},1]"#), Example("filter", #"[{"var":"list"},true]"#),
        Example("reduce", #"[{"var":"list"},1,1]"#), Example("all", #"[{"var":"list"},true]"#),
        Example("some", #"[{"var":"list"},false]"#), Example("none", #"[{"var":"list"},false]"#),
        Example("starts_with", #"[{"var":"text"},{"var":"text2"}]"#),
        Example("ends_with", #"[{"var":"text"},{"var":"text2"}]"#),
        Example("sem_ver", #"[{"var":"version"},"=","1.0.0"]"#),
        Example("sem_ver", #"[{"var":"version"},{"cat":"="},{"var":"version"}]"#),
        Example("fractional", #"[{"var":"text"},["a",1],["b",1]]"#),
        Example("fractional", #"[{"var":"digits"},["a",1],[{"cat":"b"},1]]"#),
        Example("fractional", #"[{"var":"list"},["a",1],["b",1]]"#),
        Example("fractional", #"[{"merge":[[{"var":"object"}]]},["a",1]]"#),
        Example("fractional", #"[{"var":"object"},["a",1],["b",1]]"#),
        Example("fractional", #"[{"var":"number"},["a",1],["b",1]]"#), Example("fractional", #"[["a",1],["b",1]]"#),
        Example("segment", #"["s",{"var":"text"}]"#), Example("segment", #"["s",{"var":"number"}]"#),
        Example("segment", #"["s"]"#),
    ]

    @Test("every operator of the table has an example, or looks at nothing that can be large")
    func everyOperator() {
        #expect(Set(Self.examples.map(\.name)).union(Self.constant) == OperatorSyntax.allNames)
        #expect(Set(Self.examples.map(\.name)).isDisjoint(with: Self.constant))
    }

    @Test("an operator is charged for all that it looks at, at least a step for 64 bytes", arguments: examples)
    func charges(example: Example) throws {
        let small = try steps(of: example.rule, size: 64)
        let large = try steps(of: example.rule, size: 32_768)
        #expect(large - small >= (32_768 - 64) / 64, "\(small) steps, and \(large) for 32 KiB")
    }

    @Test(
        "in a loop over 9,000 elements an operator on a large value is ended by its steps or its memory",
        arguments: examples)
    func loops(example: Example) throws {
        // What is outside of a loop can be seen within only as what the accumulator is: so all of the data is it.
        let inner = example.rule.replacing(#"{"var":""#, with: #"{"var":"accumulator."#)
        let body = #"{"if":[\#(inner),{"var":"accumulator"},{"var":"accumulator"}]}"#
        let rule = #"{"reduce":[{"var":"items"},\#(body),{"var":"data"}]}"#
        #expect(try run(rule, size: 32_768, steps: RuleLimits.standard.steps).isEnded)
    }

    @Test("a value that is the same text for many flags of a request is hashed once")
    func hashesOnce() throws {
        let definition = try FlagDefinition(
            validating: try JSONValue(
                parsing: #"""
                    {"state":"ENABLED","variants":{"a":true,"b":false},
                     "targeting":{"fractional":[{"var":"text"},["a",50],["b",50]]}}
                    """#))
        let first = CompiledFlag(key: "first", definition: definition, fractional: .v3)
        let second = CompiledFlag(key: "second", definition: definition, fractional: .v3)
        let document = try JSONDocument(parsing: try Self.data(size: 4_096).serializedBytes())
        let context = EvaluationContext(attributes: document.root)
        var run = EvaluationRun(now: Timestamp(millisecondsSinceEpoch: 0))
        let before = run.remainingSteps
        let one = first.evaluate(context, killSwitch: nil, override: nil, in: &run)
        let afterFirst = run.remainingSteps
        let other = second.evaluate(context, killSwitch: nil, override: nil, in: &run)
        #expect(before - afterFirst > 4_096 / 64)
        #expect(afterFirst - run.remainingSteps < 8)
        #expect(one == other)
        #expect(one == second.evaluate(context, killSwitch: nil, override: nil, now: run.now))
    }

    // MARK: - Parts

    /// Data whose every value is about so many bytes of JSON.
    private static func data(size: Int) throws -> JSONValue {
        let text = JSONValue.string(String(repeating: "a", count: size))
        let digits = String(repeating: "7", count: size)
        let list = JSONValue.array(Array(repeating: "abcdefgh", count: size / 11))
        let object = JSONValue.object(
            JSONObject((0..<size / 12).map { (key: "key\($0)", value: JSONValue.integer(1)) }))
        let number = try JSONValue(parsing: digits)
        return [
            "text": text, "text2": text, "targetingKey": text, "digits": .string(digits), "number": number,
            "number2": number, "list": list, "list2": list, "object": object, "object2": object,
            "path": .string(String(repeating: "a.", count: size / 2)),
            "version": .string("1.0.0-" + String(repeating: "a", count: size)),
        ]
    }

    /// How many steps a rule takes on data whose every value is about so many bytes, when it may take any number.
    private func steps(of rule: String, size: Int) throws -> Int { try run(rule, size: size, steps: .max).steps }

    /// Evaluates a rule on data whose every value is about so many bytes.
    ///
    /// - Returns: the steps that it took, and whether a bound ended it.
    private func run(_ text: String, size: Int, steps: Int) throws -> (steps: Int, isEnded: Bool) {
        let rule = try #require(Rule(try JSONValue(parsing: text), flagKey: "flag", fractional: .v3))
        var data = try #require(try Self.data(size: size).objectValue)
        let copy = data
        data["items"] = .array(Array(repeating: 1, count: 9_000))
        data["data"] = .object(copy)
        let document = try JSONDocument(parsing: JSONValue.object(data).serializedBytes())
        let surroundings = OneSegment()
        return withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 16) { stack in
            var evaluator = RuleEvaluator(
                tables: rule.tables, context: EvaluationContext(attributes: document.root),
                now: Timestamp(millisecondsSinceEpoch: 0),
                scratch: ScratchMemory(first: stack, limit: RuleLimits.standard.scratchBytes), steps: steps)
            evaluator.surroundings = surroundings
            defer { evaluator.scratch.deallocate() }
            return withExtendedLifetime((surroundings, rule)) {
                let result = try? evaluator.evaluate(UnsafePointer(rule.tables.nodes))
                return (steps - evaluator.remainingSteps, result == nil)
            }
        }
    }
}

/// One segment of keys, which lists nobody.
private final class OneSegment: EvaluationSurroundings {
    private final class NoKeys: SegmentKeys {
        func contains(_ key: UnsafeRawBufferPointer) -> Bool { false }
    }

    func requiredFlag(_ key: UnsafeRawBufferPointer) -> RequiredFlag? { nil }
    func segment(_ name: UnsafeRawBufferPointer) -> CompiledSegment? {
        CompiledSegment(name: "s", condition: nil, keys: NoKeys(), fractional: .v3)
    }
}
