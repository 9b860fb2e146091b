import Synchronization

/// A row of counters that one thread raises and any thread reads.
///
/// Every event loop has a block of its own, so that counting on the hot path is a plain load and store on a line of
/// memory that no other core writes; a scrape adds the blocks up. Public because nothing of package access is inlined
/// into another target.
public final class CounterBlock: @unchecked Sendable {
    // Proof for `@unchecked Sendable`: the memory is fixed for the object's life and holds atomics only.
    @usableFromInline let cells: UnsafeMutablePointer<Atomic<UInt64>>
    /// How many counters there are.
    public let count: Int

    /// A block of `count` counters at zero.
    package init(count: Int) {
        self.count = count
        cells = .allocate(capacity: count)
        for index in 0..<count { (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: count)
        cells.deallocate()
    }

    /// Raises a counter. Only the one thread that owns the block may call this.
    @inlinable @inline(__always)
    public func raise(_ index: Int, by amount: UInt64 = 1) {
        assert(index < count)
        let value = cells[index].load(ordering: .relaxed)
        cells[index].store(value &+ amount, ordering: .relaxed)
    }

    /// Raises a counter of a block that several threads share.
    package func raiseShared(_ index: Int, by amount: UInt64 = 1) {
        assert(index < count)
        cells[index].wrappingAdd(amount, ordering: .relaxed)
    }

    /// Sets a counter that is kept elsewhere and published here.
    package func publish(_ index: Int, _ value: UInt64) {
        assert(index < count)
        cells[index].store(value, ordering: .relaxed)
    }

    /// The counter's value, as of some moment during the call.
    package subscript(index: Int) -> UInt64 {
        assert(index < count)
        return cells[index].load(ordering: .relaxed)
    }
}
