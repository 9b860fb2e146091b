import DynamoModel
import JSON

/// What pages are read from: a table or one of its indexes.
package struct PageSource {
    package let definition: TableDefinition
    package let index: IndexDefinition?

    /// - Throws: `indexNotFound`.
    package init(_ definition: TableDefinition, index name: String?) throws(TableError) {
        self.definition = definition
        if let name { index = try definition.index(name) } else { index = nil }
    }

    /// The attribute that groups what is read.
    package var partitionKey: KeyAttribute { index?.schema.partitionKey ?? definition.schema.partitionKey }

    /// What all keys begin with.
    var prefix: [UInt8] { TableDefinition.prefix(index?.space ?? definition.space) }

    /// The statement that answers the items whose keys are in a range, in the order of the keys: each stored form, the
    /// key by which it was found, and the one that it is stored under.
    func statement(forward: Bool) -> StaticString {
        switch (index == nil, forward) {
        case (true, true): "SELECT content, key, key FROM item WHERE key >= ?1 AND key < ?2 ORDER BY key"
        case (true, false): "SELECT content, key, key FROM item WHERE key >= ?1 AND key < ?2 ORDER BY key DESC"
        case (false, true):
            """
            SELECT content, entry.key, item.key FROM entry CROSS JOIN item ON item.id = entry.item
            WHERE entry.key >= ?1 AND entry.key < ?2 ORDER BY entry.key
            """
        case (false, false):
            """
            SELECT content, entry.key, item.key FROM entry CROSS JOIN item ON item.id = entry.item
            WHERE entry.key >= ?1 AND entry.key < ?2 ORDER BY entry.key DESC
            """
        }
    }

    /// A page; after one with a last item there is, or may be, another.
    func page(_ items: [Item], scanned: Int, bytes: Int, fetchedBlocks: Int, last: Item?) -> QueryPage {
        QueryPage(
            items: items, scannedCount: scanned, scannedBytes: bytes, fetchedBlocks: fetchedBlocks,
            lastEvaluatedKey: last.map { item in item.filter { keyNames.contains($0.key) } })
    }

    /// The bytes of the key that a page goes on after.
    ///
    /// - Throws: `validation` when it is not the keys of an item of this table and index.
    package func key(exclusiveStart: Item, _ limits: TableLimits) throws(TableError) -> [UInt8] {
        let invalid = TableError.validation("The provided starting key is invalid")
        guard Set(exclusiveStart.keys) == keyNames, let key = definition.key(of: exclusiveStart) else { throw invalid }
        try definition.validate(key, limits)
        let keyBytes = definition.keyBytes(key)
        guard let index else { return keyBytes }
        guard let entry = index.entry(of: exclusiveStart, tableKey: keyBytes) else { throw invalid }
        return entry
    }

    /// Checks that a query begins at one of the keys that it reads, or at none.
    ///
    /// - Throws: `validation` with DynamoDB's text when it does not.
    package func checkStart(of query: Query, _ limits: TableLimits) throws(TableError) {
        _ = try range(of: query, limits)
    }

    /// The keys that a query reads.
    ///
    /// - Throws: `validation` with DynamoDB's text when its starting key is not one of those.
    func range(of query: Query, _ limits: TableLimits) throws(TableError) -> KeyRange {
        var range = range(partition: query.partition, sort: query.sort)
        guard let start = query.exclusiveStart else { return range }
        let key = try key(exclusiveStart: start, limits)
        guard range.contains(key) else { throw Self.outside(query, start[partitionKey.name], key, self) }
        guard index != nil || definition.schema.sortKey != nil else { throw Self.notRestartable(start) }
        range.start(after: key, forward: query.forward)
        return range
    }

    private func range(partition: AttributeValue, sort: SortCondition?) -> KeyRange {
        var prefix = prefix
        KeyEncoding.append(partition, to: &prefix)
        return KeyRange(prefix: prefix, sort: sort)
    }

    private static func outside(
        _ query: Query, _ partition: AttributeValue?, _ key: [UInt8], _ source: PageSource
    ) -> TableError {
        guard let sort = query.sort, let partition else {
            return .validation("The provided starting key is outside query boundaries based on provided conditions")
        }
        guard source.range(partition: partition, sort: sort).contains(key) else {
            return .validation("The provided starting key does not match the range key predicate")
        }
        return .validation("The query can return at most one row and cannot be restarted")
    }

    /// Nothing comes after the only item of a partition. The values are shown as Java does.
    private static func notRestartable(_ start: Item) -> TableError {
        var writer = JSONWriter()
        let values = start.sorted { $0.key.precedes($1.key) }.map { name, value in
            writer.removeAll(keepingCapacity: true)
            writer.attributeValue(value)
            let text = String(decoding: writer.bytes, as: UTF8.self).filter { $0 != "\"" }
            return "\(name)=AttributeValue: \(text)"
        }
        return .validation(
            "The provided exclusive start key is invalid: ExclusiveStartKey: {\(values.joined(separator: ", "))}")
    }

    /// Checks the parts of a starting key that the table or index is read by.
    ///
    /// - Throws: `validation` with DynamoDB's text.
    package func checkStart(_ start: Item, _ limits: TableLimits) throws(TableError) {
        let invalid = TableError.validation("The provided starting key is invalid")
        guard start.count == keyNames.count else { throw invalid }
        let sortKey = index == nil ? definition.schema.sortKey : index?.schema.sortKey
        for attribute in [partitionKey, sortKey].compactMap(\.self) {
            guard let value = start[attribute.name] else { throw invalid }
            try definition.validate(value, ofKeyPart: attribute, isPartition: attribute == partitionKey, limits)
        }
    }

    /// Checks that a starting key has the key of an item of the table.
    ///
    /// - Throws: `validation` with DynamoDB's text.
    package func checkTableKey(ofStart start: Item, _ limits: TableLimits) throws(TableError) {
        do throws(TableError) {
            guard let key = definition.key(of: start), index != nil || start.count == keyNames.count else {
                throw .validation("The provided key element does not match the schema")
            }
            try definition.validate(key, limits)
        } catch {
            guard case .validation(let message) = error else { throw error }
            throw .validation("The provided starting key is invalid: \(message)")
        }
    }

    /// Checks a query's values against the key that it asks for.
    func validate(_ query: Query, _ limits: TableLimits) throws(TableError) {
        try Self.validate(limit: query.limit)
        try Self.validate(query.partition, isOf: partitionKey.type)
        guard let sort = query.sort else { return }
        guard let sortKey = index == nil ? definition.schema.sortKey : index?.schema.sortKey else {
            throw .validation("Query key condition not supported")
        }
        for value in sort.values { try Self.validate(value, isOf: sortKey.type) }
        if case .beginsWith = sort, sortKey.type == .number {
            throw .validation(
                "Invalid KeyConditionExpression: Incorrect operand type for operator or function;"
                    + " operator or function: begins_with, operand type: N")
        }
    }

    /// Checks how many items are asked for.
    static func validate(limit: Int?) throws(TableError) {
        if let limit, limit < 1 {
            throw .validation("Limit must be at least 1")
        }
    }

    private static func validate(_ value: AttributeValue, isOf type: KeyType) throws(TableError) {
        guard value.type.rawValue == type.rawValue else {
            throw .validation(
                "One or more parameter values were invalid: Condition parameter type does not match schema type")
        }
    }

    /// These attributes and those of the keys, without which no page could go on behind another.
    func selection(of names: [AttributeName]) -> AttributeSelection { AttributeSelection(keyNames.union(names)) }

    /// The attributes of the table's and the index's keys.
    private var keyNames: Set<AttributeName> {
        var names = Set([definition.schema.partitionKey.name])
        if let sortKey = definition.schema.sortKey { names.insert(sortKey.name) }
        if let index {
            names.insert(index.schema.partitionKey.name)
            if let sortKey = index.schema.sortKey { names.insert(sortKey.name) }
        }
        return names
    }
}

extension ScanSegment {
    /// Whether the item of a key of the table, or of an entry of the index, belongs to the segment.
    ///
    /// Segments are made of the hash of the partition key, as in DynamoDB, so that it does not depend on what else
    /// there is. The hash is FNV-1a with a finishing step of MurmurHash3: spread is all that is asked of it.
    package func holds(_ key: UnsafeRawBufferPointer, partition type: KeyType) -> Bool {
        guard total > 1 else { return true }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in KeyEncoding.partition(of: key, type) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash ^= hash >> 33
        hash = hash &* 0xFF51_AFD7_ED55_8CCD
        hash ^= hash >> 33
        return Int(hash.multipliedFullWidth(by: UInt64(total)).high) == number
    }
}
