import FlagCore
import JSON
import Testing

@testable import FlagStore

@Suite("From what to what")
struct ValueChangesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let before: String?
        let after: String?
        var bytes = 1_000
        let changes: String
        var omitted = 0

        init(
            _ description: String, _ before: String?, _ after: String?, bytes: Int = 1_000, _ changes: String,
            omitted: Int = 0
        ) {
            testDescription = description
            (self.before, self.after, self.bytes, self.changes) = (before, after, bytes, changes)
            self.omitted = omitted
        }
    }

    private static let long = #""\#(String(repeating: "x", count: 200))""#

    static let cases = [
        Case("nothing differs", #"{"a":1,"b":[1]}"#, #"{"b":[1],"a":1}"#, "[]"),
        Case("another value", #"{"a":1,"b":2}"#, #"{"a":3,"b":2}"#, #"[{"pointer":"/a","before":1,"after":3}]"#),
        Case("another spelling of a number", #"{"a":2}"#, #"{"a":2.0}"#, #"[{"pointer":"/a","before":2,"after":2.0}]"#),
        Case("a member that is new", #"{}"#, #"{"a":null}"#, #"[{"pointer":"/a","after":null}]"#),
        Case("a member that is gone", #"{"a":null}"#, #"{}"#, #"[{"pointer":"/a","before":null}]"#),
        Case(
            "members at depth", #"{"variants":{"on":1,"off":0}}"#, #"{"variants":{"on":2,"a/b":0}}"#,
            """
            [{"pointer":"/variants/on","before":1,"after":2},{"pointer":"/variants/off","before":0},
            {"pointer":"/variants/a~1b","after":0}]
            """),
        Case(
            "an array is one value", #"{"a":[1,2]}"#, #"{"a":[1,3]}"#,
            #"[{"pointer":"/a","before":[1,2],"after":[1,3]}]"#),
        Case("another type", #"{"a":{"b":1}}"#, #"{"a":7}"#, #"[{"pointer":"/a","before":{"b":1},"after":7}]"#),
        Case("all of it is new", nil, #"{"a":1,"b":{"c":2}}"#, #"[{"pointer":"","after":{"a":1,"b":{"c":2}}}]"#),
        Case("all of it is gone", #"{"a":1}"#, nil, #"[{"pointer":"","before":{"a":1}}]"#),
        Case(
            "a text that is too large is told by its size", #"{"a":"b"}"#, #"{"a":\#(long)}"#, bytes: 110,
            #"[{"pointer":"/a","before":"b","afterBytes":202}]"#),
        Case(
            "what is new and too large is told by its members", nil, #"{"a":1,"b":{"c":\#(long),"d":[2]}}"#, bytes: 150,
            #"[{"pointer":"/a","after":1},{"pointer":"/b/c","afterBytes":202},{"pointer":"/b/d","after":[2]}]"#),
        Case(
            "an array that is too large is told by its elements", #"{"a":[1,\#(long),2]}"#, #"{"a":[1,\#(long),3]}"#,
            bytes: 150, #"[{"pointer":"/a/2","before":2,"after":3}]"#),
        Case(
            "an element more of an array that is too large", #"{"a":[\#(long),1,2]}"#, #"{"a":[\#(long),1,7,2]}"#,
            bytes: 150, #"[{"pointer":"/a/2","after":7}]"#),
        Case(
            "an element less of one", #"{"a":[{"b":1},\#(long),1,2]}"#, #"{"a":[\#(long),1,2]}"#,
            bytes: 150, #"[{"pointer":"/a/0","before":{"b":1}}]"#),
        Case(
            "at depth", #"{"if":[{"==":[{"var":"x"},\#(long)]},"on"]}"#,
            #"{"if":[{"==":[{"var":"y"},\#(long)]},"on"]}"#,
            bytes: 150, #"[{"pointer":"/if/0/==/0/var","before":"x","after":"y"}]"#),
        Case(
            "arrays of which nothing says what became of what", #"{"a":[\#(long),1,2]}"#, #"{"a":[3,\#(long)]}"#,
            bytes: 150, #"[{"pointer":"/a","beforeBytes":208,"afterBytes":206}]"#),
        Case(
            "what there is no room for is counted", #"{"a":1,"b":1,"c":1}"#, #"{"a":2,"b":2,"c":2}"#, bytes: 80,
            #"[{"pointer":"/a","before":1,"after":2},{"pointer":"/b","before":1,"after":2}]"#, omitted: 1),
        Case(
            "a pointer that is too long is counted", #"{}"#, #"{\#(long):{"b":1}}"#, bytes: 150, "[]", omitted: 1),
    ]

    @Test("Changes are told by pointer, before and after, as far as there is room", arguments: cases)
    func changes(_ example: Case) throws {
        let changes = ValueChanges(
            from: try example.before.map { try JSONValue(parsing: $0) },
            to: try example.after.map { try JSONValue(parsing: $0) }, bytes: example.bytes)
        #expect(.array(changes.list) == (try JSONValue(parsing: example.changes)))
        #expect(changes.omitted == example.omitted)
    }

    @Test("However large and deep values are, what is told of them is bounded")
    func bounded() throws {
        var deep = JSONValue.string(String(repeating: "y", count: 100_000))
        for _ in 0..<100 { deep = ["a": [deep, 1]] }
        let wide = JSONValue.object(JSONObject((0..<20_000).map { ("member-\($0)", .integer($0)) }))
        for value in [deep, wide] {
            for (before, after) in [(nil, value), (value, nil), (["a": value], ["a": 1])] as [(JSONValue?, JSONValue?)]
            {
                let changes = ValueChanges(from: before, to: after)
                #expect(JSONValue.array(changes.list).serializedBytes().count < 2 * FlagLimits.historyEntryBytes)
                #expect(!changes.list.isEmpty)
            }
        }
    }
}
