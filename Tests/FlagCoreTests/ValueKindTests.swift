import JSON
import Testing

@testable import FlagCore

/// What operators make of values of each kind: a large number, a list, an object are three things.
@Suite("Kinds of values")
struct ValueKindTests {
    private static let context = #"""
        {"number":12345678901234567890,"list":["2.5.0"],"object":{"a":"2.5.0"},"version":"2.5.0","text":"αβγ🙂",
         "empty":"","none":[],"deep":{"list":[[1,2],{"length":"own"}],"length":7},"flag":true}
        """#

    @Test(
        "The length of a list and of a text can be asked for; a member of that name comes first",
        arguments: [
            ("list.length", "1"), ("none.length", "0"), ("text.length", "4"), ("empty.length", "0"),
            ("deep.list.length", "2"), ("deep.list.0.length", "2"), ("deep.list.1.length", #""own""#),
            ("deep.length", "7"), ("object.length", "null"), ("number.length", "null"), ("flag.length", "null"),
            ("length", "null"), ("zz.length", "null"), ("list.length.length", "null"), ("list.Length", "null"),
        ])
    func length(path: String, result: String) throws {
        try RuleCase(#"{"var":"\#(path)"}"#, result, on: Self.context).check()
        try RuleCase(#"{"var":{"cat":"\#(path)"}}"#, result, on: Self.context).check()
    }

    @Test(
        "It is found in computed lists, in elements and in what missing looks for",
        arguments: [
            RuleCase(#"{"map":[{"var":"list"},{"var":"length"}]}"#, "[5]", on: context),
            RuleCase(#"{"filter":[["a","bcd"],{">":[{"var":"length"},2]}]}"#, #"["bcd"]"#),
            RuleCase(
                #"{"reduce":[["ab","c"],{"+":[{"var":"accumulator"},{"var":"current.length"}]},0]}"#, "3"),
            RuleCase(
                #"{"reduce":[[1],{"var":"accumulator.length"},{"merge":[1,2,3]}]}"#, "3"),
            RuleCase(#"{"missing":["list.length","object.length"]}"#, #"["object.length"]"#, on: context),
        ])
    func elements(example: RuleCase) throws { try example.check() }

    @Test(
        "A version is a text or a number, never what is in a list or an object",
        arguments: [
            ("version", "true"), ("list", "null"), ("none", "null"), ("object", "null"), ("flag", "null"),
            ("zz", "null"), ("number", "true"),
        ])
    func versions(name: String, result: String) throws {
        for right in [#""2.0.0""#, #"{"cat":"2.0.0"}"#] {
            try RuleCase(#"{"sem_ver":[{"var":"\#(name)"},">=",\#(right)]}"#, result, on: Self.context).check()
        }
        try RuleCase(
            #"{"sem_ver":["99999999999999999999.0.0",{"cat":">="},{"var":"\#(name)"}]}"#, result, on: Self.context
        ).check()
    }

    @Test(
        "A number that is kept as it is spelled is a number for every operator",
        arguments: [
            (#"{"!!":{"var":"number"}}"#, "true"), (#"{"starts_with":[{"var":"number"},"1"]}"#, "null"),
            (#"{"cat":{"var":"number"}}"#, #""12345678901234567890""#),
            (#"{"substr":[{"var":"number"},-2]}"#, #""90""#), (#"{"in":["89",{"var":"number"}]}"#, "false"),
            (#"{"in":[{"var":"number"},"a12345678901234567890b"]}"#, "false"),
            (#"{"merge":{"var":"number"}}"#, "[12345678901234567890]"), (#"{"map":[{"var":"number"},1]}"#, "[]"),
            (#"{"+":[{"var":"number"},0]}"#, "12345678901234567168"),
            (#"{"max":{"var":"number"}}"#, "12345678901234567168"),
            (#"{"<":[{"var":"number"},12345678901234567891e1]}"#, "true"), (#"{"var":"number.0"}"#, "null"),
            (#"{"==":[{"var":"number"},"12345678901234567890"]}"#, "true"),
            (#"{"==":[{"var":"number"},[12345678901234567890]]}"#, "true"),
            (#"{"===":[{"var":"number"},[12345678901234567890]]}"#, "false"),
        ])
    func largeNumbers(rule: String, result: String) throws {
        try RuleCase(rule, result, on: Self.context).check()
    }
}
