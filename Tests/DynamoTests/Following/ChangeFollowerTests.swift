import Dispatch
import Platform
import SQLite
import Testing

@testable import DynamoModel
@testable import TableEngine

@Suite("Who follows the changes of a store")
struct ChangeFollowerTests {
    private static let day: Int64 = 24 * 3_600_000

    @Test("Every change is taken once and in order, in batches, and the position is stored with what was made of it")
    func taking() throws {
        let table = try FollowedTable()
        try table.write(25)
        table.start()
        // There was no position: what was there is looked at, and changes are taken from now on.
        #expect(try table.ledger.entries() == [])
        #expect(table.ledger.state.withLock { $0.sweeps } == 1)
        let earlier = try table.changes.count
        try table.write(35)
        table.follower.waitUntilIdle()
        let taken = Array(try table.changes.dropFirst(earlier))
        #expect(try table.ledger.entries() == taken)
        #expect(table.ledger.state.withLock { $0.batches.allSatisfy { $0 <= Ledger.batchMaximum } })
        #expect(try #require(try table.ledger.storedPositionInTable()) >= (try #require(taken.last)))
        #expect(table.follower.progress.report.failures == 0)
    }

    @Test(
        "A process that ends while it makes something of changes leaves none out and makes nothing twice",
        arguments: [Ledger.Point.beforeWork, .afterWork])
    func crash(point: Ledger.Point) throws {
        let table = try FollowedTable()
        table.start()
        try table.write(15)
        table.follower.waitUntilIdle()
        let before = try table.ledger.entries()
        table.ledger.disturb { $0 == point ? .closed : nil }
        try table.write(30)
        table.follower.waitUntilIdle()
        try table.restart()
        // What is durable has its position with it, and the rest has neither.
        let entries = try table.ledger.entries()
        #expect(point == .beforeWork ? entries == before : entries.count > before.count)
        #expect(try table.ledger.storedPositionInTable() ?? 0 >= entries.last ?? 0)
        table.start()
        #expect(try table.ledger.entries() == table.changes)
        #expect(table.ledger.state.withLock { $0.sweeps } == 0)
        #expect(table.follower.progress.report.failures == 0, "Nothing is entered twice")
    }

    /// Why a follower cannot go on where it was.
    enum Break: CaseIterable {
        /// The stream has let go of changes that it has not taken.
        case gap
        /// The position was stored in another store.
        case otherStore
        /// The store is older than the position.
        case olderStore
    }

    @Test("Who has fallen behind looks at everything once, and takes changes from then on", arguments: Break.allCases)
    func fallingBehind(kind: Break) throws {
        let table = try FollowedTable()
        table.start()
        try table.write(5)
        table.follower.waitUntilIdle()
        let before = try table.ledger.entries()
        switch kind {
        case .gap:
            try table.restart()
            try table.write(20)
            table.pass(2 * Self.day)
            try table.prune()
            #expect(try table.store.firstSequence() > (try #require(try table.ledger.storedPositionInTable())) + 1)
        case .otherStore: try table.restart(storeID: "another-store")
        case .olderStore:
            try table.ledger.store(table.store.lastSequence + 1_000)
            try table.restart()
        }
        table.start()
        #expect(table.ledger.state.withLock { $0.sweeps } == 1)
        #expect(table.ledger.state.withLock { $0.sweptItems.count } == (kind == .gap ? 20 : 5))
        #expect(try table.ledger.entries() == before)
        try table.write(3)
        table.follower.waitUntilIdle()
        #expect(try table.ledger.entries() == before + table.changes.suffix(3))
        // It goes on there, and nothing is looked at again.
        try table.restart(storeID: kind == .otherStore ? "another-store" : "a-store")
        table.start()
        #expect(table.ledger.state.withLock { $0.sweeps } == 0)
    }

    @Test("Changes of deleted tables right behind the position are no gap")
    func deletedTable() throws {
        let table = try FollowedTable()
        table.start()
        let store = table.store
        try store.createTable(
            TableSchema(name: "other", partitionKey: KeyAttribute("PK"), sortKey: nil, indexes: []))
        // Before the position is stored, which is a change, too.
        let isWritten = Locked(false)
        table.ledger.disturb { point in
            guard point == .beforeWork, !isWritten.withLock({ $0 }) else { return nil }
            isWritten.withLock { $0 = true }
            let put = WriteOperation.put(table: "other", item: ["PK": .string("\(store.lastSequence)")])
            do throws(TableError) { try store.transactAndWait([put], principal: .anonymous) } catch { return error }
            return nil
        }
        try table.write(1)
        table.follower.waitUntilIdle()
        let position = try #require(try table.ledger.storedPositionInTable())
        #expect(try store.changes(after: position, limit: 1).first?.table == "other")
        try store.deleteTable("other")
        try table.restart()
        try table.write(5)
        table.start()
        #expect(table.ledger.state.withLock { $0.sweeps } == 0)
        #expect(try table.ledger.entries() == table.changes)
    }

