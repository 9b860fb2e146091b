/// The primary key of an item.
package struct TableKey: Sendable, Hashable {
    /// The value of the table's partition key.
    package let partition: AttributeValue
    /// The value of the table's sort key, nil when the table has none.
    package let sort: AttributeValue?

    package init(_ partition: AttributeValue, _ sort: AttributeValue? = nil) {
        self.partition = partition
        self.sort = sort
    }
}
