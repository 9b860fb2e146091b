import JSON
import Testing

@testable import Evaluation
@testable import FlagServer

@Suite("The bounds of a context")
struct ContextLimitsTests {
    private static func text(_ count: Int) -> String { String(repeating: "a", count: count) }

    /// Contexts that are too large, and what is said of them.
    static let excesses: [(context: String, place: String, detail: String)] = [
        (#"{"bio":"\#(text(4_097))"}"#, "/bio", "a text of 4097 bytes; at most 4096 (limits.context-text)"),
        (#"{"a":[1,{"b/c":"\#(text(5_000))"}]}"#, "/a/1/b~1c", "a text of 5000 bytes"),
        (#"{"n":\#(String(repeating: "7", count: 4_097))}"#, "/n", "a number of 4097 bytes"),
        (#"{"\#(text(4_097))":1}"#, "", "the name of a member of 4097 bytes"),
        ("{\(many(17))}", "", "holds more than 65536 bytes of names, texts and numbers (limits.context)"),
        (
            #"{"l":[\#(Array(repeating: "1", count: 40_000).joined(separator: ","))]}"#, "",
            "holds more than 65536 bytes"
        ),
    ]

    /// Members whose texts are as long as one may be.
    private static func many(_ count: Int) -> String {
        (0..<count).map { #""m\#($0)":"\#(text(4_096))""# }.joined(separator: ",")
    }

    @Test("OFREP refuses a context that is too large, and says where and which bound", arguments: excesses.indices)
    func ofrep(index: Int) throws {
        let server = try RouteServer()
        try server.create("f")
        let excess = Self.excesses[index]
        for answer in [try server.ofrep("f", excess.context), try server.bulk(excess.context)] {
            #expect(answer.status == 400)
            let failure = try JSONValue(parsing: answer.body)
            #expect(failure["errorCode"] == "INVALID_CONTEXT")
            #expect(failure["errorDetails"]?.stringValue?.hasPrefix("context\(excess.place): \(excess.detail)") == true)
        }
    }

    @Test("The other routes refuse it by its place in metadata", arguments: ["evaluate", "evaluate/batch", "explain"])
    func api(route: String) throws {
        let server = try RouteServer()
        let key = route == "evaluate/batch" ? #""flagKeys":["f"]"# : #""flagKey":"f""#
        for excess in Self.excesses {
            let body = #"{"tenantId":"t",\#(key),"metadata":\#(excess.context)}"#
            let answer = try server.send("POST", "/api/\(route)", body)
            #expect(answer.status == 400)
            let errors = try JSONValue(parsing: answer.body)["errors"]?.arrayValue
            #expect(errors?.first?["pointer"]?.stringValue == "/metadata\(excess.place)")
        }
        let body = #"{"tenantId":"t",\#(key),"userId":"\#(Self.text(4_097))"}"#
        #expect(try server.send("POST", "/api/\(route)", body).status == 400)
    }

    @Test("What a context may hold at most is answered; a large body around it does not count")
    func largest() throws {
        let server = try RouteServer()
        try server.create("f")
        #expect(try server.ofrep("f", "{\(Self.many(15))}").status == 200)
        let body = #"{"context":{},"stray":"\#(Self.text(100_000))"}"#
        #expect(try server.send("POST", "/ofrep/v1/evaluate/flags/f", body).status == 200)
    }

    @Test("Names, texts and numbers count their bytes, each value one more; so many are held and no more")
    func exact() throws {
        let cases = [
            ("{}", 1), (#"{"a":"bb"}"#, 5), (#"{"a":123}"#, 6), (#"{"a":[null,true,[]]}"#, 6), (#"{"a":{"bc":0}}"#, 7),
        ]
        for (text, bytes) in cases {
            let document = try JSONDocument(parsing: Array(text.utf8))
            for (limit, isHeld) in [(bytes, true), (bytes - 1, false)] {
                let limits = ContextLimits(bytes: limit, textBytes: 3)
                let isWithin = (try? limits.check(document.root, ofBody: 1000)) != nil
                #expect(isWithin == isHeld, "\(text) \(limit)")
            }
        }
        let text = try JSONDocument(parsing: Array(#"{"a":"bbbb"}"#.utf8))
        #expect(throws: ContextLimits.Excess.self) {
            try ContextLimits(bytes: 100, textBytes: 3).check(text.root, ofBody: 1000)
        }
        try ContextLimits(bytes: 100, textBytes: 4).check(text.root, ofBody: 1000)
    }
}
