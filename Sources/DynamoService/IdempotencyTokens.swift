import DynamoModel
import Platform
import TableEngine

/// Remembers transactions by the token that their senders gave them, so that one that is sent again is not done again.
///
/// As in DynamoDB a token is good for ten minutes: of the monotonic clock, so that one that is set makes none of them
/// older. It is stored with its transaction (`TransactionToken`): those that the store has when it is opened are known
/// from the start.
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
        let admittedAt: Int64
        let expiresAt: ContinuousClock.Instant
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var order: [(token: String, expiresAt: ContinuousClock.Instant)] = []
        var oldest = 0
        /// Those that are in the store still.
        var outlived: [TransactionToken.Outlived] = []

        mutating func add(_ token: TransactionToken, isDone: Bool, expiresAt: ContinuousClock.Instant) {
            entries[token.name] = Entry(
                fingerprint: token.fingerprint, isDone: isDone, admittedAt: token.admittedAt, expiresAt: expiresAt)
            order.append((token.name, expiresAt))
        }

        /// Forgets what is no longer good.
        mutating func forget(before now: ContinuousClock.Instant) {
            while oldest < order.count, order[oldest].expiresAt <= now {
                let name = order[oldest].token
                if let entry = entries[name], entry.expiresAt <= now {
                    entries.removeValue(forKey: name)
                    if entry.isDone {
                        outlived.append(TransactionToken.Outlived(name: name, admittedAt: entry.admittedAt))
                    }
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

    /// - Parameters:
    ///   - stored: the tokens of transactions that happened, the oldest first.
    ///   - time: the time of day, in milliseconds since 1970.
    ///   - now: the same moment of the monotonic clock.
    init(stored: [TransactionToken], at time: Int64, _ now: ContinuousClock.Instant) {
        var state = State()
        for token in stored {
            // A clock that was set back since must not make one good for longer.
            let age = max(0, min(TransactionToken.lifetimeMilliseconds, time - token.admittedAt))
            let rest = TransactionToken.lifetimeMilliseconds - age
            state.add(token, isDone: true, expiresAt: now + .milliseconds(rest))
        }
        self.state = Locked(state)
    }

    /// Tells what a transaction does from what others do, in every process alike: FNV-1a of 128 bits (RFC 9923).
    static func fingerprint(of content: [UInt8]) -> [UInt8] {
        var hash: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
        for byte in content { hash = (hash ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013B }
        return (0..<16).map { UInt8(truncatingIfNeeded: hash >> (8 * $0)) }
    }

    /// Asks whether to do the transaction of a token.
    ///
    /// - Parameters:
    ///   - name: the token.
    ///   - fingerprint: of what the transaction does.
    ///   - time: the time of day, in milliseconds since 1970.
    ///   - now: the same moment of the monotonic clock.
    func admit(_ name: String, fingerprint: [UInt8], at time: Int64, _ now: ContinuousClock.Instant) -> Admission {
        state.withLock { state in
            state.forget(before: now)
            if let entry = state.entries[name] {
                guard entry.fingerprint == fingerprint else { return .mismatch }
                return entry.isDone ? .done : .inProgress
            }
            let token = TransactionToken(
                name: name, fingerprint: fingerprint, admittedAt: time, outlived: state.outlived)
            state.outlived = []
            state.add(token, isDone: false, expiresAt: now + .milliseconds(TransactionToken.lifetimeMilliseconds))
            return .proceed(token)
        }
    }

    /// Notes that the transaction of a token happened.
    func finish(_ token: TransactionToken) {
        state.withLock { $0.entries[token.name]?.isDone = true }
    }

    /// Notes that the transaction of a token did not happen: it may be tried again.
    func abandon(_ token: TransactionToken) {
        state.withLock { state in
            state.entries.removeValue(forKey: token.name)
            state.outlived += token.outlived
        }
    }
}
