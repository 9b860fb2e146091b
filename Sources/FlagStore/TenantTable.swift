import Synchronization

/// The tenants that have overrides, as 64-bit hashes in one table for all environments and all loops: eight bytes a tenant
/// and at most two thirds full, so 1,000,000 tenants take 16 MiB in all, not per loop.
///
/// One writer (the cache feed, under its lock) and any number of readers without a lock. A tenant is never taken out: one
/// whose last override is gone costs one load, the answer of which is then cached like any other. Two tenants with the
/// same hash do the same. What can not happen is that a tenant with overrides is not found: the feed adds it before it
/// delivers the change, and until the table has been filled from the store every tenant may have overrides.
///
/// A full table is followed by one of twice the size, which the feed publishes to every loop ahead of the change that
/// needed the room: a loop that still reads the old table has not been told of the change either.
package final class TenantTable: Sendable {
    // `nonisolated(unsafe)`: the pointer never changes, and what it points to is atomic.
    private nonisolated(unsafe) let slots: UnsafeMutablePointer<Atomic<UInt64>>
    private let slotMask: Int
    private let hash: ByteHash
    private let used = Atomic<Int>(0)
    private let filled = Atomic<Bool>(false)

    /// An empty table with room for `capacity` tenants.
    init(capacity: Int, hash: ByteHash = .randomlySeeded()) {
        var slotCount = 1_024
        while slotCount * 2 < capacity * 3 { slotCount *= 2 }
        slots = .allocate(capacity: slotCount)
        for slot in 0..<slotCount { (slots + slot).initialize(to: Atomic(0)) }
        slotMask = slotCount - 1
        self.hash = hash
    }

    deinit {
        slots.deinitialize(count: slotMask + 1)
        slots.deallocate()
    }

    /// Tenants in the table, over all environments.
    package var count: Int { used.load(ordering: .relaxed) }

    /// Whether the store's tenants are all in it.
    package var isComplete: Bool { filled.load(ordering: .acquiring) }

    /// Bytes that the table takes.
    package var byteCount: Int { (slotMask + 1) * 8 }

    /// Whether `tenant` may have overrides in `environment`: false means certainly not. O(1), no allocation, no lock.
    func mayContain(_ environment: Environment, tenant: UnsafeRawBufferPointer) -> Bool {
        guard filled.load(ordering: .acquiring) else { return true }
        return contains(mark(environment, tenant))
    }

    /// Adds a tenant. For the writer only.
    ///
    /// - Returns: false when the table is full and the tenant not in it: `grown()` makes room.
    func insert(_ environment: Environment, tenant: UnsafeRawBufferPointer) -> Bool {
        insert(mark(environment, tenant))
    }

    /// Says that every tenant of the store is in the table. For the writer only.
    func markComplete() {
        filled.store(true, ordering: .releasing)
    }

    /// A table of twice the size with the same tenants. For the writer only. O(n).
    func grown() -> TenantTable {
        let larger = TenantTable(capacity: (slotMask + 1) * 4 / 3, hash: hash)
        for slot in 0...slotMask {
            let mark = slots[slot].load(ordering: .relaxed)
            if mark != 0 { _ = larger.insert(mark) }
        }
        if isComplete { larger.markComplete() }
        return larger
    }

    /// The tenant's hash; never 0, which marks an empty slot.
    private func mark(_ environment: Environment, _ tenant: UnsafeRawBufferPointer) -> UInt64 {
        let value = hash(tenant, salt: environment.index + 1)
        return value == 0 ? 1 : value
    }

    private func contains(_ mark: UInt64) -> Bool {
        var slot = Int(truncatingIfNeeded: mark) & slotMask
        while true {
            let found = slots[slot].load(ordering: .relaxed)
            if found == mark { return true }
            if found == 0 { return false }
            slot = (slot &+ 1) & slotMask
        }
    }

    private func insert(_ mark: UInt64) -> Bool {
        guard !contains(mark) else { return true }
        let count = used.load(ordering: .relaxed)
        guard count * 3 < (slotMask + 1) * 2 else { return false }
        var slot = Int(truncatingIfNeeded: mark) & slotMask
        while slots[slot].load(ordering: .relaxed) != 0 { slot = (slot &+ 1) & slotMask }
        slots[slot].store(mark, ordering: .releasing)
        used.store(count + 1, ordering: .relaxed)
        return true
    }
}
