import JSON
import Testing

@Suite("Merge patches")
struct MergingTests {
    @Test(
        "A patch is merged as RFC 7396 has it",
        arguments: [
            // The table of appendix A.
            (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
            (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
            (#"{"a":"b"}"#, #"{"a":null}"#, #"{}"#),
            (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
            (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
            (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
            (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
            (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
            (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
            (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#),
            (#"{"a":"foo"}"#, #"null"#, #"null"#),
            (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
            (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
            (#"[1,2]"#, #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
            (#"{}"#, #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
            // Numbers keep their spelling, members their order; an array's own nulls are values.
            (#"{"b":1.0,"a":2}"#, #"{"a":3e0,"c":[null]}"#, #"{"b":1.0,"a":3e0,"c":[null]}"#),
            (#"{"a":{"x":{"y":1,"z":2}},"b":0}"#, #"{"a":{"x":{"y":null}}}"#, #"{"a":{"x":{"z":2}},"b":0}"#),
        ])
    func merged(original: String, patch: String, result: String) throws {
        let merged = try JSONValue(parsing: original).merged(with: JSONValue(parsing: patch))
        #expect(merged.serialized() == result)
    }

    @Test("A patch of as many members as there are is merged in one pass", .timeLimit(.minutes(1)))
    func linear() {
        let names = (0..<10_000).map { "member-\($0)" }
        let object = JSONObject(names.map { (key: $0, value: 1) })
        let patch = JSONObject(names.map { (key: $0, value: .null) })
        #expect(object.merged(with: patch).isEmpty)
    }
}
