import Bytes
import JSON

/// A bounded map from bytes to values that forgets what was unused for longest: open addressing with linear probing
/// over 32-bit entry numbers, and a doubly linked list through the entries in the order of use.
///
/// A look-up neither allocates nor makes a string. Confined to one loop: not thread-safe, not `Sendable`. An entry's
/// number stays valid until the entry is removed or evicted.
///
/// Generic only over the value and used inside this module only, so that the compiler specialises every use.
final class LRUTable<Value> {
    /// One entry. The key's bytes are a private copy.
    struct Entry {
        fileprivate let hash: UInt64
        fileprivate let keyStart: UnsafeMutableRawPointer
        fileprivate let keyCount: Int32
        fileprivate let salt: Int32
        fileprivate var older: Int32
        fileprivate var newer: Int32
        /// The key.
        var key: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: keyStart, count: Int(keyCount)) }

        /// When the value stops answering, in the milliseconds of the cache's clock.
        var expiresAt: Int64
        /// What the key stands for.
        var value: Value
    }

    /// No entry.
    static var none: Int32 { -1 }

    /// Entries at most.
    let capacity: Int
    /// Entries now.
    private(set) var count = 0

    private let hash: ByteHash
    /// Entries by number, uninitialised where the number is in `free` or beyond `used`.
    private var entries: UnsafeMutablePointer<Entry>
    private var allocated: Int
    private var used = 0
    private var free: [Int32] = []
    /// Entry numbers by hash, `none` where empty; a power of two, at most half full.
    private var slots: UnsafeMutablePointer<Int32>
    private var mask: Int
    private var newest = none
    private var oldest = none

    /// An empty table of at most `capacity` entries, which grows into that size by doubling.
    init(capacity: Int, hash: ByteHash) {
        precondition(capacity >= 1 && capacity < Int(Int32.max) / 4, "A capacity between 1 and 2^29")
        self.capacity = capacity
        self.hash = hash
        allocated = min(capacity, 64)
        entries = .allocate(capacity: allocated)
        let slotCount = LRUTable.slotCount(for: allocated)
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: LRUTable.none, count: slotCount)
        mask = slotCount - 1
    }

    deinit {
        removeAll()
        entries.deallocate()
        slots.deallocate()
    }

    private static func slotCount(for entries: Int) -> Int {
        var count = 16
        while count < entries * 2 { count *= 2 }
        return count
    }

    /// The entry of a key, or `none`. Does not count as a use: see `touch`.
    @inline(__always)
    func find(_ key: UnsafeRawBufferPointer, salt: Int) -> Int32 {
        find(key, salt: salt, hash: hash(key, salt: salt))
    }

    @inline(__always)
    private func find(_ key: UnsafeRawBufferPointer, salt: Int, hash: UInt64) -> Int32 {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let number = slots[slot]
            if number == LRUTable.none { return number }
            let entry = entries + Int(number)
            if entry.pointee.hash == hash, Int(entry.pointee.salt) == salt, entry.pointee.key.hasSameBytes(as: key) {
                return number
            }
            slot = (slot &+ 1) & mask
        }
    }

    /// The entry with this number, for reading and writing in place.
    @inline(__always)
    func entry(_ number: Int32) -> UnsafeMutablePointer<Entry> {
        entries + Int(number)
    }

    /// Makes an entry the most recently used. O(1).
    @inline(__always)
    func touch(_ number: Int32) {
        guard newest != number else { return }
        unlink(number)
        linkAsNewest(number)
    }

    /// Puts a value under a key, replacing the one that is there, as the most recently used.
    ///
    /// - Returns: whether another entry had to go.
    @discardableResult
    func insert(_ key: UnsafeRawBufferPointer, salt: Int, value: consuming Value, expiresAt: Int64) -> Bool {
        let hash = hash(key, salt: salt)
        let existing = find(key, salt: salt, hash: hash)
        if existing != LRUTable.none {
            entries[Int(existing)].value = value
            entries[Int(existing)].expiresAt = expiresAt
            touch(existing)
            return false
        }
        let evicts = count == capacity
        if evicts { remove(oldest) }
        let number = takeNumber()
        let keyStart = UnsafeMutableRawPointer.allocate(byteCount: max(1, key.count), alignment: 1)
        if let source = key.baseAddress { keyStart.copyMemory(from: source, byteCount: key.count) }
        (entries + Int(number)).initialize(
            to: Entry(
                hash: hash, keyStart: keyStart, keyCount: Int32(key.count), salt: Int32(salt), older: LRUTable.none,
                newer: LRUTable.none, expiresAt: expiresAt, value: value))
        place(number, hash: hash)
        linkAsNewest(number)
        count += 1
        return evicts
    }

    /// Forgets an entry.
    func remove(_ number: Int32) {
        precondition(number != LRUTable.none, "There is no such entry")
        unlink(number)
        vacateSlot(of: number)
        let entry = entries + Int(number)
        entry.pointee.keyStart.deallocate()
        entry.deinitialize(count: 1)
        free.append(number)
        count -= 1
    }

    /// Forgets everything.
    func removeAll() {
        while oldest != LRUTable.none { remove(oldest) }
    }

    // MARK: - Order of use

    @inline(__always)
    private func unlink(_ number: Int32) {
        let older = entries[Int(number)].older
        let newer = entries[Int(number)].newer
        if older == LRUTable.none { oldest = newer } else { entries[Int(older)].newer = newer }
        if newer == LRUTable.none { newest = older } else { entries[Int(newer)].older = older }
    }

    @inline(__always)
    private func linkAsNewest(_ number: Int32) {
        entries[Int(number)].older = newest
        entries[Int(number)].newer = LRUTable.none
        if newest == LRUTable.none { oldest = number } else { entries[Int(newest)].newer = number }
        newest = number
    }

    // MARK: - Room

    private func takeNumber() -> Int32 {
        if let number = free.popLast() { return number }
        if used == allocated { grow() }
        used += 1
        return Int32(used - 1)
    }

    /// Doubles the room. Only while no number is free, so every entry up to `used` is initialised.
    private func grow() {
        let larger = min(capacity, allocated * 2)
        let moved = UnsafeMutablePointer<Entry>.allocate(capacity: larger)
        moved.moveInitialize(from: entries, count: used)
        entries.deallocate()
        entries = moved
        allocated = larger
        let slotCount = LRUTable.slotCount(for: larger)
        guard slotCount > mask + 1 else { return }
        slots.deallocate()
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: LRUTable.none, count: slotCount)
        mask = slotCount - 1
        for number in 0..<used { place(Int32(number), hash: entries[number].hash) }
    }

    // MARK: - Slots

    private func place(_ number: Int32, hash: UInt64) {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != LRUTable.none { slot = (slot &+ 1) & mask }
        slots[slot] = number
    }

    /// Empties an entry's slot and closes the gap: whatever follows and would no longer be found moves up (Knuth, The
    /// Art of Computer Programming, volume 3, algorithm 6.4R), so that no tombstones slow look-ups down.
    private func vacateSlot(of number: Int32) {
        var gap = Int(truncatingIfNeeded: entries[Int(number)].hash) & mask
        while slots[gap] != number { gap = (gap &+ 1) & mask }
        var slot = gap
        while true {
            slot = (slot &+ 1) & mask
            let candidate = slots[slot]
            if candidate == LRUTable.none { break }
            let home = Int(truncatingIfNeeded: entries[Int(candidate)].hash) & mask
            if ((slot &- home) & mask) >= ((slot &- gap) & mask) {
                slots[gap] = candidate
                gap = slot
            }
        }
        slots[gap] = LRUTable.none
    }
}
