import FlagCore
import JSON
import Testing

@testable import FlagFiles
@testable import FlagStore

@Suite("Flags that a browser may evaluate: files")
struct ClientSideTransferTests {
    private func plan(_ text: String, _ fixture: Fixture, keepInvalid: Bool = false) throws -> ImportPlan {
        try ImportPlan(
            try ImportDocument(parsing: Array(text.utf8), keepInvalid: keepInvalid), mode: .merge,
            over: fixture.repository.stored(in: .development), now: Fixture.start)
    }

    private func load(_ text: String, _ fixture: Fixture) throws {
        try plan(text, fixture).apply(to: fixture.repository, in: .tests(.development))
    }

    private func export(_ format: ImportDocument.Format, _ fixture: Fixture) throws -> String {
        let export = Export(format, of: fixture.repository.stored(in: .development))
        return String(decoding: try export.bytes(), as: UTF8.self)
    }

    /// Flags of both spellings, with and without metadata, in either state.
    private static let flags: [(key: String, body: JSONValue)] = [false, true].flatMap { value in
        [
            ("simple", ClientSideTests.simple), ("full", ClientSideTests.full),
            ("empty", ClientSideTests.full.adding("metadata", [:])),
            ("own", ClientSideTests.full.adding("metadata", ["team": "x"])),
            ("claims", ClientSideTests.full.adding("metadata", ["team": "x", "clientSide": true])),
            ("only-claims", ClientSideTests.full.adding("metadata", ["clientSide": "ios"])),
            ("rollout", ClientSideTests.simple.adding("rollout", ["percentage": 50])),
        ].map { name, body in
            let key = "\(name)-\(value)"
            return (key, body.adding("flagKey", .string(key)).adding("clientSide", .bool(value)))
        }
    }

    private static func isClientSide(_ key: String) -> Bool { key.hasSuffix("true") }

    @Test(
        "An export says it, an import of it changes nothing, and elsewhere makes the same flags",
        arguments: ImportDocument.Format.allCases)
    func roundTrip(format: ImportDocument.Format) throws {
        let fixture = try Fixture()
        for flag in Self.flags { try fixture.create(flag.body) }
        let text = try export(format, fixture)
        let same = try plan(text, fixture)
        #expect(same.isEmpty, "\(same.lines())")
        let other = try Fixture()
        try load(text, other)
        for flag in Self.flags {
            let record = try other.repository.flag(flag.key, in: .development)
            #expect(record.isClientSide == Self.isClientSide(flag.key), "\(flag.key)")
        }
        #expect(try export(format, other) == text)
    }

    @Test("In flagd's format it is a member of the metadata, only when true, whatever a flag's own metadata claims")
    func flagdForm() throws {
        let fixture = try Fixture()
        for flag in Self.flags { try fixture.create(flag.body) }
        let flags = try #require(try JSONValue(parsing: export(.flagd, fixture))["flags"])
        for (key, _) in Self.flags {
            let said = flags[key]?["metadata"]?["clientSide"]
            #expect(said == (Self.isClientSide(key) ? true : nil), "\(key)")
        }
    }

    @Test("What comes from flagd's metadata is the member, and not in the definition any more: a patch ends it")
    func patchedLater() throws {
        let fixture = try Fixture()
        let definition = #""state": "ENABLED", "variants": {"x": 1}, "defaultVariant": "x""#
        let file = #"{"flags": {"a": {\#(definition), "metadata": {"clientSide": true}}}}"#
        try load(file, fixture)
        let imported = try fixture.repository.flag("a", in: .development)
        #expect(imported.isClientSide)
        #expect(imported.json(at: Fixture.start)["metadata"] == nil)
        #expect(try plan(file, fixture).isEmpty)
        try fixture.patch("a", ["clientSide": false])
        #expect(!(try export(.flagd, fixture)).contains("clientSide"))
        #expect(try plan(file, fixture).lines().first == "~ flag a: clientSide")
    }

    @Test(
        "A flagd file that says nothing leaves what is there; one that says it changes that",
        arguments: [
            (#"{}"#, nil), (#"{"clientSide": null}"#, nil), (#"{"clientSide": false}"#, false),
            (#"{"clientSide": true}"#, true),
        ] as [(String, Bool?)])
    func partialFile(metadata: String, said: Bool?) throws {
        let definition = #""state": "ENABLED", "variants": {"x": 1}, "defaultVariant": "x""#
        let files = [
            #"{"flags": {"a": {\#(definition), "metadata": \#(metadata)}}}"#,
            #"{"metadata": \#(metadata), "flags": {"a": {\#(definition)}}}"#,
            #"{"flags": [{"key": "a", \#(definition), "metadata": \#(metadata)}]}"#,
        ]
        // The set's metadata may have no null at all.
        for (index, file) in files.enumerated() where index != 1 || !metadata.contains("null") {
            for before in [false, true] {
                let fixture = try Fixture()
                try fixture.create(ClientSideTests.full.adding("clientSide", .bool(before)))
                try load(file, fixture)
                #expect(try fixture.repository.flag("a", in: .development).isClientSide == (said ?? before), "\(file)")
            }
            let empty = try Fixture()
            try load(file, empty)
            #expect(try empty.repository.flag("a", in: .development).isClientSide == (said ?? false))
        }
    }

    @Test("A native file that says nothing says no")
    func completeFile() throws {
        let fixture = try Fixture()
        try fixture.create(ClientSideTests.simple.adding("clientSide", true))
        try load(JSONValue.object(["flags": [ClientSideTests.simple]]).serialized(), fixture)
        #expect(!(try fixture.repository.flag("a", in: .development)).isClientSide)
    }

    private static let definition = #""state": "ENABLED", "variants": {"x": 1}, "defaultVariant": "x""#

    @Test(
        "Another type is refused where it stands, once",
        arguments: [
            (#"{"flags": {"a": {\#(definition), "metadata": {"clientSide": "yes"}}}}"#, "/flags/a/metadata/clientSide"),
            (#"{"flags": {"a": {\#(definition), "metadata": {"clientSide": 1}}}}"#, "/flags/a/metadata/clientSide"),
            (#"{"flags": {"a": {\#(definition), "metadata": {"clientSide": []}}}}"#, "/flags/a/metadata/clientSide"),
            (
                #"{"metadata": {"clientSide": "yes"}, "flags": {"a": {\#(definition)}, "b": {\#(definition)}}}"#,
                "/metadata/clientSide"
            ),
            (
                #"{"flags": [{"flagKey": "a", "description": "d", "owner": "o", \#(definition), "clientSide": ""}]}"#,
                "/flags/0/clientSide"
            ),
        ])
    func wrongType(file: String, pointer: String) throws {
        let refused = try #require(throws: DefinitionIssues.self) { try ImportDocument(parsing: Array(file.utf8)) }
        #expect(refused.issues.map(\.pointer) == [pointer])
        #expect(refused.issues.allSatisfy { $0.message.hasPrefix("must be") })
    }
}
