import JSON
import Testing

@testable import FlagCore

@Suite("Segments")
struct SegmentTests {
    /// Segments by name, as an evaluation finds them.
    private final class Surroundings: EvaluationSurroundings {
        private let segments: [String: CompiledSegment]

        init(_ segments: [String: (condition: JSONValue?, keys: [String])]) throws {
            self.segments = try Dictionary(
                uniqueKeysWithValues: segments.map { name, segment in
                    let condition = try segment.condition.map { json in
                        try SegmentCondition(validating: json, at: JSONPointer().appending("condition"))
                    }
                    let keys = segment.keys.isEmpty ? nil : Keys(segment.keys)
                    return (
                        name, CompiledSegment(name: name, condition: condition, keys: keys, fractional: .v3)
                    )
                })
        }

        func requiredFlag(_ key: UnsafeRawBufferPointer) -> RequiredFlag? { nil }
        func segment(_ name: UnsafeRawBufferPointer) -> CompiledSegment? {
            segments[String(decoding: name, as: UTF8.self)]
        }
    }

    private final class Keys: SegmentKeys {
        private let keys: Set<String>

        init(_ keys: [String]) { self.keys = Set(keys) }
        func contains(_ key: UnsafeRawBufferPointer) -> Bool { keys.contains(String(decoding: key, as: UTF8.self)) }
    }

    private static let now = Timestamp(millisecondsSinceEpoch: 1_790_000_000_000)

    private func flag(_ targeting: JSONValue, key: String = "f") -> CompiledFlag {
        let definition: JSONValue = [
            "state": "ENABLED", "variants": ["in": true, "out": false], "defaultVariant": "out", "targeting": targeting,
        ]
        return CompiledFlag(key: key, definition: FlagDefinition(keeping: definition), fractional: .v3)
    }

    private func evaluate(
        _ flag: CompiledFlag, _ context: String, _ surroundings: Surroundings?
    ) throws -> Evaluation {
        let document = try JSONDocument(parsing: Array(context.utf8))
        var run = EvaluationRun(now: Self.now, surroundings: surroundings)
        let attributes = EvaluationContext(attributes: document.root)
        let evaluation = flag.evaluate(attributes, killSwitch: nil, override: nil, in: &run)
        var explained = EvaluationRun(now: Self.now, surroundings: surroundings)
        let explanation = flag.explain(attributes, killSwitch: nil, override: nil, in: &explained)
        #expect(explanation.evaluation == evaluation)
        return evaluation
    }

    private func isIn(_ targeting: JSONValue, _ context: String, _ surroundings: Surroundings?) throws -> Bool {
        let evaluation = try evaluate(flag(["if": [targeting, "in"]]), context, surroundings)
        #expect(evaluation.error == nil)
        return evaluation.variant == 0
    }

