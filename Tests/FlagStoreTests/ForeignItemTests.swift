import DynamoModel
import FlagCore
import JSON
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("Items that somebody else wrote")
struct ForeignItemTests {
    /// What an operator types.
    static let typed: Item = [
        "PK": "FLAG#staging#new-feature", "SK": "METADATA", "flagKey": "new-feature", "description": "d",
        "defaultEnabled": true, "owner": "ops", "createdAt": "2026-01-02T03:04:05Z",
    ]

    @Test("The attributes that an operator types are enough for a flag")
    func minimal() throws {
        let record = try FlagRecord(item: Self.typed)
        #expect(record.environment == .staging)
        #expect(record.version == 1)
        #expect(record.rule == .simple(defaultEnabled: true))
        #expect(record.updatedAt == record.createdAt)
    }

    @Test("A definition with more in it than a flag has is read without that, and may be put back as it was read")
    func moreMembers() throws {
        var item = Self.typed
        item["defaultEnabled"] = nil
        item["definition"] = #"{"owner":"x","note":1,"variants":{"v":2.0},"defaultVariant":"v","state":"ENABLED"}"#
        let record = try FlagRecord(item: item)
        let draft = try FlagDraft(json: record.json(at: record.createdAt))
        #expect(draft.owner == "ops")
        #expect(draft.rule == .full(#"{"state":"ENABLED","variants":{"v":2.0},"defaultVariant":"v"}"#))
    }

