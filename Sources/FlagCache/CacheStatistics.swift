/// What a loop's cache did so far, for one kind of entry. Counters only grow.
package struct CacheCounters: Sendable, Equatable {
    /// Look-ups that the cache answered.
    package var hits: UInt64 = 0
    /// Look-ups that it could not answer.
    package var misses: UInt64 = 0
    /// Entries that went because there were too many.
    package var evictions: UInt64 = 0
    /// Entries now.
    package var entries = 0
}

/// What a loop's cache did so far.
package struct CacheStatistics: Sendable, Equatable {
    /// Compiled flags.
    package var flags = CacheCounters()
    /// Overrides of tenants. Tenants that are known to have none are not counted: they cost no look-up.
    package var overrides = CacheCounters()
    /// Rule sets.
    package var ruleSets = CacheCounters()
    /// Flags and overrides that are known not to exist.
    package var absences = CacheCounters()
    /// Answers that were out of date because the store did not answer.
    package var staleAnswers: UInt64 = 0
    /// Answers for which nothing was known because the store did not answer.
    package var defaultAnswers: UInt64 = 0
    /// Requests that waited for a load of somebody else.
    package var joinedLoads: UInt64 = 0
    /// Changes that were applied.
    package var changes: UInt64 = 0
}
