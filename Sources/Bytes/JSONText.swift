/// Somewhere that bytes are appended to.
public protocol ByteOutput: ~Copyable {
    /// Appends one byte.
    mutating func append(byte: UInt8)
    /// Appends a copy of bytes.
    mutating func append(_ bytes: UnsafeRawBufferPointer)
}

extension [UInt8]: ByteOutput {
    /// Appends one byte.
    @inlinable
    @inline(__always)
    public mutating func append(byte: UInt8) { append(byte) }

    /// Appends a copy of bytes.
    @inlinable
    @inline(__always)
    public mutating func append(_ bytes: UnsafeRawBufferPointer) { append(contentsOf: bytes) }
}

extension ByteOutput where Self: ~Copyable {
    /// Appends UTF-8, which is not checked, as a JSON string with its quotes: escaped is what RFC 8259 section 7 wants
    /// escaped, and nothing else.
    @inlinable
    public mutating func append(jsonString text: UnsafeRawBufferPointer) {
        append(byte: UInt8(ascii: "\""))
        var plain = 0
        for index in 0..<text.count {
            let byte = text[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            append(UnsafeRawBufferPointer(rebasing: text[plain..<index]))
            plain = index + 1
            append(escaped: byte)
        }
        append(UnsafeRawBufferPointer(rebasing: text[plain...]))
        append(byte: UInt8(ascii: "\""))
    }

    /// Appends a text as a JSON string with its quotes.
    @inlinable
    public mutating func append(jsonString text: String) {
        text.withBytes { append(jsonString: $0) }
    }

    @usableFromInline
    mutating func append(escaped byte: UInt8) {
        append(byte: UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte: byte)
        case 0x08: append(byte: UInt8(ascii: "b"))
        case 0x09: append(byte: UInt8(ascii: "t"))
        case 0x0A: append(byte: UInt8(ascii: "n"))
        case 0x0C: append(byte: UInt8(ascii: "f"))
        case 0x0D: append(byte: UInt8(ascii: "r"))
        default:
            for character in "u00".utf8 { append(byte: character) }
            append(byte: UInt8(ascii: "0") + byte >> 4)
            let low = byte & 0xF
            append(byte: low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
        }
    }
}
