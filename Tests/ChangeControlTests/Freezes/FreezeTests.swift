import Access
import DynamoModel
import FlagCore
import FlagStore
import JSON
import TableEngine
import Testing

@testable import ChangeControl

@Suite("Freezes and the gate")
struct FreezeTests {
    private static func draft(_ from: String, _ to: String) throws -> FreezeDraft {
        try FreezeDraft(
            json: ["environment": "production", "from": .string(from), "to": .string(to), "reason": "Christmas"],
            at: nil)
    }

    @Test(
        "A freeze holds from its first instant until before its last, whatever offsets they were written with",
        arguments: [
            ("2026-03-01T08:59:59.999+01:00", false), ("2026-03-01T09:00:00+01:00", true),
            ("2026-03-01T09:59:59.999Z", true), ("2026-03-01T10:00:00Z", false),
        ])
    func bounds(time: String, isFrozen: Bool) throws {
        let fixture = try ApprovalFixture(
            approvals: 0, freezes: [Self.draft("2026-03-01T09:00:00+01:00", "2026-03-01T10:00:00Z")])
        let now = try #require(Timestamp(rfc3339: time))
        let verdict = fixture.gate.verdict(on: .flag("a"), in: .production, at: now)
        if case .frozen(let freeze) = verdict {
            #expect(isFrozen)
            #expect(freeze.reason == "Christmas")
        } else {
            #expect(!isFrozen)
        }
        #expect(fixture.gate.verdict(on: .flag("a"), in: .staging, at: now) == .apply)
        #expect(fixture.gate.verdict(on: .killSwitch(flagKey: "a"), in: .production, at: now) == .apply)
        #expect(fixture.gate.verdict(on: .flag("a"), in: .production, at: now, bringsBack: true) == .apply)
    }

    @Test("One that somebody makes holds at once, until somebody ends it; a server that starts knows it")
    func made() throws {
        let fixture = try ApprovalFixture(approvals: 0)
        let freezes = fixture.gate.freezes
        let draft = try FreezeDraft(
            json: ["environment": "production", "to": "2026-03-02T00:00:00Z", "reason": "audit"], at: fixture.now)
        let freeze = try freezes.create(draft, by: Principal(.account, "ada"), at: fixture.now)
        #expect(fixture.gate.verdict(on: .segment("s"), in: .production, at: fixture.now) == .frozen(freeze))
        let other = ChangeGate(store: fixture.store, flagTable: ApprovalFixture.table)
        try other.start()
        #expect(other.verdict(on: .segment("s"), in: .production, at: fixture.now) == .frozen(freeze))
        fixture.pass(1_000)
        let ended = try freezes.end(freeze.id, by: Principal(.account, "bob"), at: fixture.now)
        #expect(ended.state(at: fixture.now) == .ended)
        #expect(fixture.gate.verdict(on: .segment("s"), in: .production, at: fixture.now) == .apply)
        // Whoever ended it first did.
        #expect(try freezes.end(freeze.id, by: .server, at: fixture.now).end?.by == "account bob")
        fixture.pass(91 * 86_400_000)
        try freezes.forgetEnded(at: fixture.now)
        #expect(freezes.all.isEmpty)
    }

