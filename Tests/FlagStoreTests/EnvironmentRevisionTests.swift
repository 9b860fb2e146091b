import DynamoModel
import FlagCore
import JSON
import Testing

@testable import FlagStore

@Suite("A revision that somebody wrote by hand")
struct EnvironmentRevisionTests {
    typealias Followed = FlagTableFollowerTests.Followed

    private static let key = ItemKey.revision(.staging)
    private static func number(_ text: String) -> AttributeValue { .number((try? DynamoNumber(text)) ?? .zero) }
    static let broken: [AttributeValue] = [
        "text", .null, true, .stringSet(AttributeSet(["a"])), .number(.max), .number(.min), -1,
        number("1E+30"), number("9.9E+125"), number("1.5"), .number(FlagLimits.version + 1),
        .map(["deep": .list([.map(["deeper": 1])])]),
    ]

    private static func item(_ revision: AttributeValue) -> Item {
        key.item.merging([Attribute.revision: revision]) { $1 }
    }

    @Test(
        "keeps nobody from writing, kill switches above all, and is made anew, greater than any before",
        arguments: broken)
    func writes(revision: AttributeValue) throws {
        let fixture = try Fixture()
        try fixture.createSimple("a", in: .staging)
        for _ in 0..<3 {
            let before = try fixture.repository.revision(of: .staging)
            try fixture.put(Self.item(revision))
            try fixture.kill("a", in: .staging)
            let after = try fixture.repository.revision(of: .staging)
            #expect(after > before)
            try fixture.revive("a", in: .staging)
            #expect(try fixture.repository.revision(of: .staging) == after + 1, "From there on it is raised by one")
        }
        try fixture.patch("a", ["owner": "web"], in: .staging)
        try fixture.putOverride("acme", "a", in: .staging)
        try fixture.delete("a", in: .staging)
    }

    @Test("that is as large as an item can be keeps nobody from writing", arguments: [true, false])
    func large(hasRevision: Bool) throws {
        let fixture = try Fixture()
        var item = Self.item(hasRevision ? 9 : "x")
        let used = item.reduce(0) { $0 + $1.key.text.utf8.count } + "REVISION#staging".utf8.count + 8 + 2
        item["x"] = .string(String(repeating: "x", count: 400 * 1_024 - used - 1))
        try fixture.put(item)
        for _ in 0..<2 { try fixture.kill(nil, in: .staging) }
        #expect(try fixture.repository.revision(of: .staging) > 9)
    }

    @Test("does not hide from a write that its own condition does not hold")
    func conditions() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a", in: .staging)
        try fixture.put(Self.item("text"))
        guard case .alreadyExists? = failure({ try fixture.createSimple("a", in: .staging) }) else {
            Issue.record("The flag is there already")
            return
        }
        guard case .versionMismatch? = failure({ try fixture.delete("a", expecting: 7, in: .staging) }) else {
            Issue.record("The flag is at another version")
            return
        }
        guard case .notFound? = failure({ try fixture.revive("b", in: .staging) }) else {
            Issue.record("There is no such kill switch")
            return
        }
    }

    @Test("is put right by the follower, which goes on with every environment", arguments: broken)
    func followed(revision: AttributeValue) throws {
        let followed = try Followed()
        try followed.put(Self.item(40))
        try followed.put(Self.item(revision))
        let made = try followed.fixture.repository.revision(of: .staging)
        #expect(made > 40)
        try followed.put(ForeignItemTests.typed)
        #expect(try followed.item()["version"] == 1)
        #expect(try followed.fixture.repository.revision(of: .staging) > made)
        try followed.put(["PK": "EMERGENCY#production", "SK": "GLOBAL"])
        #expect(try followed.fixture.repository.revision(of: .production) == 1)
        #expect(followed.follower.statistics.setAside == 0)
    }

    @Test("that is lower than before, gone, or more than a revision, is put right as well")
    func lower() throws {
        let followed = try Followed()
        for broken in [Self.item(3), Self.item(41).merging(["more": 1]) { $1 }] {
            try followed.put(Self.item(40))
            let before = try followed.fixture.repository.revision(of: .staging)
            try followed.put(broken)
            #expect(try followed.fixture.repository.revision(of: .staging) > before)
            #expect(try followed.item(Self.key).count == 3)
        }
        let before = try followed.fixture.repository.revision(of: .staging)
        try followed.fixture.store.transactAndWait(
            [.delete(table: Fixture.table, key: Self.key.tableKey)], principal: .anonymous)
        followed.follower.waitUntilIdle()
        #expect(try followed.fixture.repository.revision(of: .staging) > before)
    }

    @Test("One that is made anew is greater than all that were seen or made before")
    func anew() {
        let known = KnownRevisions()
        let first = known.anew(for: .development)
        let second = known.anew(for: .development)
        #expect(second > first)
        known.note(EnvironmentRevision.item(second + 1_000, of: .development), of: .development)
        #expect(known.anew(for: .development) > second + 1_000)
    }
}
