import DynamoModel

/// The transactions that wait for the writer, in order and bounded; those that are urgent before the others.
struct WaitingTransactions: Sendable {
    private var transactions: [PreparedTransaction] = []
    private var urgent: [PreparedTransaction] = []
    private var bytes = 0
    /// Whether the writer knows that there is something to do.
    private var isWriterAwake = false
    /// Whether nothing is taken any more.
    var isClosed = false

    /// Whether something urgent waits.
    var hasUrgent: Bool { !urgent.isEmpty }

    /// Puts a transaction at the end of its line.
    ///
    /// What is urgent is taken however much else waits: it has a bound of its own, which no caller reaches that sends
    /// one after the other.
    ///
    /// - Returns: whether the writer has to be woken.
    mutating func append(
        _ transaction: PreparedTransaction, _ limits: TableLimits
    ) throws(TableError) -> Bool {
        if isClosed { throw .closed }
        switch transaction.urgency {
        case .urgent:
            guard urgent.count < limits.waitingTransactionsMax else {
                throw .tooManyWaiting(limit: limits.waitingTransactionsMax)
            }
            urgent.append(transaction)
        case .usual:
            guard transactions.count < limits.waitingTransactionsMax,
                transactions.isEmpty || bytes + transaction.bytes <= limits.waitingBytesMax
            else { throw .tooManyWaiting(limit: limits.waitingTransactionsMax) }
            transactions.append(transaction)
            bytes += transaction.bytes
        }
        defer { isWriterAwake = true }
        return !isWriterAwake
    }

    /// Takes up to `count` from the front, urgent ones alone when there are any; when there are none at all, the writer
    /// goes to sleep.
    mutating func take(_ count: Int) -> [PreparedTransaction] {
        if !urgent.isEmpty {
            defer { urgent.removeFirst(min(count, urgent.count)) }
            return Array(urgent.prefix(count))
        }
        if transactions.isEmpty { isWriterAwake = false }
        let taken = Array(transactions.prefix(count))
        transactions.removeFirst(taken.count)
        bytes -= taken.reduce(0) { $0 + $1.bytes }
        return taken
    }

    /// Puts transactions that were taken back to the front.
    mutating func putBack(_ rest: ArraySlice<PreparedTransaction>) {
        if rest.first?.urgency == .urgent { return urgent.insert(contentsOf: rest, at: 0) }
        transactions.insert(contentsOf: rest, at: 0)
        bytes += rest.reduce(0) { $0 + $1.bytes }
    }
}
