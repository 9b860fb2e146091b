import Bytes

/// Percent-encoding of RFC 3986 section 2.1, on bytes.
package enum PercentEncoding {
    /// What is wrong with an encoded text.
    package enum Failure: Error, Equatable {
        /// A `%` at this byte is not followed by two hexadecimal digits.
        case badEscape(offset: Int)
        /// The decoded bytes are not UTF-8.
        case notUTF8

        /// Says what is wrong, for the one who sent it.
        package var description: String {
            switch self {
            case .badEscape(let offset): "the % at byte \(offset) is not followed by two hexadecimal digits"
            case .notUTF8: "its decoded bytes are not valid UTF-8"
            }
        }
    }

    /// Whether a text has an escape, that is, whether decoding would change it.
    package static func isEncoded(_ text: UnsafeRawBufferPointer) -> Bool {
        text.contains(UInt8(ascii: "%"))
    }

    /// Decodes once (an encoded `%25` becomes `%` and stays so), replacing what `output` holds. The bytes are not
    /// checked to be UTF-8.
    ///
    /// - Parameter plusIsSpace: decode `+` as a space, as query strings made by forms have it.
    package static func decode(
        _ text: UnsafeRawBufferPointer, into output: inout ByteBuffer, plusIsSpace: Bool = false
    ) throws(Failure) {
        output.reset()
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "%") {
                guard index + 2 < text.count, let high = digit(text[index + 1]), let low = digit(text[index + 2]) else {
                    throw .badEscape(offset: index)
                }
                output.append(byte: high << 4 | low)
                index += 3
            } else {
                output.append(byte: plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                index += 1
            }
        }
    }

    /// Decodes once to a string; the bytes must be UTF-8.
    package static func decoded(_ text: UnsafeRawBufferPointer, plusIsSpace: Bool = false) throws(Failure) -> String {
        var output = ByteBuffer(capacity: text.count)
        try decode(text, into: &output, plusIsSpace: plusIsSpace)
        guard let string = String(validating: output.readable, as: UTF8.self) else { throw .notUTF8 }
        return string
    }

    /// Encodes a text as one path segment: everything but RFC 3986's unreserved characters is escaped.
    package static func encodedSegment(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
