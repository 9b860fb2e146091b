import TestSupport
import Testing

@testable import HTTPTransport

@Suite("Timer wheel")
struct TimerWheelTests {
    @Test("A slot is called back once, not before its time and within two ticks after")
    func accuracy() {
        var wheel = TimerWheel(now: 1000)
        var generator = SeededGenerator(seed: 7)
        var times: [UInt32: Int64] = [:]
        for slot in 0..<500 as Range<UInt32> {
            times[slot] = Int64.random(in: 1001...25_000, using: &generator)
            wheel.ensure(slot, by: times[slot] ?? 0)
        }
        var due: [UInt32] = []
        for now in stride(from: Int64(1000), through: 26_000, by: 5) {
            due.removeAll()
            wheel.advance(to: now, into: &due)
            for slot in due {
                let time = times.removeValue(forKey: slot)
                #expect(time.map { $0 <= now && now <= $0 + 2 * TimerWheel.tick } == true)
            }
        }
        #expect(times.isEmpty)
        #expect(wheel.earliest == .max)
    }

    @Test("A later time leaves the earlier one, an earlier one replaces it")
    func ensure() {
        var wheel = TimerWheel(now: 0)
        var due: [UInt32] = []
        wheel.ensure(3, by: 500)
        wheel.ensure(3, by: 900)
        wheel.ensure(4, by: 900)
        wheel.ensure(4, by: 300)
        wheel.advance(to: 400, into: &due)
        #expect(due == [4])
        wheel.advance(to: 600, into: &due)
        #expect(due == [4, 3])
    }

    @Test("A time beyond the horizon is called back at the horizon")
    func horizon() {
        var wheel = TimerWheel(now: 0)
        var due: [UInt32] = []
        wheel.ensure(0, by: 3_600_000)
        // Little more than one turn of the wheel.
        wheel.ensure(1, by: 33_000)
        wheel.advance(to: 20_000, into: &due)
        #expect(due.isEmpty)
        #expect(wheel.earliest <= 40_000)
        wheel.advance(to: 40_000, into: &due)
        #expect(due.sorted() == [0, 1])
    }

    @Test("A cleared slot is not called back")
    func clear() {
        var wheel = TimerWheel(now: 0)
        var due: [UInt32] = []
        for slot in 0..<3 as Range<UInt32> { wheel.ensure(slot, by: 100) }
        wheel.clear(1)
        wheel.clear(77)
        wheel.advance(to: 1000, into: &due)
        #expect(due.sorted() == [0, 2])
    }

    @Test("The next time is never missed after a long sleep")
    func longSleep() {
        var wheel = TimerWheel(now: 0)
        var due: [UInt32] = []
        for slot in 0..<100 as Range<UInt32> { wheel.ensure(slot, by: Int64(slot) * 300) }
        wheel.advance(to: 10_000_000, into: &due)
        #expect(due.count == 100)
        wheel.ensure(5, by: 10_000_100)
        wheel.advance(to: 10_000_200, into: &due)
        #expect(due.count == 101)
    }
}
