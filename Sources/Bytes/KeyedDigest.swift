/// SipHash-2-4 with a 128-bit result (Aumasson and Bernstein, "SipHash: a fast short-input PRF"; the 128-bit variant is
/// that of the reference implementation).
///
/// The standard library's `Hasher` does not fit entity tags: its results change with every start of the process, and 64
/// bits are too few to decide alone whether a client's copy is still right. With a key that callers do not know, nobody
/// can construct two contexts with the same digest.
package struct KeyedDigest {
    /// A 128-bit result. Results add up modulo 2^128, which makes a digest of a set: the sum does not depend on the
    /// order of its members.
    package struct Value: Equatable, Sendable {
        /// The lower 64 bits.
        package var low: UInt64
        /// The upper 64 bits.
        package var high: UInt64

        /// A result of 128 bits.
        package init(low: UInt64, high: UInt64) {
            self.low = low
            self.high = high
        }

        /// The empty sum.
        package static let zero = Value(low: 0, high: 0)

        /// Adds modulo 2^128.
        package static func += (left: inout Value, right: Value) {
            let (sum, overflow) = left.low.addingReportingOverflow(right.low)
            left.low = sum
            left.high = left.high &+ right.high &+ (overflow ? 1 : 0)
        }
    }

    /// The secret that a digest depends on.
    package struct Key: Equatable, Sendable {
        /// The lower 64 bits.
        package let low: UInt64
        /// The upper 64 bits.
        package let high: UInt64

        /// A key of 128 bits.
        package init(low: UInt64, high: UInt64) {
            self.low = low
            self.high = high
        }

        /// A key derived from a text, such as the identity of a store: the text's digest under a fixed key.
        package init(deriving text: String) {
            var digest = KeyedDigest(Key(low: 0x666c_6167_2d73_6572, high: 0x7665_722f_6574_6167))
            digest.update(text)
            let value = digest.finish()
            self.init(low: value.low, high: value.high)
        }
    }

    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64
    /// Bytes that do not fill a word yet, the first in the lowest place.
    private var tail: UInt64 = 0
    private var count = 0

    /// Begins a digest under `key`.
    package init(_ key: Key) {
        v0 = key.low ^ 0x736f_6d65_7073_6575
        v1 = key.high ^ 0x646f_7261_6e64_6f6d ^ 0xee
        v2 = key.low ^ 0x6c79_6765_6e65_7261
        v3 = key.high ^ 0x7465_6462_7974_6573
    }

    /// Takes in the bytes as they are, without their length.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count, count & 7 != 0 {
            update(byte: bytes[index])
            index += 1
        }
        while bytes.count - index >= 8 {
            compress(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
            index += 8
            count &+= 8
        }
        while index < bytes.count {
            update(byte: bytes[index])
            index += 1
        }
    }

    /// Takes in one byte.
    package mutating func update(byte: UInt8) {
        tail |= UInt64(byte) << UInt64((count & 7) * 8)
        count &+= 1
        if count & 7 == 0 {
            compress(tail)
            tail = 0
        }
    }

    /// Takes in a number as eight bytes.
    package mutating func update(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { update($0) }
    }

    /// Takes in the text's length and its UTF-8 bytes, so that texts in a row cannot be mistaken for others.
    package mutating func update(_ text: String) {
        text.withBytes { utf8 in
            update(UInt64(utf8.count))
            update(utf8)
        }
    }

    /// Takes in a digest.
    package mutating func update(_ value: Value) {
        update(value.low)
        update(value.high)
    }

    /// The digest of everything taken in.
    package consuming func finish() -> Value {
        compress(tail | UInt64(truncatingIfNeeded: count) << 56)
        v2 ^= 0xee
        for _ in 0..<4 { round() }
        let low = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        for _ in 0..<4 { round() }
        return Value(low: low, high: v0 ^ v1 ^ v2 ^ v3)
    }

    private mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    @inline(__always)
    private mutating func round() {
        v0 = v0 &+ v1
        v1 = (v1 << 13 | v1 >> 51) ^ v0
        v0 = v0 << 32 | v0 >> 32
        v2 = v2 &+ v3
        v3 = (v3 << 16 | v3 >> 48) ^ v2
        v0 = v0 &+ v3
        v3 = (v3 << 21 | v3 >> 43) ^ v0
        v2 = v2 &+ v1
        v1 = (v1 << 17 | v1 >> 47) ^ v2
        v2 = v2 << 32 | v2 >> 32
    }
}
