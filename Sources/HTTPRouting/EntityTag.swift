import Bytes

/// An entity tag (RFC 9110 section 8.8.3) made of a digest, and its comparison with a client's conditions.
package enum EntityTag {
    /// The bytes of a tag made here: two quotes and 32 hexadecimal digits.
    package static let length = 34

    /// Writes the strong tag of `value` behind what `output` holds.
    package static func append(_ value: KeyedDigest.Value, to output: inout ByteBuffer) {
        output.append(byte: UInt8(ascii: "\""))
        output.append(hexadecimal: value.high)
        output.append(hexadecimal: value.low)
        output.append(byte: UInt8(ascii: "\""))
    }

    /// Whether a field such as `If-None-Match` names `tag`: `*`, or a list with it.
    ///
    /// - Parameters:
    ///   - field: the field's value, as it came.
    ///   - tag: a strong tag with its quotes.
    ///   - weakly: weak comparison (`If-None-Match`, RFC 9110 section 13.1.2), else strong (`If-Match`, 13.1.1).
    ///
    /// An element without quotes is compared as if it had them: clients written after OFREP's own example
    /// (`If-None-Match: abc123xyz`) send such.
    package static func list(_ field: UnsafeRawBufferPointer, matches tag: UnsafeRawBufferPointer, weakly: Bool) -> Bool
    {
        var index = 0
        while index < field.count {
            while index < field.count, isSeparator(field[index]) { index += 1 }
            guard index < field.count else { return false }
            var isWeak = false
            if field.count - index >= 3, field[index] == UInt8(ascii: "W"), field[index + 1] == UInt8(ascii: "/") {
                isWeak = true
                index += 2
            }
            let start = index
            let isQuoted = field[index] == UInt8(ascii: "\"")
            if isQuoted {
                index += 1
                while index < field.count, field[index] != UInt8(ascii: "\"") { index += 1 }
                index = min(index + 1, field.count)
            } else {
                while index < field.count, !isSeparator(field[index]) { index += 1 }
            }
            let element = UnsafeRawBufferPointer(rebasing: field[start..<index])
            if element.count == 1, element[0] == UInt8(ascii: "*") { return true }
            guard weakly || !isWeak else { continue }
            let opaque = isQuoted ? tag : UnsafeRawBufferPointer(rebasing: tag.dropFirst().dropLast())
            if element.elementsEqual(opaque) { return true }
        }
        return false
    }

    /// The same for texts.
    package static func list(_ field: String, matches tag: String, weakly: Bool) -> Bool {
        Array(field.utf8).withUnsafeBytes { field in
            Array(tag.utf8).withUnsafeBytes { list(field, matches: $0, weakly: weakly) }
        }
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }
}
