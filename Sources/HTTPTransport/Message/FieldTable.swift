/// Where the header fields of the request at hand lie. One table serves all connections of a loop in turn.
struct FieldTable: ~Copyable {
    private let slices: UnsafeMutablePointer<FieldSlice>
    private let capacity: Int
    /// Fields entered.
    private(set) var count = 0

    /// A table for at most `capacity` fields.
    init(capacity: Int) {
        slices = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit {
        slices.deallocate()
    }

    /// The fields entered, in order; valid until the next change.
    var entries: UnsafeBufferPointer<FieldSlice> { UnsafeBufferPointer(start: slices, count: count) }

    /// Forgets all fields.
    @inline(__always)
    mutating func removeAll() {
        count = 0
    }

    /// Enters one more field; false when the table is full.
    @inline(__always)
    mutating func append(_ slice: FieldSlice) -> Bool {
        guard count < capacity else { return false }
        (slices + count).initialize(to: slice)
        count &+= 1
        return true
    }
}
