/// Every bound of the table engine.
package struct TableLimits: Sendable {
    /// The most operations of one transaction.
    package var transactionOperationsMax = 100
    /// The most bytes of the items that one transaction puts.
    package var transactionBytesMax = 4 * 1024 * 1024
    /// The most bytes that the expressions of one transaction look at, copy or make: some 50 ms of the writer's time.
    package var transactionWorkBytesMax = 64 * 1024 * 1024
    /// From how many bytes on that a filter has looked at a page of a query or scan ends, if it has an item: DynamoDB
    /// may end one anywhere.
    package var pageWorkBytesMax = 64 * 1024 * 1024
    /// The most bytes of one item, names and values counted as DynamoDB does.
    package var itemBytesMax = 400 * 1024
    /// The most bytes of a partition key.
    package var partitionKeyBytesMax = 2048
    /// The most bytes of a sort key.
    package var sortKeyBytesMax = 1024
    /// How deep lists and maps may nest.
    package var nestingMax = 32
    /// How deep a stored item may nest: more than one may that is written, so that a damaged file is found out before
    /// the stack is full.
    package static let storedNestingMax = 64
    /// The most bytes of items that one page of a query or scan looks at.
    package var pageBytesMax = 1024 * 1024
    /// The most transactions that wait for the writer.
    package var waitingTransactionsMax = 10_000
    /// The most bytes of items in the transactions that wait for the writer.
    package var waitingBytesMax = 64 * 1024 * 1024
    /// The most transactions that are committed together.
    package var batchTransactionsMax = 1000
    /// From how many bytes of items on that were read and written a batch is committed, whatever else waits: some
    /// 100 ms.
    package var batchBytesMax = 4 * 1024 * 1024
    /// How many reads run at the same time; others wait for one to end.
    package var readersMax = 8
    /// How long the change stream is kept, in milliseconds.
    package var changeRetentionMilliseconds: Int64 = 24 * 60 * 60 * 1000
    /// The most bytes of the change stream; 0 for no bound. What somebody still needs is kept all the same.
    package var changeBytesMax: Int64 = 10 * 1024 * 1024 * 1024

    /// How many bytes of the disk are set aside for urgent writes, in a file of the data directory; 0 for none.
    package var reserveBytes = 0

    /// The bounds that DynamoDB has, and reasonable ones where it has none.
    package init() {}

    /// Checks how the bounds relate.
    ///
    /// - Precondition: they make sense together; anything else is a mistake of the program.
    package func check() {
        precondition(transactionOperationsMax > 0 && batchTransactionsMax > 0 && readersMax > 0)
        precondition(itemBytesMax <= transactionBytesMax, "one item must fit a transaction")
        precondition(transactionBytesMax <= waitingBytesMax, "one transaction must fit the queue")
        precondition(partitionKeyBytesMax + sortKeyBytesMax < itemBytesMax, "a key must fit an item")
        precondition(changeRetentionMilliseconds >= 0 && changeBytesMax >= 0)
        precondition(reserveBytes >= 0)
        precondition(nestingMax < TableLimits.storedNestingMax, "what may be written must be readable")
    }
}
