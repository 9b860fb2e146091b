import DynamoModel
import FlagCore
import JSON
import Testing

@testable import FlagCache
@testable import FlagFiles
@testable import FlagStore

@Suite("Versions that cannot be")
struct RecordVersionTests {
    typealias Followed = FlagTableFollowerTests.Followed

    static let impossible: [AttributeValue] = [
        .number(.max), .number(.min), .number(FlagLimits.version + 1), 0, "7", .null, true, .list([1]),
        .number(huge), .number(fraction),
    ]
    private static let huge = (try? DynamoNumber("1E+30")) ?? .zero
    private static let fraction = (try? DynamoNumber("1.5")) ?? .zero
    private static let segment: Item = [
        "PK": "SEGMENT#staging#beta", "SK": "METADATA", "description": "d", "owner": "o",
        "createdAt": "2026-01-01T00:00:00Z",
    ]

    @Test(
        "A body with one is refused by its pointer, a file as well", arguments: ["9223372036854775807", "1E+30", "0"])
    func bodies(version: String) throws {
        let flag = #"{"flagKey":"a","description":"d","owner":"o","defaultEnabled":true,"version":\#(version)}"#
        let segment = #"{"name":"s","description":"d","owner":"o","version":\#(version)}"#
        let ofFlag = #expect(throws: DefinitionIssues.self) { try FlagDraft(json: JSONValue(parsing: flag)) }
        #expect(ofFlag?.issues.map(\.pointer) == ["/version"])
        let ofSegment = #expect(throws: DefinitionIssues.self) { try SegmentDraft(json: JSONValue(parsing: segment)) }
        #expect(ofSegment?.issues.map(\.pointer) == ["/version"])
        let file = #"{"flags":[\#(flag)],"segments":[\#(segment)]}"#
        let ofFile = #expect(throws: DefinitionIssues.self) { try ImportDocument(parsing: Array(file.utf8)) }
        #expect(Set(ofFile?.issues.map(\.pointer) ?? []) == ["/flags/0/version", "/segments/0/version"])
    }

    @Test("The last version there can be is imported, and a change begins again: nothing is locked for good")
    func last() throws {
        let fixture = try Fixture()
        let file = """
            {"flags":[{"flagKey":"a","description":"d","owner":"o","defaultEnabled":true,"version":9007199254740991}],
             "segments":[{"name":"s","description":"d","owner":"o","version":9007199254740991}]}
            """
        func plan(_ file: String) throws -> ImportPlan {
            try ImportPlan(
                ImportDocument(parsing: Array(file.utf8)), mode: .merge,
                over: fixture.repository.stored(in: .development), now: Fixture.start)
        }
        try plan(file).apply(to: fixture.repository, in: .tests(.development))
        let tag = try fixture.repository.flag("a", in: .development).entityTag()
        #expect(try fixture.repository.flag("a", in: .development).version == FlagLimits.version)
        #expect(try fixture.patch("a", ["owner": "p"]).version == 1)
        #expect(try fixture.patch("a", ["owner": "o"]).version == 2)
        #expect(try fixture.repository.flag("a", in: .development).entityTag() != tag)
        let edit = SegmentKeyEdit(add: ["k"], remove: [])
        let segment = try fixture.repository.editKeys(
            ofSegment: "s", edit, listed: .empty, in: .tests(.development, at: Fixture.start))
        #expect(segment.version == 1)
    }

    @Test(
        "In an item one counts as none: the item is a flag, and changing and deleting it works", arguments: impossible)
    func flags(version: AttributeValue) throws {
        let fixture = try Fixture()
        let item = ForeignItemTests.typed.merging(["version": version]) { $1 }
        try fixture.put(item)
        #expect(try fixture.repository.flag("new-feature", in: .staging).version == 1)
        #expect(try fixture.patch("new-feature", ["owner": "web"], expecting: 1, in: .staging).version == 2)
        try fixture.put(item)
        try fixture.delete("new-feature", expecting: 1, in: .staging)
        try fixture.put(item)
        let file = #"{"flags":[{"flagKey":"new-feature","description":"e","owner":"o","defaultEnabled":true}]}"#
        let plan = try ImportPlan(
            ImportDocument(parsing: Array(file.utf8)), mode: .merge, over: fixture.repository.stored(in: .staging),
            now: Fixture.start)
        try plan.apply(to: fixture.repository, in: .tests(plan.environment))
        #expect(try fixture.repository.flag("new-feature", in: .staging).version == 2)
    }

    @Test("The same of segments, their keys, and files of them", arguments: impossible)
    func segments(version: AttributeValue) throws {
        let fixture = try Fixture()
        let repository = fixture.repository
        let item = Self.segment.merging(["version": version]) { $1 }
        try fixture.put(item)
        let patch = try SegmentPatch(json: ["owner": "web"])
        let patched: SegmentRecord = try fixture.wait {
            repository.patchSegment(
                "beta", with: patch, in: .tests(.staging, at: Fixture.start), expecting: 1, completion: $0)
        }
        #expect(patched.version == 2)
        try fixture.put(item)
        let edit = SegmentKeyEdit(add: ["k"], remove: [])
        let edited = try repository.editKeys(
            ofSegment: "beta", edit, listed: .empty, in: .tests(.staging, at: Fixture.start), expecting: 1)
        #expect(edited.version == 2)
        try fixture.put(item)
        let file = #"{"segments":[{"name":"beta","description":"e","owner":"o"}]}"#
        let plan = try ImportPlan(
            ImportDocument(parsing: Array(file.utf8)), mode: .merge, over: repository.stored(in: .staging),
            now: Fixture.start)
        try plan.apply(to: repository, in: .tests(.staging))
        #expect(try repository.segment("beta", in: .staging).version == 2)
        try fixture.put(item)
        try repository.deleteSegment("beta", in: .tests(.staging), expecting: 1)
    }

    @Test("The follower makes one anew: the next after the last that was one", arguments: impossible)
    func made(version: AttributeValue) throws {
        let followed = try Followed()
        for _ in 0..<2 { try followed.fixture.put(ForeignItemTests.typed) }
        try followed.update(.flag(.staging, key: "new-feature"), [.set("version", .value(7))])
        try followed.update(
            .flag(.staging, key: "new-feature"), [.set("version", .value(version)), .set("owner", .value("web"))])
        #expect(try followed.item()["version"] == 8)
        try followed.update(.flag(.staging, key: "new-feature"), [.set("version", .value(version))])
        #expect(try followed.item()["version"] == 8)
        try followed.put(Self.segment.merging(["version": version]) { $1 })
        #expect(try followed.item(.segment(.staging, name: "beta"))["version"] == 1)
        #expect(followed.follower.statistics.setAside == 0)
        let again = try Followed(followed.fixture, storeID: "another-store")
        #expect(again.follower.statistics.corrected == 0, "A start that looks at everything finds nothing to do")
    }

    @Test("A change by hand of a flag at the last version begins again at the first")
    func changedAtTheLast() throws {
        let followed = try Followed()
        try followed.put(ForeignItemTests.typed.merging(["version": .number(FlagLimits.version)]) { $1 })
        #expect(try followed.item()["version"] == .number(FlagLimits.version))
        try followed.update(.flag(.staging, key: "new-feature"), [.set("owner", .value("web"))])
        #expect(try followed.item()["version"] == 1)
    }
}
