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

    /// Whether this path means `path`: the same bytes, but that an unreserved character may be percent-encoded
    /// (RFC 3986 §6.2.2.2). A reserved one may not: `%2F` is no `/`.
    ///
    /// - Parameter path: A path without anything encoded.
    /// - Complexity: O(`count`).
    package func isEquivalent(toPath path: StaticString) -> Bool {
        if count == path.utf8CodeUnitCount { return equals(path) }
        let expected = UnsafeBufferPointer(start: path.utf8Start, count: path.utf8CodeUnitCount)
        var position = 0
        for character in expected {
            guard position < count else { return false }
            if self[position] == character {
                position += 1
            } else if self[position] == 0x25, position + 2 < count, ByteClass.isUnreserved(character),
                let high = ByteClass.hexValue(self[position + 1]), let low = ByteClass.hexValue(self[position + 2]),
                high << 4 | low == character
            {
                position += 3
            } else {
                return false
            }
        }
        return position == count
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