    @Test("A correction gives an item every derived attribute, touches nothing else, and leaves nothing to correct")
    func corrected() throws {
        let fixture = try Fixture()
        var item = Self.typed
        item["note"] = "keep me"
        item["GSI2PK"] = "OWNER#staging#somebody-else"
        item["GSI2SK"] = "FLAG#new-feature"
        item["GSI1PK"] = "EXPIRES#staging"
        let correction = try #require(try DerivedAttributes.correction(of: item))
        let outcome = try fixture.store.transactAndWait(
            [
                .put(table: Fixture.table, item: item)
            ], principal: .anonymous)
        #expect(outcome[0].new == item)
        let update = WriteOperation.update(
            table: Fixture.table, key: correction.key.tableKey, actions: correction.actions,
            condition: correction.condition)
        let corrected = try #require(try fixture.store.transactAndWait([update], principal: .anonymous)[0].new)
        #expect(corrected["GSI2PK"] == "OWNER#staging#ops")
        #expect(corrected["GSI1PK"] == nil)
        #expect(corrected["GSI3PK"] == "FLAGS#staging")
        #expect(corrected["GSI3SK"] == "METADATA#2026-01-02T03:04:05.000Z")
        #expect(corrected["GSI4PK"] == "GLOBAL_FLAG#new-feature")
        #expect(corrected["version"] == 1)
        #expect(corrected["updatedAt"] == "2026-01-02T03:04:05.000Z")
        #expect(corrected["environment"] == "staging")
        #expect(DerivedAttributes.content(of: corrected) == DerivedAttributes.content(of: item))
        #expect(try DerivedAttributes.correction(of: corrected) == nil)
        #expect(throws: TableError.self, "The item is no longer what the correction was derived from") {
            try fixture.store.transactAndWait([update], principal: .anonymous)
        }
    }

    @Test(
        "A correction does nothing to an item that means something else since: that change has a correction of its own")
    func overtaken() throws {
        let fixture = try Fixture()
        let override: Item = ["PK": "TENANT#staging#acme", "SK": "FLAG#new-feature", "enabled": true]
        let segment: Item = [
            "PK": "SEGMENT#staging#beta", "SK": "METADATA", "description": "d", "owner": "o",
            "createdAt": "2026-01-01T00:00:00Z",
        ]
        let changes: [(Item, Item)] = [
            (Self.typed, ["defaultEnabled": false]), (Self.typed, ["tags": .list(["t"])]),
            (override, ["enabled": "no"]),
            (segment, ["condition": "{"]),
        ]
        for (item, change) in changes {
            let correction = try #require(try DerivedAttributes.correction(of: item, at: Fixture.start))
            try fixture.put(item.merging(change) { $1 })
            let update = WriteOperation.update(
                table: Fixture.table, key: correction.key.tableKey, actions: correction.actions,
                condition: correction.condition)
            #expect(throws: TableError.self, "\(change)") {
                try fixture.store.transactAndWait([update], principal: .anonymous)
            }
        }
    }

    @Test("What this program writes needs no correction")
    func own() throws {
        let fixture = try Fixture()
        let record = try fixture.create([
            "flagKey": "a", "description": "d", "owner": "o", "defaultEnabled": true, "tags": ["x", "y"],
            "expiresAt": "2027-01-01T00:00:00Z",
        ])
        #expect(try DerivedAttributes.correction(of: record.item) == nil)
        #expect(try FlagRecord(item: record.item) == record)
    }

    @Test(
        "Everything that keeps an item from being a flag is said",
        arguments: [
            ("owner", nil, "/owner"), ("flagKey", "other", "/flagKey"), ("defaultEnabled", "true", "/defaultEnabled"),
            ("createdAt", "yesterday", "/createdAt"), ("definition", 7, "/definition"), ("tags", "x", "/tags"),
        ] as [(String, AttributeValue?, String)])
    func broken(name: String, value: AttributeValue?, pointer: String) throws {
        var item = Self.typed
        item[name] = value
        let error = #expect(throws: DefinitionIssues.self) { try FlagRecord(item: item) }
        #expect(error?.issues.map(\.pointer) == [pointer])
    }

    @Test("What cannot be evaluated says which attribute is to blame")
    func blame() throws {
        var item = Self.typed
        item["definition"] = "{"
        guard case .invalid(let issues, _) = FlagReadingOfItem(item, environment: .staging, key: "new-feature") else {
            Issue.record("A definition that is not JSON is valid")
            return
        }
        #expect(issues.map(\.pointer) == ["/definition"])
        item["definition"] = nil
        item["defaultEnabled"] = "yes"
        guard case .invalid(_, let fallback) = FlagReadingOfItem(item, environment: .staging, key: "new-feature") else {
            Issue.record("A defaultEnabled that is a text is valid")
            return
        }
        let evaluation = fallback.compiled(fractional: .v3).evaluate(
            EvaluationContext(attributes: nil), killSwitch: nil, override: nil, now: Fixture.start)
        #expect(evaluation.error?.details == "What is stored has neither defaultEnabled (BOOL) nor a definition")
    }

    @Test("A flag without a version can be replaced, and is version 2 then")
    func replaced() throws {
        let fixture = try Fixture()
        try fixture.store.transactAndWait([.put(table: Fixture.table, item: Self.typed)], principal: .anonymous)
        let replaced = try fixture.patch("new-feature", ["owner": "me"], in: .staging)
        #expect(replaced.version == 2)
        #expect(try fixture.repository.flags(FlagQuery(owner: "me"), in: .staging).records.count == 1)
    }

    @Test("A broken item is told apart from a missing one, and can be replaced and deleted")
    func repaired() throws {
        let fixture = try Fixture()
        var item = Self.typed
        item["owner"] = nil
        try fixture.store.transactAndWait([.put(table: Fixture.table, item: item)], principal: .anonymous)
        #expect(failure { _ = try fixture.repository.flag("new-feature", in: .staging) }?.pointers == ["/owner"])
        try fixture.replace(Fixture.simple("new-feature"), in: .staging)
        #expect(try fixture.repository.flag("new-feature", in: .staging).owner == "team")
        try fixture.delete("new-feature", in: .staging)
    }

    @Test(
        "A kill switch is on unless it says that it is not",
        arguments: [
            (nil, true), (true, true), (false, false), ("false", true),
        ] as [(AttributeValue?, Bool)])
    func killSwitch(enabled: AttributeValue?, isOn: Bool) {
        var item: Item = ["PK": "EMERGENCY#production", "SK": "FLAG#a"]
        item["enabled"] = enabled
        #expect((KillSwitchRecord(item: item) != nil) == isOn)
    }
}
