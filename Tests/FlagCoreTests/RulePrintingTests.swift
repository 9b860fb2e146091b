import JSON
import Testing

@testable import FlagCore

@Suite("Printing compiled rules")
struct RulePrintingTests {
    @Test("every rule of the public vectors is printed as the rule that it was compiled from")
    func vectors() throws {
        var printed = 0
        for name in ["flagd_testbed.json", "flagd_differential.json"] {
            guard let file = try VectorFiles.read(name) else { return }
            for set in (file["flagSets"]?.objectValue ?? [:]).members {
                for flag in try FlagdDocument(set.value).flags {
                    guard let targeting = flag.definition["targeting"], targeting.objectValue?.isEmpty == false else {
                        continue
                    }
                    printed += try expectPrinted(targeting) ? 1 : 0
                }
            }
        }
        guard let file = try VectorFiles.read("jsonlogic_tests.json") else { return }
        for list in ["tests", "extra"] {
            for test in (file[list]?.arrayValue ?? []).compactMap(\.arrayValue) where test.count == 3 {
                printed += try expectPrinted(test[0]) ? 1 : 0
                let again = RuleRun.result(of: try print(test[0]).rule, data: test[1])
                #expect(again?.isNumericallyEqual(to: test[2]) ?? false, "\(test[0]) after printing")
            }
        }
        #expect(printed > 300)
    }

    @Test("what has several spellings is printed in one")
    func spellings() throws {
        let spellings: [(JSONValue, JSONValue)] = [
            (["!": "a"], ["!": ["a"]]),
            (["?:": [true, "a", "b"]], ["if": [true, "a", "b"]]),
            (["var": 1], ["var": ["1"]]),
            (["var": []], ["var": [""]]),
            (["var": ["a.b", 1]], ["var": ["a.b", 1]]),
            ([["var": "a"], 1, [["var": "b"]]], [["var": ["a"]], 1, [["var": ["b"]]]]),
            (["in": [["var": "a"], [1, 2, 3, 4, 5]]], ["in": [["var": ["a"]], [1, 2, 3, 4, 5]]]),
        ]
        for (rule, expected) in spellings { #expect(try print(rule).rule == expected) }
    }

    /// Compiles and prints; whether all of the rule was understood.
    private func print(_ rule: JSONValue) throws -> (rule: JSONValue, isUnderstood: Bool) {
        let document = try JSONDocument(rule: rule)
        let compiler = RuleCompiler(document.root, at: JSONPointer())
        return (compiler.printed, compiler.messages.isEmpty)
    }

    private func expectPrinted(_ rule: JSONValue) throws -> Bool {
        let printed = try print(rule)
        guard printed.isUnderstood else { return false }
        let expected = Self.inOneSpelling(rule)
        #expect(printed.rule.isNumericallyEqual(to: expected), "\(rule) is printed as \(printed.rule)")
        #expect(try print(printed.rule).rule == printed.rule, "\(rule), printed twice")
        return true
    }

    /// The rule with its arguments in arrays and in the spelling that printing has.
    private static func inOneSpelling(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): return .array(elements.map { inOneSpelling($0) })
        case .object(let object) where object.count == 1:
            let (name, value) = object.members[0]
            var arguments = (value.arrayValue ?? [value]).map { inOneSpelling($0) }
            if name == "var" {
                switch arguments.first {
                case nil, .null?: arguments = [""] + arguments.dropFirst()
                case .number(let number)? where number.int64 != nil: arguments[0] = .string(number.spelling)
                default: break
                }
            }
            return .object([name == "?:" ? "if" : name: .array(arguments)])
        default: return value
        }
    }
}
