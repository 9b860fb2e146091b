import Dispatch
import DynamoModel
import JSON
import TableEngine

extension TableService {
    /// `TransactGetItems`
    func transactGetItems(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        var gets: [(table: String, keyAttributes: Item, projection: ItemProjection?)] = []
        for item in request.structures("TransactItems") {
            guard let get = item.structure("Get") else { continue }
            let key = try get.attributes("Key") ?? [:]
            var expressions = try RequestExpressions(get, [.projection])
            let projection = try expressions.projection()
            try expressions.finish()
            gets.append((get.tableName, key, projection))
        }
        let keys = try transactionKeys(gets.map { ($0.table, $0.keyAttributes) })
        for get in gets { try definition(get.table).checkKeysAreScalars(get.projection?.paths ?? []) }
        let items = try converting { () throws(TableError) in try store.getItems(keys) }
        let used = ConsumedCapacity.transactionalReads(of: items, gets.map(\.table))
        used.forEach(capacity.count)
        return ProtocolResponse { writer in
            writer.consumedCapacity(used, ConsumedCapacity.Detail(request), namesKind: true)
            writer.key("Responses")
            writer.array(Array(zip(gets, items))) { writer, result in
                writer.beginObject()
                if let item = result.1 {
                    writer.key("Item")
                    writer.attributes(result.0.projection?.apply(to: item) ?? item)
                }
                writer.endObject()
            }
        }
    }

    /// The keys that a `TransactGetItems` reads, each of which must be one of its table; none may be read twice.
    ///
    /// - Throws: `TransactionCanceledException` with a reason for each key that is none of its table.
    private func transactionKeys(
        _ gets: [(table: String, attributes: Item)]
    ) throws(ProtocolError) -> [(table: String, key: TableKey)] {
        var keys: [(table: String, key: TableKey)] = []
        var seen: Set<[UInt8]> = []
        var reasons: [ProtocolError.Reason?] = Array(repeating: nil, count: gets.count)
        for (position, get) in gets.enumerated() {
            let definition = try definition(get.table)
            let key: TableKey
            do throws(ProtocolError) {
                key = try definition.tableKey(get.attributes)
            } catch {
                reasons[position] = ProtocolError.Reason(invalid: error)
                continue
            }
            guard seen.insert(definition.keyBytes(key)).inserted else {
                throw .validation("Transaction request cannot include multiple operations on one item")
            }
            keys.append((get.table, key))
        }
        guard keys.count == gets.count else { throw ProtocolError(canceling: reasons) }
        return keys
    }

    /// `TransactWriteItems`
    func transactWriteItems(
        _ request: RequestReader, _ principal: Principal, _ reply: @escaping Reply
    ) throws(ProtocolError) {
        let items = request.structures("TransactItems")
        var writes: [TransactWrite] = []
        for item in items { writes.append(try TransactWrite(item)) }
        var operations: [WriteOperation] = []
        var definitions: [TableDefinition] = []
        for (position, write) in writes.enumerated() {
            let definition = try definition(write.table)
            definitions.append(definition)
            do throws(ProtocolError) {
                operations.append(try write.operation(definition))
            } catch {
                // Like DynamoDB, which looks no further once one is wrong.
                var reasons: [ProtocolError.Reason?] = Array(repeating: nil, count: writes.count)
                reasons[position] = ProtocolError.Reason(invalid: error)
                throw ProtocolError(canceling: reasons)
            }
        }
        try requireNoRefusal(of: operations)
        let detail = ConsumedCapacity.Detail(request)
        var collections = ItemCollectionMetrics(request)
        for (operation, definition) in zip(operations, definitions) { collections.note(operation, in: definition) }
        var token: TransactionToken?
        if let name = request.text("ClientRequestToken") {
            token = try admit(name, request)
            if token == nil { return answerAgain(operations, definitions, detail, reply) }
        }
        let returnsItem = writes.map(\.returnsItem)
        store.transact(operations, token: token, principal: principal) {
            [token, capacity, tokens, definitions, collections] result in
            switch result {
            case .failure(let error):
                if let token { tokens.abandon(token) }
                reply(ProtocolResponse(ProtocolError(transaction: error, returnsItem: returnsItem)))
            case .success(let outcomes):
                var used: [ConsumedCapacity] = []
                for (outcome, definition) in zip(outcomes, definitions) {
                    used.note(outcome, of: definition, factor: 2)
                }
                used.forEach(capacity.count)
                if let token { tokens.finish(token) }
                reply(
                    ProtocolResponse { writer in
                        writer.consumedCapacity(used, detail, namesKind: true)
                        collections.writeAll(to: &writer)
                    })
            }
        }
    }

    /// Asks whether a transaction with a token is to be done; nil if it has been.
    private func admit(_ token: String, _ request: RequestReader) throws(ProtocolError) -> TransactionToken? {
        var content = JSONWriter()
        if let items = request.member("TransactItems") { content.value(items) }
        let fingerprint = IdempotencyTokens.fingerprint(of: content.bytes)
        switch tokens.admit(token, fingerprint: fingerprint, at: clock(), monotonicClock()) {
        case .proceed(let token): return token
        case .done: return nil
        case .inProgress:
            throw ProtocolError(
                .transactionInProgress, "Transaction is currently in progress for the given ClientRequestToken")
        case .mismatch:
            throw ProtocolError(
                .idempotentParameterMismatch,
                "Request rejected because it uses an idempotency token that was already used with a different request")
        }
    }
}

extension TableService {
    private static let answeringAgain = DispatchQueue(label: "dynamo.answering-again")

