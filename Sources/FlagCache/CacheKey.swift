import FlagCore

/// What a loop's cache asks the store for.
///
/// Names are bytes, not strings: Swift takes canonically equivalent strings for equal, the table does not.
package enum CacheKey: Sendable, Hashable {
    /// One flag.
    case flag(Environment, [UInt8])
    /// All overrides of one tenant.
    case overrides(Environment, tenant: [UInt8])
    /// All flags of an environment.
    case ruleSet(Environment)
    /// The kill switches of an environment, which are loaded once and pinned.
    case killSwitches(Environment)
    /// All segments of an environment, which are loaded when the first rule names one and pinned from then on.
    case segments(Environment)
    /// One segment, which the feed itself reads anew when it comes into being.
    case segment(Environment, name: [UInt8])
}

/// Where an answer came from, for `source` in the interface.
package enum AnswerSource: UInt8, Sendable, Comparable {
    /// From the cache.
    case cache
    /// From the store, which was asked for this request.
    case store
    /// From the cache, although it is out of date: the store does not answer.
    case stale
    /// From nowhere: the store does not answer, and nothing is known. The safe default applies.
    case `default`

    /// The name in the interface.
    package var name: StaticString {
        switch self {
        case .cache: "cache"
        case .store: "store"
        case .stale: "stale"
        case .default: "default"
        }
    }

    /// The worse of two sources is that of an answer that needed both.
    package static func < (left: AnswerSource, right: AnswerSource) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension CacheKey {
    /// Whether it is of a whole environment, or nearly: to load and to use it takes long.
    package var isLarge: Bool {
        switch self {
        case .ruleSet, .segments, .segment: true
        case .flag, .overrides, .killSwitches: false
        }
    }
}
