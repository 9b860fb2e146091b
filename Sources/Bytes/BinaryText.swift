/// Base64 as RFC 4648 section 4 has it, padded, as the protocol carries binary values.
package enum BinaryText {
    /// Why a text is not Base64; the descriptions are those of the parser that DynamoDB uses.
    package enum Failure: Error, Equatable, CustomStringConvertible {
        /// So many characters are no multiple of four.
        case length(Int)
        /// A character that is none of Base64's.
        case character
        /// Bits or padding where none can be.
        case lastCharacter

        package var description: String {
            switch self {
            case .length(let count):
                "Base64 encoded length is expected a multiple of 4 bytes but found: \(count)"
            case .character: "Invalid Base64 character"
            case .lastCharacter: "Invalid last non-pad Base64 character dectected"
            }
        }
    }

    /// The bytes that a text stands for. O(length).
    package static func decode(_ text: UnsafeRawBufferPointer) throws(Failure) -> [UInt8] {
        guard text.count.isMultiple(of: 4) else { throw .length(text.count) }
        let padding = text.reversed().prefix(2).prefix { $0 == UInt8(ascii: "=") }.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var group: UInt32 = 0
        var digits = 0
        for character in text.dropLast(padding) {
            let value = values[Int(character)]
            guard value < 64 else { throw character == UInt8(ascii: "=") ? .lastCharacter : .character }
            group = group << 6 | UInt32(value)
            digits += 1
            if digits == 4 {
                bytes.append(UInt8(truncatingIfNeeded: group >> 16))
                bytes.append(UInt8(truncatingIfNeeded: group >> 8))
                bytes.append(UInt8(truncatingIfNeeded: group))
                (group, digits) = (0, 0)
            }
        }
        switch digits {
        case 0: break
        case 2:
            guard group & 0xF == 0 else { throw .lastCharacter }
            bytes.append(UInt8(truncatingIfNeeded: group >> 4))
        case 3:
            guard group & 0x3 == 0 else { throw .lastCharacter }
            bytes.append(UInt8(truncatingIfNeeded: group >> 10))
            bytes.append(UInt8(truncatingIfNeeded: group >> 2))
        default: throw .character
        }
        return bytes
    }

    /// The text that stands for bytes. O(length).
    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let rest = min(3, bytes.count - index)
            var group: UInt32 = 0
            for offset in 0..<3 { group = group << 8 | (offset < rest ? UInt32(bytes[index + offset]) : 0) }
            for digit in 0..<4 {
                let value = Int(group >> (18 - 6 * UInt32(digit)) & 63)
                text.append(digit <= rest ? alphabet[value] : UInt8(ascii: "="))
            }
            index += 3
        }
        return text
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()
}