    /// Answers a transaction that was sent again: as DynamoDB does, with what reading its items takes.
    private func answerAgain(
        _ operations: [WriteOperation], _ definitions: [TableDefinition], _ detail: ConsumedCapacity.Detail,
        _ reply: @escaping Reply
    ) {
        if detail == .none { return reply(.empty) }
        let keys = zip(operations, definitions).compactMap { operation, definition in
            operation.key(definition).map { (table: definition.name, key: $0) }
        }
        // Not on the caller's thread, since this may have to wait for other reads.
        Self.answeringAgain.async { [store, capacity] in
            do throws(TableError) {
                let used = ConsumedCapacity.transactionalReads(of: try store.getItems(keys), keys.map(\.table))
                used.forEach(capacity.count)
                reply(ProtocolResponse { $0.consumedCapacity(used, detail, namesKind: true) })
            } catch {
                reply(ProtocolResponse(ProtocolError(error)))
            }
        }
    }
}

extension WriteOperation {
    /// The key of the item that the operation is about.
    fileprivate func key(_ definition: TableDefinition) -> TableKey? {
        switch self {
        case .put(_, let item, _): definition.key(of: item)
        case .delete(_, let key, _), .update(_, let key, _, _), .check(_, let key, _): key
        }
    }
}

extension ConsumedCapacity {
    /// What reading items in a transaction takes, by table.
    fileprivate static func transactionalReads(of items: [Item?], _ tables: [String]) -> [ConsumedCapacity] {
        var used: [ConsumedCapacity] = []
        for (table, item) in zip(tables, items) {
            let halves = readHalves(bytes: item.map(ItemSize.of) ?? 0, .transactional)
            if let position = used.firstIndex(where: { $0.table == table }) {
                used[position].add(halves)
            } else {
                var capacity = ConsumedCapacity(table: table, .read)
                capacity.add(halves)
                used.append(capacity)
            }
        }
        return used
    }
}

/// One operation of a `TransactWriteItems`, before its table is looked at.
private struct TransactWrite {
    private enum Action {
        case put(Item)
        case delete(key: Item)
        case update(key: Item, [UpdateAction])
        case check(key: Item)
    }

    let table: String
    let returnsItem: Bool
    private let action: Action
    private let condition: Condition?

    init(_ item: RequestReader) throws(ProtocolError) {
        let names: [StaticString] = ["ConditionCheck", "Put", "Delete", "Update"]
        let given = names.filter { item.has($0) }
        guard given.count == 1, let name = given.first, let request = item.structure(name) else {
            throw .validation("TransactItems can only contain one of Check, Put, Update or Delete")
        }
        table = request.tableName
        returnsItem = request.isText("ReturnValuesOnConditionCheckFailure", "ALL_OLD")
        let key = try request.attributes("Key") ?? [:]
        let put = try request.attributes("Item") ?? [:]
        let isUpdate = item.has("Update")
        var expressions = try RequestExpressions(request, isUpdate ? [.update, .condition] : [.condition])
        let actions = isUpdate ? try expressions.update() ?? [] : []
        condition = try expressions.condition(.condition)
        try expressions.finish()
        if item.has("Put") {
            action = .put(put)
        } else if item.has("Delete") {
            action = .delete(key: key)
        } else if isUpdate {
            action = .update(key: key, actions)
        } else {
            action = .check(key: key)
        }
    }

    /// The operation on its table.
    ///
    /// - Throws: `ValidationException` when its key is not one of the table.
    func operation(_ definition: TableDefinition) throws(ProtocolError) -> WriteOperation {
        switch action {
        case .put(let item): .put(table: table, item: item, condition: condition)
        case .delete(let key):
            .delete(table: table, key: try definition.tableKey(key), condition: condition)
        case .update(let key, let actions):
            .update(table: table, key: try definition.tableKey(key), actions: actions, condition: condition)
        case .check(let key):
            .check(table: table, key: try definition.tableKey(key), condition: condition ?? .and([]))
        }
    }
}

extension ProtocolError {
    /// A transaction that was cancelled for these reasons.
    init(canceling reasons: [Reason?]) {
        self.init(
            .transactionCanceled,
            "Transaction cancelled, please refer cancellation reasons for specific reasons ["
                + reasons.map { $0?.code ?? "None" }.joined(separator: ", ") + "]")
        self.reasons = reasons
    }

    /// What a failed transaction is in the protocol; one of a single operation is cancelled like any other.
    fileprivate init(transaction error: TableError, returnsItem: [Bool]) {
        switch error {
        case .conditionFailed(_, let existing) where returnsItem.count == 1:
            self.init(canceling: [Reason(.conditionFailed(existing: existing), returnsItem[0])])
        case .validation(let message) where returnsItem.count == 1:
            self.init(canceling: [Reason(.validation(message), false)])
        case .transactionCanceled(let reasons):
            self.init(
                canceling: zip(reasons, returnsItem).map { reason, returnsItem in
                    reason.map { Reason($0, returnsItem) }
                })
        default: self.init(error)
        }
    }
}

extension ProtocolError.Reason {
    /// What keeps a transaction from happening when one of its operations is not valid.
    fileprivate init(invalid error: ProtocolError) {
        self.init(code: "ValidationError", message: error.message ?? "", item: nil)
    }

    fileprivate init(_ reason: CancellationReason, _ returnsItem: Bool) {
        switch reason {
        case .conditionFailed(let existing):
            self.init(
                code: reason.code, message: "The conditional request failed", item: returnsItem ? existing : nil)
        case .validation(let message): self.init(code: reason.code, message: message, item: nil)
        }
    }
}
