/// The transactions that wait for the writer, in order and bounded.
struct WaitingTransactions: Sendable {
    private var transactions: [PreparedTransaction] = []
    private var bytes = 0
    /// Whether the writer knows that there is something to do.
    private var isWriterAwake = false
    /// Whether nothing is taken any more.
    var isClosed = false

    /// Puts a transaction at the end.
    ///
    /// - Returns: whether the writer has to be woken.
    mutating func append(_ transaction: PreparedTransaction, _ limits: TableLimits) throws(TableError) -> Bool {
        if isClosed { throw .closed }
        guard transactions.count < limits.waitingTransactionsMax,
            transactions.isEmpty || bytes + transaction.bytes <= limits.waitingBytesMax
        else { throw .tooManyWaiting(limit: limits.waitingTransactionsMax) }
        transactions.append(transaction)
        bytes += transaction.bytes
        defer { isWriterAwake = true }
        return !isWriterAwake
    }

    /// Takes up to `count` from the front; when there are none, the writer goes to sleep.
    mutating func take(_ count: Int) -> [PreparedTransaction] {
        if transactions.isEmpty { isWriterAwake = false }
        guard transactions.count > count else {
            defer { (transactions, bytes) = ([], 0) }
            return transactions
        }
        let taken = Array(transactions.prefix(count))
        transactions.removeFirst(count)
        bytes = transactions.reduce(0) { $0 + $1.bytes }
        return taken
    }
}
