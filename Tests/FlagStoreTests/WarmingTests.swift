import Dispatch
import DynamoModel
import FlagCore
import JSON
import Platform
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("The memory that warming takes")
struct WarmingTests {
    @Test("All flags and all tenants are read in small pages, and then what reading has kept is given back")
    func smallPages() throws {
        let fixture = try Fixture()
        // One more than two pages: the last of each kind is behind the end of a page.
        let count = 2 * FlagTable.pageItems + 1
        for number in 0..<count { try fixture.createSimple("flag-\(number)", enabled: number % 2 == 0) }
        let body: JSONValue = ["enabled": true, "updatedBy": "me"]
        for number in 0..<count { try fixture.putOverride("tenant-\(number)", "flag-0", body) }
        let loops = try Loops(warm: [.development], fixture: fixture)
        #expect(loops.gated.itemsAtATime == FlagTable.pageItems)
        #expect(loops.gated.releases == 1)
        #expect(loops.feed.tenants.count == count)
        #expect(loops.feed.statistics.tenantsAreComplete)
        guard case .found(let ruleSet, _) = loops.caches[0].ruleSet(.development, now: 0) else {
            Issue.record("There are no flags")
            return
        }
        #expect(ruleSet.count == count)
        let last = loops.answer("flag-\(count - 1)")
        #expect(last == Answer("on", .cache))
        #expect(loops.answer("flag-\(count - 2)") == Answer("off", .cache))
    }

    @Test("The process's memory is given back when the tenants are known, which are read last")
    func givenBack() throws {
        let fixture = try Fixture()
        let gated = GatedStore(fixture.store)
        let releases = Locked<[Int]>([])
        let feed = CacheFeed(
            store: gated, table: Fixture.table, loops: 1,
            giveMemoryBack: { releases.withLock { $0.append(gated.releases) } }, deliver: { _, _ in })
        try feed.start(warm: [.development])
        feed.background.sync {}
        #expect(feed.tenants.isComplete)
        #expect(releases.withLock { $0 } == [1], "Behind what the store gives back, or that stays with the allocator")
    }

    @Test("A flag's text says what it was made of, with and without what few flags have")
    func additions() {
        let date = Timestamp(millisecondsSinceEpoch: 1_700_000_000_000)
        let rules = [
            FlagRule.simple(defaultEnabled: true), .full("{}"), .simple(defaultEnabled: false, rollout: "{}"),
            FlagRule(spelling: .full("{}"), requires: "[]"),
        ]
        for rule in rules {
            for expiresAt in [nil, date] {
                let text = DecodedFlag(key: "f", rule: rule, expiresAt: expiresAt)
                #expect(text.rule == rule)
                #expect(text.expiresAt == expiresAt)
                #expect(text.isSame(as: DecodedFlag(key: "f", rule: rule, expiresAt: expiresAt)))
            }
        }
        #expect(
            !DecodedFlag(key: "f", rule: rules[0]).isSame(as: DecodedFlag(key: "f", rule: rules[0], expiresAt: date)))
    }

    @Test("A flag that was met on two pages is one flag, and gone when it is deleted")
    func metTwice() {
        func text(_ key: String, _ isOn: Bool) -> DecodedFlag {
            DecodedFlag(key: key, rule: .simple(defaultEnabled: isOn))
        }
        var set = DecodedRuleSet([text("b", true), text("a", true), text("b", false), text("c", true)], revision: 1)
        #expect(set.flags.map { String(decoding: $0.key, as: UTF8.self) } == ["a", "b", "c"])
        set.set(nil, for: Array("b".utf8))
        #expect(set.flags.map { String(decoding: $0.key, as: UTF8.self) } == ["a", "c"])
    }

    @Test("Equal texts use the same memory; texts that only look the same stay what they are")
    func sharedTexts() {
        func address(_ text: String) -> UnsafePointer<UInt8>? {
            text.utf8.withContiguousStorageIfAvailable { $0.baseAddress } ?? nil
        }
        func made(_ text: String) -> String { String(decoding: Array(text.utf8), as: UTF8.self) }
        var texts = SharedTexts(places: 1)
        let composed = "the caf\u{E9} at the end of the world"
        let decomposed = "the cafe\u{301} at the end of the world"
        let first = texts.shared(made(composed))
        #expect(address(texts.shared(made(composed))) == address(first))
        #expect(Array(texts.shared(made(decomposed)).utf8) == Array(decomposed.utf8))
        #expect(Array(texts.shared(made(composed)).utf8) == Array(composed.utf8))
    }

    @Test("Flags of the same definition share its text, also when they were read on different pages")
    func sharedDefinitions() throws {
        let fixture = try Fixture()
        for number in 0...FlagTable.pageItems {
            try fixture.create([
                "flagKey": .string("f\(number)"), "description": "d", "owner": "o", "state": "ENABLED",
                "variants": ["on": true, "off": false], "defaultVariant": "on",
            ])
        }
        let loops = try Loops(warm: [.development], fixture: fixture)
        guard case .found(let ruleSet, _) = loops.caches[0].ruleSet(.development, now: 0) else {
            Issue.record("There are no flags")
            return
        }
        let addresses = (0..<ruleSet.count).map { index -> UnsafePointer<UInt8>? in
            guard case .full(let text) = ruleSet.text(at: index).rule.spelling else { return nil }
            return text.utf8.withContiguousStorageIfAvailable { $0.baseAddress } ?? nil
        }
        #expect(addresses.count == FlagTable.pageItems + 1)
        #expect(Set(addresses).count == 1)
        #expect(addresses[0] != nil)
    }
}
