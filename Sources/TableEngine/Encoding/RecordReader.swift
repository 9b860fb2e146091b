import DynamoModel

/// Reads what `RecordWriter` has written into the content of a block; every read is checked against the end.
struct RecordReader {
    private let bytes: [UInt8]
    private var position = 0

    /// A reader of the content of a block.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Whether everything was read.
    var isAtEnd: Bool { position == bytes.count }

    /// The next number; nil when the bytes end in it.
    mutating func number() -> Int64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return Int64(bitPattern: value) }
            shift += 7
        }
        return nil
    }

    /// The next bytes; nil when fewer are left than they should be.
    mutating func content() -> [UInt8]? {
        guard let count = number(), count >= 0, count <= bytes.count - position else { return nil }
        defer { position += Int(count) }
        return Array(bytes[position..<(position + Int(count))])
    }
}

/// Puts numbers and bytes into the content of a block.
enum RecordWriter {
    /// Appends a number, 7 bits a byte.
    static func append(_ number: Int64, to bytes: inout [UInt8]) {
        var rest = UInt64(bitPattern: number)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Appends bytes behind their number.
    static func append(_ content: some Collection<UInt8>, to bytes: inout [UInt8]) {
        append(Int64(content.count), to: &bytes)
        bytes.append(contentsOf: content)
    }
}
