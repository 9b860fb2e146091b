/// The primary key of an item.
package struct TableKey: Sendable, Hashable {
    /// The value of the table's partition key.
    package let partition: AttributeValue
    /// The value of the table's sort key, nil when the table has none.
    package let sort: AttributeValue?

    /// The key of a partition value and, where the table has a sort key, a sort value.
    package init(_ partition: AttributeValue, _ sort: AttributeValue? = nil) {
        self.partition = partition
        self.sort = sort
    }
}
