import Dispatch
import Glibc
import Platform
import TestSupport
import Testing

@testable import DynamoModel
@testable import TableEngine

@Suite("A follower of changes that is held up")
struct FollowerTroubleTests {
    /// A table whose follower waits by hand, and for how long it would wait.
    private func tableWaitingByHand() throws -> (FollowedTable, HandDelay, Locked<[Int]>) {
        let (table, hand, lengths) = (try FollowedTable(), HandDelay(), Locked<[Int]>([]))
        let delay = hand.delay
        table.timing.delay = Delay { milliseconds, queue, body in
            lengths.withLock { $0.append(milliseconds) }
            delay.call(milliseconds, queue, body)
        }
        try table.restart()
        table.start()
        return (table, hand, lengths)
    }

    @Test("It tries again after pauses that become longer, commits meanwhile wake it for nothing, then it catches up")
    func retries() throws {
        let (table, hand, lengths) = try tableWaitingByHand()
        let ledger = table.ledger
        let attempts = ledger.state.withLock { $0.batches.count }
        ledger.disturb { $0 == .beforeWork ? .closed : nil }
        try table.write(1)
        #expect(eventually { !lengths.withLock { $0.isEmpty } })
        for number in 2...5 {
            try table.write(3)
            table.follower.queue.sync {}
            #expect(ledger.state.withLock { $0.batches.count } == attempts + number - 1)
            #expect(lengths.withLock { $0.count } == number - 1)
            #expect(hand.passAndAwaitAnother())
        }
        #expect(lengths.withLock { $0 } == [1_000, 2_000, 4_000, 8_000, 8_000])
        #expect(table.follower.progress.report.failures == 5)
        #expect(ledger.state.withLock { $0.turns.last } == .some(.closed))
        // Somebody who cannot wait for the retry has no other one made.
        #expect(throws: TableError.closed) {
            try table.follower.queue.sync { () throws in try table.follower.turn() }
        }
        #expect(lengths.withLock { $0.count } == 5)
        ledger.disturb(nil)
        hand.pass()
        #expect(try eventually { try ledger.entries() == table.changes })
        table.follower.queue.sync {}
        #expect(ledger.state.withLock { $0.turns.last } == .some(nil))
        // The next failure is the first one again.
        ledger.disturb { $0 == .beforeWork ? .closed : nil }
        try table.write(1)
        #expect(eventually { lengths.withLock { $0.count } == 6 })
        #expect(lengths.withLock { $0.last } == 1_000)
    }

    @Test(
        "Looking at everything is tried again like that, too, and the follower is not well until it is done",
        arguments: [Ledger.Point.sweeping, .storing])
    func sweepRetries(point: Ledger.Point) throws {
        let (table, hand, lengths) = try tableWaitingByHand()
        let ledger = table.ledger
        ledger.disturb { $0 == point ? .closed : nil }
        table.follower.sweep()
        #expect(eventually { lengths.withLock { $0 } == [1_000] })
        // Changes are taken all the same, which does not make it well.
        try table.write(2)
        table.follower.queue.sync {}
        #expect(try ledger.entries() == table.changes)
        #expect(ledger.state.withLock { $0.turns.last } == .some(.closed))
        #expect(hand.passAndAwaitAnother())
        #expect(lengths.withLock { $0 } == [1_000, 2_000])
        #expect(table.follower.progress.report.failures == 2)
        ledger.disturb(nil)
        hand.pass()
        #expect(eventually { ledger.state.withLock { $0.turns.last } == .some(nil) })
        #expect(lengths.withLock { $0 } == [1_000, 2_000])
    }

    @Test("Stopping waits for the batch under way, takes no other, and the next start takes the rest")
    func stopping() throws {
        let table = try FollowedTable()
        table.start()
        let ledger = table.ledger
        let gate = Gate(ledger, at: .beforeWork)
        try table.write(1)
        #expect(gate.awaitArrival())
        // More than two batches wait behind the one under way.
        try table.write(25)
        #expect(stopIsHeldUp(table.follower, by: gate))
        #expect(try ledger.entries() == Array(table.changes.prefix(1)))
        try table.write(1)
        table.follower.waitUntilIdle()
        #expect(try ledger.entries().count == 1)
        try table.restart()
        table.start()
        #expect(try table.ledger.entries() == table.changes)
    }

    @Test("Stopping has whoever looks at everything give up, waits for that, and stores no position")
    func stoppingWhileSweeping() throws {
        let table = try FollowedTable()
        try table.write(3)
        let gate = Gate(table.ledger, at: .sweeping)
        table.follower.attach()
        table.follower.wake()
        #expect(gate.awaitArrival())
        #expect(stopIsHeldUp(table.follower, by: gate))
        #expect(try table.ledger.storedPositionInTable() == nil)
        #expect(table.ledger.state.withLock { $0.sweptItems } == [])
    }

    /// Whether stopping waits until a gate is opened, which it is then.
    private func stopIsHeldUp(_ follower: ChangeFollower<Ledger>, by gate: Gate) -> Bool {
        let isDone = Locked(false)
        let stopping = DispatchGroup()
        DispatchQueue(label: "stopping").async(group: stopping) {
            follower.stop()
            isDone.withLock { $0 = true }
        }
        // Until it waits for the one who is held up, or for nobody.
        let isStopped = eventually { follower.state.withLock { $0.isStopped } }
        let isHeldUp = stopping.wait(timeout: .now() + 0.2) == .timedOut && !isDone.withLock { $0 }
        gate.open()
        return stopping.wait(timeout: .now() + 20) == .success && isStopped && isHeldUp
    }

    @Test("A last turn before stopping takes what waits")
    func stoppingAfterTaking() throws {
        let table = try FollowedTable()
        table.timing.gatherMilliseconds = 3_600_000
        try table.restart()
        table.follower.attach()
        table.follower.queue.sync { try? table.follower.turn() }
        table.follower.waitUntilIdle()
        try table.write(25)
        #expect(try table.ledger.entries() == [])
        table.follower.stop(taking: true)
        #expect(try table.ledger.entries() == table.changes)
    }

    @Test("How long the oldest change has waited and how many wait is known while nothing can be read")
    func lag() throws {
        let table = try FollowedTable()
        table.start()
        let progress = table.follower.progress
        #expect(progress.report == FollowerReport(name: "ledger", lagMilliseconds: 0, pendingChanges: 0, failures: 0))
        table.ledger.disturb { $0 == .beforeWork ? .closed : nil }
        try table.write(1)
        table.pass(4_000)
        try table.write(2)
        table.pass(1_500)
        // The time of day is set, which nothing waits by.
        table.wall.withLock { $0 -= 3_600_000 }
        table.follower.queue.sync {}
        #expect((progress.report.lagMilliseconds, progress.report.pendingChanges) == (5_500, 3))
        table.wall.withLock { $0 += 3_600_000 }
        // The next process knows it from the stream.
        try table.restart()
        table.ledger.disturb { $0 == .beforeWork ? .closed : nil }
        table.pass(500)
        table.follower.attach()
        table.follower.queue.sync { try? table.follower.turn() }
        #expect((table.follower.progress.report.lagMilliseconds) == 6_000)
        #expect(table.follower.progress.report.pendingChanges >= 3)
        table.ledger.disturb(nil)
        table.follower.queue.sync { try? table.follower.turn() }
        #expect(table.follower.progress.report.lagMilliseconds == 0)
        #expect(table.follower.progress.report.pendingChanges == 0)
        #expect(try table.ledger.entries() == table.changes)
    }

    @Test("The stream keeps what the slowest follower needs, and everything for one that has not begun")
    func retention() throws {
        let table = try FollowedTable()
        table.start()
        try table.write(30)
        table.follower.waitUntilIdle()
        let slow = FollowerProgress("slow")
        table.store.attach(slow)
        func firstLeft() throws -> Int64 {
            table.pass(2 * 24 * 3_600_000)
            try table.prune()
            return try table.store.firstSequence()
        }
        #expect(try firstLeft() == 1)
        slow.note(FollowerPosition(taken: 20, stored: 7))
        #expect(try firstLeft() == 8)
        slow.note(.unconcerned)
        let position = try #require(try table.ledger.storedPositionInTable())
        #expect(try firstLeft() == min(position + 1, table.store.lastSequence))
        #expect(table.store.followers.map(\.name) == ["continuous-backups", "ledger", "slow"])
    }
}
