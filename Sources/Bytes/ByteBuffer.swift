import Glibc

/// Bytes that are appended at the back and consumed at the front, in one piece of memory.
///
/// Owns no memory until the first byte comes and gives it back with `release`, so that an idle connection costs none.
/// A plain block of memory instead of an array: a response may be thousands of small appends, and each is one check and
/// one copy here. Once the block has grown to the size of the traffic nothing is allocated.
public struct ByteBuffer: ~Copyable, ByteOutput {
    /// Blocks beyond this size are given back by `reset`, so that one huge answer does not hold its memory for good.
    @usableFromInline static let keptBytes = 1 << 20

    @usableFromInline var memory: UnsafeMutableRawPointer?
    /// Bytes of memory owned.
    public internal(set) var capacity = 0
    @usableFromInline var start = 0
    @usableFromInline var end = 0

    /// A buffer without memory.
    public init() {}

    /// A buffer with room for `capacity` bytes.
    public init(capacity: Int) {
        reserve(capacity)
    }

    deinit {
        free(memory)
    }

    /// How many bytes wait to be consumed.
    @inlinable
    public var count: Int { end &- start }

    /// Whether no byte waits to be consumed.
    @inlinable
    public var isEmpty: Bool { end == start }

    /// The bytes that wait to be consumed; valid until the buffer is changed.
    @inlinable
    public var readable: UnsafeRawBufferPointer {
        guard let memory else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: memory + start, count: end &- start)
    }

    /// The same bytes, for decoding in place.
    @inlinable
    public var mutableReadable: UnsafeMutableRawBufferPointer {
        guard let memory else { return UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        return UnsafeMutableRawBufferPointer(start: memory + start, count: end &- start)
    }

    /// The room behind the last byte; what is written there counts after `fill`.
    @inlinable
    public var writable: UnsafeMutableRawBufferPointer {
        guard let memory else { return UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        return UnsafeMutableRawBufferPointer(start: memory + end, count: capacity &- end)
    }

    /// Makes room for at least `count` more bytes: by moving what waits to the front, or into twice the memory.
    ///
    /// - Complexity: O(bytes waiting) when it moves, amortised O(1) for each byte appended.
    @inlinable
    @inline(__always)
    public mutating func reserve(_ count: Int) {
        if capacity &- end < count { makeRoom(for: count) }
    }

    @inline(never)
    @usableFromInline
    mutating func makeRoom(for count: Int) {
        let waiting = end - start
        if let memory, capacity - waiting >= count, start >= waiting {
            memcpy(memory, memory + start, waiting)
        } else {
            var grown = max(512, capacity)
            while grown - waiting < count { grown *= 2 }
            guard let larger = malloc(grown) else { fatalError("out of memory: \(grown) bytes for a buffer") }
            if let memory { memcpy(larger, memory + start, waiting) }
            free(memory)
            memory = larger
            capacity = grown
        }
        start = 0
        end = waiting
    }

    /// Counts `count` bytes that were written to `writable`.
    @inlinable
    @inline(__always)
    public mutating func fill(_ count: Int) {
        assert(count <= capacity - end)
        end &+= count
    }

    /// Removes the first `count` bytes.
    @inlinable
    @inline(__always)
    public mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= end - start, "only what is there is consumed")
        start &+= count
        if start == end {
            start = 0
            end = 0
        }
    }

    /// Removes `range`, counted from the first waiting byte, by moving what stands behind it.
    public mutating func remove(_ range: Range<Int>) {
        assert(range.upperBound <= count)
        guard let memory, !range.isEmpty else { return }
        let rest = count - range.upperBound
        memmove(memory + start + range.lowerBound, memory + start + range.upperBound, rest)
        end -= range.count
    }

    /// Appends a copy of `bytes`.
    @inlinable
    @inline(__always)
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        append(source, bytes.count)
    }

    /// Appends a copy of `text`'s bytes.
    @inlinable
    @inline(__always)
    public mutating func append(_ text: StaticString) {
        append(text.utf8Start, text.utf8CodeUnitCount)
    }

    /// Appends a copy of `count` bytes at `source`.
    @inlinable
    @inline(__always)
    public mutating func append(_ source: UnsafeRawPointer, _ count: Int) {
        reserve(count)
        guard let memory else { return }
        memcpy(memory + end, source, count)
        end &+= count
    }

    /// Appends a copy of bytes.
    @inlinable
    @inline(__always)
    public mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// Appends a text.
    public mutating func append(_ text: String) {
        text.withBytes { append($0) }
    }

    /// Appends one byte.
    @inlinable
    @inline(__always)
    public mutating func append(byte: UInt8) {
        reserve(1)
        guard let memory else { return }
        memory.storeBytes(of: byte, toByteOffset: end, as: UInt8.self)
        end &+= 1
    }

    /// Appends `number` in decimal digits.
    ///
    /// - Parameter number: Not negative.
    public mutating func append(decimal number: Int) {
        reserve(20)
        guard let memory else { return }
        var digits = 1
        var bound = 10
        while digits < 19, number >= bound {
            digits &+= 1
            bound &*= 10
        }
        var rest = number
        var position = end &+ digits
        end = position
        repeat {
            position &-= 1
            memory.storeBytes(of: 0x30 &+ UInt8(truncatingIfNeeded: rest % 10), toByteOffset: position, as: UInt8.self)
            rest /= 10
        } while rest > 0
    }

    /// Appends a number in 16 hexadecimal digits.
    public mutating func append(hexadecimal number: UInt64) {
        reserve(16)
        guard let memory else { return }
        var rest = number
        var position = end &+ 16
        end = position
        repeat {
            position &-= 1
            let digit = UInt8(truncatingIfNeeded: rest & 0xF)
            memory.storeBytes(of: digit < 10 ? 0x30 &+ digit : 0x57 &+ digit, toByteOffset: position, as: UInt8.self)
            rest >>= 4
        } while position > end &- 16
    }

    /// Forgets all bytes, and keeps the memory unless it is very large.
    @inlinable
    public mutating func reset() {
        guard capacity <= ByteBuffer.keptBytes else { return release() }
        start = 0
        end = 0
    }

    /// Forgets all bytes, and leaves room for `room` bytes before the next ones: for `prepend`.
    public mutating func reset(leaving room: Int) {
        reset()
        reserve(room)
        start = room
        end = room
    }

    /// Puts a copy of `bytes` before the first waiting byte, where there is room for it.
    ///
    /// - Returns: whether there was; it may be gone as soon as more was appended than the memory held.
    public mutating func prepend(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= start, let memory else { return false }
        guard let source = bytes.baseAddress else { return true }
        start -= bytes.count
        memcpy(memory + start, source, bytes.count)
        return true
    }

    /// Forgets what was appended behind the first `count` waiting bytes.
    @inlinable
    public mutating func truncate(to count: Int) {
        precondition(count <= self.count)
        end = start + count
    }

    /// Forgets all bytes and gives the memory back.
    public mutating func release() {
        free(memory)
        memory = nil
        capacity = 0
        start = 0
        end = 0
    }
}
