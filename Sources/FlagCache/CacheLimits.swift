import FlagCore

/// Bounds of one loop's cache. They hold for each kind of entry by itself: compiled flags, overrides of a tenant.
package struct CacheLimits: Sendable, Hashable {
    /// Entries of a kind; one more evicts the one that was unused for longest.
    package var capacity: Int

    /// How long an entry answers without the store being asked again, in milliseconds.
    package var timeToLiveMilliseconds: Int64

    /// How long an answer that the store could not give (stale, or the safe default) holds before it is asked again.
    package var retryMilliseconds: Int64 = 1_000

    /// - Parameters:
    ///   - capacity: at least 1.
    ///   - timeToLiveMilliseconds: at least 1.
    package init(capacity: Int, timeToLiveMilliseconds: Int64) {
        precondition(capacity >= 1, "A cache holds at least one entry")
        precondition(timeToLiveMilliseconds >= 1, "A cache entry lives at least a millisecond")
        self.capacity = capacity
        self.timeToLiveMilliseconds = timeToLiveMilliseconds
    }
}

extension Profile {
    /// The size and age limit of each kind of cache entry.
    package var cacheLimits: CacheLimits {
        switch self {
        case .local: CacheLimits(capacity: 100, timeToLiveMilliseconds: 60_000)
        case .dev: CacheLimits(capacity: 1_000, timeToLiveMilliseconds: 300_000)
        case .prod: CacheLimits(capacity: 10_000, timeToLiveMilliseconds: 600_000)
        }
    }
}
