/// The type that a key attribute must have.
package enum KeyType: String, Sendable, Equatable {
    case string = "S"
    case number = "N"
    case binary = "B"
}

/// One attribute that is part of a key.
package struct KeyAttribute: Sendable, Equatable {
    /// The attribute's name.
    package let name: AttributeName
    /// The type that its values must have.
    package let type: KeyType

    /// The key attribute `name` of a type.
    package init(_ name: AttributeName, _ type: KeyType = .string) {
        self.name = name
        self.type = type
    }
}

/// Which attributes of an item a query on an index answers.
package enum Projection: Sendable, Equatable {
    /// Every attribute.
    case all
    /// The keys of the table and of the index.
    case keysOnly
    /// The keys and the attributes of these names.
    case include([AttributeName])
}

/// A secondary index: the items that have its key attributes, in its order.
package struct IndexSchema: Sendable, Equatable {
    /// The name, unique in its table.
    package let name: String
    /// The attribute that groups entries.
    package let partitionKey: KeyAttribute
    /// The attribute that orders the entries of a partition; nil when they have no order of their own.
    package let sortKey: KeyAttribute?
    /// What a query on the index answers.
    package let projection: Projection
    /// Provisioned throughput of its own, nil when it has that of its table.
    package var throughput: Throughput?
    /// Whether the index is a local one: it orders the items of the table's own partitions in another way, is as
    /// consistent as the table, and answers attributes that are not projected from the items themselves.
    package let isLocal: Bool

    /// The index `name`; see the members.
    package init(
        _ name: String, partitionKey: KeyAttribute, sortKey: KeyAttribute? = nil, projection: Projection = .all,
        throughput: Throughput? = nil, isLocal: Bool = false
    ) {
        self.isLocal = isLocal
        self.throughput = throughput
        self.name = name
        self.partitionKey = partitionKey
        self.sortKey = sortKey
        self.projection = projection
    }
}

/// Provisioned throughput: kept and shown, never enforced.
package struct Throughput: Sendable, Equatable {
    /// Read capacity units a second.
    package var readUnits: Int64
    /// Write capacity units a second.
    package var writeUnits: Int64

    /// So many units a second of each.
    package init(readUnits: Int64, writeUnits: Int64) {
        self.readUnits = readUnits
        self.writeUnits = writeUnits
    }
}

/// What a table is made of: its name, key and indexes.
package struct TableSchema: Sendable, Equatable {
    /// The name: 3–255 of `a–z A–Z 0–9 _ - .`.
    package let name: String
    /// The attribute that groups items.
    package let partitionKey: KeyAttribute
    /// The attribute that orders the items of a partition; nil when a partition is one item.
    package let sortKey: KeyAttribute?
    /// The secondary indexes.
    package var indexes: [IndexSchema]
    /// Provisioned throughput, nil when the table is billed on demand.
    package var throughput: Throughput?
    /// Whether the table is kept from being deleted.
    package var isProtected: Bool

    /// A table of the given members.
    package init(
        name: String, partitionKey: KeyAttribute, sortKey: KeyAttribute? = nil, indexes: [IndexSchema] = [],
        throughput: Throughput? = nil, isProtected: Bool = false
    ) {
        self.name = name
        self.partitionKey = partitionKey
        self.sortKey = sortKey
        self.isProtected = isProtected
        self.indexes = indexes
        self.throughput = throughput
    }

    /// The local or the global secondary indexes, with their positions in `indexes`.
    package func indexes(local: Bool) -> [(offset: Int, element: IndexSchema)] {
        indexes.enumerated().filter { $0.element.isLocal == local }
    }
}

/// A table as it exists.
package struct TableDescription: Sendable, Equatable {
    /// What it is made of.
    package let schema: TableSchema
    /// When it was created, in milliseconds since 1970.
    package let createdAt: Int64
    /// What no other table has or ever had: another one of the same name has another.
    package var id = ""
    /// How much is in it.
    package var content = ContentSize()
    /// How much is in its indexes, in the schema's order; empty where nobody has counted.
    package var indexContents: [ContentSize] = []

    /// Takes the parts as they are.
    package init(
        schema: TableSchema, createdAt: Int64, id: String = "", content: ContentSize = ContentSize(),
        indexContents: [ContentSize] = []
    ) {
        self.schema = schema
        self.createdAt = createdAt
        self.id = id
        self.content = content
        self.indexContents = indexContents
    }
}
