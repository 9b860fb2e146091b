/// How many items there are in a table or an index, and how many bytes they have by DynamoDB's count.
package struct ContentSize: Sendable, Equatable {
    /// The number of items.
    package var items: Int64
    /// Their bytes, names and values, as `ItemSize` counts them.
    package var bytes: Int64

    /// Nothing, or so much.
    ///
    /// - Parameters:
    ///   - items: the number of items.
    ///   - bytes: their bytes.
    package init(items: Int64 = 0, bytes: Int64 = 0) {
        self.items = items
        self.bytes = bytes
    }

    /// Takes an item in, or out with a `sign` of -1.
    package mutating func add(_ item: Item, sign: Int64) {
        items += sign
        bytes += sign * Int64(ItemSize.of(item))
    }
}
