import JSON
import Testing

@testable import FlagCore

/// What a rule, written as JSON, comes to on some data.
struct RuleCase: CustomTestStringConvertible, Sendable {
    let rule: String
    let data: String
    let result: String

    init(_ rule: String, _ result: String, on data: String = "{}") {
        self.rule = rule
        self.data = data
        self.result = result
    }

    var testDescription: String { "\(rule) on \(data)" }

    func check() throws {
        let result = RuleRun.result(of: try JSONValue(parsing: rule), data: try JSONValue(parsing: data))
        #expect(result?.serialized() == self.result, "\(rule) on \(data)")
    }
}

@Suite("The operators of rules")
struct OperatorTests {
    private static let context =
        #"{"a":1,"n":null,"s":"x","e":"","list":[10,{"b":"deep"}],"o":{"p":{"q":true}},"0":"zero","ключ":"да"}"#

    @Test(
        "var finds data by path, and gives its default where there is none",
        arguments: [
            RuleCase(#"{"var":"a"}"#, "1", on: context), RuleCase(#"{"var":["a"]}"#, "1", on: context),
            RuleCase(#"{"var":"o.p.q"}"#, "true", on: context),
            RuleCase(#"{"var":"list.1.b"}"#, #""deep""#, on: context),
            RuleCase(#"{"var":"list.2"}"#, "null", on: context), RuleCase(#"{"var":"list.01"}"#, "null", on: context),
            RuleCase(#"{"var":["zz",5]}"#, "5", on: context), RuleCase(#"{"var":["a.b",5]}"#, "5", on: context),
            RuleCase(#"{"var":["n",5]}"#, "null", on: context),
            RuleCase(#"{"var":["zz",{"var":"s"}]}"#, #""x""#, on: context),
            RuleCase(#"{"var":{"cat":["o.","p.q"]}}"#, "true", on: context),
            RuleCase(#"{"var":0}"#, #""zero""#, on: context),
            RuleCase(#"{"var":"ключ"}"#, #""да""#, on: context), RuleCase(#"{"!!":{"var":""}}"#, "true", on: context),
        ])
    func variables(example: RuleCase) throws { try example.check() }

    @Test(
        "missing and missing_some name what is absent, null or empty",
        arguments: [
            RuleCase(#"{"missing":["a","e","n","zz"]}"#, #"["e","n","zz"]"#, on: context),
            RuleCase(#"{"missing":{"merge":["s",["zz"]]}}"#, #"["zz"]"#, on: context),
            RuleCase(#"{"missing":"o.p.q"}"#, "[]", on: context),
            RuleCase(#"{"missing_some":[1,["a","zz"]]}"#, "[]", on: context),
            RuleCase(#"{"missing_some":[2,["a","zz"]]}"#, #"["zz"]"#, on: context),
        ])
    func missing(example: RuleCase) throws { try example.check() }

    @Test(
        "decisions take the first that holds, and evaluate nothing beyond it",
        arguments: [
            RuleCase(#"{"if":[true,1,2]}"#, "1"), RuleCase(#"{"if":[false,1,true,2,3]}"#, "2"),
            RuleCase(#"{"if":[false,1]}"#, "null"), RuleCase(#"{"if":[]}"#, "null"), RuleCase(#"{"?:":[[],1,2]}"#, "2"),
            RuleCase(#"{"if":[true,1,{"no_such":1}]}"#, "1"), RuleCase(#"{"or":[0,"","x",{"no_such":1}]}"#, #""x""#),
            RuleCase(#"{"and":[1,[],{"no_such":1}]}"#, "[]"), RuleCase(#"{"and":[1,"0"]}"#, #""0""#),
            RuleCase(#"{"or":[0,null]}"#, "null"), RuleCase(#"{"!":[[]]}"#, "true"), RuleCase(#"{"!":[]}"#, "true"),
            RuleCase(#"{"!!":[{"var":"o"}]}"#, "true", on: #"{"o":{}}"#), RuleCase(#"{"!!":"0"}"#, "true"),
        ])
    func decisions(example: RuleCase) throws { try example.check() }

    @Test(
        "loose equality coerces, strict equality does not",
        arguments: [
            RuleCase(#"{"==":[1,"1.0"]}"#, "true"), RuleCase(#"{"==":["1","1.0"]}"#, "false"),
            RuleCase(#"{"==":[true,1]}"#, "true"), RuleCase(#"{"===":[true,1]}"#, "false"),
            RuleCase(#"{"==":[0," "]}"#, "true"), RuleCase(#"{"==":[0,"x"]}"#, "false"),
            RuleCase(#"{"==":[null,0]}"#, "false"), RuleCase(#"{"==":[null,false]}"#, "false"),
            RuleCase(#"{"==":[null,{"var":"zz"}]}"#, "true"), RuleCase(#"{"===":[1,1.0]}"#, "true"),
            RuleCase(#"{"!=":[1,"2"]}"#, "true"), RuleCase(#"{"!==":[1,"1"]}"#, "true"),
            RuleCase(#"{"==":[[1],1]}"#, "true"), RuleCase(#"{"==":[[1,2],"1,2"]}"#, "true"),
            RuleCase(#"{"===":[[1,[2]],[1.0,[2]]]}"#, "true"), RuleCase(#"{"==":["\u00e9","e\u0301"]}"#, "false"),
            RuleCase(#"{"==":[9007199254740993,9007199254740992]}"#, "false"),
            RuleCase(#"{"===":[18446744073709551615,18446744073709551615]}"#, "true"),
            // No double is the first of them.
            RuleCase(#"{"===":[9007199254740993,9007199254740992.0]}"#, "false"),
            RuleCase(#"{"===":[[1,2],[1]]}"#, "false"), RuleCase(#"{"===":[[1],[1,2]]}"#, "false"),
            RuleCase(#"{"==":["18446744073709551615",18446744073709551615]}"#, "true"),
        ])
    func equality(example: RuleCase) throws { try example.check() }

    @Test(
        "texts are ordered as texts, everything else as numbers",
        arguments: [
            RuleCase(#"{"<":["10","9"]}"#, "true"), RuleCase(#"{"<":["10",9]}"#, "false"),
            RuleCase(#"{"<":[1,2,3]}"#, "true"), RuleCase(#"{"<":[1,2,2]}"#, "false"),
            RuleCase(#"{"<=":[1,2,2]}"#, "true"), RuleCase(#"{">":[2.5,"2"]}"#, "true"),
            RuleCase(#"{">=":[null,0]}"#, "true"), RuleCase(#"{"<":["x",1]}"#, "false"),
            RuleCase(#"{">=":["x",1]}"#, "false"), RuleCase(#"{">":[true,false]}"#, "true"),
            RuleCase(#"{"<":[9007199254740992,9007199254740993]}"#, "true"), RuleCase(#"{"<":["a","é"]}"#, "true"),
        ])
    func order(example: RuleCase) throws { try example.check() }

    @Test(
        "arithmetic is exact while it can be, and takes numbers out of texts",
        arguments: [
            RuleCase(#"{"+":[1,2,3]}"#, "6"), RuleCase(#"{"+":["3.14"]}"#, "3.14"), RuleCase(#"{"+":["2px",1]}"#, "3"),
            RuleCase(#"{"+":[9007199254740992,1]}"#, "9007199254740993"), RuleCase(#"{"+":[]}"#, "0"),
            RuleCase(#"{"+":[9223372036854775807,1]}"#, "9223372036854775808"), RuleCase(#"{"+":[null,1]}"#, "null"),
            RuleCase(#"{"*":["2",3,0.5]}"#, "3"), RuleCase(#"{"-":[5,"2"]}"#, "3"), RuleCase(#"{"-":[2]}"#, "-2"),
            RuleCase(#"{"-":["x",1]}"#, "null"), RuleCase(#"{"/":[1,4]}"#, "0.25"), RuleCase(#"{"/":[4,2]}"#, "2"),
            RuleCase(#"{"/":[1,0]}"#, "null"), RuleCase(#"{"%":[-7,3]}"#, "-1"), RuleCase(#"{"%":[7.5,2]}"#, "1.5"),
            RuleCase(#"{"%":[7,0]}"#, "null"), RuleCase(#"{"%":[-9223372036854775808,-1]}"#, "0"),
            RuleCase(#"{"max":[1,"3",2]}"#, "3"), RuleCase(#"{"min":[1,-2.5]}"#, "-2.5"),
            RuleCase(#"{"max":[1,"x"]}"#, "null"),
        ])
    func arithmetic(example: RuleCase) throws { try example.check() }

    @Test(
        "cat writes numbers as JavaScript does, and nothing for null",
        arguments: [
            RuleCase(#"{"cat":["a",1,null,true,2.50,"é"]}"#, #""a1true2.5é""#),
            RuleCase(#"{"cat":[[1,[2,null]]]}"#, #""1,2,""#),
            RuleCase(#"{"cat":[1e21]}"#, #""1e+21""#),
            RuleCase(#"{"cat":[123456789012345680000]}"#, #""123456789012345680000""#),
            RuleCase(#"{"cat":[1e-7]}"#, #""1e-7""#), RuleCase(#"{"cat":[1.5e-9]}"#, #""1.5e-9""#),
            RuleCase(#"{"cat":[0.000001]}"#, #""0.000001""#), RuleCase(#"{"cat":[0.1,-0.05]}"#, #""0.1-0.05""#),
            RuleCase(#"{"cat":[12345.678]}"#, #""12345.678""#),
            RuleCase(#"{"cat":[1.7976931348623157e308]}"#, #""1.7976931348623157e+308""#),
            RuleCase(#"{"cat":[5e-324,"|",-9223372036854775808]}"#, #""5e-324|-9223372036854775808""#),
            RuleCase(#"{"cat":[]}"#, #""""#), RuleCase(#"{"cat":"x"}"#, #""x""#),
        ])
    func concatenation(example: RuleCase) throws { try example.check() }

    @Test(
        "substr counts characters, from either end",
        arguments: [
            RuleCase(#"{"substr":["jsonlogic",4]}"#, #""logic""#),
            RuleCase(#"{"substr":["jsonlogic",-5]}"#, #""logic""#),
            RuleCase(#"{"substr":["jsonlogic",1,3]}"#, #""son""#),
            RuleCase(#"{"substr":["jsonlogic",4,-2]}"#, #""log""#),
            RuleCase(#"{"substr":["用户-😀x",1,3]}"#, #""户-😀""#), RuleCase(#"{"substr":["abc",9]}"#, #""""#),
            RuleCase(#"{"substr":["abc",-9,2]}"#, #""ab""#), RuleCase(#"{"substr":["abc",2,-5]}"#, #""""#),
            RuleCase(#"{"substr":[12345,1,2]}"#, #""23""#),
        ])
    func substring(example: RuleCase) throws { try example.check() }

    @Test(
        "in looks for elements strictly, and for parts of texts",
        arguments: [
            RuleCase(#"{"in":["b",["a","b"]]}"#, "true"), RuleCase(#"{"in":["1",[1,2]]}"#, "false"),
            RuleCase(#"{"in":[1.0,[1,2]]}"#, "true"), RuleCase(#"{"in":["ell","hello"]}"#, "true"),
            RuleCase(#"{"in":["","hello"]}"#, "true"), RuleCase(#"{"in":["hello","ell"]}"#, "false"),
            RuleCase(#"{"in":["aab","aaab"]}"#, "true"), RuleCase(#"{"in":["x",null]}"#, "false"),
            RuleCase(#"{"in":[1,"a1b"]}"#, "true"), RuleCase(#"{"in":[[1],[[1],[2]]]}"#, "true"),
            RuleCase(#"{"in":[{"var":"v"},["a","b","c","d","e",1,2.5,true,null,[7]]]}"#, "true", on: #"{"v":"e"}"#),
            RuleCase(#"{"in":[{"var":"v"},["a","b","c","d","e",1,2.5,true,null,[7]]]}"#, "true", on: #"{"v":1.0}"#),
            RuleCase(#"{"in":[{"var":"v"},["a","b","c","d","e",1,2.5,true,null,[7]]]}"#, "true", on: #"{"v":[7]}"#),
            RuleCase(#"{"in":[{"var":"v"},["a","b","c","d","e",1,2.5,true,null,[7]]]}"#, "true", on: #"{"v":null}"#),
            RuleCase(#"{"in":[{"var":"v"},["a","b","c","d","e",1,2.5,true,null,[7]]]}"#, "false", on: #"{"v":false}"#),
            RuleCase(#"{"in":[{"var":"v"},["a","b","c","d","e",1,2.5,true,null,[7]]]}"#, "false", on: #"{"v":"1"}"#),
        ])
    func containment(example: RuleCase) throws { try example.check() }

    private static let cart = #"{"cart":[{"p":1,"q":2},{"p":3,"q":4}],"tags":["a","b"],"outer":9}"#

    @Test(
        "list operators see only the element, and treat what is no list as empty",
        arguments: [
            RuleCase(#"{"map":[{"var":"cart"},{"*":[{"var":"p"},{"var":"q"}]}]}"#, "[2,12]", on: cart),
            RuleCase(#"{"map":[{"var":"cart"},{"var":"outer"}]}"#, "[null,null]", on: cart),
            RuleCase(#"{"filter":[{"var":"tags"},{"==":[{"var":""},"b"]}]}"#, #"["b"]"#, on: cart),
            RuleCase(
                #"{"reduce":[{"var":"cart"},{"+":[{"var":"accumulator"},{"var":"current.q"}]},10]}"#, "16", on: cart),
            RuleCase(#"{"reduce":[{"var":"zz"},{"var":"current"},"initial"]}"#, #""initial""#, on: cart),
            RuleCase(#"{"all":[{"var":"tags"},{"in":[{"var":""},"ab"]}]}"#, "true", on: cart),
            RuleCase(#"{"all":[[],true]}"#, "false"), RuleCase(#"{"none":[[],true]}"#, "true"),
            RuleCase(#"{"some":[[],true]}"#, "false"),
            RuleCase(#"{"some":[{"var":"cart"},{">":[{"var":"p"},2]}]}"#, "true", on: cart),
            RuleCase(#"{"none":[{"var":"cart"},{">":[{"var":"p"},2]}]}"#, "false", on: cart),
            RuleCase(#"{"map":[null,1]}"#, "[]"), RuleCase(#"{"merge":[[1,2],3,[[4]]]}"#, "[1,2,3,[4]]"),
            RuleCase(#"{"map":[{"var":"cart"},{"some":[{"var":"zz"},true]}]}"#, "[false,false]", on: cart),
        ])
    func lists(example: RuleCase) throws { try example.check() }

    @Test(
        "starts_with and ends_with compare texts, and are null for anything else",
        arguments: [
            RuleCase(#"{"starts_with":["hello","he"]}"#, "true"), RuleCase(#"{"starts_with":["he","hello"]}"#, "false"),
            RuleCase(#"{"ends_with":["пример.рф",".рф"]}"#, "true"), RuleCase(#"{"ends_with":["x",""]}"#, "true"),
            RuleCase(#"{"starts_with":["1",1]}"#, "null"), RuleCase(#"{"ends_with":[null,"x"]}"#, "null"),
            RuleCase(#"{"starts_with":["a"]}"#, "null"), RuleCase(#"{"starts_with":["a","a","a"]}"#, "null"),
        ])
    func affixes(example: RuleCase) throws { try example.check() }

    @Test(
        "sem_ver compares versions, and is null when one of them is none",
        arguments: [
            ("1.2.3", "=", "1.2.3", true), ("v1.2.3", "=", "V1.2.3", true), ("1.2.3+build.7", "=", "1.2.3", true),
            ("1.2", "=", "1.2.0", true), ("1", "=", "1.0.0", true), ("1.2.3", "!=", "1.2.4", true),
            ("1.9.0", "<", "1.10.0", true), ("2.0.0-rc.1", "<", "2.0.0", true),
            ("1.0.0-alpha", "<", "1.0.0-alpha.1", true),
            ("1.0.0-alpha.1", "<", "1.0.0-alpha.beta", true), ("1.0.0-beta.2", "<", "1.0.0-beta.11", true),
            ("1.0.0-rc.1", ">", "1.0.0-beta.11", true), ("1.0.0", "<=", "1.0.0", true), ("1.0.0", ">=", "1.0.1", false),
            ("1.9.9", "^", "1.0.0", true), ("2.0.0", "^", "1.0.0", false), ("1.2.9", "~", "1.2.0", true),
            ("1.3.0", "~", "1.2.0", false), ("99999999999999999999999.0.0", ">", "2.0.0", true),
            ("1.2.3.4", "=", "1.2.3", nil), ("01.2.3", "=", "1.2.3", nil), ("1.2.3-01", "=", "1.2.3", nil),
            ("1.2-rc", "=", "1.2.0", nil), ("1.2.3-", "=", "1.2.3", nil), ("", "=", "1.2.3", nil),
            ("v", "=", "1.2.3", nil),
            ("1.2.3", "=>", "1.2.3", nil), ("1.2.3", "=", "latest", nil), (" 1.2.3", "=", "1.2.3", nil),
        ] as [(String, String, String, Bool?)])
    func versions(left: String, symbol: String, right: String, holds: Bool?) {
        let expected = holds.map { JSONValue.bool($0) } ?? .null
        let context: JSONValue = ["l": .string(left), "r": .string(right)]
        for right: JSONValue in [.string(right), ["var": "r"]] {
            let rule: JSONValue = ["sem_ver": [["var": "l"], .string(symbol), right]]
            #expect(RuleRun.result(of: rule, data: context) == expected, "\(rule) on \(context)")
        }
    }

    @Test("a version may be a number")
    func numericVersions() throws {
        try RuleCase(#"{"sem_ver":[{"var":"v"},">=","2.0.0"]}"#, "true", on: #"{"v":2}"#).check()
        try RuleCase(#"{"sem_ver":[{"var":"v"},"~","2.1.9"]}"#, "true", on: #"{"v":2.1}"#).check()
        try RuleCase(#"{"sem_ver":[{"var":"v"},"=","1.0.0"]}"#, "null", on: #"{"v":true}"#).check()
    }

    @Test("an operation on constants is worked out once, and comes to the same")
    func folding() throws {
        let rules = [
            #"{"cat":["a",{"+":[1,2]},[1,{"-":[3,1]}]]}"#, #"{"if":[{"<":[1,2]},{"merge":[[1],{"cat":["x","y"]}]},0]}"#,
            #"[1,{"==":[1,1]},["x",{"!":[0]}]]"#,
        ]
        let results = [#""a31,2""#, #"[1,"xy"]"#, #"[1,true,["x",true]]"#]
        for (rule, result) in zip(rules, results) {
            let compiled = try #require(Rule(try JSONValue(parsing: rule), flagKey: "f", fractional: .v3))
            #expect(compiled.tables.nodes[0].operation == .constant)
            try RuleCase(rule, result).check()
        }
    }
}
