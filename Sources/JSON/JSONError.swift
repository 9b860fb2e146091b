/// Why a text is not the JSON that was asked for, and where.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong.
    package enum Reason: Sendable, Equatable {
        /// The text stops before the value does.
        case unexpectedEnd
        /// A byte that cannot stand here.
        case unexpectedByte(UInt8)
        /// A number not spelled as RFC 8259 section 6 has it.
        case invalidNumber
        /// A backslash followed by something that is no escape (RFC 8259 section 7).
        case invalidEscape
        /// A `\u` escape of half a surrogate pair: no Unicode text can hold it.
        case loneSurrogate
        /// A control character (below U+0020) inside a string.
        case controlCharacter
        /// Bytes that are not UTF-8 (RFC 3629).
        case invalidUTF8
        /// More levels of arrays and objects than allowed.
        case tooDeep(limit: Int)
        /// A member name that the same object has already.
        case duplicateKey
        /// Something after the end of the value.
        case trailingContent
        /// A text longer than a tape can address (2 GiB).
        case tooLarge
    }

    /// What is wrong.
    package let reason: Reason
    /// Where it is wrong: bytes from the start of the text.
    package let offset: Int

    /// An error of this reason at `offset` bytes.
    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// The reason and the place, without any of the text itself: `unexpected end of text at byte 17`.
    package var description: String { "\(reason.inWords) at byte \(offset)" }
}

extension JSONError.Reason {
    /// The reason in words.
    package var inWords: String {
        switch self {
        case .unexpectedEnd: "unexpected end of text"
        case .unexpectedByte(let byte) where byte > 0x20 && byte < 0x7F:
            "unexpected character '\(Character(UnicodeScalar(byte)))'"
        case .unexpectedByte(let byte): "unexpected byte 0x\(String(byte, radix: 16, uppercase: true))"
        case .invalidNumber: "invalid number"
        case .invalidEscape: "invalid escape in string"
        case .loneSurrogate: "escape of an unpaired surrogate"
        case .controlCharacter: "unescaped control character in string"
        case .invalidUTF8: "invalid UTF-8"
        case .tooDeep(let limit): "more than \(limit) nested arrays and objects"
        case .duplicateKey: "duplicate member name"
        case .trailingContent: "content after the value"
        case .tooLarge: "text too large"
        }
    }
}

extension JSONError {
    /// Where it is wrong, as editors tell it.
    ///
    /// - Parameter text: the text that was parsed.
    /// - Returns: the line and the column, both from 1; a column is a Unicode scalar. O(offset).
    package func place(in text: UnsafeRawBufferPointer) -> (line: Int, column: Int) {
        let before = text.prefix(offset)
        let line = 1 + before.count { $0 == UInt8(ascii: "\n") }
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? before.startIndex
        // Bytes that go on with a scalar begin with the bits 10 (RFC 3629 section 3).
        return (line, 1 + before[start...].count { $0 & 0xC0 != 0x80 })
    }
}

/// What the parser accepts beyond and below the grammar.
package struct JSONParseOptions: Sendable, Equatable {
    /// What becomes of an object that names a member twice (RFC 8259 section 4 leaves it open).
    package enum DuplicateKeys: Sendable, Equatable {
        /// The text is an error.
        case refuse
        /// The last of them counts; the others are as if they had not been written.
        case lastWins
    }

    /// How many arrays and objects may be nested. The root counts as one.
    package var maximumDepth: Int
    /// What becomes of duplicate member names.
    package var duplicateKeys: DuplicateKeys

    /// Options; the defaults are those for requests.
    package init(maximumDepth: Int = 64, duplicateKeys: DuplicateKeys = .refuse) {
        self.maximumDepth = maximumDepth
        self.duplicateKeys = duplicateKeys
    }
}
