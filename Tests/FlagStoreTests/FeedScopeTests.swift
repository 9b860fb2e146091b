import Dispatch
import DynamoModel
import FlagCore
import JSON
import TableEngine
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("What the caches are fed with")
struct FeedScopeTests {
    private func put(_ item: Item, _ table: String, _ fixture: Fixture) throws {
        try fixture.store.transactAndWait([.put(table: table, item: item)], principal: .anonymous)
    }

    @Test("All flags, however many pages of the table they take")
    func pages() throws {
        let fixture = try Fixture()
        // A page is a megabyte at most.
        let text = JSONValue.string(String(repeating: "x", count: 90_000))
        for number in 0..<15 {
            try fixture.create([
                "flagKey": .string("f\(number)"), "description": "d", "owner": "o", "state": "ENABLED",
                "variants": ["long": text], "defaultVariant": "long",
            ])
        }
        let loops = try Loops(warm: [.development], fixture: fixture)
        guard case .found(let ruleSet, _) = loops.caches[0].ruleSet(.development, now: 0) else {
            Issue.record("There are no flags")
            return
        }
        #expect(ruleSet.count == 15)
    }

    @Test("Nothing of other tables, whatever is in them")
    func otherTable() throws {
        let loops = try Loops(warm: [.development])
        let record = try loops.fixture.createSimple("a", enabled: true)
        let other = "feature-flags-other"
        try FlagRepository(store: loops.fixture.store, table: other).createTableIfMissing()
        var item = record.item
        item["defaultEnabled"] = false
        try put(item, other, loops.fixture)
        try put(["PK": "EMERGENCY#development", "SK": "GLOBAL"], other, loops.fixture)
        #expect(loops.answer("a") == Answer("on", .cache))
    }

    @Test("The last valid form of a flag that is not valid, also when it is the first that a new process asks for")
    func heldForm() throws {
        let followed = try FlagTableFollowerTests.Followed()
        let record = try followed.fixture.createSimple("a", enabled: true)
        var item = record.item
        item["owner"] = 7
        item["defaultEnabled"] = false
        try followed.put(item)
        #expect(try Loops(fixture: followed.fixture).answer("a").text == "on")
        #expect(try Loops(warm: [.development], fixture: followed.fixture).answer("a").text == "on")
    }

    @Test("A flag that was put right as it is now, although its last valid form is still kept")
    func putRight() throws {
        let fixture = try Fixture()
        let record = try fixture.createSimple("a", enabled: false)
        // What a process that ended had not let go of yet.
        let held = HeldFlag(environment: .development, key: "a", rule: .simple(defaultEnabled: true))
        try fixture.store.createTable(FlagHistoryTable.schema(beside: Fixture.table))
        try put(held.item, FlagHistoryTable.name(beside: Fixture.table), fixture)
        #expect(try Loops(warm: [.development], fixture: fixture).answer("a").text == "off")
        var item = record.item
        item["owner"] = 7
        try fixture.put(item)
        #expect(try Loops(warm: [.development], fixture: fixture).answer("a").text == "on")
    }

    @Test("The revision after the last of the writes that were committed together")
    func revisions() throws {
        let fixture = try Fixture()
        for key in ["a", "b", "c"] { try fixture.createSimple(key) }
        let loops = try Loops(warm: [.development], fixture: fixture)
        let (isHeld, gate, done) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchGroup())
        fixture.store.subscribe { _ in
            isHeld.signal()
            gate.wait()
            gate.signal()
        }
        for key in ["a", "b", "c"] {
            done.enter()
            let patch = try FlagPatch(json: ["owner": "somebody else"])
            fixture.repository.patch(key, with: patch, in: .tests(.development)) { _ in
                done.leave()
            }
            // The others wait behind it, for one batch.
            if key == "a" { isHeld.wait() }
        }
        gate.signal()
        done.wait()
        loops.drain()
        func fingerprint(_ loops: Loops) -> UInt64? {
            guard case .found(let ruleSet, _) = loops.caches[0].ruleSet(.development, now: 0) else { return nil }
            return ruleSet.fingerprint
        }
        let fresh = try Loops(warm: [.development], fixture: fixture)
        #expect(fingerprint(loops) != nil && fingerprint(loops) == fingerprint(fresh))
    }
}
