import DynamoModel
import SQLite

/// What a batch has changed.
struct AppliedChanges {
    /// The changes that the stream has, in its order.
    private(set) var followed: [TableChange] = []
    /// Those of tables whose changes it does not have; without a place in it.
    private(set) var others: [TableChange] = []

    mutating func append(_ change: TableChange, isFollowed: Bool) {
        if isFollowed { followed.append(change) } else { others.append(change) }
    }
}

/// One transaction within the writer's batch: first it is decided whether it happens and what it makes of each item,
/// and only then is anything written. So a transaction that does not happen leaves nothing to take back.
struct TransactionApplication {
    private let transaction: PreparedTransaction
    private let connection: DatabaseConnection
    private let limits: TableLimits
    private let seal: ItemSeal
    private var operations: [PreparedTransaction.Operation] = []
    private var decisions: [Decision] = []
    private var work: ExpressionWork
    /// Bytes of the items as they are stored, which were read and decoded.
    private var storedBytes = 0
    /// How much the transaction kept the writer busy: bytes of items read and written, and what expressions looked at.
    var bytes: Int {
        // Looking at bytes is some ten times as fast as decoding and encoding them.
        decisions.reduce(storedBytes + work.bytes / 8) { $0 + ($1.newBytes?.count ?? 0) }
    }

    /// An item that is stored.
    private struct StoredItem {
        let row: Int64
        /// The item, encoded and not encrypted.
        let bytes: [UInt8]
        let item: Item
    }

    /// What becomes of one item.
    private struct Decision {
        let stored: StoredItem?
        let new: Item?
        /// `new`, encoded and not encrypted.
        let newBytes: [UInt8]?
    }

    init(
        _ transaction: PreparedTransaction, _ connection: DatabaseConnection, _ limits: TableLimits, _ seal: ItemSeal
    ) {
        self.transaction = transaction
        self.seal = seal
        self.connection = connection
        self.limits = limits
        work = ExpressionWork(bytesMax: limits.transactionWorkBytesMax)
        decisions.reserveCapacity(transaction.operations.count)
    }

    /// Decides what becomes of each item.
    ///
    /// - Returns: why the transaction does not happen, which is nobody else's matter; nil when it does.
    /// - Throws: what SQLite says, which is the whole batch's matter.
    mutating func decide(_ catalog: TableCatalog) throws(SQLiteError) -> TableError? {
        var reasons: [CancellationReason?] = []
        for (index, operation) in transaction.operations.enumerated() {
            let content = try load(operation)
            storedBytes += content?.bytes.count ?? 0
            do throws(TableError) {
                try checkSize()
                let operation = try current(operation, catalog)
                let stored = try content.map { (content) throws(TableError) in
                    try decode(content, at: operation.keyBytes)
                }
                operations.append(operation)
                decisions.append(try decide(operation, stored))
            } catch {
                guard let reason = CancellationReason(error) else { return error }
                if transaction.operations.count == 1 { return error }
                // The others are still looked at: the response says for each whether it was in order.
                if reasons.isEmpty { reasons = Array(repeating: nil, count: transaction.operations.count) }
                reasons[index] = reason
            }
        }
        return reasons.isEmpty ? nil : .transactionCanceled(reasons)
    }

    /// Writes what was decided.
    ///
    /// - Parameters:
    ///   - journal: the change stream, which each change is added to.
    ///   - changes: receives each change.
    mutating func write(
        _ journal: inout ChangeJournal, _ changes: inout AppliedChanges
    ) throws(SQLiteError) -> [WriteOutcome] {
        var outcomes: [WriteOutcome] = []
        outcomes.reserveCapacity(decisions.count)
        let record = transaction.principal.record
        for (operation, decision) in zip(operations, decisions) {
            outcomes.append(WriteOutcome(old: decision.stored?.item, new: decision.new))
            // Equal items have equal bytes: a write that changes nothing writes nothing and is no change.
            if decision.stored?.bytes == decision.newBytes { continue }
            let sealed = decision.newBytes.map { seal.seal($0, at: operation.keyBytes) }
            try write(operation, decision, sealed)
            let name = operation.definition.name
            let sequence =
                InternalTables.isFollowed(name)
                ? try journal.append(
                    connection, table: name, images(of: decision, sealed, record, at: operation.keyBytes)) : nil
            changes.append(
                TableChange(
                    sequence: sequence ?? 0, committedAt: journal.committedAt, principal: transaction.principal,
                    table: name, key: operation.key, oldItem: decision.stored?.item, newItem: decision.new,
                    bytes: (decision.stored?.bytes.count ?? 0) + (decision.newBytes?.count ?? 0)),
                isFollowed: sequence != nil)
        }
        if let token = transaction.token { try StoreFile.add(connection, token) }
        return outcomes
    }
}

// MARK: - Deciding

extension TransactionApplication {
    /// The operation on the table as it is now: its indexes may have become others since it was prepared.
    private func current(
        _ operation: PreparedTransaction.Operation, _ catalog: TableCatalog
    ) throws(TableError) -> PreparedTransaction.Operation {
        let definition = try catalog.definition(operation.definition.name)
        if definition === operation.definition { return operation }
        // Deleted since, and another table has its name?
        guard definition.space == operation.definition.space else { throw .tableNotFound(definition.name) }
        return operation.moved(to: definition)
    }

