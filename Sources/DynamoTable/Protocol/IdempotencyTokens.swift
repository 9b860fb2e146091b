import Lock

/// Remembers transactions by the token that their senders gave them, so that one that is sent again is not done again.
///
/// As in DynamoDB a token is good for ten minutes. It is stored with its transaction (`TransactionToken`): those that
/// the store has when it is opened are known from the start.
final class IdempotencyTokens: Sendable {
    /// What became of a transaction that came with a token.
    enum Admission: Sendable {
        /// It is the first of its token: do it, store the token with it, then say so.
        case proceed(TransactionToken)
        /// It has been done.
        case done
        /// It is being done.
        case inProgress
        /// Another one came with the same token.
        case mismatch
    }

    private struct Entry {
        let fingerprint: [UInt8]
        var isDone: Bool
        let expiresAt: Int64
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var order: [(token: String, expiresAt: Int64)] = []
        var oldest = 0

        mutating func add(_ token: TransactionToken, isDone: Bool) {
            entries[token.name] = Entry(
                fingerprint: token.fingerprint, isDone: isDone, expiresAt: token.expiresAt)
            order.append((token.name, token.expiresAt))
        }

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

    private let state: Locked<State>

    /// - Parameter stored: the tokens of transactions that happened, the oldest first.
    init(stored: [TransactionToken]) {
        var state = State()
        for token in stored { state.add(token, isDone: true) }
        self.state = Locked(state)
    }

    /// Tells what a transaction does from what others do, in every process alike: FNV-1a of 128 bits (RFC 9923).
    static func fingerprint(of content: [UInt8]) -> [UInt8] {
        var hash: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
        for byte in content { hash = (hash ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013B }
        return (0..<16).map { UInt8(truncatingIfNeeded: hash >> (8 * $0)) }
    }

    /// Asks whether to do the transaction of a token.
    func admit(_ name: String, fingerprint: [UInt8], now: Int64) -> Admission {
        state.withLock { state in
            state.forget(before: now)
            if let entry = state.entries[name] {
                guard entry.fingerprint == fingerprint else { return .mismatch }
                return entry.isDone ? .done : .inProgress
            }
            let token = TransactionToken(name: name, fingerprint: fingerprint, admittedAt: now)
            state.add(token, isDone: false)
            return .proceed(token)
        }
    }

    /// Notes that the transaction of a token happened.
    func finish(_ token: TransactionToken) {
        state.withLock { $0.entries[token.name]?.isDone = true }
    }

    /// Notes that the transaction of a token did not happen: it may be tried again.
    func abandon(_ token: TransactionToken) {
        state.withLock { _ = $0.entries.removeValue(forKey: token.name) }
    }
}
