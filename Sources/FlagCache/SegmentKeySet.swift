import Bytes

/// The keys that are listed in a segment, as 64-bit hashes in one table for all loops: 100,000 keys take 2 MiB, once.
/// Never changed: a change makes another set, which shares the table and holds the difference to it, until the
/// difference has grown so much that a new table pays.
///
/// Only hashes are kept. They are seeded anew in every process, so that nobody can make a key that collides; that one
/// of 100,000 listed keys is met by accident happens with one in 10^14 other keys.
package final class SegmentKeySet: Sendable {
    /// How many keys are listed.
    package let count: Int
    /// A hash of the keys, whatever their order, equal in every process.
    let fingerprint: UInt64
    // `nonisolated(unsafe)`: what it points to never changes, and lives as long as this.
    nonisolated(unsafe) let slots: Slots
    private let table: Table

    /// No keys.
    package static let empty = SegmentKeySet(marks: [], fingerprint: 0)
    private static let hash = ByteHash.randomlySeeded()
    /// How many differences to the table are held at least before a new one is made.
    private static let differencesMinimum = 2_048

    /// A set of the keys with these marks, each once.
    package init(marks: [UInt64], fingerprint: UInt64) {
        count = marks.count
        self.fingerprint = fingerprint
        table = Table(marks)
        slots = Slots(table, added: [], removed: [])
    }

    private init(_ table: Table, added: [UInt64], removed: [UInt64], count: Int, fingerprint: UInt64) {
        self.count = count
        self.fingerprint = fingerprint
        self.table = table
        slots = Slots(table, added: added, removed: removed)
    }

    deinit {
        slots.deallocate()
    }

    /// What stands for a key in this process; never 0.
    package static func mark(_ key: UnsafeRawBufferPointer) -> UInt64 {
        let mark = hash(key)
        return mark == 0 ? 1 : mark
    }

    /// What a key adds to the fingerprint.
    package static func print(_ key: UnsafeRawBufferPointer) -> UInt64 { ByteHash.fingerprint(key, salt: 8) }

    /// Whether a key is listed. O(1) as long as there is no difference to the table, else O(log differences).
    package func contains(_ key: UnsafeRawBufferPointer) -> Bool { slots.contains(SegmentKeySet.mark(key)) }

    /// The set after some keys have been listed or taken out. O(changes · differences), now and then O(keys).
    ///
    /// - Parameter changes: by mark.
    func changed(by changes: SegmentKeyChanges) -> SegmentKeySet {
        var (added, removed) = (Array(slots.added), Array(slots.removed))
        var (count, fingerprint) = (count, fingerprint)
        let news = changes.byMark.filter { slots.contains($0.key) != $0.value.isListed }
        guard !news.isEmpty else { return self }
        for change in news.values {
            count += change.isListed ? 1 : -1
            fingerprint = change.isListed ? fingerprint &+ change.print : fingerprint &- change.print
        }
        if news.count + added.count + removed.count > max(SegmentKeySet.differencesMinimum, table.count / 8) {
            var marks: [UInt64] = []
            marks.reserveCapacity(count)
            slots.forEach { if news[$0] == nil { marks.append($0) } }
            for (mark, change) in news where change.isListed { marks.append(mark) }
            return SegmentKeySet(marks: marks, fingerprint: fingerprint)
        }
        for (mark, change) in news {
            let isInTable = slots.tableContains(mark)
            // Taking a key out of the table and putting it back is no difference, nor is the opposite.
            switch (change.isListed, isInTable) {
            case (true, true): removed.removeSorted(mark)
            case (true, false): added.insertSorted(mark)
            case (false, true): removed.insertSorted(mark)
            case (false, false): added.removeSorted(mark)
            }
        }
        return SegmentKeySet(table, added: added, removed: removed, count: count, fingerprint: fingerprint)
    }
}

