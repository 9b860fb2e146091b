/// What the expressions of one request may cost: how many bytes they look at, copy or make.
///
/// An expression of 4 KB can look at an item of 400 KB a thousand times, and a hundred of them make a transaction; they
/// run where every write waits. So each is charged for the bytes it looks at, whatever comes of them.
package struct ExpressionWork {
    /// How many bytes it has been so far.
    package private(set) var bytes = 0
    /// How many it may be.
    let bytesMax: Int

    /// Nothing done yet, of at most `bytesMax`.
    package init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Adds bytes that are about to be looked at.
    ///
    /// - Throws: `validation` when it becomes more than there may be.
    mutating func add(_ count: Int) throws(TableError) {
        bytes += count
        guard bytes <= bytesMax else {
            throw .validation(
                "The expressions of the request look at more than \(bytesMax) bytes of the items and values: use"
                    + " fewer operators on large attributes, or fewer operations in the request")
        }
    }

    /// Adds a value that is about to be looked at as a whole.
    mutating func add(_ value: AttributeValue?) throws(TableError) {
        guard let value else { return }
        switch value {
        case .string(let text): try add(text.utf8.count)
        case .binary(let bytes): try add(bytes.count)
        case .number, .bool, .null: try add(8)
        // Walking over many small values costs about as much as over so many bytes.
        case .list, .map, .stringSet, .numberSet, .binarySet: try add(4 * ItemSize.of(value))
        }
    }
}