    private func load(
        _ operation: PreparedTransaction.Operation
    ) throws(SQLiteError) -> (row: Int64, bytes: [UInt8])? {
        let select = try connection.statement("SELECT id, content FROM item WHERE key = ?1")
        try select.bind(operation.keyBytes, at: 1)
        defer { select.reset() }
        return try select.step() ? (select.int64(0), [UInt8](select.blob(1))) : nil
    }

    /// Checks what the items of the transaction have together, those included that are there already: DynamoDB has one
    /// bound for all of them, and every write waits while they are decoded.
    private func checkSize() throws(TableError) {
        guard transaction.operations.count > 1, storedBytes > limits.transactionBytesMax else { return }
        throw .validation("Transaction's aggregate item size cannot exceed \(limits.transactionBytesMax) bytes")
    }

    private func decode(
        _ content: (row: Int64, bytes: [UInt8]), at key: [UInt8]
    ) throws(TableError) -> StoredItem {
        do throws(ItemCodecError) {
            let bytes = try seal.open(content.bytes, at: key)
            return StoredItem(row: content.row, bytes: bytes, item: try ItemCodec.decode(bytes))
        } catch {
            throw .storage(StorageFailure(damagedItemIn: connection.path, error))
        }
    }

    private mutating func decide(
        _ operation: PreparedTransaction.Operation, _ stored: StoredItem?
    ) throws(TableError) -> Decision {
        if let condition = operation.condition, try !condition.holds(for: stored?.item, &work) {
            throw .conditionFailed(operation: 0, existing: stored?.item)
        }
        switch operation.action {
        case .put(let item, let encoded):
            if operation.isMoved { _ = try operation.definition.validate(item, limits) }
            return Decision(stored: stored, new: item, newBytes: encoded)
        case .delete:
            return Decision(stored: stored, new: nil, newBytes: nil)
        case .check:
            return Decision(stored: stored, new: stored?.item, newBytes: stored?.bytes)
        case .update(let actions):
            let new = try ItemUpdate.apply(
                actions, to: stored?.item, key: operation.definition.attributes(of: operation.key), &work)
            guard let new else { return Decision(stored: nil, new: nil, newBytes: nil) }
            try operation.definition.validate(new, madeBy: actions, limits)
            return Decision(stored: stored, new: new, newBytes: ItemCodec.encode(new))
        }
    }
}

extension CancellationReason {
    /// The reason that an operation's error is; nil for errors that are nobody's operation's fault.
    fileprivate init?(_ error: TableError) {
        switch error {
        case .conditionFailed(_, let existing): self = .conditionFailed(existing: existing)
        case .validation(let message): self = .validation(message)
        default: return nil
        }
    }
}

// MARK: - Writing

extension TransactionApplication {
    /// What the change stream keeps of a change, with the text of who made it.
    private func images(
        of decision: Decision, _ sealed: [UInt8]?, _ record: String, at key: [UInt8]
    ) -> ChangeJournal.Images {
        // What the change has left is most of what was there before.
        let before =
            if let old = decision.stored?.bytes, let new = decision.newBytes {
                ItemDifference.encode(old, to: new)
            } else {
                decision.stored?.bytes
            }
        return ChangeJournal.Images(
            record: seal.seal(record: record, at: key),
            old: before.map { ChangeImage.encode(seal.seal($0, at: key), at: key) },
            new: sealed.map { ChangeImage.encode($0, at: key) })
    }

    private func write(
        _ operation: PreparedTransaction.Operation, _ decision: Decision, _ sealed: [UInt8]?
    ) throws(SQLiteError) {
        let row: Int64
        switch (decision.stored, sealed) {
        case (nil, nil):
            return
        case (nil, let bytes?):
            let insert = try connection.statement("INSERT INTO item(key, content) VALUES(?1, ?2)")
            try insert.bind(operation.keyBytes, at: 1)
            try insert.bind(bytes, at: 2)
            try insert.run()
            row = connection.lastInsertedRow
        case (let stored?, let bytes?):
            let update = try connection.statement("UPDATE item SET content = ?2 WHERE id = ?1")
            try update.bind(stored.row, at: 1)
            try update.bind(bytes, at: 2)
            try update.run()
            row = stored.row
        case (let stored?, nil):
            let delete = try connection.statement("DELETE FROM item WHERE id = ?1")
            try delete.bind(stored.row, at: 1)
            try delete.run()
            row = stored.row
        }
        for index in operation.definition.indexes {
            try write(
                row: row, old: index.entry(of: decision.stored?.item, tableKey: operation.keyBytes),
                new: index.entry(of: decision.new, tableKey: operation.keyBytes))
        }
    }

    private func write(row: Int64, old: [UInt8]?, new: [UInt8]?) throws(SQLiteError) {
        if old == new { return }
        if let old {
            let delete = try connection.statement("DELETE FROM entry WHERE key = ?1")
            try delete.bind(old, at: 1)
            try delete.run()
        }
        if let new {
            let insert = try connection.statement("INSERT INTO entry(key, item) VALUES(?1, ?2)")
            try insert.bind(new, at: 1)
            try insert.bind(row, at: 2)
            try insert.run()
        }
    }
}
