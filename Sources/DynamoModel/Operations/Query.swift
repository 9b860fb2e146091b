/// Which sort keys of a partition a query answers.
package enum SortCondition: Sendable, Hashable {
    case equal(AttributeValue)
    case less(AttributeValue)
    case lessOrEqual(AttributeValue)
    case greater(AttributeValue)
    case greaterOrEqual(AttributeValue)
    /// Not below the first and not above the second.
    case between(AttributeValue, AttributeValue)
    /// Strings or binary values that begin so.
    case beginsWith(AttributeValue)
}

/// Asks for the items of one partition of a table or an index, in the order of its sort key.
package struct Query: Sendable {
    /// The table's name.
    package var table: String
    /// The index, nil for the table itself.
    package var index: String?
    /// The partition key's value.
    package var partition: AttributeValue
    /// Which sort keys, nil for all.
    package var sort: SortCondition?
    /// Whether in ascending order.
    package var forward: Bool
    /// At most so many items are looked at (before `filter`), nil for as many as a page holds.
    package var limit: Int?
    /// Items for which this does not hold are left out of the response.
    package var filter: Condition?
    /// Goes on after the item of this key: the `lastEvaluatedKey` of the page before.
    package var exclusiveStart: Item?
    /// Whether items are answered whole, also from an index that does not project all of their attributes.
    package var fetchesItems = false
    /// The attributes that are read, beside those of the keys; nil for all. What a page holds, and says that it has, is
    /// reckoned of these; a filter sees no others.
    package var attributes: [AttributeName]?

    /// A query of the given members; without more, all of a partition of the table, ascending.
    package init(
        table: String, index: String? = nil, partition: AttributeValue, sort: SortCondition? = nil,
        forward: Bool = true, limit: Int? = nil, filter: Condition? = nil, exclusiveStart: Item? = nil
    ) {
        self.table = table
        self.index = index
        self.partition = partition
        self.sort = sort
        self.forward = forward
        self.limit = limit
        self.filter = filter
        self.exclusiveStart = exclusiveStart
    }
}

/// One of equal parts that a scan is divided into, so that several can read beside one another.
package struct ScanSegment: Sendable, Hashable {
    /// Which part, from 0.
    package let number: Int
    /// How many parts there are.
    package let total: Int

    /// Part `number` of `total`.
    ///
    /// - Precondition: there is such a part.
    package init(_ number: Int, of total: Int) {
        precondition(total > 0 && (0..<total).contains(number), "a segment is one of those that there are")
        self.number = number
        self.total = total
    }
}

/// Asks for all items of a table or an index, in no promised order.
package struct Scan: Sendable {
    /// The table's name.
    package var table: String
    /// The index, nil for the table itself.
    package var index: String?
    /// At most so many items are looked at (before `filter`), nil for as many as a page holds.
    package var limit: Int?
    /// Items for which this does not hold are left out of the response.
    package var filter: Condition?
    /// Goes on after the item of this key: the `lastEvaluatedKey` of the page before.
    package var exclusiveStart: Item?
    /// Only the items of one segment, nil for all. Items of the same partition are in the same one.
    package var segment: ScanSegment?
    /// Whether items are answered whole, also from an index that does not project all of their attributes.
    package var fetchesItems = false
    /// The attributes that are read, beside those of the keys; nil for all. What a page holds, and says that it has, is
    /// reckoned of these; a filter sees no others.
    package var attributes: [AttributeName]?

    /// A scan of the given members; without more, of the whole table.
    package init(
        table: String, index: String? = nil, limit: Int? = nil, filter: Condition? = nil, exclusiveStart: Item? = nil,
        segment: ScanSegment? = nil
    ) {
        self.segment = segment
        self.table = table
        self.index = index
        self.limit = limit
        self.filter = filter
        self.exclusiveStart = exclusiveStart
    }
}

/// A part of the response to a query or scan: at most 1 MB.
package struct QueryPage: Sendable {
    /// The items that passed the filter.
    package let items: [Item]
    /// How many items were looked at.
    package let scannedCount: Int
    /// How many bytes they have together, as the table or the index has them; what capacity is counted by.
    package let scannedBytes: Int
    /// How many blocks of 4 KB the items have, each by itself, that were fetched beside the index.
    package var fetchedBlocks = 0
    /// Where the next page begins: the keys of the last item looked at. Nil when there is nothing more.
    ///
    /// As in DynamoDB, a page that ended because of its `limit` has one even if nothing more follows.
    package let lastEvaluatedKey: Item?

    /// Takes the parts as they are.
    package init(
        items: [Item], scannedCount: Int, scannedBytes: Int, fetchedBlocks: Int = 0, lastEvaluatedKey: Item?
    ) {
        self.items = items
        self.scannedCount = scannedCount
        self.scannedBytes = scannedBytes
        self.fetchedBlocks = fetchedBlocks
        self.lastEvaluatedKey = lastEvaluatedKey
    }
}

extension SortCondition {
    /// The values in the condition.
    package var values: [AttributeValue] {
        switch self {
        case .equal(let value), .less(let value), .lessOrEqual(let value), .greater(let value),
            .greaterOrEqual(let value), .beginsWith(let value):
            [value]
        case .between(let first, let last): [first, last]
        }
    }
}