/// Changes of a segment's keys, the last one of each key.
package struct SegmentKeyChanges: Sendable {
    /// What became of a key.
    struct Change: Sendable {
        let isListed: Bool
        /// What the key adds to the fingerprint.
        let print: UInt64
    }

    /// No changes.
    init() {}

    /// The changes by the keys' marks.
    private(set) var byMark: [UInt64: Change] = [:]

    /// Notes a change.
    package mutating func set(_ key: [UInt8], isListed: Bool) {
        key.withUnsafeBytes { key in
            byMark[SegmentKeySet.mark(key)] = Change(isListed: isListed, print: SegmentKeySet.print(key))
        }
    }

    /// Notes changes that came after these.
    mutating func append(_ later: SegmentKeyChanges) {
        byMark.merge(later.byMark) { $1 }
    }
}

extension SegmentKeySet {
    /// An open-addressing table of marks, at most two thirds full.
    fileprivate final class Table: Sendable {
        let count: Int
        let mask: Int
        // `nonisolated(unsafe)`: filled by the initialiser and never changed.
        nonisolated(unsafe) let start: UnsafeMutablePointer<UInt64>

        init(_ marks: [UInt64]) {
            var size = 4
            while size * 2 < marks.count * 3 { size *= 2 }
            count = marks.count
            mask = size - 1
            start = .allocate(capacity: size)
            start.initialize(repeating: 0, count: size)
            for mark in marks {
                var slot = Int(truncatingIfNeeded: mark) & mask
                while start[slot] != 0 { slot = (slot &+ 1) & mask }
                start[slot] = mark
            }
        }

        deinit {
            start.deallocate()
        }
    }

    /// The memory of a set, without a reference count: loops keep it beside the set, so that a look-up touches nothing
    /// that another core writes. Valid as long as the set.
    struct Slots {
        private let table: UnsafePointer<UInt64>
        private let mask: Int
        /// Marks that are not in the table, sorted.
        let added: UnsafeBufferPointer<UInt64>
        /// Marks of the table that do not count, sorted.
        let removed: UnsafeBufferPointer<UInt64>

        fileprivate init(_ table: Table, added: [UInt64], removed: [UInt64]) {
            self.table = UnsafePointer(table.start)
            mask = table.mask
            self.added = Slots.keep(added)
            self.removed = Slots.keep(removed)
        }

        private static func keep(_ marks: [UInt64]) -> UnsafeBufferPointer<UInt64> {
            guard !marks.isEmpty else { return UnsafeBufferPointer(start: nil, count: 0) }
            let memory = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: marks.count)
            _ = memory.initialize(from: marks)
            return UnsafeBufferPointer(memory)
        }

        fileprivate func deallocate() {
            added.deallocate()
            removed.deallocate()
        }

        /// Whether the key of a mark is listed.
        func contains(_ mark: UInt64) -> Bool {
            if tableContains(mark) { return removed.isEmpty || !removed.containsSorted(mark) }
            return !added.isEmpty && added.containsSorted(mark)
        }

        fileprivate func tableContains(_ mark: UInt64) -> Bool {
            var slot = Int(truncatingIfNeeded: mark) & mask
            while true {
                let found = table[slot]
                if found == mark { return true }
                if found == 0 { return false }
                slot = (slot &+ 1) & mask
            }
        }

        fileprivate func forEach(_ body: (UInt64) -> Void) {
            for slot in 0...mask where table[slot] != 0 {
                if removed.isEmpty || !removed.containsSorted(table[slot]) { body(table[slot]) }
            }
            for mark in added { body(mark) }
        }
    }
}

extension RandomAccessCollection where Element == UInt64, Index == Int {
    /// Where a number is in a sorted collection, or would have to be. O(log n).
    fileprivate func placeSorted(_ number: UInt64) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    fileprivate func containsSorted(_ number: UInt64) -> Bool {
        let place = placeSorted(number)
        return place < endIndex && self[place] == number
    }
}

extension [UInt64] {
    fileprivate mutating func insertSorted(_ number: UInt64) { insert(number, at: placeSorted(number)) }

    fileprivate mutating func removeSorted(_ number: UInt64) {
        let place = placeSorted(number)
        if place < endIndex, self[place] == number { remove(at: place) }
    }
}
