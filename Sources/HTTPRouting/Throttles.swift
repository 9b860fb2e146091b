import Access
import HTTPTransport
import Synchronization

/// How often callers may ask. One for all event loops.
package final class Throttles: Sendable {
    /// Places for callers: far more than are in use at a time.
    private static let places = 16_384

    private let administrationRate: SharedRate
    private let evaluationRate: SharedRate
    /// For administration by each caller, and for requests of each address that show no key; nil for no bound.
    private var administration: RequestRate? { administrationRate.value }
    /// For all evaluations together, those with client keys apart; nil for no bound.
    private var evaluations: RequestRate? { evaluationRate.value }
    private let callers = Throttle(places: places)
    private let addresses = Throttle(places: places)
    /// Wrong secrets, by address.
    private let logins = Throttle(places: places)
    private static let failedLogins = RequestRate(requests: 10, seconds: 60)
    /// Of keys that everybody can read, and of all others: those of one kind take nothing from the other's.
    private let all = (client: Throttle(places: 1), server: Throttle(places: 1))

    /// Bounds on requests.
    package init(administration: RequestRate?, evaluations: RequestRate?) {
        (administrationRate, evaluationRate) = (SharedRate(administration), SharedRate(evaluations))
    }

    /// Has other bounds hold from the next request on. Who has asked until now keeps what that left.
    package func replace(administration: RequestRate?, evaluations: RequestRate?) {
        administrationRate.value = administration
        evaluationRate.value = evaluations
    }

    /// What becomes of a request.
    package enum Outcome {
        /// It may be done, and was counted; whoever asked is told with the response what is left to them, where the
        /// bound is theirs alone.
        case allowed(AttachedFields?)
        /// It has to wait.
        case refused(Problem)
    }

    /// Whether a request may be done, and then it is counted.
    ///
    /// What is left is told where one caller alone takes from it: to administrators, and for a key with a rate of its
    /// own. Of what all evaluations share it would be out of date when it arrives, and it would cost each of them.
    ///
    /// - Parameter now: microseconds of the monotonic clock.
    @inline(__always)
    package func take(_ caller: Caller, _ rate: RoutePolicy.RateClass, now: Int64) -> Outcome {
        switch rate {
        case .none: return .allowed(nil)
        case .evaluation:
            var left: AttachedFields?
            if let own = caller.rate {
                switch Self.take(own.throttle, 0, own.rate, "key", now) {
                case .allowed(let fields): left = fields
                case .refused(let problem): return .refused(problem)
                }
            }
            let throttle = caller.seesClientSideOnly ? all.client : all.server
            if let problem = evaluations.flatMap({ Self.refuse(throttle, 0, $0, "evaluations", now) }) {
                return .refused(problem)
            }
            return .allowed(left)
        case .administration:
            guard let administration else { return .allowed(nil) }
            return Self.take(callers, caller.number, administration, "default", now)
        }
    }

    /// Why somebody who shows no key has to wait, or none that is good; nil when they may be told so.
    package func refusal(ofStrangerAt address: PeerAddress, now: Int64) -> Problem? {
        administration.flatMap { Self.refuse(addresses, Self.number(of: address), $0, "default", now) }
    }

    /// In how many seconds somebody may ask again who shows no key, or none that is good; nil for now, and then it is
    /// counted.
    package func wait(ofStrangerAt address: PeerAddress, now: Int64) -> Int? {
        guard let administration else { return nil }
        let verdict = addresses.take(Self.number(of: address), at: administration, now: now)
        return verdict.isAllowed ? nil : verdict.retrySeconds
    }

    /// Why somebody has to wait who has shown wrong secrets too often; nil when they may try. A try that fails is told
    /// with `noteFailedLogin`: who shows the right ones is never held up for it.
    package func refusal(ofLoginAt address: PeerAddress, now: Int64) -> Problem? {
        let verdict = logins.look(Self.number(of: address), at: Self.failedLogins, now: now)
        return verdict.isAllowed ? nil : .tooManyRequests(Self.failedLogins, "logins", verdict)
    }

    /// Counts a secret that was wrong.
    package func noteFailedLogin(at address: PeerAddress, now: Int64) {
        _ = logins.take(Self.number(of: address), at: Self.failedLogins, now: now)
    }

    private static func number(of address: PeerAddress) -> UInt64 { address.number ?? 0 }

    /// Counts a request that is one caller's own, and says what is left to them.
    @inline(never)
    private static func take(
        _ throttle: Throttle, _ number: UInt64, _ rate: RequestRate, _ policy: String, _ now: Int64
    ) -> Outcome {
        let verdict = throttle.take(number, at: rate, now: now)
        guard verdict.isAllowed else { return .refused(.tooManyRequests(rate, policy, verdict)) }
        return .allowed(
            AttachedFields([
                ("RateLimit-Policy", RateLimitFields.policy(policy, rate)),
                ("RateLimit", RateLimitFields.left(policy, verdict.remaining, seconds: verdict.resetSeconds)),
            ]))
    }

    private static func refuse(
        _ throttle: Throttle, _ number: UInt64, _ rate: RequestRate, _ policy: String, _ now: Int64
    ) -> Problem? {
        let verdict = throttle.take(number, at: rate, now: now)
        return verdict.isAllowed ? nil : .tooManyRequests(rate, policy, verdict)
    }
}

