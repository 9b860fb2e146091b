import DynamoModel
import FlagCore
import JSON
import TestSupport
import Testing

@testable import Access
@testable import FlagStore

@Suite("Versions that histories keep")
struct VersionTests {
    private typealias Followed = FlagTableFollowerTests.Followed

    private static let flag = HistorySubject.flag("new-feature")

    private func content(_ followed: Followed, _ name: VersionName, of subject: HistorySubject = flag) throws
        -> JSONValue
    {
        .object(try #require(try followed.fixture.repository.version(name, of: subject, in: .staging).content.object))
    }

    /// The error's case, as far as it tells.
    private func problem(_ body: () throws -> Void) -> String {
        switch failure(body) {
        case .versionNotFound?: "not found"
        case .versionNotKept?: "not kept"
        case let other: "\(String(describing: other))"
        }
    }

    @Test("A version says what a read answered then, who made it and why, whoever asks how soon")
    func whole() throws {
        let followed = try Followed()
        let fixture = followed.fixture
        try fixture.createSimple("new-feature", in: .staging)
        let circumstances = ChangeCircumstances(reason: "they asked", requestID: "r-1")
        let patch = try FlagPatch(json: ["owner": "ops", "tags": ["a"], "rollout": ["percentage": 10]])
        _ = try fixture.wait {
            let scope = WriteScope.tests(.staging, by: Principal(.account, "ann"), circumstances)
            fixture.repository.patch("new-feature", with: patch, in: scope, completion: $0)
        }
        let entry = try fixture.repository.version(.number(2), of: Self.flag, in: .staging)
        #expect(entry.by == "account ann" && entry.reason == "they asked" && entry.requestID == "r-1")
        #expect(
            try content(followed, .number(2)) == [
                "description": "Says hello", "defaultEnabled": true, "rollout": ["percentage": 10], "owner": "ops",
                "tags": ["a"], "createdAt": .string(Fixture.start.rfc3339),
            ])
        #expect(try content(followed, .number(1))["owner"] == "team")
        #expect(try content(followed, .entry(entry.sequence)) == content(followed, .number(2)))
        #expect(problem { _ = try content(followed, .number(3)) } == "not found")
        #expect(problem { _ = try content(followed, .entry(9_999)) } == "not found")
    }

    @Test("A version that changed nothing says what the one before said")
    func unchanged() throws {
        let followed = try Followed()
        let fixture = followed.fixture
        try fixture.createSimple("new-feature", in: .staging)
        try fixture.replace(Fixture.simple("new-feature"), in: .staging)
        try fixture.patch("new-feature", ["owner": "ops"], in: .staging)
        #expect(try content(followed, .number(2))["owner"] == "team")
        #expect(try content(followed, .number(3))["owner"] == "ops")
    }

    @Test("Of a flag that was deleted and made again a number means the latest, an entry each")
    func lives() throws {
        let followed = try Followed()
        let fixture = followed.fixture
        for owner in ["a", "b"] {
            try fixture.createSimple("new-feature", in: .staging, owner: owner)
            try fixture.patch("new-feature", ["owner": .string(owner + "2")], in: .staging)
            try fixture.patch("new-feature", ["owner": .string(owner + "3")], in: .staging)
            try fixture.delete("new-feature", in: .staging)
        }
        #expect(try content(followed, .number(3))["owner"] == "b3", "Nothing is there, and it is known what was")
        try fixture.createSimple("new-feature", in: .staging, owner: "c")
        #expect(try content(followed, .number(1))["owner"] == "c")
        #expect(try content(followed, .number(2))["owner"] == "b2")
        #expect(problem { _ = try content(followed, .number(4)) } == "not found")
        let entries = try followed.history().filter { $0.event == .changed }
        #expect(try entries.map { try content(followed, .entry($0.sequence))["owner"] } == ["b3", "b2", "a3", "a2"])
    }

