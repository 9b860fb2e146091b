import DynamoModel
import FlagCore
import JSON
import Testing

@testable import FlagCache
@testable import FlagFiles
@testable import FlagStore

@Suite("Segments in files")
struct SegmentTransferTests {
    private static let file = """
        {
          "segments": [
            {"name": "beta", "description": "d", "owner": "o", "condition": {"segment": "gold"}, "keys": ["u1", "u2"]},
            {"name": "gold", "description": "d", "owner": "o", "condition": {"==": [{"var": "plan"}, "gold"]}}
          ],
          "flags": [
            {"flagKey": "f", "description": "d", "owner": "o", "state": "ENABLED", "defaultVariant": "off",
             "variants": {"on": true, "off": false}, "targeting": {"if": [{"segment": "beta"}, "on"]}},
            {"flagKey": "g", "description": "d", "owner": "o", "defaultEnabled": true}
          ]
        }
        """

    private func plan(_ text: String, _ fixture: Fixture, _ mode: ImportPlan.Mode = .merge) throws -> ImportPlan {
        try ImportPlan(
            try ImportDocument(parsing: Array(text.utf8)), mode: mode,
            over: fixture.repository.stored(in: .development), now: Fixture.start)
    }

    private func load(_ text: String, _ fixture: Fixture, _ mode: ImportPlan.Mode = .merge) throws {
        try plan(text, fixture, mode).apply(to: fixture.repository, in: .tests(.development))
    }

    private func export(_ fixture: Fixture, _ format: ImportDocument.Format = .native) throws -> String {
        String(decoding: try Export(format, of: fixture.repository.stored(in: .development)).bytes(), as: UTF8.self)
    }

    private func keys(_ name: String, _ fixture: Fixture) throws -> [String] {
        try fixture.repository.allKeys(ofSegment: name, in: .development)
    }

    @Test("An import brings segments with their keys and the flags that name them; an export has them again")
    func roundTrip() throws {
        let fixture = try Fixture()
        try load(Self.file, fixture)
        #expect(try keys("beta", fixture) == ["u1", "u2"])
        let text = try export(fixture)
        for mode in ImportPlan.Mode.allCases { #expect(try plan(text, fixture, mode).isEmpty) }
        let other = try Fixture()
        try load(text, other)
        #expect(try export(other) == text)
    }

    @Test("What a file says of a segment becomes so; what it does not mention stays")
    func merge() throws {
        let fixture = try Fixture()
        try load(Self.file, fixture)
        let change = #"{"segments": [{"name": "beta", "description": "new", "owner": "o"}]}"#
        let merged = try plan(change, fixture)
        #expect(merged.lines().first == "~ segment beta: description, condition")
        #expect(merged.summaries.first == "segments: 0 created, 1 changed, 0 removed, 0 unchanged")
        #expect(try plan(change, fixture, .createOnly).isEmpty)
        try merged.apply(to: fixture.repository, in: .tests(merged.environment))
        #expect(try keys("beta", fixture) == ["u1", "u2"])
        #expect(try fixture.repository.segment("beta", in: .development).version == 2)
        let list = #"{"segments": [{"name": "beta", "description": "new", "owner": "o", "keys": ["u2", "u3"]}]}"#
        #expect(try plan(list, fixture).lines().first == "~ segment beta: keys")
        try load(list, fixture)
        #expect(try keys("beta", fixture) == ["u2", "u3"])
        #expect(try fixture.repository.segment("gold", in: .development).version == 1)
    }

    @Test("Replacing removes the segments that the file does not have, if it speaks of segments")
    func replace() throws {
        let fixture = try Fixture()
        try load(Self.file, fixture)
        let flag = #"{"flagKey": "g", "description": "d", "owner": "o", "defaultEnabled": true}"#
        try load(#"{"flags": [\#(flag)]}"#, fixture, .replace)
        #expect(try fixture.repository.segments(in: .development).records.count == 2)
        try load(
            #"{"flags": [\#(flag)], "segments": [{"name": "gold", "description": "d", "owner": "o"}]}"#, fixture,
            .replace)
        #expect(try fixture.repository.segments(in: .development).records.map(\.name) == ["gold"])
        #expect(try keys("beta", fixture).isEmpty)
    }

    @Test("Files that name segments which will not be there, or make circles, are refused with every place")
    func refused() throws {
        let fixture = try Fixture()
        try load(Self.file, fixture)
        func pointers(_ text: String, _ mode: ImportPlan.Mode = .merge) -> [String] {
            failure { _ = try plan(text, fixture, mode) }?.pointers ?? []
        }
        let flag = """
            {"flagKey": "f", "description": "d", "owner": "o", "state": "ENABLED", "defaultVariant": "off",
             "variants": {"on": true, "off": false}, "targeting": {"if": [{"segment": "NAME"}, "on"]}}
            """
        let unknown = flag.replacing("NAME", with: "nowhere")
        #expect(pointers(#"{"flags": [\#(unknown)]}"#) == ["/flags/0/targeting/if/0/segment"])
        let known = flag.replacing("NAME", with: "beta")
        #expect(pointers(#"{"segments": [], "flags": [\#(known)]}"#, .replace) == ["/flags/0/targeting/if/0/segment"])
        let circle = #"{"name": "gold", "description": "d", "owner": "o", "condition": {"segment": "beta"}}"#
        #expect(pointers(#"{"segments": [\#(circle)]}"#) == ["/segments/0/condition/segment"])
        #expect(throws: DefinitionIssues.self) { try plan(#"{"segments": [\#(circle), \#(circle)]}"#, fixture) }
        #expect(throws: DefinitionIssues.self) { try plan(#"{"segments": [{"name": "x", "keys": [1]}]}"#, fixture) }
    }

    @Test("flagd's format has what segments stand for; importing it changes nothing")
    func flagd() throws {
        let fixture = try Fixture()
        try load(Self.file, fixture)
        let text = try export(fixture, .flagd)
        #expect(!text.contains("segment"))
        #expect(
            text.contains(
                #"{"!!":[{"or":[{"in":[{"var":"targetingKey"},["u1","u2"]]},"#
                    + #"{"!!":[{"==":[{"var":"plan"},"gold"]}]}]}]}"#))
        #expect(try plan(text, fixture).isEmpty)
    }

    @Test("What flagd has no words for is told, flag by flag")
    func leftOut() throws {
        let fixture = try Fixture()
        try load(Self.file, fixture)
        try fixture.create([
            "flagKey": "hours", "description": "d", "owner": "o", "defaultEnabled": true,
            "rollout": ["percentage": 5, "businessHours": ["timeZone": "UTC", "from": "09:00", "to": "17:00"]],
            "requires": [["flagKey": "g", "variant": "on"]],
        ])
        let many = SegmentKeyEdit(add: (0..<1_001).map { "user-\($0)" })
        _ = try fixture.repository.editKeys(
            ofSegment: "gold", many, listed: .empty, in: .tests(.development, at: Fixture.start))
        let file = try Export(.flagd, of: fixture.repository.stored(in: .development)).file()
        #expect(
            file.warnings == [
                "the flag f: the segment gold lists 1001 keys, too many for a rule, which flagd's format leaves out",
                "the flag hours: it has business hours; it requires g, which flagd's format leaves out",
            ])
        #expect(try Export(.native, of: fixture.repository.stored(in: .development)).file().warnings.isEmpty)
    }
}
