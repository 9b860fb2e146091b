import JSON
import TestSupport
import Testing

@Suite("A JSON patch")
struct JSONPatchTests {
    private struct Example {
        let old: String
        let new: String
        let patch: String
    }

    private static let examples = [
        Example(old: "1", new: "1", patch: "[]"),
        Example(old: "1", new: "[2]", patch: #"[{"op":"replace","path":"","value":[2]}]"#),
        Example(old: #"{"a":1,"b":2}"#, new: #"{"b":2,"a":1}"#, patch: "[]"),
        Example(
            old: #"{"a":1,"b":2}"#, new: #"{"a":3,"c":null}"#,
            patch:
                #"[{"op":"replace","path":"/a","value":3},{"op":"remove","path":"/b"},"#
                + #"{"op":"add","path":"/c","value":null}]"#
        ),
        Example(
            old: #"{"a/b":{"m~n":1}}"#, new: #"{"a/b":{"m~n":2}}"#,
            patch: #"[{"op":"replace","path":"/a~1b/m~0n","value":2}]"#),
        Example(old: "[1,2,3]", new: "[1,3]", patch: #"[{"op":"remove","path":"/1"}]"#),
        Example(old: "[1,3]", new: "[1,2,3]", patch: #"[{"op":"add","path":"/1","value":2}]"#),
        Example(
            old: "[1,2,3,4]", new: "[9]",
            patch: #"[{"op":"replace","path":"/0","value":9},"#
                + #"{"op":"remove","path":"/1"},{"op":"remove","path":"/1"},{"op":"remove","path":"/1"}]"#),
        Example(old: "[1,1]", new: "[1,1,1]", patch: #"[{"op":"add","path":"/2","value":1}]"#),
        Example(
            old: #"[{"x":1},{"y":2}]"#, new: #"[{"x":1},{"y":3}]"#,
            patch: #"[{"op":"replace","path":"/1/y","value":3}]"#),
    ]

    @Test("says what differs", arguments: examples.indices)
    func difference(index: Int) throws {
        let example = Self.examples[index]
        let (old, new) = (try JSONValue(parsing: example.old), try JSONValue(parsing: example.new))
        let patch = JSONPatch(from: old, to: new)
        #expect(patch.json.serialized() == example.patch)
        #expect(try patch.applied(to: old) == new)
        #expect(try JSONPatch(json: patch.json) == patch)
    }

    @Test("makes one value of any other, also after it was written and read")
    func anyValues() throws {
        var generator = SeededGenerator(seed: 16)
        for _ in 0..<2_000 {
            let (old, new) = (JSONValue.random(3, &generator), JSONValue.random(3, &generator))
            let patch = JSONPatch(from: old, to: new)
            #expect(try JSONPatch(json: patch.json).applied(to: old) == new)
        }
    }

    @Test(
        "does not fit a value that it was not made for",
        arguments: [
            (#"[{"op":"remove","path":"/a"}]"#, "{}"), (#"[{"op":"replace","path":"/0","value":1}]"#, "[]"),
            (#"[{"op":"add","path":"/2","value":1}]"#, "[1]"),
            (#"[{"op":"replace","path":"/a/b","value":1}]"#, #"{"a":1}"#),
            (#"[{"op":"remove","path":""}]"#, "1"), (#"[{"op":"add","path":"/-1","value":1}]"#, "[1]"),
        ])
    func otherValue(patch: String, value: String) throws {
        let patch = try JSONPatch(json: JSONValue(parsing: patch))
        #expect(throws: JSONPatch.Failure.self) { try patch.applied(to: JSONValue(parsing: value)) }
    }

    @Test(
        "is not read from what is none",
        arguments: [
            "{}", "[1]", #"[{"op":"move","path":"/a","from":"/b"}]"#, #"[{"op":"add","path":"/a"}]"#,
            #"[{"op":"remove","path":"/a","value":1}]"#, #"[{"op":"remove","path":"a"}]"#, #"[{"op":"remove"}]"#,
        ])
    func malformed(text: String) throws {
        #expect(throws: JSONPatch.Failure.malformed) { try JSONPatch(json: JSONValue(parsing: text)) }
    }
}

extension JSONValue {
    fileprivate static func random(_ depth: Int, _ generator: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth == 0 ? 2 : 4), using: &generator) {
        case 0: return .integer(Int64.random(in: 0..<3, using: &generator))
        case 1: return .string(["", "a", "~/"].randomElement(using: &generator) ?? "")
        case 2:
            return .array((0..<Int.random(in: 0..<4, using: &generator)).map { _ in .random(depth - 1, &generator) })
        default:
            var object = JSONObject()
            for name in ["a", "b/", "~", "0"] where Bool.random(using: &generator) {
                object[name] = .random(depth - 1, &generator)
            }
            return .object(object)
        }
    }
}
