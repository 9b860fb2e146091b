import JSON

/// The elements of a constant list, to be asked whether a value is among them in constant time.
struct ConstantSet {
    /// Every scalar element, found through `slots`.
    let members: UnsafeBufferPointer<Operand>
    /// Numbers of members plus one by hash, zero for none; a power of two of them.
    private let slots: UnsafePointer<UInt32>
    private let mask: Int
    /// The elements that are arrays or objects.
    let composites: UnsafeBufferPointer<Operand>

    /// Up to so many scalar elements looking at each is faster than hashing.
    private static var searchedMaximum: Int { 4 }
    /// Whether there are so few.
    var isSearched: Bool { members.count <= ConstantSet.searchedMaximum }

    /// A set of `list`'s elements, in memory of the rule.
    init(_ list: Operand, in memory: RuleMemory) {
        let elements = list.elements
        var scalars: [Operand] = []
        var composites: [Operand] = []
        for element in elements {
            if element.scalarHash == nil { composites.append(element) } else { scalars.append(element) }
        }
        var size = 4
        while size < scalars.count * 2 { size *= 2 }
        var slots = [UInt32](repeating: 0, count: size)
        for (index, member) in scalars.enumerated() {
            var slot = Int(member.scalarHash ?? 0) & (size - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = UInt32(index + 1)
        }
        self.members = UnsafeBufferPointer(start: memory.keep(scalars), count: scalars.count)
        self.slots = UnsafePointer(memory.keep(slots))
        self.composites = UnsafeBufferPointer(start: memory.keep(composites), count: composites.count)
        mask = size - 1
    }

    /// The members that may be equal to a scalar of this hash.
    @inline(__always)
    func candidates(_ hash: UInt32) -> Candidates { Candidates(set: self, slot: Int(hash) & mask) }

    /// Members one after the other, as they were put beside each other.
    struct Candidates {
        let set: ConstantSet
        private(set) var slot: Int

        /// The next one.
        @inline(__always)
        mutating func next() -> Operand? {
            let number = set.slots[slot]
            guard number != 0 else { return nil }
            slot = (slot + 1) & set.mask
            return set.members[Int(number) - 1]
        }
    }
}

extension Operand {
    /// A hash that strictly equal scalars share; nil for arrays and objects.
    var scalarHash: UInt32? {
        switch self {
        case .null: return 1
        case .bool(let value): return value ? 2 : 3
        case .string(let bytes): return MurmurHash3.hash(bytes)
        case .integer(let value): return Self.hash(UInt64(bitPattern: value))
        case .number(let value): return Self.hash(value)
        case .spelled(let view): return Self.hash(view.double ?? .nan)
        case .list, .array, .object, .data: return nil
        }
    }

    private static func hash(_ value: Double) -> UInt32 {
        // A whole double equals the integer, so they hash alike.
        if let whole = Int64(exactly: value) { return hash(UInt64(bitPattern: whole)) }
        return hash(value.bitPattern)
    }

    private static func hash(_ bits: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: (bits &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }
}
