import Evaluation
import FlagCache
import FlagCore
import HTTPRouting

/// What an operator decides about serving.
struct ServiceSettings: Sendable {
    /// The profile: the environment of a request that names none, the cache's size.
    let profile: Profile
    /// Whether requests must prove who sends them (`--auth on`). There is nothing yet to prove it with: everything but
    /// `/health` is refused then.
    var requiresAuthentication: Bool
    /// What clients may call the server by.
    var hosts = ServedHosts.any
    /// The program's version, for health, metrics and the API document.
    let version: String
    /// What concerns evaluations.
    var evaluation: EvaluationSettings

    /// Settings with the profile's cache.
    ///
    /// - Parameter storeID: gives the identity of the store, which changes with a restore.
    init(
        profile: Profile, requiresAuthentication: Bool, storeID: @escaping @Sendable () -> String,
        fractional: FractionalVersion, version: String
    ) {
        self.profile = profile
        self.requiresAuthentication = requiresAuthentication
        self.version = version
        evaluation = EvaluationSettings(
            defaultEnvironment: profile.defaultEnvironment, fractional: fractional, cacheLimits: profile.cacheLimits,
            currentStoreID: storeID)
    }
}