    @Test(
        "hold whom their condition holds for, and whose keys they list",
        arguments: [
            (#"{"targetingKey":"u1"}"#, true), (#"{"targetingKey":"u2"}"#, false), (#"{"targetingKey":42}"#, true),
            ("{}", false), (#"{"targetingKey":null}"#, false), (#"{"targetingKey":["u1"]}"#, false),
            (#"{"email":"a@example.com"}"#, true), (#"{"email":"a@example.org","targetingKey":"u1"}"#, true),
        ])
    func membership(context: String, isMember: Bool) throws {
        let surroundings = try Surroundings([
            "beta": (["ends_with": [["var": "email"], "@example.com"]], ["u1", "42"])
        ])
        #expect(try isIn(["segment": "beta"], context, surroundings) == isMember)
        #expect(try isIn(["segment": ["beta"]], context, surroundings) == isMember)
        #expect(try isIn(["!": [["segment": "beta"]]], context, surroundings) != isMember)
    }

    @Test("are asked for something else than the targeting key where the rule says so")
    func subject() throws {
        let surroundings = try Surroundings(["companies": (nil, ["acme"])])
        let rule: JSONValue = ["segment": ["companies", ["var": "company.name"]]]
        #expect(try isIn(rule, #"{"company":{"name":"acme"}}"#, surroundings))
        #expect(try !isIn(rule, #"{"targetingKey":"acme"}"#, surroundings))
    }

    @Test("hold nobody when they do not exist, or have neither condition nor keys")
    func unknown() throws {
        let surroundings = try Surroundings(["empty": (nil, [])])
        for name in ["empty", "unknown"] {
            #expect(try !isIn(["segment": .string(name)], #"{"targetingKey":"u1"}"#, surroundings))
        }
        #expect(try !isIn(["segment": "unknown"], #"{"targetingKey":"u1"}"#, nil))
    }

    @Test("see the whole context, wherever they are named, and refer to each other")
    func nested() throws {
        let surroundings = try Surroundings([
            "paying": (["==": [["var": "plan"], "gold"]], []),
            "beta": (["and": [["segment": "paying"], ["in": [["var": "country"], ["de", "fr"]]]]], ["u1"]),
        ])
        let rule: JSONValue = [
            "some": [["var": "roles"], ["and": [["==": [["var": ""], "dev"]], ["segment": "beta"]]]]
        ]
        #expect(try isIn(rule, #"{"plan":"gold","country":"fr","roles":["dev"]}"#, surroundings))
        #expect(try isIn(rule, #"{"targetingKey":"u1","roles":["ops","dev"]}"#, surroundings))
        #expect(try !isIn(rule, #"{"plan":"gold","country":"fr","roles":["ops"]}"#, surroundings))
        #expect(try !isIn(rule, #"{"plan":"free","country":"fr","roles":["dev"]}"#, surroundings))
    }

    @Test("in a circle fail the evaluation, also as deep as rules can be")
    func circle() throws {
        var deep: JSONValue = ["segment": "b"]
        for _ in 0..<28 { deep = ["!": [deep]] }
        let surroundings = try Surroundings(["a": (deep, []), "b": (["segment": "a"], ["u1"])])
        let failed = try evaluate(flag(["if": [["segment": "a"], "in"]]), "{}", surroundings)
        #expect(failed.error?.code == .general)
        #expect(failed.error?.details.contains("in a circle") == true)
        #expect(try isIn(["segment": "a"], #"{"targetingKey":"u1"}"#, surroundings))
    }

    @Test("refer to each other as deep as they may, and no deeper")
    func depth() throws {
        var segments: [String: (condition: JSONValue?, keys: [String])] = ["s1": (["==": [1, 1]], [])]
        for level in 2...SegmentReference.depthMaximum + 1 {
            segments["s\(level)"] = (["segment": .string("s\(level - 1)")], [])
        }
        let surroundings = try Surroundings(segments)
        #expect(try isIn(["segment": .string("s\(SegmentReference.depthMaximum)")], "{}", surroundings))
        let deeper: JSONValue = ["segment": .string("s\(SegmentReference.depthMaximum + 1)")]
        let failed = try evaluate(flag(["if": [deeper, "in"]]), "{}", surroundings)
        #expect(failed.error?.code == .general)
    }

    @Test("that refer to each other many times over stay within the budget of steps")
    func steps() throws {
        var segments: [String: (condition: JSONValue?, keys: [String])] = ["s0": (["var": "never"], [])]
        for level in 1..<SegmentReference.depthMaximum {
            let below: JSONValue = ["segment": .string("s\(level - 1)")]
            segments["s\(level)"] = (["or": .array(Array(repeating: below, count: 8))], [])
        }
        let failed = try evaluate(flag(["if": [["segment": "s7"], "in"]]), "{}", Surroundings(segments))
        #expect(failed.error?.details.contains("steps") == true)
    }

    @Test("put people into the same fractional buckets, whichever flag asks")
    func fractional() throws {
        let half: JSONValue = ["==": [["fractional": [["yes", 50], ["no", 50]]], "yes"]]
        let surroundings = try Surroundings(["half": (half, [])])
        var counts = (both: 0, ones: 0)
        for user in 0..<200 {
            let context = #"{"targetingKey":"user-\#(user)"}"#
            let rule: JSONValue = ["if": [["segment": "half"], "in"]]
            let one = try evaluate(flag(rule, key: "one"), context, surroundings).variant
            let other = try evaluate(flag(rule, key: "other"), context, surroundings).variant
            #expect(one == other)
            counts.both += 1
            if one == 0 { counts.ones += 1 }
        }
        #expect((60...140).contains(counts.ones))
    }

    @Test("are explained: whether the key is listed, and every operator of the condition")
    func explanation() throws {
        let surroundings = try Surroundings(["beta": (["==": [["var": "plan"], "gold"]], ["u1"])])
        let flag = flag(["if": [["segment": "beta"], "in"]])
        let document = try JSONDocument(parsing: Array(#"{"plan":"gold","targetingKey":"u2"}"#.utf8))
        var run = EvaluationRun(now: Self.now, surroundings: surroundings)
        let explanation = flag.explain(
            EvaluationContext(attributes: document.root), killSwitch: nil, override: nil, in: &run)
        let rule = explanation.trace.arrayValue?.last?["rule"]
        let segment = rule?["arguments"]?.arrayValue?.first
        #expect(segment?["operator"] == "segment")
        #expect(segment?["listed"] == false)
        #expect(segment?["condition"]?["operator"] == "==")
        #expect(segment?["condition"]?["arguments"]?.arrayValue?.first?["result"] == "gold")
        #expect(segment?["result"] == true)
    }

    @Test("must be named by a string", arguments: [["var": "x"], 1, .null, ""] as [JSONValue])
    func names(name: JSONValue) {
        let definition: JSONValue = [
            "state": "ENABLED", "variants": ["in": true], "targeting": ["if": [["segment": [name]], "in"]],
        ]
        #expect(throws: DefinitionIssues.self) { try FlagDefinition(validating: definition) }
        #expect(FlagDefinition(keeping: definition).issues.map(\.pointer) == ["/targeting/if/0/segment"])
    }

    @Test("are found in a rule with their places")
    func references() throws {
        let definition = try FlagDefinition(validating: [
            "state": "ENABLED", "variants": ["in": true],
            "targeting": ["if": [["or": [["segment": "a"], ["segment": ["b", ["var": "x"]]]]], "in"]],
        ])
        #expect(
            definition.segmentReferences() == [
                SegmentReference(name: "a", pointer: "/targeting/if/0/or/0/segment"),
                SegmentReference(name: "b", pointer: "/targeting/if/0/or/1/segment"),
            ])
    }

    @Test("need a condition that is a rule", arguments: ["{}", "[]", "true", #"{"nonsense":1}"#])
    func conditions(text: String) throws {
        let json = try JSONValue(parsing: text)
        let pointer = JSONPointer().appending("condition")
        #expect(throws: DefinitionIssues.self) { try SegmentCondition(validating: json, at: pointer) }
    }
}