    @Test("While everything is looked at, changes are taken, and a process that ends then looks at everything again")
    func crashWhileSweeping() throws {
        let table = try FollowedTable()
        try table.write(3)
        let gate = Gate(table.ledger, at: .sweeping, failing: .closed)
        table.follower.attach()
        table.follower.wake()
        #expect(gate.awaitArrival())
        try table.write(12)
        table.follower.queue.sync {}
        #expect(try table.ledger.entries() == table.changes.suffix(12))
        #expect(try table.ledger.storedPositionInTable() == nil)
        gate.open()
        try table.restart()
        table.start()
        #expect(table.ledger.state.withLock { $0.sweeps } == 1)
        #expect(table.ledger.state.withLock { $0.sweptItems.count } == 12)
        #expect(try table.ledger.storedPositionInTable() != nil)
    }

    @Test("A table that a restore has put in the place of the one that is followed is looked at, however often")
    func replaced() throws {
        let table = try FollowedTable()
        table.start()
        try table.write(4)
        table.follower.waitUntilIdle()
        let backup = try table.store.createBackup(of: TestTable.name, name: "four")
        try table.write(9)
        table.follower.waitUntilIdle()
        let entries = try table.ledger.entries()
        let (follower, ledger) = (table.follower, table.ledger)
        table.store.subscribeToReplacedTables { _ in follower.sweep() }
        let gate = Gate(ledger, at: .sweeping)
        func restore() throws {
            _ = try restored {
                _ = try table.store.restore(
                    backup: backup.id, to: TestTable.name, replacing: true, adjust: { $0 }, watch: .nobody,
                    completion: $0)
            }
        }
        let sweeps = ledger.state.withLock { $0.sweeps }
        try restore()
        #expect(gate.awaitArrival())
        let position = try ledger.storedPositionInTable()
        // Once more, while the first one is looked at: that one may have seen less.
        try restore()
        follower.queue.sync {}
        gate.open()
        #expect(gate.awaitArrival())
        #expect(try ledger.storedPositionInTable() == position, "Not before all of it has been looked at")
        gate.open()
        follower.waitUntilIdle()
        #expect(ledger.state.withLock { $0.sweeps } == sweeps + 2)
        #expect(ledger.state.withLock { $0.sweptItems.count } == 4)
        #expect(try ledger.entries() == entries, "A restore is no change")
        try table.write(2)
        follower.waitUntilIdle()
        #expect(try ledger.entries() == entries + table.changes.suffix(2))
        #expect(try #require(try ledger.storedPositionInTable()) >= (try #require(try table.changes.last)))
    }

    @Test("Others' changes wake nobody, until there are so many that the stream would keep them for nothing")
    func othersChanges() throws {
        let table = try FollowedTable()
        table.timing.passedMaximum = 20
        try table.restart()
        table.start()
        let position = try #require(try table.ledger.storedPositionInTable())
        try table.store.createTable(
            TableSchema(name: "other", partitionKey: KeyAttribute("PK"), sortKey: nil, indexes: []))
        let batches = table.ledger.state.withLock { $0.batches.count }
        func writeOther(_ count: Int) throws {
            for _ in 0..<count {
                try table.store.transactAndWait(
                    [.put(table: "other", item: ["PK": .string("\(table.store.lastSequence)")])], principal: .anonymous)
            }
            table.follower.waitUntilIdle()
        }
        try writeOther(Int(position + 20 - table.store.lastSequence))
        #expect(table.ledger.state.withLock { $0.batches.count } == batches)
        #expect(table.follower.progress.report.pendingChanges == 0)
        try writeOther(1)
        #expect(try #require(try table.ledger.storedPositionInTable()) > position)
    }

    @Test("What was put off is asked for in time, though nothing comes, and what is stored then is let go")
    func puttingOff() throws {
        let (table, hand) = (try FollowedTable(), HandDelay())
        table.timing.delay = hand.delay
        try table.restart()
        table.start()
        let ledger = table.ledger
        let position = ledger.position.stored
        ledger.state.withLock { $0.rests = [250, 250, 0] }
        try table.write(1)
        table.follower.waitUntilIdle()
        for _ in 0..<2 {
            table.pass(250)
            hand.pass()
            table.follower.queue.sync {}
        }
        let times = ledger.state.withLock { $0.restedAt }
        #expect(times.map { $0 - times[0] } == [0, 250, 500])
        #expect(ledger.position.stored > position)
        #expect(table.follower.progress.firstNeeded == ledger.position.stored + 1)
        hand.pass()
        table.follower.waitUntilIdle()
        #expect(ledger.state.withLock { $0.restedAt.count } == 3)
    }
}
