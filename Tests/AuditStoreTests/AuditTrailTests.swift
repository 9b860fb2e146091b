import FlagCore
import JSON
import TestSupport
import Testing

@testable import Audit
@testable import AuditStore
@testable import DynamoModel
@testable import FlagStore
@testable import TableEngine

@Suite("The audit log has every change")
struct AuditTrailTests {
    @Test("A change is a record of who, what, where and why, with what was there before and the differences")
    func changeIsRecorded() throws {
        let audit = try TestAudit()
        var circumstances = ChangeCircumstances()
        circumstances.reason = "as agreed"
        circumstances.requestID = "0192"
        circumstances.address = "192.0.2.1"
        circumstances.userAgent = "curl/8"
        circumstances.proof = "key"
        circumstances.onBehalfOf = "account ann"
        circumstances.cause = "schedule 7"
        let principal = Principal(.key, "7fGh").with(circumstances)
        try audit.put("checkout", owner: "team", by: principal)
        try audit.put("checkout", owner: "others", by: principal)
        let record = try #require(try audit.records(.with { $0.action = "flag.update" }).first)
        let json = record.json
        #expect(json["sequence"]?.numberValue?.int64 == record.sequence)
        #expect(json["action"] == "flag.update")
        #expect(json["outcome"] == "done")
        #expect(json["principal"] == ["kind": "key", "id": "7fGh", "proof": "key"])
        #expect(json["onBehalfOf"] == "account ann")
        #expect(json["cause"] == "schedule 7")
        #expect(json["target"] == ["flag": "checkout"])
        #expect(json["environment"] == "production")
        #expect(json["reason"] == "as agreed")
        #expect(json["requestId"] == "0192")
        #expect(json["address"] == "192.0.2.1")
        #expect(json["userAgent"] == "curl/8")
        #expect(json["before"]?["owner"] == "team")
        #expect(json["after"]?["owner"] == "others")
        #expect(json["changes"] == [["op": "replace", "path": "/owner", "value": "others"]])
    }

    @Test("Whoever deletes leaves what was there; what was made began with nothing")
    func creationAndDeletion() throws {
        let audit = try TestAudit()
        try audit.put("a")
        let key = ItemKey.flag(.production, key: "a").tableKey
        try audit.store.transactAndWait([.delete(table: TestAudit.table, key: key)], principal: .anonymous)
        let records = try audit.records(.with { $0.flag = "a" })
        #expect(records.map(\.entry.action.name) == ["flag.create", "flag.delete"])
        #expect(records.map { $0.json["before"]?.isNull } == [true, false])
        #expect(records.map { $0.json["after"]?.isNull } == [false, true])
        #expect(records[1].json["before"]?["owner"] == "team")
    }

    @Test("What a follower of the server's own puts right is told as a repair")
    func repair() throws {
        let audit = try TestAudit()
        try audit.put("a", by: Principal(.server, FlagTableFollower.repairer))
        #expect(try audit.records(.with { $0.flag = "a" }).map(\.entry.action.name) == ["flag.repair"])
    }

    @Test("Keys of a segment that one request changes are one record, and so are items of other tables")
    func changesToldTogether() throws {
        let audit = try TestAudit()
        let keys = (1...50).map { "user-\($0)" }
        try audit.store.transactAndWait(
            keys.map { key in
                let itemKey = ItemKey.segmentKey(.staging, name: "beta", key: key)
                return .put(
                    table: TestAudit.table, item: ["PK": .string(itemKey.partition), "SK": .string(itemKey.sort)])
            }, principal: Principal(.key, "k"))
        try audit.store.createTable(
            TableSchema(name: "orders", partitionKey: KeyAttribute("PK"), sortKey: KeyAttribute("SK")))
        for number in 1...20 {
            try audit.store.transactAndWait(
                [.put(table: "orders", item: ["PK": "o", "SK": .string("\(number)"), "card": "4111"])],
                principal: Principal(.accessKey, "AKID"))
        }
        let records = try audit.records()
        let segment = try #require(records.first { $0.entry.action.name == "segment.keys" })
        #expect(segment.entry.count == 50)
        #expect(segment.entry.details?["added"]?.arrayValue?.count == 50)
        let tables = records.filter { $0.entry.action.name == "table.items" }
        #expect(tables.compactMap(\.entry.count).reduce(0, +) == 20)
        #expect(tables.allSatisfy { $0.entry.target.name == "orders" })
        #expect(!records.contains { $0.json.serialized().contains("4111") })
    }

    @Test("After the end of a process each change is in the log once, also what it had not come to")
    func everythingOnce() throws {
        let audit = try TestAudit()
        for number in 0..<40 { try audit.put("early-\(number)") }
        try audit.restart(stopping: false)
        for number in 0..<40 { try audit.put("late-\(number)") }
        try audit.restart()
        let flags = try audit.records(.with { $0.action = "flag" }).compactMap(\.entry.target.flag)
        #expect(flags == (0..<40).map { "early-\($0)" } + (0..<40).map { "late-\($0)" })
        #expect(try audit.problems() == [])
    }

    @Test("A log that begins in a store of before has what the stream still has")
    func beginsLate() throws {
        let audit = try TestAudit(attaching: false)
        for number in 0..<5 { try audit.put("f\(number)") }
        audit.trail.start()
        #expect(try audit.records(.with { $0.action = "flag.create" }).count == 5)
        #expect(try audit.records().first?.entry.action == .begin)
    }

    @Test("The log's own writes are not in the change stream, and the store verifies with them")
    func logIsNotFollowed() throws {
        let audit = try TestAudit()
        try audit.put("a")
        audit.trail.catchUp()
        let changes = try audit.store.changes(after: 0, limit: 100)
        #expect(changes.map(\.table) == [TestAudit.table])
        #expect(try audit.store.verify().problems == [])
    }

    @Test("What is too large is told by its size and its digest")
    func largeContent() throws {
        let audit = try TestAudit()
        var item = TestAudit.item("large")
        item["definition"] = .string("\"\(String(repeating: "x", count: 100_000))\"")
        try audit.store.transactAndWait([.put(table: TestAudit.table, item: item)], principal: .anonymous)
        let json = try #require(try audit.records(.with { $0.flag = "large" }).first).json
        #expect(json["after"] == nil)
        #expect(json["afterOmitted"]?["sha256"]?.stringValue?.isEmpty == false)
        #expect(try #require(json["afterOmitted"]?["bytes"]?.numberValue?.int64) > 100_000)
    }

    @Test("Notes become records, and a flood of them is counted for each principal, address and minute")
    func notesAndTallies() throws {
        let audit = try TestAudit()
        audit.trail.note(AuditEntry(.start, by: .server, at: .systemClock))
        for number in 0..<5_000 {
            var circumstances = ChangeCircumstances()
            circumstances.address = "192.0.2.\(number % 2)"
            var entry = AuditEntry(
                .refuse, by: Principal.anonymous.with(circumstances), at: .systemClock)
            entry.outcome = .refused
            entry.target = AuditTarget("route", "GET /api/flags/\(number)")
            audit.trail.tally(entry)
        }
        let records = try audit.records()
        #expect(records.filter { $0.entry.action == .start }.count == 1)
        let refusals = records.filter { $0.entry.action == .refuse }
        #expect(refusals.map(\.entry.count) == [2500, 2500])
        #expect(refusals.allSatisfy { $0.entry.details?["requests"]?.arrayValue?.count == 5 })
    }
}
