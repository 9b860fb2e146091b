/// Memory for the texts and lists that one evaluation computes; all of it is given back at once.
///
/// Begins with a piece of the caller's stack, so that ordinary rules allocate nothing; goes on in heap blocks.
struct ScratchMemory {
    private var next: UnsafeMutableRawPointer
    private var end: UnsafeMutableRawPointer
    /// The heap block used last; its first word is the block before it.
    private var block: UnsafeMutableRawPointer?
    private var remaining: Int

    /// Begins in `first`, which must outlive this, and takes at most `limit` bytes beyond it.
    init(first: UnsafeMutableRawBufferPointer, limit: Int) {
        next = first.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 8).unsafelyUnwrapped
        end = next + first.count
        remaining = limit
    }

    /// Gives the heap blocks back.
    func deallocate() {
        var block = block
        while let current = block {
            block = current.load(as: UnsafeMutableRawPointer?.self)
            current.deallocate()
        }
    }

    /// `count` bytes, aligned for anything.
    mutating func allocate(byteCount count: Int) throws(RuleFailure) -> UnsafeMutableRawPointer {
        var start = next.alignedUp(toMultipleOf: 8)
        if count > end - start || start > end {
            start = try allocateBlock(atLeast: count)
        }
        next = start + count
        return start
    }

    /// Room for `count` values.
    mutating func allocateList(_ count: Int) throws(RuleFailure) -> UnsafeMutableBufferPointer<Operand> {
        let memory = try allocate(byteCount: count * MemoryLayout<Operand>.stride)
        return UnsafeMutableBufferPointer(start: memory.bindMemory(to: Operand.self, capacity: count), count: count)
    }

    private mutating func allocateBlock(atLeast count: Int) throws(RuleFailure) -> UnsafeMutableRawPointer {
        let size = max(count + 16, 4096)
        guard size <= remaining else { throw .tooMuchMemory }
        remaining -= size
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        memory.storeBytes(of: block, as: UnsafeMutableRawPointer?.self)
        block = memory
        end = memory + size
        return memory + 16
    }
}

/// A text under construction in scratch memory. Nothing else may be allocated there while it grows.
struct ScratchText {
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    /// An empty text with room for 64 bytes.
    init(in scratch: inout ScratchMemory) throws(RuleFailure) {
        capacity = 64
        memory = try scratch.allocate(byteCount: capacity)
    }

    /// What was appended.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

    /// Adds `text` at the end.
    mutating func append(_ text: UnsafeRawBufferPointer, in scratch: inout ScratchMemory) throws(RuleFailure) {
        if count + text.count > capacity {
            let larger = max(capacity * 2, count + text.count)
            let moved = try scratch.allocate(byteCount: larger)
            moved.copyMemory(from: memory, byteCount: count)
            memory = moved
            capacity = larger
        }
        guard let start = text.baseAddress else { return }
        (memory + count).copyMemory(from: start, byteCount: text.count)
        count += text.count
    }

    /// Adds `text` at the end.
    mutating func append(_ text: StaticString, in scratch: inout ScratchMemory) throws(RuleFailure) {
        try append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount), in: &scratch)
    }
}
