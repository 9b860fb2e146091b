import DynamoModel

/// A table with the numbers that its keys begin with: how items, keys and index entries become bytes.
///
/// - A key of the table is its space, then the partition key and the sort key.
/// - An entry of an index is the index's space, its partition key and sort key, then the item's key without the table's
///   space: entries of equal index keys are in a fixed order, in which a page can go on even when the item that it
///   ended with is gone.
package final class TableDefinition: Sendable {
    /// What the table is made of.
    package let schema: TableSchema
    /// When it was created, in milliseconds since 1970.
    let createdAt: Int64
    /// The number that the table's keys begin with; never given to another table.
    let space: UInt32
    /// The last change of the store before the table was there: earlier ones are of another table of its name.
    let startSequence: Int64
    /// The indexes, in the schema's order.
    package let indexes: [IndexDefinition]

    init(schema: TableSchema, createdAt: Int64, space: UInt32, startSequence: Int64, indexSpaces: [UInt32]) {
        self.startSequence = startSequence
        self.schema = schema
        self.createdAt = createdAt
        self.space = space
        let keyNames = Set([schema.partitionKey.name, schema.sortKey?.name].compactMap(\.self))
        indexes = zip(schema.indexes, indexSpaces).map { index, space in
            IndexDefinition(schema: index, space: space, tableKeyNames: keyNames)
        }
    }

    /// Whether both describe the same table in the same form.
    func isSame(as other: TableDefinition) -> Bool {
        space == other.space && schema == other.schema && indexes.map(\.space) == other.indexes.map(\.space)
    }

    /// The table's name.
    package var name: String { schema.name }

    /// An identifier of the table that no other one has or ever had: a UUID made of the identifier that its store had
    /// first, which is random, and the table's number in it. It has the form of a random one (RFC 9562, section 5.4).
    func id(in origin: String) -> String {
        let number = String(space, radix: 16)
        var digits = Array((origin + String(repeating: "0", count: 32)).prefix(24))
        (digits[12], digits[16]) = ("4", "8")
        let tail = String(repeating: "0", count: max(0, 8 - number.utf8.count)) + number
        var rest = (String(digits) + tail)[...]
        var parts: [Substring] = []
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }

    /// The index of a name.
    ///
    /// - Throws: `indexNotFound`.
    func index(_ name: String) throws(TableError) -> IndexDefinition {
        guard let index = indexes.first(where: { $0.schema.name == name }) else {
            throw .indexNotFound(table: self.name, index: name)
        }
        return index
    }

    /// What all keys of the table begin with.
    var prefix: [UInt8] { Self.prefix(space) }

    static func prefix(_ space: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        KeyEncoding.append(space: space, to: &bytes)
        return bytes
    }

    /// The bytes of a key whose values have been checked.
    package func keyBytes(_ key: TableKey) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64)
        KeyEncoding.append(space: space, to: &bytes)
        KeyEncoding.append(key.partition, to: &bytes)
        if let sort = key.sort { KeyEncoding.append(sort, to: &bytes) }
        return bytes
    }

    /// The attributes that a key consists of.
    func attributes(of key: TableKey) -> Item {
        var item: Item = [schema.partitionKey.name: key.partition]
        if let sortKey = schema.sortKey, let sort = key.sort { item[sortKey.name] = sort }
        return item
    }

    /// The key of a stored item, nil when the item lacks it (then the file is damaged).
    package func key(of item: Item) -> TableKey? {
        guard let partition = item[schema.partitionKey.name] else { return nil }
        guard let sortKey = schema.sortKey else { return TableKey(partition) }
        guard let sort = item[sortKey.name] else { return nil }
        return TableKey(partition, sort)
    }
}

/// An index with the number that its entries begin with.
package struct IndexDefinition: Sendable {
    /// What the index is made of.
    package let schema: IndexSchema
    /// The number that the index's entries begin with.
    let space: UInt32
    /// The attributes that a query answers, nil for all of them.
    package let projectedNames: Set<AttributeName>?

    init(schema: IndexSchema, space: UInt32, tableKeyNames: Set<AttributeName>) {
        self.schema = schema
        self.space = space
        var names = tableKeyNames.union([schema.partitionKey.name])
        if let sortKey = schema.sortKey { names.insert(sortKey.name) }
        switch schema.projection {
        case .all: projectedNames = nil
        case .keysOnly: projectedNames = names
        case .include(let included): projectedNames = names.union(included)
        }
    }

    /// The entry of an item in the index, nil when the item lacks a key attribute, or has one that can be none (it was
    /// there before the index): the index is sparse.
    ///
    /// - Parameters:
    ///   - item: an item.
    ///   - tableKey: the bytes of its key in the table.
    func entry(of item: Item?, tableKey: [UInt8]) -> [UInt8]? {
        guard let item, let partition = value(schema.partitionKey, of: item, bytesMax: Self.partitionBytesMax) else {
            return nil
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(tableKey.count + 96)
        KeyEncoding.append(space: space, to: &bytes)
        KeyEncoding.append(partition, to: &bytes)
        if let sortKey = schema.sortKey {
            guard let sort = value(sortKey, of: item, bytesMax: Self.sortBytesMax) else { return nil }
            KeyEncoding.append(sort, to: &bytes)
        }
        let tableSpace = tableKey.prefix { $0 >= 0x80 }.count + 1
        bytes.append(contentsOf: tableKey.dropFirst(tableSpace))
        return bytes
    }

    /// Whether the index has an entry of an item.
    package func holds(_ item: Item) -> Bool {
        value(schema.partitionKey, of: item, bytesMax: Self.partitionBytesMax) != nil
            && schema.sortKey.map { value($0, of: item, bytesMax: Self.sortBytesMax) != nil } ?? true
    }

    /// The value that an item has for a part of the key; nil when it has none that can be one.
    private func value(_ key: KeyAttribute, of item: Item, bytesMax: Int) -> AttributeValue? {
        guard let value = item[key.name], value.type.rawValue == key.type.rawValue, !value.isEmptyKey,
            ItemSize.of(value) <= bytesMax
        else { return nil }
        return value
    }

    private static let partitionBytesMax = TableLimits().partitionKeyBytesMax
    private static let sortBytesMax = TableLimits().sortKeyBytesMax

    /// The item as a query on the index answers it.
    package func project(_ item: Item) -> Item {
        guard let projectedNames else { return item }
        return item.filter { projectedNames.contains($0.key) }
    }
}
