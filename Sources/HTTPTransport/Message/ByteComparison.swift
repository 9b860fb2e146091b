import Bytes

extension UnsafeRawBufferPointer {
    /// Whether these are the bytes of `text` when upper and lower case of ASCII letters are the same.
    ///
    /// - Complexity: O(`count`).
    package func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        guard let start = baseAddress else { return true }
        let other = UnsafeRawPointer(text.utf8Start)
        if count < 8 { return LetterCase.areEqual(start, other, count) }
        var offset = 0
        while offset &+ 8 < count {
            if !LetterCase.areEqual(start + offset, other + offset) { return false }
            offset &+= 8
        }
        // The last eight, some of them for the second time.
        return LetterCase.areEqual(start + (count &- 8), other + (count &- 8))
    }

    /// Whether this path means `path`: the same bytes, but that an unreserved character may be percent-encoded
    /// (RFC 3986 §6.2.2.2). A reserved one may not: `%2F` is no `/`.
    ///
    /// - Parameter path: A path without anything encoded.
    /// - Complexity: O(`count`).
    package func isEquivalent(toPath path: StaticString) -> Bool {
        if count == path.utf8CodeUnitCount { return hasSameBytes(as: path) }
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

/// Comparisons in which upper and lower case of ASCII letters are the same.
private enum LetterCase {
    private static let ones: UInt64 = 0x0101_0101_0101_0101

    /// Compares eight bytes at once: header fields are told apart by their names in every request.
    @inline(__always)
    static func areEqual(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer) -> Bool {
        let word = left.loadUnaligned(as: UInt64.self)
        let difference = word ^ right.loadUnaligned(as: UInt64.self)
        if difference == 0 { return true }
        guard difference & ~(ones &* 0x20) == 0 else { return false }
        // In each byte, the top bit says whether it is a letter: those from a to z carry into it with the first
        // addition and not with the second.
        let small = (word | ones &* 0x20) & (ones &* 0x7F)
        let letters = (small &+ ones &* 0x1F) & ~(small &+ ones &* 0x05) & ~word & (ones &* 0x80)
        return (difference &<< 2) & ~letters == 0
    }

    /// Compares byte by byte.
    @inline(__always)
    static func areEqual(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int) -> Bool {
        for offset in 0..<count {
            let (one, other) = (
                left.load(fromByteOffset: offset, as: UInt8.self),
                right.load(fromByteOffset: offset, as: UInt8.self)
            )
            if one != other, lowercased(one) != lowercased(other) { return false }
        }
        return true
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
