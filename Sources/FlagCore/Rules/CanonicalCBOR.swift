import JSON

/// Feeds a hash with the deterministic CBOR of a value (RFC 8949 section 4.2.1), without making the bytes.
///
/// Whole numbers are integers whatever they are spelled like; other numbers are the shortest float that holds them.
struct CanonicalCBOR {
    private(set) var hasher = MurmurHash3()

    /// Feeds a text string.
    mutating func encode(text: UnsafeRawBufferPointer) {
        encodeHead(major: 3, UInt64(text.count))
        hasher.update(text)
    }

    /// Feeds the head of an item: its major type and its length or value, in as few bytes as will do.
    mutating func encodeHead(major: UInt8, _ value: UInt64) {
        switch value {
        case 0..<24: hasher.update(major << 5 | UInt8(value))
        case 24...0xFF: encode(major << 5 | 24, value, bytes: 1)
        case 0x100...0xFFFF: encode(major << 5 | 25, value, bytes: 2)
        case 0x1_0000...0xFFFF_FFFF: encode(major << 5 | 26, value, bytes: 4)
        default: encode(major << 5 | 27, value, bytes: 8)
        }
    }

    private mutating func encode(_ initial: UInt8, _ value: UInt64, bytes: Int) {
        hasher.update(initial)
        for index in (0..<bytes).reversed() { hasher.update(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))) }
    }

    /// Feeds a number.
    mutating func encode(number: Operand) {
        // CBOR's negative integers go down to -2⁶⁴; beyond -2⁶³ flagd has floats.
        if let whole = number.wholeNumber, !whole.isNegative || whole.magnitude <= 1 << 63 {
            return encodeHead(major: whole.isNegative ? 1 : 0, whole.isNegative ? whole.magnitude - 1 : whole.magnitude)
        }
        let value: Double
        switch number {
        case .number(let double): value = double
        case .spelled(let view): value = view.double ?? .nan
        default: value = .nan
        }
        if value.isNaN { return encode(0xF9, 0x7E00, bytes: 2) }
        if let half = Float16(exactly: value) { return encode(0xF9, UInt64(half.bitPattern), bytes: 2) }
        if let single = Float(exactly: value) { return encode(0xFA, UInt64(single.bitPattern), bytes: 4) }
        encode(0xFB, value.bitPattern, bytes: 8)
    }

    /// Feeds one of the simple values.
    mutating func encode(simple value: Bool?) {
        switch value {
        case nil: hasher.update(0xF6)
        case true?: hasher.update(0xF5)
        case false?: hasher.update(0xF4)
        }
    }
}

extension RuleEvaluator {
    /// Feeds a hash with a value, and takes the steps that it costs.
    mutating func encode(_ value: Operand, to cbor: inout CanonicalCBOR) throws(RuleFailure) {
        switch value {
        case .null: cbor.encode(simple: nil)
        case .bool(let value): cbor.encode(simple: value)
        case .string(let bytes):
            try step(bytes.count / Work.scannedBytesPerStep)
            cbor.encode(text: bytes)
        case .integer, .number: cbor.encode(number: value)
        case .spelled(let view):
            try step(Work.steps(converting: view.storedBytes.count))
            cbor.encode(number: value)
        case .list, .array: try encode(array: value, to: &cbor)
        case .object(let view): try encode(object: view, to: &cbor)
        case .data: cbor.encodeHead(major: 5, 0)
        }
    }

    private mutating func encode(array: Operand, to cbor: inout CanonicalCBOR) throws(RuleFailure) {
        try enter()
        defer { leave() }
        let elements = array.elements
        cbor.encodeHead(major: 4, UInt64(elements.count))
        for element in elements {
            try step()
            try encode(element, to: &cbor)
        }
    }

    private mutating func encode(object: JSONView, to cbor: inout CanonicalCBOR) throws(RuleFailure) {
        try enter()
        defer { leave() }
        // The order of the encoded names: a shorter one has the smaller head.
        let members = try members(of: object) {
            $0.name.count == $1.name.count ? byteOrder($0.name, $1.name) < 0 : $0.name.count < $1.name.count
        }
        cbor.encodeHead(major: 5, UInt64(object.count))
        for member in members {
            try step(member.name.count / Work.scannedBytesPerStep)
            cbor.encode(text: member.name)
            try encode(Operand(member.value), to: &cbor)
        }
    }

    /// One member of an object.
    typealias Member = (name: UnsafeRawBufferPointer, value: JSONView)

    /// The members of an object in order, in scratch memory.
    mutating func members(
        of object: JSONView, by order: (Member, Member) -> Bool
    ) throws(RuleFailure) -> UnsafeMutableBufferPointer<Member> {
        // Sorting compares each name about as often as the number of members has bits.
        try step(object.count * (Int.bitWidth - object.count.leadingZeroBitCount))
        let memory = try scratch.allocate(byteCount: object.count * MemoryLayout<Member>.stride)
        var members = UnsafeMutableBufferPointer(
            start: memory.bindMemory(to: Member.self, capacity: object.count), count: object.count)
        for (index, member) in object.members.enumerated() { members.initializeElement(at: index, to: member) }
        members.sort(by: order)
        return members
    }
}
