/// Which bytes may stand where (RFC 9110 §5.6.2, RFC 3986 §2), as bit sets in two words: no table in memory.
enum ByteClass {
    /// `!#$%&'*+-.^_|~`, the back quote, digits and letters: what tokens are made of.
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        contains(byte, low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE)
    }

    /// What a registered name of a host may have: `-._~`, digits, letters, `!$&'()*+,;=` and `%`.
    static func isHostName(_ byte: UInt8) -> Bool {
        contains(byte, low: 0x2BFF_7FF2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
    }

    /// What a path or a query may have: the unreserved and reserved characters of RFC 3986 §2 but `#`, and `%`. The
    /// brackets are let through though §3.4 wants them encoded: browsers send them in queries.
    @inline(__always)
    static func isTarget(_ byte: UInt8) -> Bool {
        contains(byte, low: 0xAFFF_FFF2_0000_0000, high: 0x47FF_FFFE_AFFF_FFFF)
    }

    /// `-._~`, digits and letters: what means the same encoded or not (RFC 3986 §2.3).
    static func isUnreserved(_ byte: UInt8) -> Bool {
        contains(byte, low: 0x03FF_6000_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// The value of a hexadecimal digit; nil for another byte.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = byte | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x61 &+ 10 : nil
    }

    @inline(__always)
    private static func contains(_ byte: UInt8, low: UInt64, high: UInt64) -> Bool {
        byte < 0x80 && (byte < 0x40 ? low : high) &>> UInt64(byte & 0x3F) & 1 == 1
    }

    /// Whether no byte is a control character other than HTAB (RFC 9110 §5.5). Looks at eight bytes at a time.
    @inline(__always)
    static func isFreeOfControls(_ bytes: UnsafeRawPointer, _ count: Int) -> Bool {
        var offset = 0
        while count &- offset >= 8 {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if mayHaveControl(word), !isFreeOfControlsSlowly(bytes + offset, 8) { return false }
            offset &+= 8
        }
        return isFreeOfControlsSlowly(bytes + offset, count &- offset)
    }

    /// Whether a byte of `word` is below 0x20 or is 0x7F. May be true without one (a carry); never false with one.
    @inline(__always)
    private static func mayHaveControl(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let below = (word &- ones &* 0x20) & ~word
        let deletes = word ^ (ones &* 0x7F)
        let equal = (deletes &- ones) & ~deletes
        return (below | equal) & (ones &* 0x80) != 0
    }

    private static func isFreeOfControlsSlowly(_ bytes: UnsafeRawPointer, _ count: Int) -> Bool {
        for offset in 0..<count {
            let byte = bytes.load(fromByteOffset: offset, as: UInt8.self)
            if byte < 0x20 && byte != 0x09 || byte == 0x7F { return false }
        }
        return true
    }
}
