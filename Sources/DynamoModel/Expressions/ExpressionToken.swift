/// One token of an expression.
struct ExpressionToken: Equatable {
    /// What kind of token it is.
    enum Kind: Equatable {
        /// A letter, then letters, digits and underscores: an attribute, a keyword or a function.
        case word
        /// Digits.
        case number
        /// `#` with letters, digits and underscores.
        case name
        /// `:` with letters, digits and underscores.
        case value
        case open, close, openBracket, closeBracket
        case comma, dot, plus, minus
        case comparison(Comparison)
        /// A character that no expression has.
        case unknown
        /// Behind the last token.
        case end
    }

    let kind: Kind
    /// Which bytes of the expression it is.
    let range: Range<Int>
}

extension ExpressionToken {
    /// The tokens of an expression, the last of them `end`. White space separates and means nothing else.
    static func tokens(of bytes: [UInt8]) -> [ExpressionToken] {
        var tokens: [ExpressionToken] = []
        tokens.reserveCapacity(bytes.count / 3 + 2)
        var position = 0
        while position < bytes.count {
            if bytes[position].isWhiteSpace {
                position += 1
                continue
            }
            let (kind, length) = next(in: bytes[position...])
            tokens.append(ExpressionToken(kind: kind, range: position..<(position + length)))
            position += length
        }
        tokens.append(ExpressionToken(kind: .end, range: bytes.count..<bytes.count))
        return tokens
    }

    /// The kind and length of the token that `bytes` begin with.
    private static func next(in bytes: ArraySlice<UInt8>) -> (kind: Kind, length: Int) {
        let first = bytes[bytes.startIndex]
        let second = bytes.dropFirst().first
        switch first {
        case UInt8(ascii: "("): return (.open, 1)
        case UInt8(ascii: ")"): return (.close, 1)
        case UInt8(ascii: "["): return (.openBracket, 1)
        case UInt8(ascii: "]"): return (.closeBracket, 1)
        case UInt8(ascii: ","): return (.comma, 1)
        case UInt8(ascii: "."): return (.dot, 1)
        case UInt8(ascii: "+"): return (.plus, 1)
        case UInt8(ascii: "-"): return (.minus, 1)
        case UInt8(ascii: "="): return (.comparison(.equal), 1)
        case UInt8(ascii: "<"):
            if second == UInt8(ascii: "=") { return (.comparison(.lessOrEqual), 2) }
            if second == UInt8(ascii: ">") { return (.comparison(.notEqual), 2) }
            return (.comparison(.less), 1)
        case UInt8(ascii: ">"):
            return second == UInt8(ascii: "=") ? (.comparison(.greaterOrEqual), 2) : (.comparison(.greater), 1)
        default: return word(in: bytes, first)
        }
    }

    private static func word(in bytes: ArraySlice<UInt8>, _ first: UInt8) -> (kind: Kind, length: Int) {
        if first.isLetter { return (.word, bytes.prefix { $0.isWordPart }.count) }
        if first.isDigit { return (.number, bytes.prefix { $0.isDigit }.count) }
        if first == UInt8(ascii: "#") || first == UInt8(ascii: ":") {
            let length = bytes.dropFirst().prefix { $0.isWordPart }.count
            if length > 0 { return (first == UInt8(ascii: "#") ? .name : .value, length + 1) }
        }
        // A whole character, so that the message stays text: its first byte and those that continue it.
        return (.unknown, 1 + bytes.dropFirst().prefix { $0 & 0xC0 == 0x80 }.count)
    }
}

extension UInt8 {
    fileprivate var isWhiteSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    fileprivate var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
    /// Whether it may continue a word or a placeholder.
    var isWordPart: Bool { isLetter || isDigit || self == UInt8(ascii: "_") }
}
