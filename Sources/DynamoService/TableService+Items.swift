import DynamoModel
import JSON
import TableEngine

extension TableService {
    /// `GetItem`; nil when it cannot be answered without waiting.
    func getItem(_ request: RequestReader, withoutWaiting: Bool) throws(ProtocolError) -> ProtocolResponse? {
        try LegacyParameters.refuse(in: request, beside: [.projection])
        let keyAttributes = try request.attributes("Key") ?? [:]
        var expressions = try RequestExpressions(request, [.projection])
        let projection = try expressions.projection()
        try expressions.finish()
        let table = request.tableName
        let definition = try definition(table)
        let key = try definition.tableKey(keyAttributes)
        try definition.checkKeysAreScalars(projection?.paths ?? [])
        let item: Item?
        if withoutWaiting {
            let found = try converting { () throws(TableError) in
                try store.getItemWithoutWaiting(table: table, key: key)
            }
            guard let found else { return nil }
            item = found
        } else {
            item = try converting { () throws(TableError) in try store.getItem(table: table, key: key) }
        }
        var used = ConsumedCapacity(table: table, .read)
        used.add(
            ConsumedCapacity.readHalves(
                bytes: item.map(ItemSize.of) ?? 0, request.flag("ConsistentRead") ? .strong : .eventual))
        capacity.count(used)
        return ProtocolResponse { writer in
            writer.consumedCapacity(used, ConsumedCapacity.Detail(request))
            if let item {
                writer.key("Item")
                writer.attributes(projection?.apply(to: item) ?? item)
            }
        }
    }

    /// `PutItem`
    func putItem(
        _ request: RequestReader, _ principal: Principal, _ reply: @escaping Reply
    ) throws(ProtocolError) {
        try LegacyParameters.refuse(in: request, beside: [.condition])
        let item = try request.attributes("Item") ?? [:]
        let returned = try ReturnedValues(request, onlyOld: true)
        guard ItemSize.of(item) <= store.limits.itemBytesMax else {
            throw .validation("Item size has exceeded the maximum allowed size")
        }
        var expressions = try RequestExpressions(request, [.condition])
        let condition = try expressions.condition(.condition)
        try expressions.finish()
        try write(.put(table: request.tableName, item: item, condition: condition), request, principal, reply) {
            $0.old.flatMap { old in returned == .allOld ? old : nil }
        }
    }

    /// `DeleteItem`
    func deleteItem(
        _ request: RequestReader, _ principal: Principal, _ reply: @escaping Reply
    ) throws(ProtocolError) {
        try LegacyParameters.refuse(in: request, beside: [.condition])
        let keyAttributes = try request.attributes("Key") ?? [:]
        let returned = try ReturnedValues(request, onlyOld: true)
        var expressions = try RequestExpressions(request, [.condition])
        let condition = try expressions.condition(.condition)
        try expressions.finish()
        let key = try definition(request.tableName).tableKey(keyAttributes)
        try write(.delete(table: request.tableName, key: key, condition: condition), request, principal, reply) {
            $0.old.flatMap { old in returned == .allOld ? old : nil }
        }
    }

    /// `UpdateItem`
    func updateItem(
        _ request: RequestReader, _ principal: Principal, _ reply: @escaping Reply
    ) throws(ProtocolError) {
        try LegacyParameters.refuse(in: request, beside: [.update, .condition])
        let keyAttributes = try request.attributes("Key") ?? [:]
        let returned = try ReturnedValues(request, onlyOld: false)
        var expressions = try RequestExpressions(request, [.update, .condition])
        let actions = try expressions.update() ?? []
        let condition = try expressions.condition(.condition)
        try expressions.finish()
        let key = try definition(request.tableName).tableKey(keyAttributes)
        let operation = WriteOperation.update(
            table: request.tableName, key: key, actions: actions, condition: condition)
        try write(operation, request, principal, reply) { outcome in
            switch returned {
            case .none: nil
            case .allOld: outcome.old
            case .allNew: outcome.new
            case .updatedOld: outcome.old.map { ItemProjection(actions.map(\.path)).apply(to: $0) }
            case .updatedNew: outcome.new.map { ItemProjection(actions.map(\.path)).apply(to: $0) }
            }
        }
    }

