import DynamoModel

/// A transaction as the writer takes it: checked and encoded on the caller's thread, so that the writer has less to do.
struct PreparedTransaction: Sendable {
    /// One operation.
    struct Operation: Sendable {
        /// What is done to the item.
        enum Action: Sendable {
            case put(Item, encoded: [UInt8])
            case delete
            case update([UpdateAction])
            case check
        }

        private(set) var definition: TableDefinition
        /// Whether the operation was prepared for the table as it was before its indexes became others.
        private(set) var isMoved = false
        let key: TableKey
        let keyBytes: [UInt8]
        let action: Action
        let condition: Condition?
    }

    let operations: [Operation]
    /// What its sender calls it, which is stored with it.
    let token: TransactionToken?
    let principal: Principal
    /// Whether it overtakes what waits.
    let urgency: WriteUrgency
    let completion: @Sendable (Result<[WriteOutcome], TableError>) -> Void
    /// About how much memory it takes while it waits.
    let bytes: Int
}

extension PreparedTransaction.Operation {
    /// Checks an operation against its table and encodes it.
    ///
    /// - Throws: `validation`.
    init(_ operation: WriteOperation, of definition: TableDefinition, _ limits: TableLimits) throws(TableError) {
        self.definition = definition
        switch operation {
        case .put(_, let item, let condition):
            key = try definition.validate(item, limits)
            action = .put(item, encoded: ItemCodec.encode(item))
            self.condition = condition
        case .delete(_, let key, let condition):
            try definition.validate(key, limits)
            self.key = key
            action = .delete
            self.condition = condition
        case .update(_, let key, let actions, let condition):
            try definition.validate(key, limits)
            try definition.validate(actions)
            self.key = key
            action = .update(actions)
            self.condition = condition
        case .check(_, let key, let condition):
            try definition.validate(key, limits)
            self.key = key
            action = .check
            self.condition = condition
        }
        keyBytes = definition.keyBytes(key)
    }

    /// The same operation on the table with other indexes; its key stays the same.
    func moved(to definition: TableDefinition) -> PreparedTransaction.Operation {
        var moved = self
        moved.definition = definition
        moved.isMoved = true
        return moved
    }

    /// How many bytes the item has that the operation puts; 0 for other operations.
    var itemBytes: Int { if case .put(let item, _) = action { ItemSize.of(item) } else { 0 } }

    /// About how much memory the operation takes.
    var bytes: Int {
        if case .put(_, let encoded) = action { return keyBytes.count + 2 * encoded.count }
        return keyBytes.count + 256
    }
}
