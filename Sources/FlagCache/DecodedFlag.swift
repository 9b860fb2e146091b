import Bytes
import FlagCore

/// A flag as loops hand it around: what it takes to compile it, made once and never changed.
///
/// The only thing about flags that loops share; a loop touches it when it compiles the flag, not when it evaluates.
package final class DecodedFlag: Sendable {
    /// The flag's key.
    package let key: [UInt8]
    /// A hash of key, rule, date and `clientSide`, equal in every process.
    package let fingerprint: UInt64
    private let spelling: FlagRule.Spelling
    private let additions: Additions?

    /// What most flags have nothing of. In a place of its own, since texts are what a server at rest holds most of:
    /// with room for all this each would be four times as large.
    private final class Additions: Sendable {
        let rollout: String?
        let requires: String?
        let expiresAt: Timestamp?
        let isClientSide: Bool
        /// The rules of the time zone that the rollout names: found before, since a loop must not read files.
        let zone: TimeZoneRules?

        init?(_ rule: FlagRule, _ expiresAt: Timestamp?, _ isClientSide: Bool, _ zones: TimeZones) {
            if rule.rollout == nil, rule.requires == nil, expiresAt == nil, !isClientSide { return nil }
            rollout = rule.rollout
            requires = rule.requires
            self.expiresAt = expiresAt
            self.isClientSide = isClientSide
            zone = rule.timeZone.flatMap(zones)
        }
    }

    /// - Parameter zones: finds the rules of a time zone.
    package init(
        key: String, rule: FlagRule, expiresAt: Timestamp? = nil, isClientSide: Bool = false, zones: TimeZones
    ) {
        self.key = Array(key.utf8)
        spelling = rule.spelling
        additions = Additions(rule, expiresAt, isClientSide, zones)
        let date = expiresAt.map { UInt64(bitPattern: $0.millisecondsSinceEpoch) } ?? 0
        let hash = ByteHash.mix(ByteHash.mix(ByteHash.fingerprint(key), rule.fingerprint), date)
        fingerprint = isClientSide ? ByteHash.mix(hash, 1) : hash
    }

    /// How the flag decides.
    package var rule: FlagRule {
        FlagRule(spelling: spelling, rollout: additions?.rollout, requires: additions?.requires)
    }

    /// When the flag should be gone; its metadata says so from then on.
    package var expiresAt: Timestamp? { additions?.expiresAt }

    /// Whether a key in a browser or an app may evaluate it; its metadata says so.
    package var isClientSide: Bool { additions?.isClientSide ?? false }

    /// Compiles the flag for one loop. Nothing of the result is shared with other loops, so that their reference counts
    /// are not contended; but the rules of a time zone are.
    func compiled(fractional: FractionalVersion) -> CompiledFlag {
        rule.compiled(
            key: String(decoding: key, as: UTF8.self), fractional: fractional, expiresAt: expiresAt,
            isClientSide: isClientSide, zone: additions?.zone)
    }

    /// Whether both are the same flag with the same rule, date and clients.
    func isSame(as other: DecodedFlag) -> Bool {
        self === other
            || (fingerprint == other.fingerprint && key == other.key && rule == other.rule
                && expiresAt == other.expiresAt && isClientSide == other.isClientSide)
    }
}

/// All flags of an environment, for loops to compile when they need them.
package struct DecodedRuleSet: Sendable {
    /// The flags, sorted by the bytes of their keys.
    package private(set) var flags: [DecodedFlag]
    /// The environment's revision when they were read.
    package var revision: Int64

    /// - Parameter flags: the flags as they were read, in any order. Who reads page by page may meet the same one
    ///   twice, when somebody moves it meanwhile; one of these is taken, and the change tells what it has become.
    package init(_ flags: [DecodedFlag], revision: Int64) {
        let sorted = flags.sorted { left, right in right.key.withUnsafeBytes { left.key.compare(to: $0) } < 0 }
        self.flags = []
        self.flags.reserveCapacity(sorted.count)
        for flag in sorted where flag.key != self.flags.last?.key { self.flags.append(flag) }
        self.revision = revision
    }

    /// Puts a flag in, in place of the one of the same key; or takes the one of this key out. O(flags).
    package mutating func set(_ text: DecodedFlag?, for key: [UInt8]) {
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