    /// Has one write done and answered.
    ///
    /// - Parameter attributes: what of the item is answered.
    private func write(
        _ operation: WriteOperation, _ request: RequestReader, _ principal: Principal, _ reply: @escaping Reply,
        attributes: @escaping @Sendable (WriteOutcome) -> Item?
    ) throws(ProtocolError) {
        let definition = try definition(operation.table)
        let returnsItem = request.isText("ReturnValuesOnConditionCheckFailure", "ALL_OLD")
        let detail = ConsumedCapacity.Detail(request)
        var collections = ItemCollectionMetrics(request)
        collections.note(operation, in: definition)
        try requireNoRefusal(of: [operation])
        let urgency: WriteUrgency = isUrgent(operation) ? .urgent : .usual
        store.transact([operation], principal: principal, urgency: urgency) { [capacity, collections] result in
            switch result {
            case .failure(let error): reply(ProtocolResponse(ProtocolError(error, returnsItem: returnsItem)))
            case .success(let outcomes):
                let outcome = outcomes[0]
                var used = ConsumedCapacity(table: definition.name, .write)
                used.addWrite(definition, old: outcome.old, new: outcome.new)
                capacity.count(used)
                let returned = attributes(outcome)
                if returned == nil, detail == .none, collections.isEmpty {
                    reply(.empty)
                    return
                }
                reply(
                    ProtocolResponse { writer in
                        if let returned, !returned.isEmpty {
                            writer.key("Attributes")
                            writer.attributes(returned)
                        }
                        writer.consumedCapacity(used, detail)
                        collections.writeOne(to: &writer)
                    })
            }
        }
    }
}

/// Which values of the item a write answers.
enum ReturnedValues: Sendable {
    case none, allOld, allNew, updatedOld, updatedNew

    /// - Parameter onlyOld: whether the operation answers no other values than old ones.
    init(_ request: RequestReader, onlyOld: Bool) throws(ProtocolError) {
        switch request.text("ReturnValues") {
        case "ALL_OLD": self = .allOld
        case "ALL_NEW": self = .allNew
        case "UPDATED_OLD": self = .updatedOld
        case "UPDATED_NEW": self = .updatedNew
        default: self = .none
        }
        if onlyOld, self != .none, self != .allOld {
            throw .validation("ReturnValues can only be ALL_OLD or NONE")
        }
    }
}

extension TableDefinition {
    /// The key that attributes are.
    ///
    /// - Throws: `ValidationException` when they are not those of the table's key.
    func tableKey(_ attributes: Item) throws(ProtocolError) -> TableKey {
        guard let key = key(of: attributes), attributes.count == (key.sort == nil ? 1 : 2) else {
            throw .validation("The provided key element does not match the schema")
        }
        return key
    }

    /// What of an item is its key, as far as it is there.
    func keyAttributes(of item: Item) -> Item {
        item.filter { $0.key == schema.partitionKey.name || $0.key == schema.sortKey?.name }
    }
}

/// The parameters that expressions have replaced.
enum LegacyParameters {
    private static let names: [StaticString] = [
        "AttributesToGet", "AttributeUpdates", "QueryFilter", "ScanFilter", "Expected", "ConditionalOperator",
        "KeyConditions",
    ]

    /// Refuses them: beside expressions as DynamoDB does, by themselves because they are not there yet, except
    /// `AttributesToGet`.
    ///
    /// - Parameter expressions: the expressions that the operation takes.
    static func refuse(in request: RequestReader, beside expressions: [ExpressionParameter]) throws(ProtocolError) {
        let given = names.filter { request.has($0) }.map { "\($0)" }
        guard !given.isEmpty else { return }
        let present = expressions.filter { request.has($0.member) }.map(\.rawValue)
        // Key conditions get on with the expressions that are not for keys.
        let mixed = given.filter { $0 != "KeyConditions" || request.has("KeyConditionExpression") }
        guard present.isEmpty || mixed.isEmpty else {
            throw .validation(
                "Can not use both expression and non-expression parameters in the same request: Non-expression"
                    + " parameters: {\(mixed.joined(separator: ", "))}"
                    + " Expression parameters: {\(present.joined(separator: ", "))}")
        }
        let missing = given.filter { $0 != "AttributesToGet" }
        guard missing.isEmpty else {
            throw .validation("This version does not support \(missing.joined(separator: ", ")): use expressions")
        }
    }
}