/// A rate that every loop reads, without a lock, and somebody may exchange.
private final class SharedRate: Sendable {
    /// The requests in the upper half, the seconds in the lower; 0 for no bound.
    private let bits: Atomic<UInt64>

    init(_ rate: RequestRate?) { bits = Atomic(Self.bits(of: rate)) }

    var value: RequestRate? {
        get {
            let bits = bits.load(ordering: .relaxed)
            guard bits != 0 else { return nil }
            return RequestRate(requests: Int(bits >> 32), seconds: Int(bits & 0xFFFF_FFFF))
        }
        set { bits.store(Self.bits(of: newValue), ordering: .relaxed) }
    }

    private static func bits(of rate: RequestRate?) -> UInt64 {
        rate.map { UInt64($0.requests) << 32 | UInt64($0.seconds) } ?? 0
    }
}

extension PeerAddress {
    /// What requests from there are counted by, the same in this process alone; nil for the machine itself.
    package var number: UInt64? {
        countedBy.map { address in
            var hasher = Hasher()
            hasher.combine(address)
            return UInt64(bitPattern: Int64(hasher.finalize()))
        }
    }
}

/// The values of the fields of the IETF's draft (draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4).
private enum RateLimitFields {
    /// What a policy allows: so many requests in so many seconds.
    static func policy(_ name: String, _ rate: RequestRate) -> String {
        "\"\(name)\";q=\(rate.requests);w=\(rate.seconds)"
    }

    /// What is left of it, and in how many seconds there will be more.
    static func left(_ name: String, _ requests: Int, seconds: Int) -> String {
        "\"\(name)\";r=\(requests);t=\(seconds)"
    }
}

extension Problem {
    /// More requests than a policy allows, in the fields and with the type of the IETF's draft
    /// (draft-ietf-httpapi-ratelimit-headers-11, sections 3, 4 and 6).
    fileprivate static func tooManyRequests(
        _ rate: RequestRate, _ policy: String, _ verdict: Throttle.Verdict
    ) -> Problem {
        var problem = Problem(
            .tooManyRequests,
            "more than \(rate.text) were asked for; try again in \(verdict.retrySeconds) s",
            headerFields: [
                ("Retry-After", "\(verdict.retrySeconds)"),
                ("RateLimit-Policy", RateLimitFields.policy(policy, rate)),
                ("RateLimit", RateLimitFields.left(policy, verdict.remaining, seconds: verdict.retrySeconds)),
            ])
        problem.violatedPolicies = [policy]
        return problem
    }
}
