import Dispatch
import DynamoModel
import FlagCore
import JSON
import Platform
import TableEngine
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("Writes past the program")
struct FlagTableFollowerTests {
    /// A fixture with a follower, and what operators do to the table.
    struct Followed {
        let fixture: Fixture
        let follower: FlagTableFollower
        let events = Locked<[String]>([])
        /// Entries that a history keeps.
        static let historyEntries = 100

        init(
            _ fixture: Fixture? = nil, storeID: String = "a-store", writing items: [Item] = [],
            limits: HistoryLimits = HistoryLimits(versions: Self.historyEntries)
        ) throws {
            let fixture = try fixture ?? Fixture()
            self.fixture = fixture
            let events = events
            follower = FlagTableFollower(
                repository: fixture.repository, storeID: storeID, limits: limits
            ) { event in
                events.withLock { $0.append("\(event)") }
            }
            for item in items { try fixture.put(item) }
            follower.attachHistories()
            follower.start()
            follower.waitUntilIdle()
        }

        func put(_ item: Item) throws {
            try fixture.put(item)
            follower.waitUntilIdle()
        }

        func update(_ key: ItemKey, _ actions: [UpdateAction]) throws {
            try fixture.store.transactAndWait(
                [.update(table: Fixture.table, key: key.tableKey, actions: actions)], principal: .anonymous)
            follower.waitUntilIdle()
        }

        func item(_ key: ItemKey = .flag(.staging, key: "new-feature")) throws -> Item {
            try #require(try fixture.store.getItem(table: Fixture.table, key: key.tableKey))
        }

        /// Has what was counted told, as after some time without more.
        func endCounting() {
            follower.waitUntilIdle()
            follower.queue.sync { follower.upkeep.endTallies() }
        }

        /// Has nothing told by itself that is being counted.
        func tellNothing() {
            follower.upkeep.state.withLock { $0.look = TallyLook(due: 1 << 40, count: 0, intervals: 0) }
        }

        func history(_ key: String = "new-feature") throws -> [FlagHistoryEntry] {
            try fixture.repository.history(of: key, in: .staging)
        }
    }

    @Test(
        "What is put under a key that nothing is looked for under is told, once for all that came together",
        arguments: [
            ("FLAG#stagin#x", "METADATA", true), ("FLAG#staging#x", "METADATE", true),
            ("FLAG#staging#", "METADATA", true),
            ("TENANT#staging", "FLAG#x", true), ("EMERGENCY#staging#x", "GLOBAL", true),
            ("SEGMENT#dev#x", "METADATA", true), ("REVISION#x", "METADATA", true),
            ("NOTES#1", "METADATA", false), ("FLAGS", "x", false),
        ])
    func misplaced(partition: String, sort: String, isTold: Bool) throws {
        let followed = try Followed()
        try followed.put(["PK": .string(partition), "SK": .string(sort)])
        let told = #"misplaced(partition: "\#(partition)", sort: "\#(sort)", others: 0)"#
        #expect(followed.events.withLock { $0 } == (isTold ? [told] : []))
    }

    @Test("A flag that an operator typed becomes an ordinary flag: listed, by owner too, with a version")
    func typed() throws {
        let followed = try Followed()
        try followed.put(ForeignItemTests.typed)
        let repository = followed.fixture.repository
        #expect(try repository.flags(FlagQuery(owner: "ops"), in: .staging).records.map(\.key) == ["new-feature"])
        #expect(try repository.flags(in: .staging).records.map(\.key) == ["new-feature"])
        let item = try followed.item()
        #expect(item["version"] == 1)
        #expect(item["environment"] == "staging")
        #expect(item["createdAt"] == "2026-01-02T03:04:05Z", "What was typed stays as it was typed")
        #expect(followed.follower.statistics.corrected == 1)
    }

    @Test("An owner that was changed by hand moves the flag in the index of owners and gives it the next version")
    func ownerChanged() throws {
        let followed = try Followed()
        try followed.fixture.createSimple("new-feature", in: .staging, owner: "a")
        try followed.update(.flag(.staging, key: "new-feature"), [.set("owner", .value("b"))])
        let repository = followed.fixture.repository
        #expect(try repository.flags(FlagQuery(owner: "a"), in: .staging).records.isEmpty)
        let flag = try #require(try repository.flags(FlagQuery(owner: "b"), in: .staging).records.first)
        #expect(flag.version == 2)
        #expect(flag.updatedAt > flag.createdAt)
        #expect(followed.follower.statistics.corrected == 1, "Nothing is corrected twice")
    }

