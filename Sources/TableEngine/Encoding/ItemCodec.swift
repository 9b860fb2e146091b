import DynamoModel

/// The stored form of items.
///
/// One format byte, then a map: the number of members, and for each, in byte order of the names, name and value. A
/// value is a tag and its content. Counts and lengths are unsigned LEB128. Equal items have equal bytes.
enum ItemCodec {
    /// The first byte of an item of this format.
    static let format: UInt8 = 1

    /// What a value is, as stored. These numbers never change.
    enum Tag: UInt8 {
        case null = 0
        case string = 1
        case number = 2
        case binary = 3
        case no = 4
        case yes = 5
        case list = 6
        case map = 7
        case stringSet = 8
        case numberSet = 9
        case binarySet = 10
    }

    /// The bytes of an item.
    static func encode(_ item: Item) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        bytes.append(format)
        append(item, to: &bytes)
        return bytes
    }

    /// The item that `bytes` hold.
    ///
    /// - Throws: `ItemCodecError` when they are not what `encode` writes.
    static func decode(_ bytes: UnsafeRawBufferPointer) throws(ItemCodecError) -> Item {
        var reader = ItemReader(bytes)
        let item = try reader.item()
        return item
    }

    /// The item that `bytes` hold; see the other `decode`.
    static func decode(_ bytes: [UInt8]) throws(ItemCodecError) -> Item {
        // A closure with a typed error does not pass through `withUnsafeBytes` of this compiler's library.
        let result = bytes.withUnsafeBytes { buffer -> Result<Item, ItemCodecError> in
            do throws(ItemCodecError) { return .success(try decode(buffer)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private static func append(_ map: Item, to bytes: inout [UInt8]) {
        append(count: map.count, to: &bytes)
        for (name, value) in map.sorted(by: { $0.key.precedes($1.key) }) {
            append(name.text, to: &bytes)
            append(value, to: &bytes)
        }
    }

    private static func append(_ value: AttributeValue, to bytes: inout [UInt8]) {
        switch value {
        case .null: append(tag: .null, to: &bytes)
        case .bool(let value): append(tag: value ? .yes : .no, to: &bytes)
        case .string(let text):
            append(tag: .string, to: &bytes)
            append(text, to: &bytes)
        case .number(let number):
            append(tag: .number, to: &bytes)
            append(number, to: &bytes)
        case .binary(let binary):
            append(tag: .binary, to: &bytes)
            append(binary, to: &bytes)
        case .list(let values):
            append(tag: .list, count: values.count, to: &bytes)
            for value in values { append(value, to: &bytes) }
        case .map(let members):
            append(tag: .map, to: &bytes)
            append(members, to: &bytes)
        case .stringSet(let set):
            append(tag: .stringSet, count: set.count, to: &bytes)
            for text in set.elements { append(text, to: &bytes) }
        case .numberSet(let set):
            append(tag: .numberSet, count: set.count, to: &bytes)
            for number in set.elements { append(number, to: &bytes) }
        case .binarySet(let set):
            append(tag: .binarySet, count: set.count, to: &bytes)
            for binary in set.elements { append(binary, to: &bytes) }
        }
    }

    private static func append(tag: Tag, to bytes: inout [UInt8]) { bytes.append(tag.rawValue) }

    private static func append(tag: Tag, count: Int, to bytes: inout [UInt8]) {
        append(tag: tag, to: &bytes)
        append(count: count, to: &bytes)
    }

    private static func append(count: Int, to bytes: inout [UInt8]) { append(UInt128(count), to: &bytes) }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        append(count: text.utf8.count, to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }

    private static func append(_ binary: [UInt8], to bytes: inout [UInt8]) {
        append(count: binary.count, to: &bytes)
        bytes.append(contentsOf: binary)
    }

    /// A number: its exponent, moved so that it is not negative, with the sign as lowest bit; then the coefficient.
    private static func append(_ number: DynamoNumber, to bytes: inout [UInt8]) {
        append(count: (Int(number.exponent) + exponentOffset) << 1 | (number.isNegative ? 1 : 0), to: &bytes)
        append(number.coefficient, to: &bytes)
    }

    /// What is added to exponents: the smallest is that of 38 digits at 1e-130.
    static let exponentOffset = 192

    private static func append(_ number: UInt128, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}

/// Why bytes are not a stored item: the file is damaged, or newer than this program.
enum ItemCodecError: Error, Sendable, Equatable {
    /// The item is of a format that this program does not know.
    case unknownFormat(UInt8)
    /// The item is encrypted with a data key, of this name, that is not at hand.
    case unknownKey(String)
    /// The bytes end too early, go on too long, or hold something that is never written.
    case damaged
}
