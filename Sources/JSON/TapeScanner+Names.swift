import Bytes

extension TapeScanner {
    /// Up to so many members an object's names are compared with each other; beyond, they are hashed.
    private static var pairwiseMaximum: Int { 12 }

    /// Looks at the names of an object that is complete: refuses or shadows duplicates, and gives a large object an
    /// index, so that finding a member stays cheap however many a request has.
    mutating func indexNames(of object: Int) throws(JSONError) {
        let count = Int(storage.entries[object].length)
        guard count > 1 else { return }
        if count <= Self.pairwiseMaximum {
            try comparePairwise(object)
        } else {
            try hashNames(of: object, count: count)
        }
    }

    private mutating func comparePairwise(_ object: Int) throws(JSONError) {
        let entries = UnsafePointer(storage.entries)
        let last = storage.entryCount
        // From the second name on: each against those before it.
        var name = Int(entries[object + 2].next)
        while name < last {
            var earlier = object + 1
            while earlier < name {
                if entries[earlier].length == entries[name].length, isSame(earlier, name) {
                    try shadow(earlier, in: object, by: name)
                }
                earlier = Int(entries[earlier + 1].next)
            }
            name = Int(entries[name + 1].next)
        }
    }

    private mutating func hashNames(of object: Int, count: Int) throws(JSONError) {
        let size = (count * 2).nextPowerOfTwo
        let table = storage.appendSlots(size + 1)
        storage.slots[table] = UInt32(size - 1)
        var name = object + 1
        while name < storage.entryCount {
            var slot = TapeStorage.hash(storage.bytes(of: storage.entries + name)) & (size - 1)
            while true {
                let taken = Int(storage.slots[table + 1 + slot])
                if taken == 0 { break }
                if isSame(taken, name) {
                    try shadow(taken, in: object, by: name)
                    break
                }
                slot = (slot + 1) & (size - 1)
            }
            storage.slots[table + 1 + slot] = UInt32(truncatingIfNeeded: name)
            name = Int(storage.entries[name + 1].next)
        }
        storage.entries[object].offset = UInt32(truncatingIfNeeded: table + 1)
    }

    private func isSame(_ left: Int, _ right: Int) -> Bool {
        storage.bytes(of: storage.entries + left).hasSameBytes(as: storage.bytes(of: storage.entries + right))
    }

    private mutating func shadow(_ earlier: Int, in object: Int, by name: Int) throws(JSONError) {
        guard !refusesDuplicates else {
            let entry = storage.entries[name]
            // A decoded name's offset is not in the text; the error then points at the end of the object.
            if entry.flags & TapeEntry.decoded == 0 { cursor = start + Int(entry.offset) - 1 }
            throw error(.duplicateKey)
        }
        guard storage.entries[earlier].flags & TapeEntry.shadowed == 0 else { return }
        storage.entries[earlier].flags |= TapeEntry.shadowed
        storage.entries[object].length -= 1
    }
}

extension TapeStorage {
    /// A hash of a member's name, seeded for each process: nobody outside can make names collide on purpose.
    @usableFromInline
    package static func hash(_ name: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: name)
        return hasher.finalize() & Int.max
    }
}

extension Int {
    /// The smallest power of two that is not below this positive number.
    fileprivate var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
