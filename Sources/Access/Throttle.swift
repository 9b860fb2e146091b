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

    /// What became of a request.
    package struct Verdict: Sendable, Equatable {
        /// Whether it may be done.
        package let isAllowed: Bool
        /// How many more are allowed now.
        package let remaining: Int
        /// In how many seconds all of them will be, rounded up.
        package let resetSeconds: Int
        /// In how many seconds it is worth trying again, rounded up; 0 for what is allowed.
        package let retrySeconds: Int
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

    /// Counts a request, if it is allowed.
    ///
    /// - Parameters:
    ///   - caller: a hash of who asks, by a key that nobody outside knows.
    ///   - rate: how often they may.
    ///   - now: microseconds of a clock that is never set.
    package func take(_ caller: UInt64, at rate: RequestRate, now: Int64) -> Verdict {
        let place = places + Int(caller % UInt64(count))
        let (interval, window) = (rate.intervalMicroseconds, rate.windowMicroseconds)
        var known = place.pointee.load(ordering: .relaxed)
        while true {
            let next = max(known, now) + interval
            guard next - now <= window else {
                return Throttle.verdict(ahead: max(known, now) - now, interval, window, wait: next - now - window)
            }
            let (isDone, original) = place.pointee.compareExchange(
                expected: known, desired: next, ordering: .relaxed)
            if isDone { return Throttle.verdict(ahead: next - now, interval, window, wait: nil) }
            known = original
        }
    }

    private static func verdict(ahead: Int64, _ interval: Int64, _ window: Int64, wait: Int64?) -> Verdict {
        func seconds(_ microseconds: Int64) -> Int { Int((microseconds + 999_999) / 1_000_000) }
        return Verdict(
            isAllowed: wait == nil, remaining: wait == nil ? Int((window - ahead) / interval) : 0,
            resetSeconds: seconds(ahead), retrySeconds: wait.map { max(1, seconds($0)) } ?? 0)
    }
}

/// How often one key may be used, and what was used of it: on all event loops together.
package final class OwnRate: Sendable {
    package let rate: RequestRate
    package let throttle = Throttle(places: 1)

    /// A rate of which nothing was used.
    package init(_ rate: RequestRate) { self.rate = rate }
}
