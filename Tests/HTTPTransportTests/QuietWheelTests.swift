import TestSupport
import Testing

@testable import HTTPTransport

@Suite("A timer wheel whose loop sleeps until the next time")
struct QuietWheelTests {
    private static let tick = TimerWheel.tick

    /// The first tick at or after a time.
    private static func rounded(_ time: Int64) -> Int64 { (time + tick - 1) / tick * tick }

    /// A loop that nothing wakes but its wheel.
    private final class QuietLoop {
        var wheel: TimerWheel
        var now: Int64
        /// What is set, and for when.
        var times: [UInt32: Int64] = [:]

        init(now: Int64) {
            wheel = TimerWheel(now: now)
            self.now = now
        }

        func set(_ slot: UInt32, in milliseconds: Int64) {
            wheel.ensure(slot, by: now + milliseconds)
            times[slot] = min(times[slot] ?? .max, now + milliseconds)
        }

        func clear(_ slot: UInt32) {
            wheel.clear(slot)
            times[slot] = nil
        }

        /// Sleeps until the wheel says, or a little longer, and looks who is due.
        func sleep(oversleeping: Int64 = 0) -> Bool {
            let earliest = wheel.earliest
            guard earliest < .max else { return false }
            #expect(earliest > now, "A loop that wakes at once, again and again, does not sleep")
            let expected = times.values.min().map { max(rounded($0), now / tick * tick + tick) }
            now = earliest + oversleeping
            var due: [UInt32] = []
            wheel.advance(to: now, into: &due)
            for slot in due {
                let time = times.removeValue(forKey: slot)
                #expect(time.map { $0 <= now } == true, "\(slot) is called back for \(time ?? -1) at \(now)")
            }
            if let expected { #expect(earliest <= expected) }
            // Who is due is not forgotten.
            for (slot, time) in times { #expect(rounded(time) > now, "\(slot) of \(time) is overslept at \(now)") }
            return true
        }
    }

    @Test(
        "Each slot is called back at its tick, wherever on the wheel that is",
        arguments: [0, 5, 16 * 63, 32_760, 1 << 40])
    func each(_ start: Int64) {
        for distance in Array(-40...40) + Array(stride(from: 41, to: 32_000, by: 331)) {
            let quiet = QuietLoop(now: start)
            quiet.set(1, in: Int64(distance))
            var turns = 0
            while quiet.sleep() { turns += 1 }
            #expect(quiet.times.isEmpty && turns == 1)
            #expect(quiet.now == max(Self.rounded(start + Int64(distance)), start / Self.tick * Self.tick + Self.tick))
        }
    }

    @Test(
        "Nobody is overslept, whoever else is set, moved and cleared meanwhile",
        arguments: 1...12 as ClosedRange<UInt64>)
    func random(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let quiet = QuietLoop(now: Int64.random(in: 0...1 << 45, using: &random))
        for _ in 0..<400 {
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                let slot = UInt32.random(in: 0..<300, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: quiet.clear(slot)
                case 1: quiet.set(slot, in: Int64.random(in: 1...40, using: &random))
                case 2: quiet.set(slot, in: Int64.random(in: 1...1100, using: &random))
                default: quiet.set(slot, in: Int64.random(in: 1...32_000, using: &random))
                }
            }
            let oversleeping = ([0, 0, 1, 17, 900, 40_000] as [Int64]).randomElement(using: &random) ?? 0
            _ = quiet.sleep(oversleeping: oversleeping)
        }
        while quiet.sleep() {}
        #expect(quiet.times.isEmpty)
    }

    @Test("Of two that share a tick, clearing one leaves the other")
    func sharedTick() {
        for cleared in 0..<3 as Range<UInt32> {
            let quiet = QuietLoop(now: 1000)
            for slot in 0..<3 as Range<UInt32> { quiet.set(slot, in: 500) }
            quiet.set(9, in: 100)
            quiet.clear(cleared)
            #expect(quiet.sleep())
            #expect(quiet.times.count == 2)
            #expect(quiet.sleep())
            #expect(quiet.times.isEmpty)
            #expect(!quiet.sleep())
        }
    }
}
