import DynamoModel

/// What the items of a table should be, by what some record of its changes says: for each key that it tells of, a hash
/// of the item, or that there is none.
///
/// Hashes are of 64 bits with a secret of this process: two items that differ have the same one about never.
struct ExpectedItems {
    /// What says so, for messages.
    let source: String
    /// Whether it tells of all items, so that there may be no others.
    let isComplete: Bool

    private var hashes: [Int: Int] = [:]

    /// Stands for no item.
    private static let absent = 0

    init(source: String, isComplete: Bool) {
        self.source = source
        self.isComplete = isComplete
    }

    /// Takes what a record says of an item: that it is this, or that there is none.
    ///
    /// - Parameters:
    ///   - key: the bytes of its key, without the table's space.
    ///   - content: the item as it is stored.
    mutating func set(_ key: UnsafeRawBufferPointer, _ content: UnsafeRawBufferPointer?) {
        let hash = content.map(Self.hash) ?? Self.absent
        if isComplete, hash == Self.absent { hashes[Self.hash(key)] = nil } else { hashes[Self.hash(key)] = hash }
    }

    /// Whether an item could have been this before, as far as is known.
    func agrees(_ key: UnsafeRawBufferPointer, _ content: UnsafeRawBufferPointer?) -> Bool {
        guard let known = hashes[Self.hash(key)] else { return !isComplete || content == nil }
        return known == content.map(Self.hash) ?? Self.absent
    }

    /// Takes an item that there is off the list.
    ///
    /// - Returns: whether it is as it should be.
    mutating func find(_ key: UnsafeRawBufferPointer, _ content: UnsafeRawBufferPointer) -> Bool {
        let isRight = agrees(key, content)
        hashes[Self.hash(key)] = nil
        return isRight
    }

    /// How many items there should be that were not found.
    var missing: Int { hashes.values.count { $0 != Self.absent } }

    private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: bytes)
        let hash = hasher.finalize()
        return hash == absent ? 1 : hash
    }
}
