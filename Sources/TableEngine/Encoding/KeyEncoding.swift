import DynamoModel

/// Key values as bytes that sort, unsigned and from the left, as the values do.
///
/// Every encoded value ends itself: none is the beginning of another of its type. So values can be strung together,
/// and all keys that begin with the same values are one range of bytes.
///
/// - A string or binary value is its bytes, each 0x00 followed by 0xFF, then 0x00 0x00.
/// - A number is described at `DynamoNumber.appendKeyBytes(to:)`.
enum KeyEncoding {
    private static let escape: UInt8 = 0x00
    private static let escaped: UInt8 = 0xFF
    private static let end: UInt8 = 0x00

    /// Appends a whole value; one of a type that cannot be a key is appended as nothing.
    static func append(_ value: AttributeValue, to bytes: inout [UInt8]) {
        switch value {
        case .string, .binary:
            appendBeginning(value, to: &bytes)
            bytes.append(escape)
            bytes.append(end)
        case .number(let number):
            number.appendKeyBytes(to: &bytes)
        default:
            break
        }
    }

    /// Appends what all strings or binary values that begin with `value` begin with.
    static func appendBeginning(_ value: AttributeValue, to bytes: inout [UInt8]) {
        switch value {
        case .string(var text):
            text.withUTF8 { appendEscaped(UnsafeRawBufferPointer($0), to: &bytes) }
        case .binary(let binary):
            binary.withUnsafeBytes { appendEscaped($0, to: &bytes) }
        default:
            break
        }
    }

    private static func appendEscaped(_ content: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        guard content.contains(escape) else {
            bytes.append(contentsOf: content)
            return
        }
        for byte in content {
            bytes.append(byte)
            if byte == escape { bytes.append(escaped) }
        }
    }

    /// Appends the number of a table or an index: 7 bits a byte, the last without its high bit.
    ///
    /// The order of spaces means nothing, but none is the beginning of another, and none is all 0xFF.
    static func append(space: UInt32, to bytes: inout [UInt8]) {
        var rest = space
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// The bytes of the partition key within a key: what follows the space, up to the end of the first value.
    static func partition(of key: UnsafeRawBufferPointer, _ type: KeyType) -> UnsafeRawBufferPointer {
        var start = 0
        while start < key.count, key[start] >= 0x80 { start += 1 }
        start = min(start + 1, key.count)
        var end = start
        switch type {
        case .number: end += DynamoNumber.keyByteCount(UnsafeRawBufferPointer(rebasing: key[start...]))
        case .string, .binary:
            while end < key.count, key[end] != escape || end + 1 < key.count && key[end + 1] == escaped { end += 1 }
        }
        return UnsafeRawBufferPointer(rebasing: key[start..<min(end, key.count)])
    }

    /// The number of the table or index that a key or an entry begins with; nil when it does not begin with one.
    static func space(of key: [UInt8]) -> UInt32? {
        var space: UInt32 = 0
        for (place, byte) in key.prefix(5).enumerated() {
            space |= UInt32(byte & 0x7F) << (7 * UInt32(place))
            if byte < 0x80 { return space }
        }
        return nil
    }

    /// The smallest bytes that sort after everything that begins with `bytes`.
    static func successor(of bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        while let last = result.popLast() {
            if last < 0xFF {
                result.append(last + 1)
                return result
            }
        }
        // Only bytes that are all 0xFF get here, and a space never is.
        return [UInt8](repeating: 0xFF, count: bytes.count + 1)
    }
}

/// A range of keys: from `lower` on, up to but without `upper`.
struct KeyRange: Equatable {
    var lower: [UInt8]
    var upper: [UInt8]

    /// All keys that begin with `prefix`.
    init(prefix: [UInt8]) {
        lower = prefix
        upper = KeyEncoding.successor(of: prefix)
    }

    /// The keys that begin with `prefix` and go on with a sort key that meets the condition.
    init(prefix: [UInt8], sort: SortCondition?) {
        self.init(prefix: prefix)
        func key(_ value: AttributeValue) -> [UInt8] {
            var bytes = prefix
            KeyEncoding.append(value, to: &bytes)
            return bytes
        }
        switch sort {
        case nil: break
        case .equal(let value): self.init(prefix: key(value))
        case .less(let value): upper = key(value)
        case .lessOrEqual(let value): upper = KeyEncoding.successor(of: key(value))
        case .greater(let value): lower = KeyEncoding.successor(of: key(value))
        case .greaterOrEqual(let value): lower = key(value)
        case .between(let first, let last):
            lower = key(first)
            upper = KeyEncoding.successor(of: key(last))
        case .beginsWith(let beginning):
            var bytes = prefix
            KeyEncoding.appendBeginning(beginning, to: &bytes)
            self.init(prefix: bytes)
        }
    }

    /// Leaves out the keys up to and including `key`, in the direction of reading.
    mutating func start(after key: [UInt8], forward: Bool) {
        if forward { lower = KeyEncoding.successor(of: key) } else { upper = key }
    }

    /// Whether `key` is in the range.
    func contains(_ key: [UInt8]) -> Bool { !key.precedes(lower) && key.precedes(upper) }
}
