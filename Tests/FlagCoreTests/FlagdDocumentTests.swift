import FlagCore
import JSON
import Testing

@Suite("flagd's flag files")
struct FlagdDocumentTests {
    private static let flag: JSONValue = ["state": "ENABLED", "variants": ["on": true, "off": false]]

    @Test("flags come by key or in an array, in the file's order")
    func order() throws {
        let byKey = try FlagdDocument(["flags": ["b": Self.flag, "a": Self.flag]])
        #expect(byKey.flags.map(\.key) == ["b", "a"])
        var keyed = Self.flag.objectValue ?? [:]
        keyed["key"] = "x"
        let array = try FlagdDocument(["flags": [.object(keyed)]])
        #expect(array.flags.map(\.key) == ["x"])
        #expect(array.flags.first?.definition == Self.flag)
    }

    @Test(
        "without flags are refused, with the place",
        arguments: [
            ("[]", ""), ("{}", "/flags"), (#"{"flags":1}"#, "/flags"),
            (#"{"flags":[{"state":"ENABLED"}]}"#, "/flags/0"),
        ])
    func refused(text: String, pointer: String) throws {
        let json = try JSONValue(parsing: text)
        let error = #expect(throws: DefinitionIssues.self) { try FlagdDocument(json) }
        #expect(error?.issues.map(\.pointer) == [pointer])
    }

    @Test("what is wrong with one flag is said of that flag, and the others are not touched")
    func issues() throws {
        let document = try FlagdDocument([
            "flags": ["good": Self.flag, "b/d": ["state": "x", "variants": ["a": 1], "targeting": ["nope": 1]]]
        ])
        #expect(throws: Never.self) { try document.flags[0].checked.get() }
        let error = #expect(throws: DefinitionIssues.self) { try document.flags[1].checked.get() }
        #expect(error?.issues.map(\.pointer) == ["/flags/b~1d/state", "/flags/b~1d/targeting/nope"])
    }

    @Test("shared rules take the place of references to them, also within each other")
    func references() throws {
        let definition = try resolved(
            evaluators: ["inner": ["==": [["var": "x"], 1]], "outer": ["!": [["$ref": "inner"]]]],
            targeting: ["if": [["$ref": "outer"], "on", "off"]])
        #expect(definition["targeting"] == ["if": [["!": [["==": [["var": "x"], 1]]]], "on", "off"]])
    }

    @Test("a reference to nothing, or to itself, stays and is an issue")
    func badReferences() throws {
        let evaluators: JSONObject = ["a": ["!": [["$ref": "b"]]], "b": ["!": [["$ref": "a"]]]]
        for name in ["none", "a"] {
            let targeting: JSONValue = ["if": [["$ref": .string(name)], "on", "off"]]
            let definition = try resolved(evaluators: evaluators, targeting: targeting)
            #expect(FlagDefinition(keeping: definition).issues.count == 1)
        }
    }

    @Test("what is wrong within a shared rule is told at its place there, not where it would be once put in")
    func placesInSharedRules() throws {
        var flag = Self.flag.objectValue ?? [:]
        flag["targeting"] = ["if": [["$ref": "a/b"], "on", ["nope": 1]]]
        let document = try FlagdDocument([
            "flags": ["f": .object(flag)],
            "$evaluators": ["a/b": ["!": [["$ref": "inner"]]], "inner": ["and": [["zork": 1], ["$ref": "a/b"]]]],
        ])
        let error = #expect(throws: DefinitionIssues.self) { try document.flags[0].checked.get() }
        #expect(
            error?.issues.map(\.pointer) == [
                "/$evaluators/inner/and/0/zork", "/$evaluators/inner/and/1/$ref", "/flags/f/targeting/if/2/nope",
            ])
    }

    @Test("references that double the rule with each level end at the bound")
    func explosion() throws {
        var evaluators: JSONObject = ["e0": ["var": "x"]]
        for level in 1..<40 {
            let reference: JSONValue = ["$ref": .string("e\(level - 1)")]
            evaluators["e\(level)"] = ["and": [reference, reference]]
        }
        let definition = try resolved(evaluators: evaluators, targeting: ["if": [["$ref": "e39"], "on", "off"]])
        #expect(!FlagDefinition(keeping: definition).issues.isEmpty)
    }

    @Test("the set's metadata is each flag's, unless the flag says otherwise; null says nothing")
    func metadata() throws {
        var own = Self.flag.objectValue ?? [:]
        own["metadata"] = ["owner": "team-a", "version": .null]
        let document = try FlagdDocument([
            "flags": ["own": .object(own), "none": Self.flag],
            "metadata": ["owner": "set", "version": "2.0", "wrong": []],
        ])
        #expect(document.flags[0].definition["metadata"] == ["owner": "team-a", "version": "2.0"])
        #expect(document.flags[1].definition["metadata"] == ["owner": "set", "version": "2.0"])
        #expect(document.issues.map(\.pointer) == ["/metadata/wrong"])
    }

    private func resolved(evaluators: JSONObject, targeting: JSONValue) throws -> JSONValue {
        var flag = Self.flag.objectValue ?? [:]
        flag["targeting"] = targeting
        let document = try FlagdDocument(["flags": ["f": .object(flag)], "$evaluators": .object(evaluators)])
        return try #require(document.flags.first).definition
    }
}
