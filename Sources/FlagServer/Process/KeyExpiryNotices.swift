import Access
import AccessStore
import Dispatch
import FlagCore
import FlagStore
import Logging
import Platform

/// Tells the log once a day of each key that ends soon.
final class KeyExpiryNotices: Sendable {
    private static let pause = DispatchTimeInterval.seconds(600)

    private let keys: KeyStore
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private let queue = DispatchQueue(label: "flag-server.key-expiry")
    /// The day on which each was last told of.
    private let told = Locked<[String: Int64]>([:])

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
        queue.asyncAfter(deadline: .now() + Self.pause) { [weak self] in self?.goOn() }
    }

    /// Tells of those that were not told of today.
    func tell() {
        let now = now()
        let day = now.millisecondsSinceEpoch / 86_400_000
        for key in keys.ring.endingSoon(at: now) {
            let isNew = told.withLock { $0.updateValue(day, forKey: key.selector) != day }
            guard isNew, let end = key.expiresAt else { continue }
            logger.warning(
                "an API key ends soon: `flag-server keys create` makes another in its place",
                metadata: ["selector": "\(key.selector)", "name": "\(key.name)", "end": "\(end)"])
        }
    }
}
