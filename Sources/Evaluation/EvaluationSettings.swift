import FlagCache
import FlagCore

/// What an operator decides about evaluation.
package struct EvaluationSettings: Sendable {
    /// The environment of a request that names none.
    package var defaultEnvironment: Environment
    /// The identity of the store, new after a restore: part of every bulk response's entity tag.
    package var currentStoreID: @Sendable () -> String
    /// How the data directory's buckets are made.
    package var fractional: FractionalVersion
    /// The bounds of each loop's cache.
    package var cacheLimits: CacheLimits
    /// Bytes that the response of all flags may have; larger ones are refused.
    package var bulkResponseBytes = 8 << 20
    /// How much the context of an evaluation may hold.
    package var contextLimits = ContextLimits()
    /// What measures how long a loop has worked at a stretch.
    package var workClock: WorkSlice.Clock = WorkSlice.systemClock
    /// The clock of evaluations; nil for the loops' own, which costs nothing to read.
    package var evaluationClock: (@Sendable () -> Timestamp)?

    /// Settings with the usual limits.
    package init(
        defaultEnvironment: Environment, fractional: FractionalVersion, cacheLimits: CacheLimits,
        currentStoreID: @escaping @Sendable () -> String
    ) {
        self.defaultEnvironment = defaultEnvironment
        self.fractional = fractional
        self.cacheLimits = cacheLimits
        self.currentStoreID = currentStoreID
    }
}
