import Bytes
import FlagCore

/// A flag as loops hand it around: what it takes to compile it, made once and never changed.
///
/// The only thing about flags that loops share; a loop touches it when it compiles the flag, not when it evaluates.
package final class FlagText: Sendable {
    /// The flag's key.
    package let key: [UInt8]
    /// How the flag decides.
    package let rule: FlagRule
    /// When the flag should be gone; its metadata says so from then on.
    package let expiresAt: Timestamp?
    /// Whether a key in a browser or an app may evaluate it; its metadata says so.
    package let isClientSide: Bool
    /// A hash of everything above, equal in every process.
    package let fingerprint: UInt64
    /// The rules of the time zone that the rule's rollout names: found before, since a loop must not read files.
    private let zone: TimeZoneRules?

    /// - Parameter zones: finds the rules of a time zone.
    package init(
        key: String, rule: FlagRule, expiresAt: Timestamp? = nil, isClientSide: Bool = false, zones: TimeZones
    ) {
        self.key = Array(key.utf8)
        zone = rule.timeZone.flatMap(zones)
        self.rule = rule
        self.expiresAt = expiresAt
        self.isClientSide = isClientSide
        let date = expiresAt.map { UInt64(bitPattern: $0.millisecondsSinceEpoch) } ?? 0
        let hash = ByteHash.mix(ByteHash.mix(ByteHash.fingerprint(key), rule.fingerprint), date)
        fingerprint = isClientSide ? ByteHash.mix(hash, 1) : hash
    }

    /// Compiles the flag for one loop. Nothing of the result is shared with other loops, so that their reference counts
    /// are not contended; but the rules of a time zone are.
    func compiled(fractional: FractionalVersion) -> CompiledFlag {
        rule.compiled(
            key: String(decoding: key, as: UTF8.self), fractional: fractional, expiresAt: expiresAt,
            isClientSide: isClientSide, zone: zone)
    }

    /// Whether both are the same flag with the same rule, date and clients.
    func isSame(as other: FlagText) -> Bool {
        self === other
            || (fingerprint == other.fingerprint && key == other.key && rule == other.rule
                && expiresAt == other.expiresAt && isClientSide == other.isClientSide)
    }
}

/// All flags of an environment, for loops to compile when they need them.
package struct RuleSetText: Sendable {
    /// The flags, sorted by the bytes of their keys.
    package private(set) var flags: [FlagText]
    /// The environment's revision when they were read.
    package var revision: Int64

    package init(_ flags: [FlagText], revision: Int64) {
        self.flags = flags.sorted { left, right in
            right.key.withUnsafeBytes { left.key.compare(to: $0) } < 0
        }
        self.revision = revision
    }

    /// Puts a flag in, in place of the one of the same key; or takes the one of this key out. O(flags).
    package mutating func set(_ text: FlagText?, for key: [UInt8]) {
        key.withUnsafeBytes { bytes in
            let (index, isThere) = flags.search { $0.key.compare(to: bytes) }
            switch (text, isThere) {
            case (let text?, true): flags[index] = text
            case (let text?, false): flags.insert(text, at: index)
            case (nil, true): flags.remove(at: index)
            case (nil, false): break
            }
        }
    }
}

extension Array {
    /// Searches a sorted array. O(log n).
    ///
    /// - Parameter order: how an element compares to what is searched: negative when it comes before.
    /// - Returns: the position of the element that compares equal, or where it would have to be.
    func search(_ order: (Element) -> Int32) -> (index: Int, isThere: Bool) {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            let order = order(self[middle])
            if order == 0 { return (middle, true) }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return (low, false)
    }
}
