import Testing

@testable import HTTPTransport

@Suite("How late a loop was")
struct LoopLagTests {
    @Test("The worst of the last minute is told, and nothing older")
    func lastMinute() {
        let lag = LoopLag()
        let second: UInt64 = 1_000_000
        #expect(lag.maximum(at: 5 * second) == 0)
        lag.note(700, at: 100 * second)
        lag.note(5_500_000, at: 101 * second)
        lag.note(300, at: 109 * second)
        lag.note(200, at: 125 * second)
        for now in [109, 125, 159] { #expect(lag.maximum(at: UInt64(now) * second) == 5_500_000) }
        #expect(lag.maximum(at: 175 * second) == 200)
        #expect(lag.maximum(at: 300 * second) == 0)
    }

    @Test("A wait that does not fit is told as the longest that does")
    func longest() {
        let lag = LoopLag()
        lag.note(.max, at: 1)
        #expect(lag.maximum(at: 1) == 1 << 40 - 1)
    }
}
