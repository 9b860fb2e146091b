import FlagCache
import FlagCore
import HTTPTransport

/// What an operator decides about serving.
struct ServiceSettings: Sendable {
    /// The profile: the environment of a request that names none, the cache's size.
    var profile: Profile
    /// Whether requests must prove who sends them (`--auth on`). There is nothing yet to prove it with: everything but
    /// `/health` is refused then.
    var requiresAuthentication: Bool
    /// The identity of the store, new after a restore: part of every bulk answer's entity tag.
    var storeID: String
    /// Asks for that identity again; nil when it never changes.
    var readStoreID: (@Sendable () -> String)?
    /// How the data directory's buckets are made.
    var fractional: FractionalVersion
    /// The bounds of each loop's cache.
    var cacheLimits: CacheLimits
    /// What clients may call the server by.
    var hosts = ServedHosts.any
    /// Bytes that the answer of all flags may have; larger ones are refused.
    var bulkAnswerBytes = 8 << 20
    /// Bytes that the content of a request may have, where its route says nothing else.
    var bodyBytes = HTTPLimits().bodyBytes
    /// How much the context of an evaluation may hold.
    var contextLimits = ContextLimits()
    /// The program's version, for health, metrics and the API document.
    var version: String
    /// What measures how long a loop has worked at a stretch.
    var workClock: WorkSlice.Clock = WorkSlice.systemClock
    /// The clock of evaluations; nil for the loops' own, which costs nothing to read.
    var evaluationClock: (@Sendable () -> Timestamp)?

    /// Settings with the profile's cache.
    init(
        profile: Profile, requiresAuthentication: Bool, storeID: String, fractional: FractionalVersion, version: String
    ) {
        self.profile = profile
        self.requiresAuthentication = requiresAuthentication
        self.storeID = storeID
        self.fractional = fractional
        self.version = version
        cacheLimits = profile.cacheLimits
    }

    /// The identity of the store as it is now.
    func currentStoreID() -> String { readStoreID?() ?? storeID }

    /// The environment of a request that names none.
    var defaultEnvironment: Environment { profile.defaultEnvironment }
}
