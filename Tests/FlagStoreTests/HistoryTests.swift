import Dispatch
import DynamoModel
import FlagCore
import JSON
import Platform
import Testing

@testable import FlagFiles
@testable import FlagStore

@Suite("Histories of flags and their overrides")
struct HistoryTests {
    private typealias Followed = FlagTableFollowerTests.Followed

    /// The newest entries of a flag, as the interface shows them, without what differs from run to run.
    private func told(_ followed: Followed, _ count: Int = 1, _ key: String = "new-feature") throws -> [JSONValue] {
        followed.follower.waitUntilIdle()
        return try followed.history(key).prefix(count).map { entry in
            var json = entry.json.objectValue ?? JSONObject()
            for name in ["at", "entry", "version"] { json[name] = nil }
            return .object(json)
        }
    }

    private func changes(_ followed: Followed) throws -> JSONValue? { try told(followed)[0]["changes"] }

    private static let definition: JSONValue = [
        "flagKey": "new-feature", "description": "d", "owner": "o", "state": "ENABLED",
        "variants": ["on": true, "off": false], "defaultVariant": "off",
        "targeting": ["if": [["==": [["var": "plan"], "gold"]], "on"]],
    ]

    @Test("A change of a flag is told from what to what, in the members that a read answers")
    func flag() throws {
        let followed = try Followed()
        let fixture = followed.fixture
        try fixture.create(Self.definition, in: .staging)
        var created = Self.definition.objectValue ?? JSONObject()
        created["createdAt"] = .string(Fixture.start.rfc3339)
        #expect(try changes(followed) == [["pointer": "", "after": .object(created)]])
        let steps: [(patch: JSONValue, changes: JSONValue)] = [
            (["defaultVariant": "on"], [["pointer": "/defaultVariant", "before": "off", "after": "on"]]),
            (
                ["variants": ["blue": true], "tags": ["a"]],
                [["pointer": "/variants/blue", "after": true], ["pointer": "/tags", "after": ["a"]]]
            ),
            (
                ["targeting": ["if": [["==": [["var": "plan"], "free"]], "on"]], "tags": ["a", "b"]],
                [
                    [
                        "pointer": "/targeting/if", "before": [["==": [["var": "plan"], "gold"]], "on"],
                        "after": [["==": [["var": "plan"], "free"]], "on"],
                    ],
                    ["pointer": "/tags", "before": ["a"], "after": ["a", "b"]],
                ]
            ),
            (
                ["targeting": .null],
                [["pointer": "/targeting", "before": ["if": [["==": [["var": "plan"], "free"]], "on"]]]]
            ),
        ]
        for step in steps {
            try fixture.patch("new-feature", step.patch, in: .staging)
            #expect(try changes(followed) == step.changes)
        }
        try fixture.replace(Fixture.simple("new-feature"), in: .staging)
        let simple = try told(followed)[0]
        #expect(simple["attributes"] == ["defaultEnabled", "definition", "description", "owner", "tags"])
        #expect(
            simple["changes"]?.arrayValue?.map { $0["pointer"] } == [
                "/state", "/variants", "/defaultVariant", "/description", "/owner", "/tags", "/defaultEnabled",
            ])
        try fixture.delete("new-feature", in: .staging)
        let gone = try told(followed)[0]
        #expect(gone["change"] == "deleted")
        #expect(gone["changes"]?.arrayValue?.map { $0["before"]?["defaultEnabled"] } == [true])
        #expect(gone["changes"]?.arrayValue?.first?["after"] == nil)
    }

    @Test("What is refused is told as it was written")
    func refused() throws {
        let followed = try Followed(writing: [ForeignItemTests.typed])
        var item = try followed.item()
        item["owner"] = 7
        item["definition"] = "{"
        try followed.put(item)
        #expect(
            try changes(followed) == [
                ["pointer": "/owner", "before": "ops", "after": 7], ["pointer": "/definition", "after": "{"],
            ])
    }

    @Test("The largest flag leaves an entry that is bounded, and says how large what it leaves out is")
    func largest() throws {
        let followed = try Followed()
        let texts = (0..<290).map { JSONValue.string(String(repeating: "\($0 % 10)", count: 1_000)) }
        var json = Self.definition.objectValue ?? JSONObject()
        json["metadata"] = ["note": .string(String(repeating: "n", count: 9_000))]
        json["targeting"] = ["if": [["in": [["var": "x"], .array(texts)]], "on"]]
        try followed.fixture.create(.object(json), in: .staging)
        let created = try told(followed)[0]
        #expect(created.serializedBytes().count < 3 * FlagLimits.historyEntryBytes)
        let changes = created["changes"]?.arrayValue ?? []
        #expect(changes.first { $0["pointer"] == "/metadata/note" }?["afterBytes"] == 9_002)
        let rule = changes.first { $0["pointer"] == "/targeting/if" }
        #expect(rule?["afterBytes"]?.numberValue?.int64 ?? 0 > 290_000)
        #expect(changes.first { $0["pointer"] == "/owner" }?["after"] == "o")
        json["targeting"] = ["if": [["in": [["var": "x"], .array(texts + ["one more"])]], "on"]]
        try followed.fixture.replace(.object(json), in: .staging)
        #expect(
            try self.changes(followed) == [["pointer": "/targeting/if/0/in/1/290", "after": "one more"]])
    }

    @Test("An entry that a former version wrote is read as it was")
    func former() throws {
        let followed = try Followed()
        try followed.fixture.createSimple("new-feature", in: .staging)
        followed.follower.waitUntilIdle()
        let table = FlagHistoryTable.name(beside: Fixture.table)
        let partition = FlagHistoryTable.historyPartition(.staging, "new-feature")
        try followed.fixture.store.transactAndWait(
            [
                .put(
                    table: table,
                    item: [
                        "PK": .string(partition), "SK": .string(FlagHistoryTable.sort(999_999)), "by": "anonymous",
                        "at": "2026-01-02T03:04:05.678Z", "change": "changed", "attributes": .list(["owner"]),
                    ])
            ], principal: .anonymous)
        #expect(try told(followed) == [["by": "anonymous", "change": "changed", "attributes": ["owner"]]])
    }

    // MARK: - Overrides

    @Test(
        "An override that is set, changed, refused or taken away is an entry of the flag's history: whose, who and why")
    func overrides() throws {
        let followed = try Followed()
        let fixture = followed.fixture
        try fixture.createSimple("new-feature", in: .staging)
        try fixture.putOverride("acme", "new-feature", ["enabled": true, "updatedBy": "ada"], in: .staging)
        try fixture.putOverride("acme", "new-feature", ["enabled": true, "updatedBy": "ada"], in: .staging)
        try fixture.putOverride(
            "acme", "new-feature", ["enabled": false, "updatedBy": "ada", "reason": "they asked"], in: .staging)
        try followed.update(
            .override(.staging, tenant: "acme", flagKey: "new-feature"), [.set("enabled", .value("no"))])
        try fixture.deleteOverride("acme", "new-feature", in: .staging)
        let written: [JSONValue] = [
            [
                "by": "anonymous", "change": "override_deleted", "tenantId": "acme",
                "changes": [
                    ["pointer": "", "before": ["enabled": "no", "reason": "they asked", "updatedBy": "ada"]]
                ],
            ],
            [
                "by": "anonymous", "change": "override_refused", "tenantId": "acme", "updatedBy": "ada",
                "reason": "they asked", "attributes": ["enabled"],
                "changes": [["pointer": "/enabled", "before": false, "after": "no"]],
                "issues": [
                    [
                        "pointer": "/enabled",
                        "detail": "must be true or false (BOOL), or else variant the name of a variant",
                    ]
                ],
            ],
            [
                "by": "anonymous", "change": "override_changed", "tenantId": "acme", "updatedBy": "ada",
                "reason": "they asked", "attributes": ["enabled", "reason"],
                "changes": [
                    ["pointer": "/enabled", "before": true, "after": false],
                    ["pointer": "/reason", "after": "they asked"],
                ],
            ],
            [
                "by": "anonymous", "change": "override_created", "tenantId": "acme", "updatedBy": "ada",
                "changes": [["pointer": "", "after": ["enabled": true, "updatedBy": "ada"]]],
            ],
        ]
        #expect(try told(followed, 4) == written)
        #expect(try told(followed, 10).count == 5)
    }

    @Test("The overrides that go with a flag are told with it, one by one or by their number", arguments: [3, 120])
    func deletedWithFlag(count: Int) throws {
        let followed = try Followed()
        try followed.fixture.createSimple("new-feature", in: .staging)
        for number in 0..<count { try followed.fixture.putOverride("t-\(number)", "new-feature", in: .staging) }
        followed.follower.waitUntilIdle()
        try followed.fixture.delete("new-feature", in: .staging)
        let entries = try told(followed, 1_000).filter { $0["change"] == "override_deleted" }
        let counted = try told(followed, 1_000).filter { $0["overrides"]?["deleted"] != nil }
        if count == 3 {
            #expect(entries.compactMap { $0["tenantId"]?.stringValue }.sorted() == ["t-0", "t-1", "t-2"])
        } else {
            #expect(counted.first?["overrides"]?["deleted"]?["count"]?.numberValue == JSONNumber(Int64(count)))
        }
    }

    @Test("However many overrides are changed, the flag's own entries stay, and of the overrides' the latest")
    func bounded() throws {
        let followed = try Followed()
        try followed.fixture.createSimple("new-feature", in: .staging)
        try followed.fixture.patch("new-feature", ["owner": "b"], in: .staging)
        for number in 0..<(Followed.historyEntries + 30) {
            try followed.fixture.putOverride(
                "acme", "new-feature", ["enabled": .bool(number % 2 == 0), "updatedBy": "me"], in: .staging)
            if number % 10 == 0 { followed.follower.waitUntilIdle() }
        }
        followed.follower.waitUntilIdle()
        let entries = try followed.fixture.repository.history(of: "new-feature", in: .staging, limit: 1_000)
        #expect(entries.count == Followed.historyEntries + 2)
        #expect(entries.suffix(2).map(\.change) == ["changed", "created"])
    }

    private static func importing(_ flags: Int, _ tenants: Int, into followed: Followed, by principal: Principal) throws
    {
        let flagList = (0..<flags).map {
            #"{"flagKey":"f\#($0)","description":"d","owner":"o","defaultEnabled":true}"#
        }
        let overrides = (0..<flags).flatMap { flag in
            (0..<tenants).map { #"{"flagKey":"f\#(flag)","tenantId":"t\#($0)","enabled":false,"updatedBy":"file"}"# }
        }
        let file =
            #"{"flags":[\#(flagList.joined(separator: ","))],"overrides":[\#(overrides.joined(separator: ","))]}"#
        let plan = try ImportPlan(
            ImportDocument(parsing: Array(file.utf8)), mode: .merge,
            over: followed.fixture.repository.stored(in: .staging), now: Fixture.start)
        try plan.apply(to: followed.fixture.repository, in: .tests(plan.environment, by: principal))
    }

    @Test("An import of many overrides is one entry for each flag, with how many and whose; of few, one for each")
    func importOfOverrides() throws {
        let followed = try Followed()
        let (flags, tenants) = (120, 60)
        try Self.importing(flags, tenants, into: followed, by: Principal(.command, "import"))
        followed.follower.waitUntilIdle()
        #expect(followed.follower.statistics.entries == 2 * UInt64(flags))
        for flag in 0..<flags {
            let first = ["t0", "t1", "t10", "t11", "t12"] as [JSONValue]
            let entries = try told(followed, 9, "f\(flag)")
            #expect(entries.map { $0["change"] } == ["overrides_changed", "created"])
            #expect(entries[0]["by"] == "command import")
            let created = entries[0]["overrides"]?["created"]
            #expect(created?["count"] == .integer(tenants))
            #expect(created?["first"]?.arrayValue?.count == FlagLimits.talliedNames)
            #expect(created?["first"]?.arrayValue?.prefix(5).elementsEqual(first) == true)
        }
        let few = try Followed()
        try Self.importing(2, 20, into: few, by: Principal(.command, "import"))
        #expect(
            try told(few, 21, "f0").map { $0["change"] } == Array(repeating: "override_created", count: 20) + [
                "created"
            ])
    }

    @Test("What is being counted by a process that ends without telling is counted by the next, once")
    func countedAgain() throws {
        let followed = try Followed()
        followed.tellNothing()
        try Self.importing(2, 100, into: followed, by: .anonymous)
        try followed.fixture.createSimple("told-at-once", in: .staging)
        // Looked at, and not told: as after a crash.
        followed.follower.queue.sync {}
        #expect(try followed.history("f0").map(\.change) == ["created"])
        followed.follower.upkeep.tallies.withLock { $0 = HistoryTallies() }
        followed.follower.stop()
        let again = try Followed(followed.fixture)
        for flag in ["f0", "f1"] {
            #expect(try told(again, 2, flag).first?["overrides"]?["created"]?["count"] == 100)
            #expect(try told(again, 9, flag).count == 2)
        }
    }

    @Test("What was counted is told while all items are looked at, but not as if they all had been")
    func toldWithoutPosition() throws {
        let followed = try Followed()
        followed.tellNothing()
        try Self.importing(1, 100, into: followed, by: .anonymous)
        let (queue, upkeep) = (followed.follower.queue, followed.follower.upkeep)
        queue.sync {}
        let stored = upkeep.position.stored
        try queue.sync { () throws in try upkeep.tellTallies(storing: false) }
        #expect(try followed.history("f0").count == 2)
        #expect(upkeep.position.stored == stored)
        #expect(upkeep.position.taken > stored)
    }

    @Test("One hand's flood does not keep another's single change from being told")
    func flood() throws {
        let followed = try Followed()
        try Self.importing(1, 200, into: followed, by: Principal(.command, "import"))
        try followed.fixture.putOverride("acme", "f0", ["enabled": true, "updatedBy": "ada"], in: .staging)
        #expect(try told(followed, 2, "f0").map { $0["change"] } == ["override_created", "overrides_changed"])
    }

    @Test("What was counted is told by itself, and what comes soon after it is added to the same entry")
    func toldSoon() throws {
        let followed = try Followed()
        try Self.importing(1, 200, into: followed, by: .anonymous)
        while try followed.history("f0").count < 2 { followed.follower.queue.sync {} }
        #expect(try followed.history("f0").map(\.change) == ["overrides_changed", "created"])
        // As if the timer had come so early.
        followed.tellNothing()
        try Self.importing(1, 300, into: followed, by: .anonymous)
        let entries = try told(followed, 9, "f0")
        let counts = entries.map { $0["overrides"]?["created"]?["count"]?.numberValue?.int64 ?? 0 }
        #expect(counts.reduce(0, +) == 300)
        #expect(followed.follower.statistics.entries == UInt64(entries.count))
    }

    @Test("An entry that is told again with more is one entry of those that are kept")
    func toldAgain() throws {
        let followed = try Followed()
        followed.tellNothing()
        for number in 0..<(Followed.historyEntries + 20) {
            let tenants = number * 100..<(number + 1) * 100
            let puts = tenants.prefix(60).map {
                followed.fixture.repository.put(
                    ItemKey.override(.staging, tenant: "t-\($0)", flagKey: "new-feature").item
                        .merging(["enabled": true]) { $1 })
            }
            let principal = Principal(.command, "\(number % (Followed.historyEntries - 1))")
            try followed.fixture.store.transactAndWait(puts, principal: principal)
            followed.follower.waitUntilIdle()
        }
        let entries = try told(followed, 1_000)
        #expect(entries.count == Followed.historyEntries - 1)
        let counts = entries.map { $0["overrides"]?["created"]?["count"]?.numberValue?.int64 ?? 0 }
        #expect(counts.filter { $0 == 120 }.count == 21)
    }
}
