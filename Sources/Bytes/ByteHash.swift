/// A 64-bit hash of bytes: eight at a time through a full 64 × 64 → 128-bit multiplication whose halves are folded
/// together. Every input bit reaches every output bit, which is what an open-addressing table needs.
///
/// With a seed that is drawn at start, a table cannot be flooded by somebody who sends keys; with a fixed seed the hash
/// is a stable fingerprint of content, equal in every process. It is no cryptographic hash.
public struct ByteHash: Sendable {
    @inlinable static var lengthFactor: UInt64 { 0x9E37_79B9_7F4A_7C15 }
    @inlinable static var wordFactor: UInt64 { 0xD6E8_FEB8_6659_FD93 }
    @inlinable static var finalFactor: UInt64 { 0xA076_1D64_78BD_642F }

    @usableFromInline let seed: UInt64

    /// A hash with the given seed.
    @inlinable
    public init(seed: UInt64) {
        self.seed = seed
    }

    /// A hash whose seed nobody outside the process knows.
    public static func randomlySeeded() -> ByteHash {
        ByteHash(seed: .random(in: .min ... .max))
    }

    /// A hash that is equal in every process and for ever: part of `ETag`s.
    @inlinable public static var fingerprint: ByteHash { ByteHash(seed: 0x5EED_0F_F1A6_5E7) }

    /// The hash of `bytes`, in O(bytes) without allocating.
    ///
    /// - Parameter salt: what else the hash depends on (the environment), so that equal bytes differ.
    @inlinable
    @inline(__always)
    public func callAsFunction(_ bytes: UnsafeRawBufferPointer, salt: Int = 0) -> UInt64 {
        let count = bytes.count
        var state = ByteHash.mix(seed ^ UInt64(truncatingIfNeeded: salt), UInt64(count) &+ ByteHash.lengthFactor)
        guard count > 0, let start = bytes.baseAddress else { return ByteHash.mix(state, ByteHash.finalFactor) }
        var offset = 0
        while offset &+ 8 <= count {
            let word = start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            state = ByteHash.mix(state ^ UInt64(littleEndian: word), ByteHash.wordFactor)
            offset &+= 8
        }
        if offset < count {
            var word: UInt64 = 0
            var shift: UInt64 = 0
            while offset < count {
                word |= UInt64(start.load(fromByteOffset: offset, as: UInt8.self)) << shift
                shift &+= 8
                offset &+= 1
            }
            state = ByteHash.mix(state ^ word, ByteHash.wordFactor)
        }
        return ByteHash.mix(state, ByteHash.finalFactor)
    }

    /// The hash of a string's UTF-8.
    @inlinable
    public func callAsFunction(_ text: String, salt: Int = 0) -> UInt64 {
        text.withBytes { self($0, salt: salt) }
    }

    /// Folds one more number into a fingerprint.
    @inlinable
    public static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = (left ^ 0x2545_F491_4F6C_DD1D).multipliedFullWidth(by: right ^ 0x8EBC_6AF0_9C88_C6E3)
        return product.high ^ product.low
    }
}
