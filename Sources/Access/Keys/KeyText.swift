import Bytes

/// What a key is for.
package enum KeyKind: String, Sendable, CaseIterable {
    /// A server that evaluates every flag.
    case server
    /// A browser or an app, whose key everybody can read: it evaluates flags that are marked `clientSide` alone.
    case client
    /// A script that administers.
    case admin
}

/// A key as it is handed out and presented: `fsk_{kind}_{selector}_{secret}{check}`.
///
/// The selector says which key it is, in lists and logs. The check is a CRC-32 of all before it, so that a key that was
/// mistyped, cut off or made up is told apart from one that might be right without a look at any list.
package struct KeyText: Sendable, Equatable {
    package let kind: KeyKind
    /// 12 characters.
    package let selector: String
    /// 43 characters, which hold 256 bits.
    package let secret: [UInt8]

    /// What all begin with.
    package static let prefix = "fsk_"
    private static let selectorLength = 12
    private static let secretLength = 43
    private static let checkLength = 6

    /// A new key.
    ///
    /// - Parameters:
    ///   - selector: the same as that of another key in its place; nil for one of its own.
    ///   - random: gives secure random numbers.
    package init(
        _ kind: KeyKind, selector: String? = nil, random: inout some RandomNumberGenerator
    ) {
        func characters(_ count: Int, _ random: inout some RandomNumberGenerator) -> [UInt8] {
            (0..<count).map { _ in Base62.digits[Int.random(in: 0..<Base62.digits.count, using: &random)] }
        }
        self.kind = kind
        self.selector = selector ?? String(decoding: characters(Self.selectorLength, &random), as: UTF8.self)
        secret = characters(Self.secretLength, &random)
    }

    /// Reads a key; nil for what is none, or whose check is wrong. O(length), which is bounded.
    package init?(_ text: UnsafeRawBufferPointer) {
        guard let kind = KeyKind.allCases.first(where: { Self.length(of: $0) == text.count && Self.begins(text, $0) })
        else { return nil }
        let checked = UnsafeRawBufferPointer(rebasing: text[..<(text.count - Self.checkLength)])
        guard text[checked.count...].elementsEqual(Base62.text(of: Checksum.crc32(checked), Self.checkLength)) else {
            return nil
        }
        let selectorEnd = Self.head(of: kind).utf8.count + Self.selectorLength
        let selector = checked[(selectorEnd - Self.selectorLength)..<selectorEnd]
        let secret = checked[(selectorEnd + 1)...]
        guard checked[selectorEnd] == UInt8(ascii: "_"), selector.allSatisfy(Base62.contains),
            secret.allSatisfy(Base62.contains)
        else { return nil }
        self.kind = kind
        self.selector = String(decoding: selector, as: UTF8.self)
        self.secret = Array(secret)
    }

    /// The key as it is handed out: once.
    package var text: String {
        let checked = Array("\(Self.head(of: kind))\(selector)_".utf8) + secret
        let whole = checked + Base62.text(of: Checksum.crc32(checked), Self.checkLength)
        return String(decoding: whole, as: UTF8.self)
    }

    /// Whether a text can be a selector.
    package static func isSelector(_ text: String) -> Bool {
        text.utf8.count == selectorLength && text.utf8.allSatisfy { Base62.contains($0) }
    }

    private static func head(of kind: KeyKind) -> String { "\(prefix)\(kind.rawValue)_" }

    private static func length(of kind: KeyKind) -> Int {
        head(of: kind).utf8.count + selectorLength + 1 + secretLength + checkLength
    }

    private static func begins(_ text: UnsafeRawBufferPointer, _ kind: KeyKind) -> Bool {
        text.starts(with: head(of: kind).utf8)
    }
}

/// Numbers in digits and letters, which a double click selects as one word.
private enum Base62 {
    static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    static func contains(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    /// A number in so many digits, the most significant first.
    static func text(of number: UInt32, _ count: Int) -> [UInt8] {
        var rest = Int(number)
        var text: [UInt8] = []
        for _ in 0..<count {
            text.append(digits[rest % digits.count])
            rest /= digits.count
        }
        return text.reversed()
    }
}
