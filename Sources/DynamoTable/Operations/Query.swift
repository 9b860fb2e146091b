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
    /// Items for which this does not hold are left out of the answer.
    package var filter: Condition?
    /// Goes on after the item of this key: the `lastEvaluatedKey` of the page before.
    package var exclusiveStart: Item?

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

/// Asks for all items of a table or an index, in no promised order.
package struct Scan: Sendable {
    /// The table's name.
    package var table: String
    /// The index, nil for the table itself.
    package var index: String?
    /// At most so many items are looked at (before `filter`), nil for as many as a page holds.
    package var limit: Int?
    /// Items for which this does not hold are left out of the answer.
    package var filter: Condition?
    /// Goes on after the item of this key: the `lastEvaluatedKey` of the page before.
    package var exclusiveStart: Item?

    /// A scan of the given members; without more, of the whole table.
    package init(
        table: String, index: String? = nil, limit: Int? = nil, filter: Condition? = nil, exclusiveStart: Item? = nil
    ) {
        self.table = table
        self.index = index
        self.limit = limit
        self.filter = filter
        self.exclusiveStart = exclusiveStart
    }
}

/// A part of the answer to a query or scan: at most 1 MB.
package struct QueryPage: Sendable {
    /// The items that passed the filter.
    package let items: [Item]
    /// How many items were looked at.
    package let scannedCount: Int
    /// Where the next page begins: the keys of the last item looked at. Nil when there is nothing more.
    ///
    /// As in DynamoDB, a page that ended because of its `limit` has one even if nothing more follows.
    package let lastEvaluatedKey: Item?
}