    @Test("Index keys that an operator broke are put right, and that is no new version")
    func brokenKeys() throws {
        let followed = try Followed()
        try followed.fixture.createSimple("new-feature", in: .staging)
        try followed.update(
            .flag(.staging, key: "new-feature"), [.remove("GSI2PK"), .set("GSI3PK", .value("nonsense"))])
        #expect(try followed.item()["GSI2PK"] == "OWNER#staging#team")
        #expect(try followed.item()["GSI3PK"] == "FLAGS#staging")
        #expect(try followed.item()["version"] == 1)
        #expect(try followed.history().map(\.event) == [.created])
    }

    @Test("A flag that is written again as it was, without a version, keeps its version")
    func versionStays() throws {
        let followed = try Followed(writing: [ForeignItemTests.typed])
        try followed.fixture.patch("new-feature", ["defaultEnabled": .bool(false)], in: .staging)
        try followed.fixture.patch("new-feature", ["defaultEnabled": .bool(true)], in: .staging)
        followed.follower.waitUntilIdle()
        #expect(try followed.item()["version"] == 3)
        try followed.put(DerivedAttributes.content(of: followed.item()))
        #expect(try followed.item()["version"] == 3)
        try followed.update(.flag(.staging, key: "new-feature"), [.remove("version")])
        #expect(try followed.item()["version"] == 3)
        try followed.update(.flag(.staging, key: "new-feature"), [.set("version", .value(1))])
        #expect(try followed.item()["version"] == 3)
    }

    @Test("What the program itself wrote is left alone")
    func ownWrites() throws {
        let followed = try Followed()
        try followed.fixture.createSimple("new-feature", in: .staging)
        try followed.fixture.patch("new-feature", ["owner": "b"], in: .staging)
        try followed.fixture.putOverride("acme", "new-feature", in: .staging)
        followed.follower.waitUntilIdle()
        #expect(followed.follower.statistics.corrected == 0)
        #expect(try followed.fixture.repository.revision(of: .staging) == 3)
    }

    @Test("An override that was typed is found by its flag, and goes with the flag")
    func typedOverride() throws {
        let followed = try Followed()
        try followed.fixture.createSimple("new-feature", in: .staging)
        try followed.put(["PK": "TENANT#staging#acme", "SK": "FLAG#new-feature", "enabled": false])
        let overrides = try followed.fixture.repository.overrides(ofFlag: "new-feature", in: .staging).records
        #expect(overrides.map(\.tenant) == ["acme"])
        #expect(try #require(overrides.first).updatedAt.millisecondsSinceEpoch > 0)
        try followed.fixture.delete("new-feature", in: .staging)
        #expect(try followed.fixture.repository.overrides(ofTenant: "acme", in: .staging).records.isEmpty)
    }

    @Test("A kill switch that was put as an item raises the revision, and the flag's history says so")
    func killSwitch() throws {
        let followed = try Followed()
        try followed.put(["PK": "EMERGENCY#staging", "SK": "FLAG#new-feature", "reason": "broken"])
        #expect(try followed.fixture.repository.revision(of: .staging) == 1)
        #expect(try followed.history().map(\.event) == [.killed(by: nil, reason: "broken")])
    }

