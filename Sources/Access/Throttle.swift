import Synchronization

/// Holds many callers to how often they may ask, by the generic cell rate algorithm (ITU-T I.371, annex A): a caller
/// has one instant, that at which all they asked for until now would have been asked at the even rate. A request moves
/// it on by its share, and is refused when it would lie more than the window ahead.
///
/// Callers share a fixed number of places by a hash that nobody outside knows, so that it takes the same memory however
/// many there are. Two that share a place share what it allows: with far more places than callers in use that is rare,
/// and never lets anybody ask more often. From any thread; a request costs one atomic exchange.
package final class Throttle: @unchecked Sendable {
    // Proof for `@unchecked Sendable`: the memory is fixed for the object's life and holds atomics only.
    private let places: UnsafeMutablePointer<Atomic<Int64>>
    private let count: Int

    /// What became of a request. Nothing is reckoned but what is asked for: nearly all are allowed, and asked no more.
    package struct Verdict: Sendable, Equatable {
        /// How far ahead the caller's instant lies, in microseconds.
        fileprivate let ahead: Int64
        /// How long it has to wait; negative for what is allowed.
        fileprivate let wait: Int64
        private let interval: Int64
        private let window: Int64

        fileprivate init(ahead: Int64, wait: Int64, _ rate: RequestRate) {
            self.ahead = ahead
            self.wait = wait
            interval = rate.intervalMicroseconds
            window = rate.windowMicroseconds
        }

        /// Whether it may be done.
        package var isAllowed: Bool { wait < 0 }
        /// How many more are allowed now.
        package var remaining: Int { isAllowed ? Int((window - ahead) / interval) : 0 }
        /// In how many seconds all of them will be, rounded up.
        package var resetSeconds: Int { Self.seconds(ahead) }
        /// In how many seconds it is worth trying again, rounded up; 0 for what is allowed.
        package var retrySeconds: Int { isAllowed ? 0 : max(1, Self.seconds(wait)) }

        private static func seconds(_ microseconds: Int64) -> Int { Int((microseconds + 999_999) / 1_000_000) }
    }

    /// A throttle that nobody has used.
    ///
    /// - Parameter places: how many callers there are room for, 1 or more.
    package init(places count: Int) {
        precondition(count >= 1, "there is a place for somebody")
        self.count = count
        places = .allocate(capacity: count)
        for index in 0..<count { (places + index).initialize(to: Atomic(.min)) }
    }

    deinit {
        places.deinitialize(count: count)
        places.deallocate()
    }

    /// What would become of a request, which is not counted.
    package func look(_ caller: UInt64, at rate: RequestRate, now: Int64) -> Verdict {
        let known = max(place(of: caller).pointee.load(ordering: .relaxed), now)
        let next = known + rate.intervalMicroseconds
        let isAllowed = next - now <= rate.windowMicroseconds
        return Verdict(ahead: known - now, wait: isAllowed ? -1 : next - now - rate.windowMicroseconds, rate)
    }

    private func place(of caller: UInt64) -> UnsafeMutablePointer<Atomic<Int64>> {
        places + (count == 1 ? 0 : Int(caller % UInt64(count)))
    }

    /// Counts a request, if it is allowed.
    ///
    /// - Parameters:
    ///   - caller: a hash of who asks, by a key that nobody outside knows.
    ///   - rate: how often they may.
    ///   - now: microseconds of a clock that is never set.
    package func take(_ caller: UInt64, at rate: RequestRate, now: Int64) -> Verdict {
        let place = place(of: caller)
        let (interval, window) = (rate.intervalMicroseconds, rate.windowMicroseconds)
        var known = place.pointee.load(ordering: .relaxed)
        while true {
            let next = max(known, now) + interval
            guard next - now <= window else {
                return Verdict(ahead: max(known, now) - now, wait: next - now - window, rate)
            }
            let (isDone, original) = place.pointee.compareExchange(
                expected: known, desired: next, ordering: .relaxed)
            if isDone { return Verdict(ahead: next - now, wait: -1, rate) }
            known = original
        }
    }
}

/// How often one key may be used, and what was used of it: on all event loops together.
package final class OwnRate: Sendable {
    package let rate: RequestRate
    package let throttle = Throttle(places: 1)

    /// A rate of which nothing was used.
    package init(_ rate: RequestRate) { self.rate = rate }
}
