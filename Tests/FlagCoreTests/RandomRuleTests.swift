import JSON
import TestSupport
import Testing

@testable import FlagCore

@Suite("Random rules")
struct RandomRuleTests {
    private static let operators = [
        "var", "missing", "missing_some", "if", "?:", "and", "or", "!", "!!", "==", "!=", "===", "!==", "<", "<=", ">",
        ">=", "+", "-", "*", "/", "%", "min", "max", "cat", "substr", "in", "merge", "map", "filter", "reduce", "all",
        "some", "none", "log", "starts_with", "ends_with", "sem_ver", "fractional", "no_such",
    ]
    private static let scalars: [JSONValue] = [
        .null, true, false, 0, 1, -1, 2.5, "", "a", "b.c", "list.1", "1.2.3", ">=", "$flagd.timestamp", "targetingKey",
        "é😀",
        .integer(Int64.max), .integer(Int64.min), .number(JSONNumber(1e300) ?? JSONNumber(0)), "9223372036854775808",
        "Infinity",
    ]

    @Test("on random contexts end with an answer, the same one when evaluated again, and never a crash")
    func evaluate() throws {
        var generator = SeededGenerator(seed: 99)
        var answered = 0
        for _ in 0..<800 {
            let rule = rule(&generator, depth: 5)
            let definition = FlagDefinition(keeping: ["state": "ENABLED", "variants": ["a": true], "targeting": rule])
            for version in [FractionalVersion.v2, .v3] {
                let flag = CompiledFlag(key: "f", definition: definition, fractional: version)
                let attributes: JSONValue = [
                    "a": value(&generator, depth: 2), "b": ["c": value(&generator, depth: 3)],
                    "list": [value(&generator, depth: 1), value(&generator, depth: 1)], "targetingKey": "user",
                ]
                let answer = FlagCoreTests.evaluate(flag, attributes)
                if answer.error == nil { answered += 1 }
                if FlagCoreTests.evaluate(flag, attributes) != answer { Issue.record("\(rule) on \(attributes)") }
            }
        }
        #expect(answered > 100)
    }

    @Test("a number's text reads back as the same number")
    func numberText() {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<4_000 {
            let value = Double(bitPattern: generator.next())
            let small = Double.random(in: -1...1, using: &generator) * 0.001
            for number in [value, small, small * 1e12] where number.isFinite {
                let text = NumberText(number).withBytes { String(decoding: $0, as: UTF8.self) }
                if Double(text) != number { Issue.record("\(number) is written \(text)") }
            }
        }
    }

    private func rule(_ generator: inout SeededGenerator, depth: Int) -> JSONValue {
        let name = Self.operators.randomElement(using: &generator) ?? "var"
        let count = Int.random(in: 0...4, using: &generator)
        let arguments = (0..<count).map { _ in argument(&generator, depth: depth - 1) }
        return .object([name: count == 1 && Bool.random(using: &generator) ? arguments[0] : .array(arguments)])
    }

    private func argument(_ generator: inout SeededGenerator, depth: Int) -> JSONValue {
        depth > 0 && Int.random(in: 0..<3, using: &generator) > 0
            ? rule(&generator, depth: depth) : value(&generator, depth: 2)
    }

    private func value(_ generator: inout SeededGenerator, depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &generator) {
        case 6: .array((0..<Int.random(in: 0..<4, using: &generator)).map { _ in value(&generator, depth: depth - 1) })
        case 7: ["a": value(&generator, depth: depth - 1), "current": value(&generator, depth: depth - 1)]
        default: Self.scalars.randomElement(using: &generator) ?? .null
        }
    }
}