    @Test("One of the configuration is not ended by anybody")
    func configured() throws {
        let fixture = try ApprovalFixture(
            approvals: 0, freezes: [Self.draft("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")])
        #expect(throws: FreezeError.configured("configured-1")) {
            _ = try fixture.gate.freezes.end("configured-1", by: .server, at: fixture.now)
        }
        #expect(throws: FreezeError.notFound("none")) {
            _ = try fixture.gate.freezes.end("none", by: .server, at: fixture.now)
        }
    }

    @Test(
        "What is no freeze says what is wrong with it",
        arguments: [
            (["to": "2026-03-02T00:00:00Z", "reason": "r"], "/environment"),
            (["environment": "production", "reason": "r"], "/to"),
            (["environment": "production", "to": "2026-03-02T00:00:00Z"], "/reason"),
            (["environment": "production", "to": "2026-03-01T08:00:00Z", "reason": "r"], "/to"),
            (
                [
                    "environment": "production", "from": "2026-03-03T00:00:00Z", "to": "2026-03-02T00:00:00Z",
                    "reason": "r",
                ], "/to"
            ),
            (["environment": "production", "to": "2036-03-02T00:00:00Z", "reason": "r"], "/to"),
            (["environment": "production", "to": "tomorrow", "reason": "r"], "/to"),
            (["environment": "production", "to": "2026-03-02T00:00:00Z", "reason": "r", "until": 1], "/until"),
        ] as [(JSONValue, String)])
    func faults(body: JSONValue, pointer: String) {
        #expect {
            _ = try FreezeDraft(json: body, at: ApprovalFixture.start)
        } throws: { ($0 as? DefinitionIssues)?.issues.map(\.pointer) == [pointer] }
    }

    @Test("Approvals are the larger of what the environment and the flag ask for; a change of that asks for it, too")
    func ofFlags() throws {
        let fixture = try ApprovalFixture(approvals: 1)
        try fixture.createFlag("plain")
        try fixture.createFlag("guarded", approvals: 3)
        for (thing, count) in [
            (StoredThing.flag("plain"), 1), (.flag("guarded"), 3), (.override(flagKey: "guarded", tenant: "t"), 3),
            (.segment("s"), 1), (.killSwitch(flagKey: "guarded"), 0),
        ] {
            #expect(fixture.gate.approvalsNeeded(for: thing, in: .production) == count, "\(thing)")
        }
        #expect(fixture.gate.approvalsNeeded(for: .flag("guarded"), in: .staging) == 0)
        try fixture.apply(FlagOperation(.patchFlag, of: "guarded", body: ["approvals": 2]))
        #expect(fixture.gate.approvalsNeeded(for: .flag("guarded"), in: .production) == 2)
        let other = ChangeGate(store: fixture.store, flagTable: ApprovalFixture.table)
        try other.start()
        #expect(other.approvalsNeeded(for: .flag("guarded"), in: .production) == 2)
        #expect(other.verdictOnEverything(at: fixture.now) == .propose(approvals: 2))
        try fixture.apply(FlagOperation(.deleteFlag, of: "guarded"))
        #expect(fixture.gate.approvalsNeeded(for: .flag("guarded"), in: .production) == 1)
        #expect(other.verdictOnEverything(at: fixture.now) == .apply)
    }

    @Test("Items that are written past the routes are asked as well, those of kill switches pass")
    func items() throws {
        let fixture = try ApprovalFixture(approvals: 1)
        let now = fixture.now
        func verdict(_ partition: String, _ sort: String, table: String = ApprovalFixture.table) -> ChangeVerdict {
            let key = TableKey(.string(partition), .string(sort))
            let item: Item = ["PK": .string(partition), "SK": .string(sort)]
            let verdicts = [
                WriteOperation.put(table: table, item: item), .delete(table: table, key: key),
                .update(table: table, key: key, actions: []),
            ].map { fixture.gate.verdict(on: $0, at: now).0 }
            #expect(Set(verdicts.map { "\($0)" }).count == 1)
            #expect(
                fixture.gate.verdict(
                    on: .check(table: table, key: key, condition: .attributeExists(DocumentPath("PK"))), at: now
                ).0 == .apply)
            return verdicts[0]
        }
        let needed = ChangeVerdict.propose(approvals: 1)
        #expect(verdict("FLAG#production#a", "METADATA") == needed)
        #expect(verdict("FLAG#staging#a", "METADATA") == .apply)
        #expect(verdict("TENANT#production#t", "FLAG#a") == needed)
        #expect(verdict("SEGMENT#production#s", "METADATA") == needed)
        #expect(verdict("SEGMENT#production#s", "KEY#k") == needed)
        #expect(verdict("EMERGENCY#production", "FLAG#a") == .apply)
        #expect(verdict("EMERGENCY#production", "GLOBAL") == .apply)
        #expect(verdict("REVISION#production", "METADATA") == .apply)
        #expect(verdict("ORDER#1", "X") == .apply)
        #expect(verdict("FLAG#production#a", "METADATA", table: "orders") == .apply)
    }
}