    @Test("What an item that somebody wrote by hand said has the version that the server gives it")
    func byHand() throws {
        let followed = try Followed(writing: [ForeignItemTests.typed])
        try followed.update(.flag(.staging, key: "new-feature"), [.set("owner", .value("b"))])
        #expect(try content(followed, .number(1))["owner"] == "ops")
        #expect(try content(followed, .number(2))["owner"] == "b")
        try followed.update(.flag(.staging, key: "new-feature"), [.set("owner", .value(7))])
        let refused = try #require(try followed.history().first)
        #expect(refused.version == nil && !refused.content.isKept)
        #expect(problem { _ = try content(followed, .entry(refused.sequence)) } == "not kept")
    }

    @Test("Entries of former releases are listed, and say that what was said then is not kept")
    func former() throws {
        let followed = try Followed()
        let fixture = followed.fixture
        try fixture.createSimple("new-feature", in: .staging)
        let entry = try #require(try followed.history().first)
        let partition = FlagHistoryTable.historyPartition(.staging, "new-feature")
        let key = TableKey(.string(partition), .string(FlagHistoryTable.sort(entry.sequence)))
        let names = [
            FlagHistoryTable.Name.content, FlagHistoryTable.Name.contentBytes, Attribute.version,
        ]
        try fixture.store.transactAndWait(
            [
                .update(
                    table: FlagHistoryTable.name(beside: Fixture.table), key: key,
                    actions: names.map { .remove(DocumentPath($0)) })
            ], principal: .anonymous)
        try fixture.patch("new-feature", ["owner": "ops"], in: .staging)
        #expect(try followed.history().map(\.change) == ["changed", "found", "created"])
        #expect(problem { _ = try content(followed, .entry(entry.sequence)) } == "not kept")
        #expect(try content(followed, .number(1))["owner"] == "team", "The first change after it knows")
        #expect(try content(followed, .number(2))["owner"] == "ops")
    }

    @Test("What was there before anything was kept of it is found when it is changed first")
    func found() throws {
        let fixture = try Fixture()
        for key in ["new-feature", "other"] { try fixture.createSimple(key, in: .staging, owner: "a") }
        let draft = try SegmentDraft(json: ["name": "beta", "description": "d", "owner": "a"])
        _ = try fixture.wait { fixture.repository.createSegment(draft, in: .tests(.staging), completion: $0) }
        let followed = try Followed(fixture)
        for owner in ["b", "c"] {
            try fixture.patch("new-feature", ["owner": .string(owner)], in: .staging)
            let patch = try SegmentPatch(json: ["owner": .string(owner)])
            _ = try fixture.wait {
                fixture.repository.patchSegment("beta", with: patch, in: .tests(.staging), completion: $0)
            }
        }
        for subject in [Self.flag, .segment("beta")] {
            let entries = try fixture.repository.history(of: subject, in: .staging, limit: 10).records
            #expect(entries.map(\.change) == ["changed", "changed", "found"])
            #expect(entries.last?.at == Fixture.start && entries.last?.by == "server")
            #expect(try [1, 2, 3].map { try content(followed, .number($0), of: subject)["owner"] } == ["a", "b", "c"])
        }
        try fixture.delete("other", in: .staging)
        #expect(try followed.history("other").map(\.change) == ["deleted"])
        #expect(try content(followed, .number(1), of: .flag("other"))["owner"] == "a")
    }

