import Bytes
import FlagCore

/// One override as it travels to the loops.
package struct DecodedOverride: Sendable {
    /// The flag.
    package let flagKey: [UInt8]
    /// What it answers.
    package let override: TenantOverride

    /// Takes the parts as they are.
    package init(flagKey: [UInt8], override: TenantOverride) {
        self.flagKey = flagKey
        self.override = override
    }
}

/// The overrides of one tenant, for one loop. Confined to it.
package final class TenantOverrides {
    private var overrides: HashedMap<TenantOverride>
    /// The fingerprint, when it does not depend on the time because no override expires.
    private var steadyFingerprint: UInt64?

    init(_ texts: [DecodedOverride], hash: ByteHash) {
        overrides = HashedMap(texts.lazy.map { ($0.flagKey, $0.override.unshared) }, hash: hash)
    }

    /// Overrides.
    package var count: Int { overrides.count }

    /// The tenant's override of a flag, nil when there is none; it may have expired. O(log n), no allocation.
    package func override(for flagKey: UnsafeRawBufferPointer) -> TenantOverride? {
        overrides.index(of: flagKey).map { overrides.values[$0] }
    }

    /// A hash of all overrides in force at `now`: equal in every process, 0 when there are none.
    package func fingerprint(at now: Timestamp) -> UInt64 {
        if let steadyFingerprint { return steadyFingerprint }
        var sum: UInt64 = 0
        var isSteady = true
        overrides.forEach { key, override in
            if let expiresAt = override.expiresAt {
                isSteady = false
                if expiresAt <= now { return }
            }
            let choice =
                switch override.choice {
                case .enabled(let enabled): ByteHash.fingerprint(enabled ? "on" : "off", salt: 3)
                case .variant(let variant): ByteHash.fingerprint(variant, salt: 4)
                }
            sum &+= ByteHash.mix(key.withUnsafeBytes { ByteHash.fingerprint($0, salt: 5) }, choice)
        }
        if isSteady { steadyFingerprint = sum }
        return sum
    }

    /// Sets or takes away one override. O(n).
    func set(_ override: TenantOverride?, for flagKey: UnsafeRawBufferPointer) {
        steadyFingerprint = nil
        if let override {
            overrides.set(override.unshared, for: flagKey)
        } else {
            overrides.remove(flagKey)
        }
    }
}

extension TenantOverride {
    /// The same with strings of its own.
    fileprivate var unshared: TenantOverride {
        guard case .variant(let name) = choice else { return self }
        return TenantOverride(choice: .variant(name.unshared), expiresAt: expiresAt)
    }
}
