/// MurmurHash3, x86, 32 bits, seed 0 (Austin Appleby, public domain), fed piece by piece.
///
/// It is the hash behind flagd's `fractional`: not one bit of it may ever change, or everybody is bucketed anew.
struct MurmurHash3 {
    private var hash: UInt32 = 0
    /// Bytes that do not fill a block yet, the first one lowest.
    private var pending: UInt32 = 0
    private var pendingCount = 0
    private var length = 0

    private static let c1: UInt32 = 0xCC9E_2D51
    private static let c2: UInt32 = 0x1B87_3593

    /// The hash of `bytes`.
    static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var hasher = MurmurHash3()
        hasher.update(bytes)
        return hasher.finalized()
    }

    /// Feeds `bytes`.
    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while pendingCount != 0, index < bytes.count {
            update(bytes[index])
            index += 1
        }
        let blocks = index
        while index + 4 <= bytes.count {
            mix(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self)))
            index += 4
        }
        length += index - blocks
        while index < bytes.count {
            update(bytes[index])
            index += 1
        }
    }

    /// Feeds one byte.
    mutating func update(_ byte: UInt8) {
        pending |= UInt32(byte) << (8 * UInt32(pendingCount))
        pendingCount += 1
        length += 1
        if pendingCount == 4 {
            mix(pending)
            pending = 0
            pendingCount = 0
        }
    }

    /// The hash of everything that was fed.
    func finalized() -> UInt32 {
        var result = hash
        if pendingCount != 0 { result ^= Self.scrambled(pending) }
        result ^= UInt32(truncatingIfNeeded: length)
        result ^= result >> 16
        result = result &* 0x85EB_CA6B
        result ^= result >> 13
        result = result &* 0xC2B2_AE35
        result ^= result >> 16
        return result
    }

    @inline(__always)
    private mutating func mix(_ block: UInt32) {
        hash ^= Self.scrambled(block)
        hash = (hash << 13 | hash >> 19) &* 5 &+ 0xE654_6B64
    }

    @inline(__always)
    private static func scrambled(_ block: UInt32) -> UInt32 {
        let product = block &* c1
        return (product << 15 | product >> 17) &* c2
    }
}
