import DynamoModel
import JSON
import TableEngine

extension TableService {
    /// The most keys of a `BatchGetItem`.
    private static let batchKeysMax = 100
    /// The most writes of a `BatchWriteItem`.
    private static let batchWritesMax = 25
    /// The most bytes of items that a `BatchGetItem` answers; the keys of what is left are told.
    private static let batchBytesMax = 16 * 1024 * 1024

    /// What is asked for of one table.
    private struct TableGets {
        let table: String
        /// The key under which the request has it: a name or an ARN.
        let spelling: String
        let keyAttributes: [Item]
        let projection: ItemProjection?
        let isConsistent: Bool
        let request: RequestReader
    }

    /// What a batch is made of, by table; it is not empty.
    private static func requestItems(
        of request: RequestReader, _ operation: DynamoOperation
    ) throws(ProtocolError) -> JSONView {
        guard let tables = request.member("RequestItems"), tables.count > 0 else {
            throw .validation("The requestItems parameter is required for \(operation.rawValue)")
        }
        return tables
    }

    /// `BatchGetItem`
    func batchGetItem(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        var gets: [TableGets] = []
        var count = 0
        let tables = try Self.requestItems(of: request, .batchGetItem)
        for (name, view) in tables.members where !view.isNull {
            gets.append(try read(name, RequestReader(view: view, resources: request.resources), &count))
        }
        var results: [(gets: TableGets, items: [Item], rest: [Item], used: ConsumedCapacity)] = []
        let keys = try gets.map { (gets) throws(ProtocolError) in
            let definition = try definition(gets.table)
            try definition.checkKeysAreScalars(gets.projection?.paths ?? [])
            return try gets.keyAttributes.map { (key) throws(ProtocolError) in try definition.tableKey(key) }
        }
        var bytes = 0
        for (gets, keys) in zip(gets, keys) {
            let found = try converting { () throws(TableError) in try store.getItems(table: gets.table, keys: keys) }
            var items: [Item] = []
            var rest: [Item] = []
            var used = ConsumedCapacity(table: gets.table, .read)
            for (item, key) in zip(found, gets.keyAttributes) {
                let size = item.map(ItemSize.of) ?? 0
                if bytes + size > Self.batchBytesMax {
                    rest.append(key)
                    continue
                }
                bytes += size
                used.add(ConsumedCapacity.readHalves(bytes: size, gets.isConsistent ? .strong : .eventual))
                if let item { items.append(gets.projection?.apply(to: item) ?? item) }
            }
            capacity.count(used)
            results.append((gets, items, rest, used))
        }
        return ProtocolResponse { writer in
            writer.consumedCapacity(results.map(\.used), ConsumedCapacity.Detail(request))
            writer.key("Responses")
            writer.beginObject()
            for result in results {
                writer.key(result.gets.spelling)
                writer.array(result.items) { $0.attributes($1) }
            }
            writer.endObject()
            writer.key("UnprocessedKeys")
            writer.beginObject()
            for result in results where !result.rest.isEmpty {
                writer.key(result.gets.spelling)
                writer.unprocessed(result.rest, result.gets.request)
            }
            writer.endObject()
        }
    }

    private func read(
        _ name: UnsafeRawBufferPointer, _ request: RequestReader, _ count: inout Int
    ) throws(ProtocolError) -> TableGets {
        try LegacyParameters.refuse(in: request, beside: [.projection])
        var expressions = try RequestExpressions(request, [.projection])
        let projection = try expressions.projection()
        try expressions.finish()
        var keys: [Item] = []
        for view in request.member("Keys")?.elements.map(\.self) ?? [] {
            let key = try converting { () throws(TableError) in try AttributeValueReader.attributes(view) }
            guard !keys.contains(key) else { throw .validation("Provided list of item keys contains duplicates") }
            keys.append(key)
            count += 1
            guard count <= Self.batchKeysMax else {
                throw .validation("Too many items requested for the BatchGetItem call")
            }
        }
        return TableGets(
            table: RequestReader.tableName(name), spelling: String(decoding: name, as: UTF8.self),
            keyAttributes: keys, projection: projection, isConsistent: request.flag("ConsistentRead"),
            request: request)
    }

