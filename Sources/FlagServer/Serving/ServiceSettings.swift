import Access
import Evaluation
import FlagCache
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport

/// What an operator decides about serving.
struct ServiceSettings: Sendable {
    /// The profile: the environment of a request that names none, the cache's size.
    let profile: Profile
    /// What clients may call the server by.
    var hosts = ServedHosts.any
    /// How often each caller may ask for administration, and each address without a key; nil for no bound. Only where
    /// callers are asked for keys.
    var administrationRate: RequestRate?
    /// How often all together may ask for evaluations; nil for no bound.
    var evaluationRate: RequestRate?
    /// The origins whose pages may have flags evaluated.
    var pages = PageOrigins.none
    /// From where metrics are read without a key.
    var metricsReaders: [AddressRange] = []
    /// How much is kept of the histories of flags and segments.
    var history = HistoryLimits()
    /// For how long a schedule may be overdue and still be applied, in milliseconds.
    var scheduleLateMilliseconds: Int64 = 3_600_000
    /// The program's version, for health, metrics and the API document.
    let version: String
    /// What concerns evaluations.
    var evaluation: EvaluationSettings

    /// Settings with the profile's cache.
    ///
    /// - Parameter storeID: gives the identity of the store, which changes with a restore.
    init(
        profile: Profile, storeID: @escaping @Sendable () -> String,
        fractional: FractionalVersion, version: String
    ) {
        self.profile = profile
        self.version = version
        evaluation = EvaluationSettings(
            defaultEnvironment: profile.defaultEnvironment, fractional: fractional, cacheLimits: profile.cacheLimits,
            currentStoreID: storeID)
    }
}
