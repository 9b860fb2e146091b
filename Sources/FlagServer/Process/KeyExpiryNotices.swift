import Access
import AccessStore
import Dispatch
import FlagCore
import FlagStore
import Logging
import Platform

/// Tells the log once a day of each key that ends soon, and has those forgotten that ended long ago.
final class KeyExpiryNotices: Sendable {
    private static let pause = DispatchTimeInterval.seconds(600)
    /// How often keys that have ended are looked for: all are read.
    private static let sweepMilliseconds: Int64 = 6 * 3_600_000

    private let keys: KeyStore
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private let queue = DispatchQueue(label: "flag-server.key-expiry")
    /// The day on which each was last told of.
    private let told = Locked<[String: Int64]>([:])
    /// When it was last looked for keys that have ended, in milliseconds since 1970.
    private let swept = Locked<Int64?>(nil)

    init(_ keys: KeyStore, logger: Logger, now: @escaping @Sendable () -> Timestamp = { .systemClock }) {
        self.keys = keys
        self.logger = logger
        self.now = now
    }

    /// Begins to tell, as long as this is kept.
    func start() {
        queue.async { [weak self] in self?.goOn() }
    }

    private func goOn() {
        tell()
        sweep()
        queue.asyncAfter(deadline: .now() + Self.pause) { [weak self] in self?.goOn() }
    }

    /// Has keys forgotten that ended long ago, a few times a day.
    private func sweep() {
        let now = now()
        let isDue = swept.withLock { swept in
            // Also where somebody has set the clock back.
            let passed = swept.map { now.millisecondsSinceEpoch - $0 }
            if let passed, (0..<Self.sweepMilliseconds).contains(passed) { return false }
            swept = now.millisecondsSinceEpoch
            return true
        }
        guard isDue else { return }
        do throws(KeyStoreError) {
            let count = try keys.forgetEnded(at: now)
            guard count > 0 else { return }
            logger.info("keys deleted that ended 30 days ago", metadata: ["count": .stringConvertible(count)])
        } catch { logger.warning("keys that have ended cannot be deleted", metadata: ["error": "\(error)"]) }
    }

    /// Tells of those that were not told of today.
    func tell() {
        let now = now()
        let day = now.millisecondsSinceEpoch / 86_400_000
        told.withLock { $0 = $0.filter { $0.value == day } }
        for key in keys.ring.endingSoon(at: now) {
            let isNew = told.withLock { $0.updateValue(day, forKey: key.selector) != day }
            guard isNew, let end = key.expiresAt else { continue }
            logger.warning(
                "an API key ends soon: `flag-server keys create` makes another in its place",
                metadata: ["selector": "\(key.selector)", "name": "\(key.name)", "end": "\(end)"])
        }
    }
}
