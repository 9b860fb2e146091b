import Bytes
import FlagCore
import Synchronization

/// The tenants that have overrides, as 64-bit hashes in one table for all environments and all loops: eight bytes a
/// tenant and at most two thirds full, so 1,000,000 tenants take 16 MiB in all, not per loop.
///
/// One writer (the cache feed, under its lock) and any number of readers without a lock. A tenant is never taken out:
/// one whose last override is gone costs one load, the answer of which is then cached like any other. Two tenants with
/// the same hash do the same. What can not happen is that a tenant with overrides is not found: the feed adds it before
/// it delivers the change, and until the table has been filled from the store every tenant may have overrides.
///
/// A full table is followed by one of twice the size, which the feed publishes to every loop ahead of the change that
/// needed the room: a loop that still reads the old table has not been told of the change either.
package final class TenantTable: Sendable {
    // `nonisolated(unsafe)`: the value never changes, and the memory it points to holds atomics.
    nonisolated(unsafe) let slots: TenantSlots
    private let hash: ByteHash
    private let used = Atomic<Int>(0)

    /// An empty table with room for `capacity` tenants.
    package init(capacity: Int, hash: ByteHash = .randomlySeeded()) {
        var slotCount = 1_024
        while slotCount * 2 < capacity * 3 { slotCount *= 2 }
        slots = TenantSlots(count: slotCount, hash: hash)
        self.hash = hash
    }

    deinit {
        slots.deallocate()
    }

    /// Tenants in the table, over all environments.
    package var count: Int { used.load(ordering: .relaxed) }

    /// Whether the store's tenants are all in it.
    package var isComplete: Bool { slots.isComplete }

    /// Bytes that the table takes.
    package var byteCount: Int { slots.count * 8 }

    /// Adds a tenant. For the writer only.
    ///
    /// - Returns: false when the table is full and the tenant not in it: `grown()` makes room.
    package func insert(_ environment: Environment, tenant: UnsafeRawBufferPointer) -> Bool {
        insert(slots.mark(environment, tenant))
    }

    /// Says that every tenant of the store is in the table. For the writer only.
    package func markComplete() {
        slots.markComplete()
    }

    /// A table of twice the size with the same tenants. For the writer only. O(n).
    package func grown() -> TenantTable {
        let larger = TenantTable(capacity: slots.count * 4 / 3, hash: hash)
        slots.forEach { _ = larger.insert($0) }
        if isComplete { larger.markComplete() }
        return larger
    }

    private func insert(_ mark: UInt64) -> Bool {
        guard !slots.contains(mark) else { return true }
        let count = used.load(ordering: .relaxed)
        guard count * 3 < slots.count * 2 else { return false }
        slots.add(mark)
        used.store(count + 1, ordering: .relaxed)
        return true
    }
}

/// The memory of a `TenantTable`, without a reference count: loops keep it beside the table, so that a look-up touches
/// nothing that another core writes. Valid as long as the table.
struct TenantSlots {
    /// Slots; a power of two. One more atomic behind them says whether the table is complete.
    let count: Int
    private let start: UnsafeMutablePointer<Atomic<UInt64>>
    private let hash: ByteHash

    fileprivate init(count: Int, hash: ByteHash) {
        self.count = count
        self.hash = hash
        start = .allocate(capacity: count + 1)
        for slot in 0...count { (start + slot).initialize(to: Atomic(0)) }
    }

    fileprivate func deallocate() {
        start.deinitialize(count: count + 1)
        start.deallocate()
    }

    /// Whether `tenant` may have overrides in `environment`: false means certainly not. O(1), no allocation, no lock.
    func mayContain(_ environment: Environment, tenant: UnsafeRawBufferPointer) -> Bool {
        !isComplete || contains(mark(environment, tenant))
    }

    /// Whether every tenant of the store is in the table.
    var isComplete: Bool { start[count].load(ordering: .acquiring) != 0 }

    fileprivate func markComplete() {
        start[count].store(1, ordering: .releasing)
    }

    /// The tenant's hash; never 0, which marks an empty slot.
    fileprivate func mark(_ environment: Environment, _ tenant: UnsafeRawBufferPointer) -> UInt64 {
        let value = hash(tenant, salt: environment.index + 1)
        return value == 0 ? 1 : value
    }

    fileprivate func contains(_ mark: UInt64) -> Bool {
        start[place(of: mark)].load(ordering: .relaxed) == mark
    }

    fileprivate func add(_ mark: UInt64) {
        start[place(of: mark)].store(mark, ordering: .releasing)
    }

    fileprivate func forEach(_ body: (UInt64) -> Void) {
        for slot in 0..<count {
            let mark = start[slot].load(ordering: .relaxed)
            if mark != 0 { body(mark) }
        }
    }

    /// The slot that holds a mark, or the empty one where it would be.
    private func place(of mark: UInt64) -> Int {
        var slot = Int(truncatingIfNeeded: mark) & (count - 1)
        while true {
            let found = start[slot].load(ordering: .relaxed)
            if found == mark || found == 0 { return slot }
            slot = (slot &+ 1) & (count - 1)
        }
    }
}
