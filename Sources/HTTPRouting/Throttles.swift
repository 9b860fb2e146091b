import Access
import HTTPTransport

/// How often callers may ask. One for all event loops.
package final class Throttles: Sendable {
    /// Places for callers: far more than are in use at a time.
    private static let places = 16_384

    /// For administration by each caller, and for requests of each address that show no key; nil for no bound.
    private let administration: RequestRate?
    /// For all evaluations together, those with client keys apart; nil for no bound.
    private let evaluations: RequestRate?
    private let callers = Throttle(places: places)
    private let addresses = Throttle(places: places)
    /// Wrong secrets, by address.
    private let logins = Throttle(places: places)
    private static let failedLogins = RequestRate(requests: 10, seconds: 60)
    /// Of keys that everybody can read, and of all others: those of one kind take nothing from the other's.
    private let all = (client: Throttle(places: 1), server: Throttle(places: 1))

    /// Bounds on requests.
    package init(administration: RequestRate?, evaluations: RequestRate?) {
        self.administration = administration
        self.evaluations = evaluations
    }

    /// Why a request has to wait; nil when it may be done, and then it is counted.
    ///
    /// - Parameter now: microseconds of the monotonic clock.
    @inline(__always)
    package func refusal(of caller: Caller, _ rate: RoutePolicy.RateClass, now: Int64) -> Problem? {
        switch rate {
        case .none: return nil
        case .evaluation:
            if let own = caller.rate, let problem = Self.refuse(own.throttle, 0, own.rate, "key", now) {
                return problem
            }
            let throttle = caller.seesClientSideOnly ? all.client : all.server
            return evaluations.flatMap { Self.refuse(throttle, 0, $0, "evaluations", now) }
        case .administration:
            return administration.flatMap { Self.refuse(callers, caller.number, $0, "default", now) }
        }
    }

    /// Why somebody who shows no key has to wait, or none that is good; nil when they may be told so.
    package func refusal(ofStrangerAt address: PeerAddress, now: Int64) -> Problem? {
        guard let administration else { return nil }
        return Self.refuse(addresses, Self.number(of: address), administration, "default", now)
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

    private static func number(of address: PeerAddress) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(address.countedBy)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    private static func refuse(
        _ throttle: Throttle, _ number: UInt64, _ rate: RequestRate, _ policy: String, _ now: Int64
    ) -> Problem? {
        let verdict = throttle.take(number, at: rate, now: now)
        return verdict.isAllowed ? nil : .tooManyRequests(rate, policy, verdict)
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
                ("RateLimit-Policy", "\"\(policy)\";q=\(rate.requests);w=\(rate.seconds)"),
                ("RateLimit", "\"\(policy)\";r=\(verdict.remaining);t=\(verdict.retrySeconds)"),
            ])
        problem.violatedPolicies = [policy]
        return problem
    }
}
