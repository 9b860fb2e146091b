import Bytes

/// Base64 with the URL's alphabet and without padding, as tokens and their keys are written (RFC 7515 section 2).
package enum URLSafeText {
    /// The bytes that a text stands for; nil for one that is none. A text that stands for the same bytes as another,
    /// with other bits where none count, is none either. O(length).
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var padded: [UInt8] = []
        padded.reserveCapacity(text.count + 3)
        for character in text {
            switch character {
            case UInt8(ascii: "-"): padded.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): padded.append(UInt8(ascii: "/"))
            case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): return nil
            default: padded.append(character)
            }
        }
        while !padded.count.isMultiple(of: 4) { padded.append(UInt8(ascii: "=")) }
        return padded.withUnsafeBytes { try? BinaryText.decode($0) }
    }

    /// The text that stands for bytes. O(length).
    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        BinaryText.encode(bytes).compactMap { character in
            switch character {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: character
            }
        }
    }
}
