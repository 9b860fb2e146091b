import Bytes
import FlagCore

/// The kill switches of one environment that are on, pinned in every loop: never evicted, never expired.
struct KillSwitches {
    /// Whether all flags are taken away.
    private(set) var isGlobal = false
    /// The flags that are taken away.
    private(set) var flags: HashedMap<Bool>

    init(_ text: DecodedKillSwitches = DecodedKillSwitches(), hash: ByteHash) {
        isGlobal = text.isGlobal
        flags = HashedMap(text.flagKeys.lazy.map { ($0, true) }, hash: hash)
    }

    /// Whether none is on.
    var isEmpty: Bool { !isGlobal && flags.isEmpty }

    /// The kill switch that takes the flag away; nil when none does. O(log n), no allocation.
    func kind(of flagKey: UnsafeRawBufferPointer) -> KillSwitchKind? {
        isGlobal ? .global : flags.index(of: flagKey) != nil ? .flag : nil
    }

    /// Turns one on or off.
    ///
    /// - Parameter flagKey: nil for the one of all flags.
    mutating func set(_ flagKey: [UInt8]?, isOn: Bool) {
        guard let flagKey else {
            isGlobal = isOn
            return
        }
        flagKey.withUnsafeBytes { bytes in
            if isOn { flags.set(true, for: bytes) } else { flags.remove(bytes) }
        }
    }

    /// A hash of those that are on: equal in every process, 0 when there are none.
    var fingerprint: UInt64 {
        var sum: UInt64 = isGlobal ? ByteHash.fingerprint("GLOBAL", salt: 6) : 0
        flags.forEach { key, _ in sum &+= key.withUnsafeBytes { ByteHash.fingerprint($0, salt: 7) } }
        return sum
    }
}

/// The kill switches of one environment as they travel to the loops.
package struct DecodedKillSwitches: Sendable, Equatable {
    /// Whether all flags are taken away.
    package internal(set) var isGlobal = false
    /// The keys of the flags that are taken away.
    package internal(set) var flagKeys: Set<[UInt8]> = []

    /// None.
    package init() {}

    /// Whether none is on.
    package var isEmpty: Bool { !isGlobal && flagKeys.isEmpty }

    /// What they take away, in words: `all flags`, `1 flag`.
    package var inWords: String {
        isGlobal ? "all flags" : flagKeys.count == 1 ? "1 flag" : "\(flagKeys.count) flags"
    }

    /// Turns one on or off.
    package mutating func set(_ flagKey: [UInt8]?, isOn: Bool) {
        switch (flagKey, isOn) {
        case (nil, _): isGlobal = isOn
        case (let flagKey?, true): flagKeys.insert(flagKey)
        case (let flagKey?, false): flagKeys.remove(flagKey)
        }
    }
}