    @Test("The largest flag is kept whole, and of such a flag as many versions as there is room for")
    func largest() throws {
        let room = 2 << 20
        let followed = try Followed(limits: HistoryLimits(contentBytes: room))
        let fixture = followed.fixture
        var generator = SeededGenerator(seed: 7)
        func words(_ count: Int) -> JSONValue {
            .array((0..<count).map { _ in .string(String(generator.next(), radix: 36)) })
        }
        for number in 1...20 {
            let json: JSONValue = [
                "flagKey": "new-feature", "description": "d", "owner": .string("\(number)"), "state": "ENABLED",
                "variants": ["on": true, "off": false], "defaultVariant": "off",
                "targeting": ["if": [["in": [["var": "x"], words(18_000)]], "on"]],
            ]
            if number == 1 { try fixture.create(json, in: .staging) } else { try fixture.replace(json, in: .staging) }
        }
        followed.follower.waitUntilIdle()
        let last = try content(followed, .number(20))
        #expect(last.serializedBytes().count > 250_000 && last["owner"] == "20")
        let kept = try followed.history().count
        #expect((6..<20).contains(kept))
        let table = FlagHistoryTable.name(beside: Fixture.table)
        let partition = FlagHistoryTable.historyPartition(.staging, "new-feature")
        var bytes = 0
        try fixture.repository.forEachItem(of: Query(table: table, partition: .string(partition))) { item in
            bytes += HistorySize(item).contentBytes
        }
        #expect(bytes <= room)
        #expect(problem { _ = try content(followed, .number(1)) } == "not kept")
    }

    @Test("An override's versions are named by their entries, and those of others are not among them")
    func overrides() throws {
        let followed = try Followed()
        let fixture = followed.fixture
        try fixture.createSimple("new-feature", in: .staging)
        for tenant in ["acme", "other"] {
            for enabled in [true, false] {
                try fixture.putOverride(
                    tenant, "new-feature", ["enabled": .bool(enabled), "updatedBy": "ada"], in: .staging)
            }
        }
        let subject = HistorySubject.override(flagKey: "new-feature", tenant: "acme")
        let entries = try fixture.repository.history(of: subject, in: .staging, limit: 10).records
        #expect(entries.map(\.change) == ["override_changed", "override_created"])
        #expect(
            try content(followed, .number(entries[1].sequence), of: subject) == ["enabled": true, "updatedBy": "ada"])
        let foreign = try #require(try followed.history().first { $0.override?.tenant == "other" })
        #expect(problem { _ = try content(followed, .entry(foreign.sequence), of: subject) } == "not found")
        #expect(problem { _ = try content(followed, .entry(foreign.sequence)) } == "not found")
    }

    @Test("A history is read page by page, each entry once, the newest first", arguments: [1, 3, 7, 100])
    func pages(size: Int) throws {
        let followed = try Followed()
        let fixture = followed.fixture
        try fixture.createSimple("new-feature", in: .staging)
        for number in 0..<8 {
            try fixture.patch("new-feature", ["owner": .string("o\(number)")], in: .staging)
            try fixture.putOverride(
                "acme", "new-feature", ["enabled": .bool(number % 2 == 0), "updatedBy": "a"], in: .staging)
        }
        followed.follower.waitUntilIdle()
        var entries: [FlagHistoryEntry] = []
        var cursor: String?
        repeat {
            let page = try fixture.repository.history(of: Self.flag, in: .staging, limit: size, cursor: cursor)
            #expect(page.records.count <= size)
            entries += page.records
            cursor = page.nextCursor
        } while cursor != nil
        #expect(entries.map(\.sequence) == entries.map(\.sequence).sorted(by: >))
        #expect(entries.count == 17 && Set(entries.map(\.sequence)).count == 17)
        let other = failure {
            _ = try fixture.repository.history(of: Self.flag, in: .staging, limit: 1, cursor: "bm8")
        }
        guard case .invalidCursor? = other else {
            Issue.record("\(String(describing: other))")
            return
        }
    }

    @Test(
        "A version is named by its number, or by the number of an entry",
        arguments: [
            ("7", VersionName.number(7)), ("@81723", .entry(81_723)), ("", nil), ("@", nil), ("0", nil), ("-1", nil),
            ("7 ", nil), ("9007199254740992", nil), ("٧", nil),
        ] as [(String, VersionName?)])
    func names(text: String, name: VersionName?) {
        #expect(VersionName(text) == name)
        if let name { #expect(name.description == text) }
    }
}

extension ChangeCircumstances {
    init(reason: String? = nil, requestID: String? = nil) {
        self.init()
        (self.reason, self.requestID) = (reason, requestID)
    }
}
