import Dispatch
import DynamoModel
import FlagCore
import JSON
import Platform
import TableEngine
import Testing

@testable import FlagStore

@Suite("Where the follower goes on")
struct FlagTableFollowerStartTests {
    typealias Followed = FlagTableFollowerTests.Followed

    private static func typed(_ number: Int) -> Item {
        ForeignItemTests.typed.merging([
            "PK": .string("FLAG#staging#flag-\(number)"), "flagKey": .string("flag-\(number)"),
        ]) {
            $1
        }
    }

    @Test("A store that has never been followed is looked at whole")
    func first() throws {
        let followed = try Followed(writing: (0..<1_200).map(Self.typed))
        #expect(followed.follower.statistics.corrected == 1_200)
        #expect(
            try followed.fixture.repository.flags(FlagQuery(owner: "ops", limit: 1_000), in: .staging).records.count
                == 1_000)
        #expect(try Followed(followed.fixture).follower.statistics.corrected == 0)
    }

    @Test("A store that is looked at whole is read in small pages, whose memory one after the other uses")
    func smallPages() throws {
        let fixture = try Fixture()
        for number in 0...FlagTable.pageItems { try fixture.put(Self.typed(number)) }
        let gated = GatedStore(fixture.store)
        let follower = FlagTableFollower(
            repository: FlagRepository(store: gated, table: Fixture.table), storeID: "a-store")
        follower.start()
        follower.waitUntilIdle()
        #expect(follower.statistics.corrected == FlagTable.pageItems + 1)
        #expect(gated.itemsAtATime == FlagTable.pageItems)
    }

    @Test("What was written while nobody followed is made up for, histories and last valid forms included")
    func goesOn() throws {
        let first = try Followed()
        try first.put(ForeignItemTests.typed)
        first.follower.stop()
        try first.fixture.put(Self.typed(1))
        var item = try first.item()
        item["owner"] = 7
        try first.fixture.put(item)
        #expect(try first.history().count == 1)
        let second = try Followed(first.fixture)
        #expect(second.follower.statistics.corrected == 1)
        #expect(second.follower.statistics.held == 1)
        #expect(try second.history().map(\.event.name) == ["refused", "created"])
    }

    @Test("A restored store, whose stream is another one, is looked at whole")
    func restored() throws {
        let first = try Followed(writing: [Self.typed(0)])
        first.follower.stop()
        try first.fixture.put(Self.typed(1))
        let second = try Followed(first.fixture, storeID: "another-store")
        #expect(second.follower.statistics.corrected == 1)
        #expect(try first.fixture.repository.flags(in: .staging).records.count == 2)
    }

    @Test("What the follower has not looked at stays in the stream; others' changes do not stay for it")
    func keeping() throws {
        let followed = try Followed()
        let store = followed.fixture.store
        try store.createTable(
            TableSchema(name: "others", partitionKey: KeyAttribute("PK"), sortKey: nil, indexes: []))
        for number in 0..<2_500 {
            try store.transactAndWait(
                [.put(table: "others", item: ["PK": .string("\(number)")])], principal: .anonymous)
        }
        followed.follower.waitUntilIdle()
        #expect(try store.changeStream().neededChanges <= FlagTableUpkeep.positionGap + 2)
        followed.follower.stop()
        let kept = try store.changeStream().neededChanges
        for number in 0..<1_200 { try followed.fixture.put(Self.typed(number)) }
        #expect(try store.changeStream().neededChanges == kept + 1_200)
        let again = try Followed(followed.fixture)
        #expect(try again.history("flag-0").count == 1)
        #expect(try store.changeStream().neededChanges <= FlagTableUpkeep.positionGap + 2)
    }

    @Test("A burst larger than what waits in memory is read again from the stream, nothing left out")
    func burst() throws {
        let followed = try Followed()
        let fixture = followed.fixture
        for start in stride(from: 0, to: 6_000, by: 100) {
            let puts = (start..<(start + 100)).map { WriteOperation.put(table: Fixture.table, item: Self.typed($0)) }
            try fixture.store.transactAndWait(puts, principal: .anonymous)
        }
        followed.follower.waitUntilIdle()
        #expect(followed.follower.statistics.corrected == 6_000)
        #expect(followed.follower.statistics.entries == 6_000)
    }

    /// An item whose history has a key that is too long for the table of histories.
    private static let unkeepable: Item = typed(0).merging([
        "PK": .string("FLAG#staging#" + String(repeating: "k", count: 2_048 - 13))
    ]) { $1 }

    @Test("What does not fit the table of histories is set aside and told, and everything else goes on")
    func setAside() throws {
        let followed = try Followed()
        let key = ItemKey.override(
            .staging, tenant: String(repeating: "t", count: 600), flagKey: String(repeating: "f", count: 600))
        for number in 0..<2 {
            // One write at a time and many: alone in a transaction, with others, and more than one transaction takes.
            try followed.put(Self.unkeepable.merging(["owner": .number(Int64(number))]) { $1 })
            try followed.put(key.item.merging(["enabled": .number(Int64(number))]) { $1 })
        }
        #expect(followed.follower.statistics.setAside >= 4)
        #expect(followed.events.withLock { $0.contains { $0.hasPrefix("setAside") } })
        #expect(!followed.events.withLock { $0.contains { $0.hasPrefix("failed") } })
        try followed.put(Self.typed(1))
        #expect(try followed.fixture.repository.history(of: "flag-1", in: .staging).map(\.event.name) == ["created"])
        let again = try Followed(followed.fixture)
        #expect(again.follower.statistics.setAside == 0, "What was set aside is not looked at again")
    }

    @Test("The same while all items are looked at: neither that nor a start is held up")
    func setAsideWhileSweeping() throws {
        let fixture = try Fixture()
        let gated = GatedStore(fixture.store)
        let events = Locked<[String]>([])
        let follower = FlagTableFollower(
            repository: FlagRepository(store: gated, table: Fixture.table), storeID: "a-store"
        ) { event in events.withLock { $0.append("\(event)") } }
        try fixture.put(Self.typed(1))
        try fixture.put(Self.unkeepable)
        follower.start()
        follower.waitUntilIdle()
        // From now on nothing ends the looking at all items but the store that answers again.
        gated.setFailing(true)
        follower.lookAtAllItems()
        follower.waitUntilIdle()
        follower.waitUntilIdle()
        gated.setFailing(false)
        for owner in ["a", "b"] as [AttributeValue] {
            try fixture.put(Self.unkeepable.merging(["owner": owner]) { $1 })
        }
        follower.queue.sync {}
        try #require(follower.statistics.setAside >= 2)
        try fixture.put(Self.typed(2))
        while try fixture.repository.history(of: "flag-2", in: .staging).isEmpty { follower.waitUntilIdle() }
        #expect(!events.withLock { $0.contains { $0.contains("maximum allowed") && $0.hasPrefix("failed") } })
        while !events.withLock({ $0.contains("recovered") }) { follower.waitUntilIdle() }
        follower.stop()
    }

    @Test("Looking at all items notes what is not valid, and lets go of what is valid again or gone")
    func formsAfterReplacement() throws {
        let fixture = try Fixture()
        let gated = GatedStore(fixture.store)
        let follower = FlagTableFollower(
            repository: FlagRepository(store: gated, table: Fixture.table), storeID: "a-store")
        follower.start()
        for number in 0..<2 {
            try fixture.put(Self.typed(number))
            try fixture.put(Self.typed(number).merging(["defaultEnabled": "yes"]) { $1 })
        }
        follower.waitUntilIdle()
        #expect(follower.statistics.held == 2)
        // As a restore does it: without a word.
        gated.setMuted(true)
        let enabled = Self.typed(0).merging(["defaultEnabled": false]) { $1 }
        try fixture.put(enabled)
        try fixture.store.transactAndWait(
            [.delete(table: Fixture.table, key: ItemKey.flag(.staging, key: "flag-1").tableKey)],
            principal: .anonymous)
        try fixture.put(Self.typed(2).merging(["owner": 7]) { $1 })
        gated.setMuted(false)
        follower.lookAtAllItems()
        follower.waitUntilIdle()
        follower.waitUntilIdle()
        #expect(follower.statistics.held == 0)
        #expect(try fixture.repository.invalidFlags(in: .staging).map(\.name) == ["flag-2"])
        // What is kept next is what was restored, not what was valid before that.
        try fixture.put(enabled.merging(["defaultEnabled": "yes"]) { $1 })
        follower.waitUntilIdle()
        let loops = try Loops(warm: [.staging], fixture: fixture)
        #expect(loops.answer("flag-0", in: .staging).text == "off")
    }

    @Test("When the store does not answer, the follower says so once, waits, and then does what is due")
    func failing() throws {
        let fixture = try Fixture()
        let gated = GatedStore(fixture.store)
        let events = Locked<[String]>([])
        let follower = FlagTableFollower(
            repository: FlagRepository(store: gated, table: Fixture.table), storeID: "a-store"
        ) { event in events.withLock { $0.append("\(event)") } }
        gated.setFailing(true)
        follower.start()
        try fixture.put(ForeignItemTests.typed)
        let begin = ContinuousClock.now
        let reads = gated.reads
        // Tried again, in vain, after a pause of a second each.
        while gated.reads < reads + 2 { follower.waitUntilIdle() }
        #expect(ContinuousClock.now - begin > .milliseconds(900))
        #expect(events.withLock { $0.filter { $0.hasPrefix("failed") }.count } == 1)
        #expect(events.withLock { !$0.contains("recovered") })
        #expect(follower.statistics.corrected == 0)
        gated.setFailing(false)
        while follower.statistics.corrected == 0 || !events.withLock({ $0.contains("recovered") }) {
            follower.waitUntilIdle()
        }
        #expect(events.withLock { $0.filter { $0.hasPrefix("failed") || $0 == "recovered" }.count } == 2)
        #expect(try fixture.repository.flags(in: .staging).records.map(\.key) == ["new-feature"])
    }
}
