import Glibc

extension UnsafeRawBufferPointer {
    /// Whether these are exactly the bytes of `text`.
    ///
    /// - Complexity: O(`count`).
    package func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        guard let start = baseAddress else { return true }
        return memcmp(start, text.utf8Start, count) == 0
    }

    /// Whether these are the bytes of `text` when upper and lower case of ASCII letters are the same.
    ///
    /// - Complexity: O(`count`).
    package func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        let other = text.utf8Start
        for index in 0..<count where lowercased(self[index]) != lowercased(other[index]) { return false }
        return true
    }

    /// The bytes of `range`, without a check outside debug builds.
    @inline(__always)
    func slice(_ range: ByteRange) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[Int(range.start)..<Int(range.end)])
    }
}

/// `byte`, with an ASCII capital letter turned into its small one.
@inline(__always)
func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
}

/// Where a slice lies, as offsets from the first byte of its message, so that it survives a move of the buffer.
struct ByteRange: Equatable {
    /// Offset of the first byte.
    var start: UInt32
    /// Offset behind the last byte.
    var end: UInt32

    @inline(__always)
    init(_ start: Int, _ end: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
    }

    /// How many bytes it is long.
    var count: Int { Int(end) - Int(start) }
}
