import Crypto

/// A key that items are encrypted with.
struct DataKey: Sendable {
    /// Tells it from all others, of whatever store: random.
    let id: UInt64
    let key: SymmetricKey

    /// A new one.
    static func random() -> DataKey {
        var source = SystemRandomNumberGenerator()
        return DataKey(id: source.next(), key: SymmetricKey(size: .bits256))
    }

    /// The identifier as text: 16 hexadecimal digits.
    static func name(_ id: UInt64) -> String {
        let digits = String(id, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

/// Numbers used once: one after the other from a random one of 96 bits, drawn anew by each process for each data key.
///
/// Two runs meet when one begins where another counts: with a million starts and 2^40 items written under one key the
/// chance is below 2^-36. Random numbers for each item would be likelier to meet from 2^32 items on (NIST SP 800-38D,
/// section 8.3).
struct NonceSequence {
    private var next: UInt128

    /// The number of bytes of each.
    static let byteCount = 12

    /// A sequence that begins anywhere.
    init() {
        var source = SystemRandomNumberGenerator()
        next = UInt128(source.next()) << 64 | UInt128(source.next())
    }

    /// Appends the next one.
    mutating func appendNext(to bytes: inout [UInt8]) {
        next &+= 1
        for shift in stride(from: UInt128(0), to: 96, by: 8) { bytes.append(UInt8(truncatingIfNeeded: next >> shift)) }
    }
}
