import FlagCore

/// What the feed tells a loop. To be handed to `LoopCache.apply` in the order of delivery.
package enum CacheUpdate: Sendable {
    /// What the loop asked for, or what every loop must have.
    case loaded([CacheLoad])
    /// What one or more commits changed, once for each batch.
    case changed([CacheChange])

    /// Whether nothing that is known holds any longer.
    package var forgetsEverything: Bool {
        guard case .changed(let changes) = self else { return false }
        return changes.contains { if case .everything = $0 { true } else { false } }
    }
}

/// What became of one load.
package struct CacheLoad: Sendable {
    /// What was asked for.
    package let key: CacheKey
    /// What was found.
    package let value: Value

    /// Takes the parts as they are.
    package init(key: CacheKey, value: Value) {
        self.key = key
        self.value = value
    }

    /// What was found.
    package enum Value: Sendable {
        /// A flag; nil when there is none.
        case flag(DecodedFlag?)
        /// A tenant's overrides, possibly none.
        case overrides([DecodedOverride])
        /// All flags of an environment.
        case ruleSet(DecodedRuleSet)
        /// The kill switches of an environment.
        case killSwitches(DecodedKillSwitches)
        /// The segments of an environment.
        case segments(DecodedSegments)
        /// A segment; nil when neither it nor any of its keys is there.
        case segment(DecodedSegment?)
        /// Nothing: the store does not answer.
        case failed
    }
}

/// What a commit changed, with the new state: a loop that holds the old one needs no load.
package enum CacheChange: Sendable {
    /// A flag was stored, or removed (nil).
    case flag(Environment, key: [UInt8], DecodedFlag?)
    /// A tenant's override of a flag was stored, or removed (nil).
    case override(Environment, tenant: [UInt8], flagKey: [UInt8], TenantOverride?)
    /// A kill switch was turned on or off; without a key, that of all flags.
    case killSwitch(Environment, flagKey: [UInt8]?, isOn: Bool)
    /// The environment has been changed so often.
    case revision(Environment, Int64)
    /// A segment or its keys were changed, or nothing is left of it (nil).
    case segment(Environment, name: [UInt8], DecodedSegment?)
    /// Nothing that is known of flags and overrides holds any longer.
    case everything
    /// The tenants with overrides are now in this table.
    case tenants(TenantTable)
}
