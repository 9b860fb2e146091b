import Dispatch
import Synchronization
import Testing

@testable import Access

@Suite("How often somebody may ask")
struct ThrottleTests {
    private static let rate = RequestRate(requests: 10, seconds: 5)

    @Test(
        "A rate is requests by time",
        arguments: [
            ("100/min", RequestRate(requests: 100, seconds: 60)), ("1/s", RequestRate(requests: 1, seconds: 1)),
            ("1000000/h", RequestRate(requests: 1_000_000, seconds: 3600)), ("0/s", nil), ("1000001/s", nil),
            ("-1/s", nil), ("+1/s", nil), ("1.5/s", nil), ("/s", nil), ("1", nil), ("1/", nil), ("1/day", nil),
            ("1/s/s", nil), ("99999999999999999999/s", nil), ("", nil), (" 1/s", nil),
        ] as [(String, RequestRate?)])
    func reading(text: String, rate: RequestRate?) {
        #expect(RequestRate(text) == rate)
        if let rate { #expect(rate.text == text) }
    }

    @Test("All are allowed at once, then each when its share of the time is over")
    func burst() {
        let throttle = Throttle(places: 1)
        for remaining in (0..<10).reversed() {
            let verdict = throttle.take(7, at: Self.rate, now: 0)
            #expect(verdict.isAllowed && verdict.remaining == remaining)
        }
        let refused = throttle.take(7, at: Self.rate, now: 0)
        #expect(!refused.isAllowed && refused.retrySeconds == 1 && refused.resetSeconds == 5)
        #expect(!throttle.take(7, at: Self.rate, now: 499_999).isAllowed)
        #expect(throttle.take(7, at: Self.rate, now: 500_000).isAllowed)
        #expect(!throttle.take(7, at: Self.rate, now: 500_001).isAllowed)
        // Refused requests cost nothing: whoever keeps trying is let in as soon as others are.
        for _ in 0..<100 { _ = throttle.take(7, at: Self.rate, now: 999_999) }
        #expect(throttle.take(7, at: Self.rate, now: 1_000_000).isAllowed)
        // After a rest all are allowed again, and not more.
        let allowed = (0..<20).filter { _ in throttle.take(7, at: Self.rate, now: 60_000_000).isAllowed }
        #expect(allowed.count == 10)
    }

    @Test("Callers in other places are counted apart, also by other rates")
    func apart() {
        let throttle = Throttle(places: 2)
        let once = RequestRate(requests: 1, seconds: 60)
        #expect(throttle.take(0, at: once, now: 0).isAllowed && throttle.take(1, at: Self.rate, now: 0).isAllowed)
        #expect(!throttle.take(0, at: once, now: 0).isAllowed && throttle.take(1, at: Self.rate, now: 0).isAllowed)
    }

    @Test("Threads together are allowed what one is")
    func together() {
        let throttle = Throttle(places: 1)
        let rate = RequestRate(requests: 1000, seconds: 3600)
        let allowed = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            for _ in 0..<1000 where throttle.take(0, at: rate, now: 1).isAllowed {
                allowed.add(1, ordering: .relaxed)
            }
        }
        #expect(allowed.load(ordering: .relaxed) == 1000)
    }
}
