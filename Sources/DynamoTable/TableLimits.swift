/// Every bound of the table engine.
package struct TableLimits: Sendable {
    /// The most operations of one transaction.
    package var transactionOperationsMax = 100
    /// The most bytes of one item, names and values counted as DynamoDB does.
    package var itemBytesMax = 400 * 1024
    /// The most bytes of a partition key.
    package var partitionKeyBytesMax = 2048
    /// The most bytes of a sort key.
    package var sortKeyBytesMax = 1024
    /// How deep lists and maps may nest.
    package var nestingMax = 32
    /// The most bytes of items that one page of a query or scan looks at.
    package var pageBytesMax = 1024 * 1024
    /// The most transactions that wait for the writer.
    package var waitingTransactionsMax = 10_000
    /// The most bytes of items in the transactions that wait for the writer.
    package var waitingBytesMax = 64 * 1024 * 1024
    /// The most transactions that are committed together.
    package var batchTransactionsMax = 1000
    /// How many reads run at the same time; others wait for one to end.
    package var readersMax = 8
    /// How long the change stream is kept, in milliseconds.
    package var changeRetentionMilliseconds: Int64 = 24 * 60 * 60 * 1000

    package init() {}
}
