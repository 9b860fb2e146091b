extension TapeScanner {
    /// Reads a string; the cursor is at its opening quotation mark.
    @inline(__always)
    mutating func scanString() throws(JSONError) {
        cursor += 1
        let first = cursor
        while true {
            try skipPlainBytes()
            guard cursor < end else { throw error(.unexpectedEnd) }
            if cursor.load(as: UInt8.self) == UInt8(ascii: "\\") { return try scanEscapedString(from: first) }
            append(.string, flags: 0, from: first, to: cursor)
            cursor += 1
            return
        }
    }

    /// Skips to the next quotation mark or backslash, or the end of the text; checks everything between.
    private mutating func skipPlainBytes() throws(JSONError) {
        while true {
            // Eight bytes at a time while none of them is special.
            while end - cursor >= 8 {
                let special = Self.specialBytes(of: cursor.loadUnaligned(as: UInt64.self))
                guard special == 0 else {
                    cursor += special.trailingZeroBitCount >> 3
                    break
                }
                cursor += 8
            }
            guard cursor < end else { return }
            switch cursor.load(as: UInt8.self) {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): return
            case 0x00..<0x20: throw error(.controlCharacter)
            case 0x80...: try skipMultibyteScalar()
            default: cursor += 1
            }
        }
    }

    /// The high bit of each byte that is a quotation mark, a backslash, a control character or not ASCII.
    ///
    /// Bits above the lowest one may be set wrongly, because of borrows; the lowest one is right.
    @inline(__always)
    private static func specialBytes(of word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        let found =
            ((word &- ones &* 0x20) & ~word) | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | word
        return UInt64(littleEndian: found) & (ones &* 0x80)
    }

    /// Skips one scalar of two to four bytes, if it is well-formed (RFC 3629 section 4).
    private mutating func skipMultibyteScalar() throws(JSONError) {
        let lead = cursor.load(as: UInt8.self)
        let length: Int
        let second: ClosedRange<UInt8>
        switch lead {
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw error(.invalidUTF8)
        }
        for offset in 1..<length {
            guard cursor + offset < end else {
                cursor = end
                throw error(.unexpectedEnd)
            }
            let allowed = offset == 1 ? second : 0x80...0xBF
            guard allowed.contains(cursor.load(fromByteOffset: offset, as: UInt8.self)) else {
                throw error(.invalidUTF8)
            }
        }
        cursor += length
    }

    // MARK: Escapes

    /// Reads a string that has an escape at the cursor, into the side buffer.
    private mutating func scanEscapedString(from first: UnsafeRawPointer) throws(JSONError) {
        // No decoded string is longer than its spelling: room for the whole text is room for all of them.
        storage.reserveDecoded(end - start)
        let decodedStart = storage.decodedCount
        copyDecoded(from: first)
        while true {
            guard cursor < end else { throw error(.unexpectedEnd) }
            if cursor.load(as: UInt8.self) == UInt8(ascii: "\"") { break }
            try scanEscape()
            let plain = cursor
            try skipPlainBytes()
            copyDecoded(from: plain)
        }
        cursor += 1
        append(
            TapeEntry(
                kind: .string, flags: TapeEntry.decoded, offset: UInt32(truncatingIfNeeded: decodedStart),
                length: UInt32(truncatingIfNeeded: storage.decodedCount - decodedStart),
                next: UInt32(truncatingIfNeeded: storage.entryCount + 1)))
    }

    /// Appends the text from `first` up to the cursor to the side buffer.
    private mutating func copyDecoded(from first: UnsafeRawPointer) {
        (storage.decoded + storage.decodedCount).copyMemory(from: first, byteCount: cursor - first)
        storage.decodedCount += cursor - first
    }

    private mutating func appendDecoded(_ byte: UInt8) {
        storage.decoded.storeBytes(of: byte, toByteOffset: storage.decodedCount, as: UInt8.self)
        storage.decodedCount += 1
    }

    /// Reads one escape, backslash included.
    private mutating func scanEscape() throws(JSONError) {
        guard cursor + 1 < end else {
            cursor = end
            throw error(.unexpectedEnd)
        }
        switch (cursor + 1).load(as: UInt8.self) {
        case UInt8(ascii: "\""): appendDecoded(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): appendDecoded(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): appendDecoded(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): appendDecoded(0x08)
        case UInt8(ascii: "f"): appendDecoded(0x0C)
        case UInt8(ascii: "n"): appendDecoded(0x0A)
        case UInt8(ascii: "r"): appendDecoded(0x0D)
        case UInt8(ascii: "t"): appendDecoded(0x09)
        case UInt8(ascii: "u"): return try scanUnicodeEscape()
        default: throw error(.invalidEscape)
        }
        cursor += 2
    }

    /// Reads `\uXXXX`, or two of them that make a surrogate pair.
    private mutating func scanUnicodeEscape() throws(JSONError) {
        let escape = cursor
        var code = try scanHexUnit()
        switch code {
        case 0xD800...0xDBFF:
            guard cursor < end else { throw error(.unexpectedEnd) }
            guard cursor.load(as: UInt8.self) == UInt8(ascii: "\\") else { throw loneSurrogate(at: escape) }
            guard cursor + 1 < end else {
                cursor = end
                throw error(.unexpectedEnd)
            }
            guard (cursor + 1).load(as: UInt8.self) == UInt8(ascii: "u") else { throw loneSurrogate(at: escape) }
            let low = try scanHexUnit()
            guard (0xDC00...0xDFFF).contains(low) else { throw loneSurrogate(at: escape) }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        case 0xDC00...0xDFFF:
            throw loneSurrogate(at: escape)
        default:
            break
        }
        guard let scalar = Unicode.Scalar(code) else { throw loneSurrogate(at: escape) }
        for byte in UTF8.encode(scalar).unsafelyUnwrapped { appendDecoded(byte) }
    }

    private mutating func loneSurrogate(at escape: UnsafeRawPointer) -> JSONError {
        cursor = escape
        return error(.loneSurrogate)
    }

    /// Reads `\uXXXX`; the cursor is at the backslash and `u` is known to follow.
    private mutating func scanHexUnit() throws(JSONError) -> UInt32 {
        cursor += 2
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard cursor < end else { throw error(.unexpectedEnd) }
            let byte = cursor.load(as: UInt8.self)
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): unit = unit << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): unit = unit << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
            default: throw error(.invalidEscape)
            }
            cursor += 1
        }
        return unit
    }
}
