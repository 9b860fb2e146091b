import Lock

/// Remembers transactions by the token that their senders gave them, so that one that is sent again is not done again.
///
/// As in DynamoDB a token is good for ten minutes. Tokens are kept in memory: after a restart they are forgotten.
final class IdempotencyTokens: Sendable {
    /// What became of a transaction that came with a token.
    enum Admission: Sendable {
        /// It is the first of its token: do it, then say so.
        case proceed
        /// It has been done: what it took, to be told again.
        case done([ConsumedCapacity])
        /// It is being done.
        case inProgress
        /// Another one came with the same token.
        case mismatch
    }

    private struct Entry {
        /// A hash of what the transaction does.
        var fingerprint: Int
        var capacities: [ConsumedCapacity]?
        var expiresAt: Int64
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var order: [(token: String, expiresAt: Int64)] = []
        var oldest = 0

        /// Forgets what is no longer good.
        mutating func forget(before now: Int64) {
            while oldest < order.count, order[oldest].expiresAt <= now {
                if let entry = entries[order[oldest].token], entry.expiresAt <= now {
                    entries.removeValue(forKey: order[oldest].token)
                }
                oldest += 1
            }
            if oldest > 1024, oldest * 2 > order.count {
                order.removeFirst(oldest)
                oldest = 0
            }
        }
    }

    private let state = Locked(State())

    /// How long a token is good for.
    private static let lifetimeMilliseconds: Int64 = 10 * 60 * 1000

    /// Asks whether to do the transaction of a token.
    func admit(_ token: String, fingerprint: Int, now: Int64) -> Admission {
        state.withLock { state in
            state.forget(before: now)
            if let entry = state.entries[token] {
                guard entry.fingerprint == fingerprint else { return .mismatch }
                guard let capacities = entry.capacities else { return .inProgress }
                return .done(capacities)
            }
            let expiresAt = now + Self.lifetimeMilliseconds
            state.entries[token] = Entry(fingerprint: fingerprint, capacities: nil, expiresAt: expiresAt)
            state.order.append((token, expiresAt))
            return .proceed
        }
    }

    /// Notes that the transaction of a token happened.
    func finish(_ token: String, _ capacities: [ConsumedCapacity]) {
        state.withLock { $0.entries[token]?.capacities = capacities }
    }

    /// Notes that the transaction of a token did not happen: it may be tried again.
    func abandon(_ token: String) {
        state.withLock { _ = $0.entries.removeValue(forKey: token) }
    }
}
