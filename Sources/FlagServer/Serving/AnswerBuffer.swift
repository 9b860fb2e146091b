/// The bytes of an answer in the making, in memory that is used again for the next one.
///
/// A plain block of memory instead of an array: a bulk answer is thousands of small appends, and each is one bounds
/// check and one copy here. Once the block has grown to the size of the traffic nothing is allocated.
struct AnswerBuffer: ~Copyable {
    /// Blocks beyond this size are given back by `reset`, so that one huge answer does not hold its memory for good.
    private static let keptBytes = 1 << 20

    private var start: UnsafeMutableRawPointer
    private var capacity: Int
    /// Bytes written.
    private(set) var count = 0

    /// An empty buffer.
    init(capacity: Int = 4_096) {
        self.capacity = max(capacity, 64)
        start = .allocate(byteCount: self.capacity, alignment: 16)
    }

    deinit { start.deallocate() }

    /// What was written; valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// Forgets what was written.
    mutating func reset() {
        count = 0
        guard capacity > AnswerBuffer.keptBytes else { return }
        start.deallocate()
        capacity = 4_096
        start = .allocate(byteCount: capacity, alignment: 16)
    }

    /// Forgets what was written behind `count` bytes.
    mutating func truncate(to count: Int) {
        precondition(count <= self.count)
        self.count = count
    }

    /// Appends a text of the program.
    @inline(__always)
    mutating func append(_ text: StaticString) {
        append(UnsafeRawPointer(text.utf8Start), text.utf8CodeUnitCount)
    }

    /// Appends bytes.
    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        append(start, bytes.count)
    }

    /// Appends bytes.
    @inline(__always)
    mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// Appends one byte.
    @inline(__always)
    mutating func append(byte: UInt8) {
        reserve(1)
        start.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    /// Appends a text.
    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends UTF-8 as a JSON string with its quotes (RFC 8259 section 7).
    mutating func append(jsonString text: UnsafeRawBufferPointer) {
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
    mutating func append(jsonString text: String) {
        var text = text
        text.withUTF8 { append(jsonString: UnsafeRawBufferPointer($0)) }
    }

    private mutating func append(escaped byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case UInt8(ascii: "\n"): append("\\n")
        case UInt8(ascii: "\r"): append("\\r")
        case UInt8(ascii: "\t"): append("\\t")
        default:
            append("\\u00")
            append(byte: UInt8(ascii: "0") + byte >> 4)
            let low = byte & 0xF
            append(byte: low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
        }
    }

    @inline(__always)
    private mutating func append(_ source: UnsafeRawPointer, _ length: Int) {
        reserve(length)
        (start + count).copyMemory(from: source, byteCount: length)
        count += length
    }

    @inline(__always)
    private mutating func reserve(_ more: Int) {
        if capacity - count < more { grow(more) }
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let larger = max(capacity * 2, count + more)
        let block = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        block.copyMemory(from: start, byteCount: count)
        start.deallocate()
        start = block
        capacity = larger
    }
}
