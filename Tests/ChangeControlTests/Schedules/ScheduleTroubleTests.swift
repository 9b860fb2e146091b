import FlagCore
import FlagStore
import TestSupport
import Testing

@testable import ChangeControl

@Suite("Schedules, while the store fails")
struct ScheduleTroubleTests {
    private static let hour: Int64 = 3_600_000

    @Test("One is tried again, at longer and longer intervals, until the store works", arguments: [true, false])
    func retried(readsFail: Bool) throws {
        let store = try UnreliableStore()
        let fixture = try ScheduleFixture(store)
        try fixture.createFlag()
        let schedule = try fixture.schedule(ScheduleFixture.turning(), in: 1_000)
        store.fail(readsFail ? .everything : .writes)
        fixture.pass(1_000)
        for milliseconds in [1_000, 2_000, 4_000, 8_000, 8_000] as [Int64] { fixture.pass(milliseconds) }
        #expect(fixture.clocks.pauses.suffix(6) == [1_000, 2_000, 4_000, 8_000, 8_000, 8_000])
        // Not each time anew.
        #expect(fixture.told.count == 3 && fixture.told.allSatisfy { $0.contains("The disk is full") })
        store.fail(.nothing)
        #expect(try !fixture.isOn())
        fixture.pass(8_000)
        #expect(try fixture.isOn() && fixture.state(of: schedule) == .applied)
        #expect(fixture.told.last == "applied late")
        #expect(fixture.timer.statistics.retries == 6)
    }

    @Test("What is overdue for too long by then is skipped, however the wall clock is set meanwhile")
    func skipped() throws {
        let store = try UnreliableStore()
        let fixture = try ScheduleFixture(store)
        try fixture.createFlag()
        let schedule = try fixture.schedule(ScheduleFixture.turning(), in: 1_000)
        store.fail(.writes)
        fixture.pass(1_000)
        fixture.set(by: 10 * Self.hour)
        fixture.pass(Self.hour + 1)
        store.fail(.nothing)
        fixture.pass(10_000)
        #expect(try !fixture.isOn() && fixture.state(of: schedule) == .skipped)
    }

    @Test("Where the schedules cannot be read at the start, they are read later")
    func unreadable() throws {
        let store = try UnreliableStore()
        let fixture = try ScheduleFixture(store, starts: false)
        try fixture.createFlag()
        let schedule = try fixture.schedule(ScheduleFixture.turning(), in: 1_000)
        store.fail(.everything)
        fixture.start()
        #expect(fixture.told.count == 1 && fixture.told[0].hasPrefix("unreadable 1: "))
        store.fail(.nothing)
        fixture.pass(1_000)
        #expect(try fixture.state(of: schedule) == .applied)
    }
}
