import FlagCore
import JSON
import Testing

@testable import FlagStore

@Suite("Differences in words")
struct ChangeWordsTests {
    /// Two contents, and what is said of them.
    struct Case: CustomTestStringConvertible {
        let old: JSONObject
        let new: JSONObject
        let words: [String]

        var testDescription: String { words.joined(separator: "; ") }

        init(_ old: JSONObject, _ new: JSONObject, _ words: String...) {
            (self.old, self.new, self.words) = (old, new, words)
        }
    }

    private static func rule(_ parts: JSONValue...) -> JSONObject { ["targeting": ["if": .array(parts)]] }
    private static let gold: JSONValue = ["==": [["var": "plan"], "gold"]]
    private static let beta: JSONValue = ["segment": "beta"]
    private static func shares(_ on: Int64, _ off: Int64) -> JSONValue {
        ["fractional": [["on", .integer(on)], ["off", .integer(off)]]]
    }

    static let cases = [
        Case(["rollout": ["percentage": 10]], ["rollout": ["percentage": 50]], "percentage 10 → 50"),
        Case(
            ["rollout": ["percentage": 10, "regions": ["eu"]]],
            ["rollout": ["percentage": 10, "regions": ["eu", "us"], "startAt": "2026-01-01T00:00:00Z"]],
            "region us added", "start none → 2026-01-01T00:00:00Z"),
        Case([:], ["rollout": ["percentage": 5]], "rollout added: percentage 5"),
        Case(["rollout": ["percentage": 5]], [:], "rollout removed"),
        Case(
            ["rollout": ["percentage": 5]], ["rollout": ["percentage": 5, "businessHours": ["from": "9"]]],
            "business hours added"),
        Case(["defaultEnabled": false], ["defaultEnabled": true], "default off → on"),
        Case(["defaultVariant": "off"], ["defaultVariant": "on"], "default variant off → on"),
        Case(["state": "ENABLED"], ["state": "DISABLED"], "state ENABLED → DISABLED"),
        Case(["description": "a"], ["description": "b"], "description changed"),
        Case(["owner": "a"], ["owner": "b"], "owner a → b"),
        Case(["tags": ["a", "b"]], ["tags": ["b", "c"]], "tag c added", "tag a removed"),
        Case([:], ["clientSide": true], "browsers and apps may evaluate it"),
        Case([:], ["archived": true], "archived"),
        Case([:], ["expiresAt": "2027-01-01T00:00:00.000Z"], "expires none → 2027-01-01T00:00:00.000Z"),
        Case(
            ["variants": ["on": true, "off": false]], ["variants": ["on": 1, "blue": "#00f"]], "variant on true → 1",
            "variant off removed", "variant blue added: #00f"),
        Case(
            ["requires": [["flagKey": "a", "variant": "on"], ["flagKey": "b", "variant": "on"]]],
            ["requires": [["flagKey": "b", "variant": "off"], ["flagKey": "c", "variant": "on"]]],
            "no longer requires a", "requires of b: on → off", "now requires on of c"),
        Case([:], rule(beta, "on"), "targeting added", "rule 1 added: segment beta → on"),
        Case(rule(beta, "on"), [:], "targeting removed"),
        Case(
            rule(gold, "on", gold, "off"), rule(gold, "on", ["or": [gold, beta]], "off"), "rule 2: segment beta added"),
        Case(
            rule(beta, "on"), rule(["segment": "vip"], "on"), "rule 1: segment vip added",
            "rule 1: segment beta removed"),
        Case(rule(gold, "on"), rule(["==": [["var": "plan"], "free"]], "on"), "rule 1: gold → free"),
        Case(rule(gold, "on"), rule(gold, "off"), "rule 1: variant on → off"),
        Case(rule(gold, "on", "off"), rule(gold, "on", "blue"), "otherwise variant off → blue"),
        Case(
            rule(gold, "on", "off"), rule(beta, "blue", gold, "on", "off"), "rule 1 added: segment beta → blue"),
        Case(rule(beta, "blue", gold, "on"), rule(gold, "on"), "rule 1 removed"),
        Case(
            rule(gold, shares(10, 90)), rule(gold, shares(50, 50)), "rule 1: share of on 10 → 50",
            "rule 1: share of off 90 → 50"),
        Case(["condition": gold], ["condition": ["and": [gold, beta]]], "condition segment beta added"),
        Case(["condition": gold], [:], "condition removed"),
        Case(
            ["enabled": true, "updatedBy": "ada"], ["variant": "on", "updatedBy": "bob"], "enabled true → none",
            "variant none → on", "set by ada → bob"),
        Case(["reason": "a"], ["reason": "b"], "reason changed"),
        Case(["metadata": ["a": 1]], ["metadata": ["a": 2, "b": "x"]], "metadata a 1 → 2", "metadata b added: x"),
        Case(["strange": ["a": [1, 2]]], ["strange": ["a": [1, 3]]], "/strange/a/1 2 → 3"),
        Case([:], ["stra/nge": 1], "/stra~1nge none → 1"),
        Case(["createdAt": "a"], ["createdAt": "b"]),
    ]

    @Test("What differs is said as people say it", arguments: cases)
    func words(of example: Case) throws {
        let difference = ContentDifference(from: example.old, to: example.new)
        #expect(difference.words == example.words)
        var (old, new) = (example.old, example.new)
        (old["createdAt"], new["createdAt"]) = (nil, nil)
        #expect(try difference.patch.applied(to: .object(old)) == .object(new))
        #expect(ContentDifference(from: example.new, to: example.new).isEmpty)
    }

    @Test("However much differs, what is said stays readable")
    func bounded() {
        let values = (0..<2_000).map { ("k\($0)", JSONValue.string(String(repeating: "x", count: 1_000))) }
        let words = ContentDifference(from: [:], to: JSONObject(values.map { (key: $0.0, value: $0.1) })).words
        #expect(words.count == 101 && words.last == "and 1900 more")
        #expect(words.allSatisfy { $0.count < 120 })
    }
}
