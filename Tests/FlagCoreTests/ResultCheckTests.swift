import JSON
import Testing

@testable import FlagCore

/// What is refused because it could only fail when it is evaluated.
@Suite("Results of rules that are no variants")
struct ResultCheckTests {
    private func issues(_ rule: String, variants: String) throws -> [String: String] {
        let json = try JSONValue(
            parsing: #"{"state":"ENABLED","variants":\#(variants),"targeting":\#(rule)}"#)
        // What is stored already goes on: it is not asked for this.
        #expect(throws: Never.self) { try FlagDefinition(validating: json) }
        do throws(DefinitionIssues) { _ = try FlagDefinition(wanted: json) } catch {
            return Dictionary(error.issues.map { ($0.pointer, $0.message) }) { $1 }
        }
        return [:]
    }

    static let onOff = #"{"on":true,"off":false}"#

    private static let refusals: [(String, Set<String>)] = [
        (#"{"if":[{"var":"x"},"onn","off"]}"#, ["/targeting/if/1"]),
        (#"{"if":[{"var":"x"},"on",{"var":"y"},"of","ON"]}"#, ["/targeting/if/3", "/targeting/if/4"]),
        (#"{"?:":[{"var":"x"},true,false]}"#, ["/targeting/?:/1", "/targeting/?:/2"]),
        (#"{"if":"onn"}"#, ["/targeting/if"]), (#"{"if":["onn"]}"#, ["/targeting/if/0"]),
        (#"{"if":[{"var":"x"},{"if":[{"var":"y"},1]}]}"#, ["/targeting/if/1/if/1"]),
        (#"{"if":[{"var":"x"},{"==":[{"var":"y"},1]},"off"]}"#, ["/targeting/if/1/=="]),
        (#"{"==":[{"var":"x"},1]}"#, ["/targeting/=="]), (#"{"!":{"var":"x"}}"#, ["/targeting/!"]),
        (#"{"segment":"beta"}"#, ["/targeting/segment"]), (#"{"in":["a",{"var":"x"}]}"#, ["/targeting/in"]),
        (#"{"starts_with":[{"var":"x"},"a"]}"#, ["/targeting/starts_with"]),
        (#"{"+":[{"var":"x"},1]}"#, ["/targeting/+"]), (#"{"map":[{"var":"x"},1]}"#, ["/targeting/map"]),
        (#"{"if":[{"var":"x"},["on"]]}"#, ["/targeting/if/1"]),
        (#"{"fractional":[{"var":"x"},["on",50],["of",50]]}"#, ["/targeting/fractional/2/0"]),
        (#"{"fractional":[["onn",1],["off"]]}"#, ["/targeting/fractional/0/0"]),
        (#"{"fractional":[["on",1],[true,0]]}"#, ["/targeting/fractional/1/0"]),
        (
            #"{"fractional":[["on",1],[{"if":[{"var":"x"},"a","off"]},1]]}"#,
            ["/targeting/fractional/1/0/if/1"]
        ),
        (#"{"var":["plan","onn"]}"#, ["/targeting/var/1"]), (#"{"log":"onn"}"#, ["/targeting/log"]),
        (#"{"and":[{"var":"x"},"onn"]}"#, ["/targeting/and/1"]),
        (#"{"and":[{"==":[{"var":"x"},1]},"on"]}"#, ["/targeting/and/0/=="]),
        (#"{"or":["onn",{"var":"x"}]}"#, ["/targeting/or/0"]),
    ]

    @Test("A result that is no variant is refused where it stands", arguments: refusals)
    func refused(rule: String, pointers: Set<String>) throws {
        #expect(try Set(issues(rule, variants: Self.onOff).keys) == pointers)
    }

    private static let acceptances: [(String, String)] = [
        (#"{"if":[{"var":"x"},"on",null]}"#, onOff), (#"{"if":[{"==":[1,{"var":"x"}]},"on"]}"#, onOff),
        (#"{"var":"plan"}"#, onOff), (#"{"cat":["o",{"var":"x"}]}"#, onOff),
        (#"{"reduce":[{"var":"x"},1,1]}"#, onOff), (#"{"substr":[{"var":"x"},1]}"#, onOff),
        (#"{"or":[{"and":[{"==":[{"var":"x"},1]},"on"]},"off"]}"#, onOff),
        (#"{"and":["onn","on"]}"#, onOff), (#"{"or":[false,null,0,"","off"]}"#, onOff),
        (#"{"fractional":[{"var":"x"},["on",50],[null,50]]}"#, onOff), ("{}", onOff), ("null", onOff),
        (#"{"==":[{"var":"x"},1]}"#, #"{"true":1,"false":2}"#),
        (#"{"if":[{"var":"x"},true,false]}"#, #"{"true":true,"false":false}"#),
        (#"{"if":[{"var":"x"},1.0,2e0,2.5]}"#, #"{"1":"a","2":"b","2.5":"c"}"#),
        (#"{"if":[{"var":"x"},12345678901234567890]}"#, #"{"12345678901234567890":"a"}"#),
        (#"{"%":[{"var":"x"},2]}"#, #"{"0":"a","1":"b"}"#), (#"{"merge":[1,2]}"#, #"{"[1,2]":"a"}"#),
        (#"{"if":[{"var":"x"},"e\u0301"]}"#, #"{"e\u0301":"a"}"#),
    ]

    @Test("What may be a variant, or only run time can know, is taken", arguments: acceptances)
    func taken(rule: String, variants: String) throws {
        #expect(try issues(rule, variants: variants) == [:])
    }

    @Test("Normal forms of one name are two names")
    func normalForms() throws {
        #expect(try issues(#"{"if":[{"var":"x"},"\u00e9"]}"#, variants: #"{"e\u0301":1}"#).count == 1)
    }

    @Test("The message says which names there are, or how to name one")
    func messages() throws {
        let typo = try issues(#"{"if":[{"var":"x"},"onn"]}"#, variants: Self.onOff)
        #expect(typo.values.first == #""onn" is no variant of the flag; there are on, off"#)
        let comparison = try issues(#"{"==":[{"var":"x"},1]}"#, variants: #"{"true":1,"off":0}"#)
        #expect(
            comparison.values.first
                == "comes to true or false, and no variant is called false: name variants with "
                + #"{"if": [{"==": …}, VARIANT, VARIANT]}"#)
    }

    @Test(
        "A number that no program can read is refused where it stands",
        arguments: [
            (#"{"variants":{"a":1e400}}"#, "/variants/a"), (#"{"variants":{"a":{"b":[0,-1e999]}}}"#, "/variants/a/b/1"),
            (#"{"metadata":{"m":2e308}}"#, "/metadata/m"),
            (#"{"targeting":{"if":[{"<":[{"var":"x"},1e400]},"a"]}}"#, "/targeting/if/0/</1"),
        ])
    func numbers(change: String, pointer: String) throws {
        let flag: JSONValue = ["state": "ENABLED", "variants": ["a": 1]]
        let json = try flag.merged(with: JSONValue(parsing: change))
        do throws(DefinitionIssues) {
            _ = try FlagDefinition(wanted: json)
            Issue.record("\(change) must be refused")
        } catch {
            #expect(error.issues.map(\.pointer).contains(pointer))
        }
        #expect(throws: Never.self) { try FlagDefinition(wanted: flag.merged(with: ["variants": ["a": 1.7e308]])) }
    }

    @Test(
        "What only run time can know is named in the failure, cut where it is long",
        arguments: [
            (#""onn""#, #""onn""#), (#""a\"b\n""#, #""a\"b\n""#), ("true", "true"),
            ("12345678901234567890", "12345678901234567890"),
            ("[1, 2.0]", "[1,2]"),
            ("\"" + String(repeating: "x", count: 500) + "\"", "\"" + String(repeating: "x", count: 99) + "…"),
        ])
    func runTime(value: String, shown: String) throws {
        let definition = FlagDefinition(
            keeping: try JSONValue(
                parsing: #"{"state":"ENABLED","variants":{"on":1},"targeting":{"var":"x"}}"#))
        let flag = CompiledFlag(key: "f", definition: definition, fractional: .v3)
        let context = try JSONDocument(parsing: Array(#"{"x":\#(value)}"#.utf8))
        let evaluation = flag.evaluate(
            EvaluationContext(attributes: context.root), killSwitch: nil, override: nil,
            now: Timestamp(millisecondsSinceEpoch: 0))
        #expect(evaluation.error?.code == .general)
        #expect(evaluation.error?.details == "targeting came to \(shown), which is no variant of the flag")
    }
}