    @Test("Other tables and items that mean nothing here are left alone")
    func unrelated() throws {
        let followed = try Followed()
        let store = followed.fixture.store
        try store.createTable(FlagTable.schema(named: "other"))
        try store.transactAndWait([.put(table: "other", item: ForeignItemTests.typed)], principal: .anonymous)
        try followed.put(["PK": "SOMETHING#else", "SK": "x"])
        #expect(
            try store.getItem(table: "other", key: ItemKey.flag(.staging, key: "new-feature").tableKey)
                == ForeignItemTests.typed)
        #expect(followed.follower.statistics.corrected == 0)
        #expect(try followed.fixture.repository.revision(of: .staging) == 0)
    }

    @Test("A history tells what happened, by whom, and what was refused and why")
    func history() throws {
        let followed = try Followed()
        try followed.put(ForeignItemTests.typed)
        var item = try followed.item()
        item["owner"] = 7
        try followed.put(item)
        item["owner"] = "web"
        try followed.put(item)
        try followed.fixture.delete("new-feature", in: .staging)
        followed.follower.waitUntilIdle()
        let entries = try followed.history()
        #expect(entries.map(\.event.name) == ["deleted", "changed", "refused", "created"])
        #expect(entries.map(\.attributes) == [[], ["owner"], ["owner"], []])
        #expect(entries.allSatisfy { $0.by == "anonymous" })
        guard case .refused(let issues) = entries[2].event else {
            Issue.record("The third is the refused one")
            return
        }
        #expect(issues.map(\.pointer) == ["/owner"])
        #expect(entries[2].json.objectValue?["issues"]?.arrayValue?.count == 1)
    }

    @Test("A history keeps its latest entries only")
    func bounded() throws {
        let followed = try Followed()
        try followed.fixture.createSimple("new-feature", in: .staging)
        for number in 0..<(Followed.historyEntries + 20) {
            try followed.fixture.patch("new-feature", ["owner": .string("owner-\(number)")], in: .staging)
        }
        followed.follower.waitUntilIdle()
        let all = try followed.fixture.repository.history(of: "new-feature", in: .staging, limit: 1_000)
        #expect(all.count == Followed.historyEntries)
        #expect(all.first?.attributes == ["owner"])
    }

    @Test(
        "The last valid form stays in force over a restart, for single and bulk answers, until the flag is valid again")
    func lastValidForm() throws {
        let followed = try Followed()
        try followed.fixture.createSimple("new-feature", enabled: true, in: .staging)
        // Without index keys: the item is no longer among the flags of the environment.
        try followed.put(["PK": "FLAG#staging#new-feature", "SK": "METADATA", "defaultEnabled": "yes"])
        #expect(followed.follower.statistics.held == 1)
        var again = try Followed(followed.fixture)
        var loops = try Loops(2, warm: [.staging], fixture: followed.fixture)
        #expect(loops.answer("new-feature", in: .staging, loop: 0).text == "on")
        #expect(loops.ruleSet(in: .staging) == ["new-feature"])
        #expect(again.follower.statistics.held == 1)
        try again.put(ForeignItemTests.typed.merging(["defaultEnabled": false]) { $1 })
        #expect(loops.answer("new-feature", in: .staging, loop: 1).text == "off")
        #expect(again.follower.statistics.held == 0)
        again = try Followed(followed.fixture)
        loops = try Loops(warm: [.staging], fixture: followed.fixture)
        #expect(loops.answer("new-feature", in: .staging).text == "off")
    }

    @Test("The last valid form of an override stays in force over a restart, until the override is valid again or gone")
    func lastValidOverride() throws {
        let followed = try Followed()
        try followed.fixture.createSimple("new-feature", enabled: false, in: .staging)
        func override(_ enabled: AttributeValue, _ followed: Followed) throws {
            try followed.put(["PK": "TENANT#staging#acme", "SK": "FLAG#new-feature", "enabled": enabled])
        }
        func held(_ loops: Loops) -> String { loops.answer("new-feature", tenant: "acme", in: .staging).text }
        try override(true, followed)
        var loops = try Loops(warm: [.staging], fixture: followed.fixture)
        #expect(held(loops) == "on")
        try override("yes", followed)
        #expect(held(loops) == "on")
        #expect(followed.follower.statistics.heldOverrides == 1)
        #expect(followed.follower.statistics.held == 0)
        let again = try Followed(followed.fixture)
        loops = try Loops(warm: [.staging], fixture: followed.fixture)
        #expect(held(loops) == "on")
        #expect(again.follower.statistics.heldOverrides == 1)
        try override(false, again)
        #expect(held(loops) == "off")
        #expect(again.follower.statistics.heldOverrides == 0)
        try override("no", again)
        let key = ItemKey.override(.staging, tenant: "acme", flagKey: "new-feature").tableKey
        try followed.fixture.store.transactAndWait(
            [.delete(table: Fixture.table, key: key)], principal: .anonymous)
        again.follower.waitUntilIdle()
        #expect(again.follower.statistics.heldOverrides == 0)
        #expect(held(loops) == "off")
    }

    @Test("A flag that was deleted while its item was not valid is gone")
    func deletedWhileHeld() throws {
        let followed = try Followed()
        try followed.fixture.createSimple("new-feature", in: .staging)
        try followed.put(["PK": "FLAG#staging#new-feature", "SK": "METADATA", "defaultEnabled": "yes"])
        try followed.fixture.delete("new-feature", in: .staging)
        followed.follower.waitUntilIdle()
        #expect(followed.follower.statistics.held == 0)
        let loops = try Loops(warm: [.staging], fixture: followed.fixture)
        #expect(loops.answer("new-feature", in: .staging).text == "absent")
        #expect(loops.ruleSet(in: .staging).isEmpty)
    }
}

extension Fixture {
    /// Stores an item as somebody would who knows nothing of this program.
    func put(_ item: Item) throws {
        try store.transactAndWait([.put(table: Fixture.table, item: item)], principal: .anonymous)
    }
}

extension Loops {
    /// The keys of a loop's rule set, loaded if need be.
    func ruleSet(in environment: FlagCore.Environment, loop: Int = 0) -> [String] {
        drain(loop)
        guard case .found(let ruleSet, _) = caches[loop].ruleSet(environment, now: 0) else { return ["not loaded"] }
        return (0..<ruleSet.count).map { ruleSet.flag(at: $0).key }
    }
}