    /// `BatchWriteItem`
    func batchWriteItem(
        _ request: RequestReader, _ principal: Principal, _ reply: @escaping Reply
    ) throws(ProtocolError) {
        var writes: [(table: String, isPut: Bool, attributes: Item)] = []
        let tables = try Self.requestItems(of: request, .batchWriteItem)
        for (name, list) in tables.members where !list.isNull {
            for view in list.elements {
                let (isPut, attributes) = try read(RequestReader(view: view, resources: request.resources))
                writes.append((RequestReader.tableName(name), isPut, attributes))
            }
        }
        guard writes.count <= Self.batchWritesMax else {
            throw .validation("Too many items requested for the BatchWriteItem call")
        }
        var operations: [WriteOperation] = []
        var definitions: [TableDefinition] = []
        var collections = ItemCollectionMetrics(request)
        var keys: Set<[UInt8]> = []
        for (table, isPut, attributes) in writes {
            let definition = try definition(table)
            let key: TableKey
            if isPut {
                // A key that is none is told as that of a deletion is.
                let given = try definition.tableKey(definition.keyAttributes(of: attributes))
                key = try converting { () throws(TableError) in
                    try definition.validateTypes(given)
                    return try definition.validate(attributes, store.limits)
                }
            } else {
                key = try definition.tableKey(attributes)
            }
            guard keys.insert(definition.keyBytes(key)).inserted else {
                throw .validation("Provided list of item keys contains duplicates")
            }
            definitions.append(definition)
            let operation: WriteOperation =
                isPut ? .put(table: table, item: attributes) : .delete(table: table, key: key)
            collections.note(operation, in: definition)
            operations.append(operation)
        }
        let detail = ConsumedCapacity.Detail(request)
        try requireNoRefusal(of: operations)
        store.writeEach(operations, principal: principal) { [capacity, writes, definitions, collections] result in
            switch result {
            case .failure(let error): reply(ProtocolResponse(ProtocolError(error)))
            case .success(let results):
                let outcome = Self.outcome(results, writes.map { ($0.isPut, $0.attributes) }, definitions)
                switch outcome {
                case .failure(let error): reply(ProtocolResponse(ProtocolError(error)))
                case .success(let outcome):
                    outcome.used.forEach(capacity.count)
                    reply(Self.response(outcome, detail, collections))
                }
            }
        }
    }

    private func read(_ request: RequestReader) throws(ProtocolError) -> (isPut: Bool, attributes: Item) {
        let put = request.structure("PutRequest")
        let delete = request.structure("DeleteRequest")
        switch (put, delete) {
        case (let put?, nil):
            let item = try put.attributes("Item") ?? [:]
            guard ItemSize.of(item) <= store.limits.itemBytesMax else {
                throw .validation("Item size has exceeded the maximum allowed size")
            }
            return (true, item)
        case (nil, let delete?): return (false, try delete.attributes("Key") ?? [:])
        default:
            throw .validation(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported"
                    + " datatypes")
        }
    }

    /// What a batch of writes is answered: those that the store was too busy for may be sent again.
    /// What became of a batch.
    private struct BatchOutcome {
        var used: [ConsumedCapacity] = []
        var unprocessed: [(table: String, writes: [(isPut: Bool, attributes: Item)])] = []
    }

    private static func outcome(
        _ results: [Result<WriteOutcome, TableError>], _ writes: [(isPut: Bool, attributes: Item)],
        _ definitions: [TableDefinition]
    ) -> Result<BatchOutcome, TableError> {
        var batch = BatchOutcome()
        for (position, result) in results.enumerated() {
            let definition = definitions[position]
            switch result {
            case .success(let outcome): batch.used.note(outcome, of: definition)
            case .failure(.tooManyWaiting):
                if batch.unprocessed.last?.table != definition.name { batch.unprocessed.append((definition.name, [])) }
                batch.unprocessed[batch.unprocessed.count - 1].writes.append(writes[position])
            case .failure(let error): return .failure(error)
            }
        }
        return .success(batch)
    }

    private static func response(
        _ outcome: BatchOutcome, _ detail: ConsumedCapacity.Detail, _ collections: ItemCollectionMetrics
    ) -> ProtocolResponse {
        ProtocolResponse { writer in
            writer.consumedCapacity(outcome.used, detail)
            collections.writeAll(to: &writer)
            writer.key("UnprocessedItems")
            writer.beginObject()
            for (table, writes) in outcome.unprocessed {
                writer.key(table)
                writer.array(writes) { $0.unprocessed($1.attributes, isPut: $1.isPut) }
            }
            writer.endObject()
        }
    }
}

extension [ConsumedCapacity] {
    /// Adds what a write took, to the table's entry or as one.
    mutating func note(_ outcome: WriteOutcome, of definition: TableDefinition, factor: Int = 1) {
        let position: Int
        if let known = firstIndex(where: { $0.table == definition.name }) {
            position = known
        } else {
            position = count
            append(ConsumedCapacity(table: definition.name, .write))
        }
        self[position].addWrite(definition, old: outcome.old, new: outcome.new, factor: factor)
    }
}

extension JSONWriter {
    /// Writes what is left to get of a table, so that it can be sent again as it is.
    fileprivate mutating func unprocessed(_ keys: [Item], _ request: RequestReader) {
        beginObject()
        key("Keys")
        array(keys) { $0.attributes($1) }
        for name: StaticString in [
            "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames", "AttributesToGet",
        ] {
            guard let view = request.member(name) else { continue }
            key(name)
            value(view)
        }
        endObject()
    }

    /// Writes a write that was not done, so that it can be sent again as it is.
    fileprivate mutating func unprocessed(_ attributes: Item, isPut: Bool) {
        beginObject()
        key(isPut ? "PutRequest" as StaticString : "DeleteRequest")
        beginObject()
        key(isPut ? "Item" as StaticString : "Key")
        self.attributes(attributes)
        endObject()
        endObject()
    }
}
