import DynamoModel
import JSON
import TableEngine

/// A request, or a part of one, that is about items, as far as somebody has to allow it.
struct AccessedPart {
    let service: TableService
    let request: RequestReader
    let authorizer: RequestAuthorizer

    private func part(_ view: JSONView) -> AccessedPart {
        AccessedPart(
            service: service, request: RequestReader(view: view, resources: request.resources), authorizer: authorizer)
    }

    /// The access of what reads or writes one item.
    ///
    /// - Parameters:
    ///   - action: what it is to be allowed as.
    ///   - operation: what the part is made of.
    func access(_ action: String, _ operation: DynamoOperation) throws(ProtocolError) -> RequestedAccess {
        let member: StaticString = operation == .putItem ? "Item" : "Key"
        var names = AccessedNames()
        if authorizer.asksForAttributes || authorizer.asksForLeadingKeys {
            names.keys = [try request.attributes(member) ?? [:]]
        }
        if authorizer.asksForAttributes { try names.addExpressions(of: request, operation) }
        return access(action, to: request.tableName, names)
    }

    /// The accesses of each part of a transaction.
    func transactionAccesses() throws(ProtocolError) -> [RequestedAccess] {
        let actions: [(member: StaticString, action: String, operation: DynamoOperation)] = [
            ("Get", "GetItem", .getItem), ("Put", "PutItem", .putItem), ("Update", "UpdateItem", .updateItem),
            ("Delete", "DeleteItem", .deleteItem), ("ConditionCheck", "ConditionCheckItem", .deleteItem),
        ]
        var accesses: [RequestedAccess] = []
        for item in request.structures("TransactItems") {
            for (member, action, operation) in actions {
                guard let view = item.member(member) else { continue }
                accesses.append(try part(view).access(action, operation))
            }
        }
        return accesses
    }

    /// The accesses to the tables of a batch.
    func batchAccesses(_ operation: DynamoOperation) throws(ProtocolError) -> [RequestedAccess] {
        var accesses: [RequestedAccess] = []
        guard let tables = request.member("RequestItems") else { return [] }
        for (name, view) in tables.members where !view.isNull {
            var names = AccessedNames()
            if authorizer.asksForAttributes || authorizer.asksForLeadingKeys {
                try operation == .batchGetItem ? part(view).addReads(to: &names) : addWrites(view, to: &names)
            }
            accesses.append(access(operation.rawValue, to: RequestReader.tableName(name), names))
        }
        return accesses
    }

    private func addReads(to names: inout AccessedNames) throws(ProtocolError) {
        for view in request.member("Keys")?.elements.map(\.self) ?? [] {
            names.keys.append(try converting { () throws(TableError) in try AttributeValueReader.attributes(view) })
        }
        if authorizer.asksForAttributes { try names.addExpressions(of: request, .getItem) }
    }

    private func addWrites(_ list: JSONView, to names: inout AccessedNames) throws(ProtocolError) {
        for view in list.elements {
            let write = part(view).request
            for (member, content) in [("PutRequest", "Item"), ("DeleteRequest", "Key")]
                as [(StaticString, StaticString)]
            {
                if let attributes = try write.structure(member)?.attributes(content) { names.keys.append(attributes) }
            }
        }
    }

    /// The access of what reads pages.
    func pageAccess(_ operation: DynamoOperation) throws(ProtocolError) -> RequestedAccess {
        let table = request.tableName
        let index = request.text("IndexName")
        let resource = index.map { request.resources.index($0, of: table) } ?? request.resources.table(table)
        var names = AccessedNames()
        if authorizer.asksForAttributes { try names.addExpressions(of: request, operation) }
        return RequestedAccess(
            operation.rawValue, to: resource,
            leadingKeys: authorizer.asksForLeadingKeys ? queriedKey(operation, table, index) : .none,
            attributes: names.attributes)
    }

    /// The partition that a query reads; any where none is told.
    private func queriedKey(_ operation: DynamoOperation, _ table: String, _ index: String?) -> RequestedAccess.Names {
        guard operation == .query, let definition = try? service.definition(table),
            let source = try? PageSource(definition, index: index),
            var expressions = try? RequestExpressions(request, [.projection, .filter, .keyCondition]),
            let terms = try? expressions.keyCondition()?.terms(),
            let bounds = try? terms.bounds(partitionKey: source.partitionKey, sortKey: source.sortKey),
            let key = bounds.partition.leadingKeyText
        else { return .any }
        return .these([key])
    }

    private func access(_ action: String, to table: String, _ names: AccessedNames) -> RequestedAccess {
        RequestedAccess(
            action, to: request.resources.table(table),
            leadingKeys: authorizer.asksForLeadingKeys ? leadingKeys(names.keys, table) : .none,
            attributes: authorizer.asksForAttributes ? names.attributes : .none)
    }

    /// The partition keys of items; any where one of them has none.
    private func leadingKeys(_ items: [Item], _ table: String) -> RequestedAccess.Names {
        guard let definition = try? service.definition(table), !items.isEmpty else { return .any }
        let name = definition.schema.partitionKey.name
        let keys = items.compactMap { $0[name]?.leadingKeyText }
        return keys.count == items.count ? .these(keys) : .any
    }
}
