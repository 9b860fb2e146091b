import DynamoModel
import JSON

extension JSONWriter {
    /// Writes a table as `TableDescription` has it.
    mutating func table(
        _ description: TableDescription, _ resources: ResourceNames, status: StaticString = "ACTIVE",
        restore: RestoreSummary? = nil
    ) {
        let schema = description.schema
        beginObject()
        attributeDefinitions(of: schema)
        key("TableName")
        string(schema.name)
        keySchema(schema.partitionKey, schema.sortKey)
        key("TableStatus")
        string(status)
        key("CreationDateTime")
        instant(description.createdAt)
        throughput(schema.throughput)
        warmThroughput(schema.throughput)
        content(description.content)
        key("TableArn")
        string(resources.table(schema.name))
        key("TableId")
        string(description.id)
        if schema.throughput == nil { billingMode(since: description.createdAt) }
        indexes(of: description, areLocal: true, resources)
        indexes(of: description, areLocal: false, resources)
        if let restore { restoreSummary(restore, resources) }
        key("DeletionProtectionEnabled")
        bool(schema.isProtected)
        endObject()
    }

    private mutating func indexes(of description: TableDescription, areLocal: Bool, _ resources: ResourceNames) {
        let indexes = description.schema.indexes(local: areLocal)
        if indexes.isEmpty { return }
        key(areLocal ? "LocalSecondaryIndexes" as StaticString : "GlobalSecondaryIndexes")
        beginArray()
        for (position, index) in indexes {
            let content =
                description.indexContents.indices.contains(position)
                ? description.indexContents[position] : ContentSize()
            self.index(index, content, of: description.schema, resources)
        }
        endArray()
    }

    /// Writes what DynamoDB still tells of a table that is being deleted (API reference, "DeleteTable").
    mutating func deletedTable(_ description: TableDescription, _ resources: ResourceNames) {
        let schema = description.schema
        beginObject()
        key("TableName")
        string(schema.name)
        key("TableStatus")
        string("DELETING")
        throughput(schema.throughput)
        content(description.content)
        key("TableArn")
        string(resources.table(schema.name))
        key("TableId")
        string(description.id)
        if schema.throughput == nil { billingMode(since: description.createdAt) }
        key("DeletionProtectionEnabled")
        bool(schema.isProtected)
        endObject()
    }

    private mutating func content(_ content: ContentSize) {
        key("TableSizeBytes")
        int(content.bytes)
        key("ItemCount")
        int(content.items)
    }

    private mutating func index(
        _ index: IndexSchema, _ content: ContentSize, of schema: TableSchema, _ resources: ResourceNames
    ) {
        beginObject()
        key("IndexName")
        string(index.name)
        keySchema(index.partitionKey, index.sortKey)
        projection(index.projection)
        if !index.isLocal {
            key("IndexStatus")
            string("ACTIVE")
            let ofIndex = schema.throughput == nil ? nil : index.throughput ?? schema.throughput
            throughput(ofIndex)
            warmThroughput(ofIndex)
        }
        key("IndexSizeBytes")
        int(content.bytes)
        key("ItemCount")
        int(content.items)
        key("IndexArn")
        string(resources.index(index.name, of: schema.name))
        endObject()
    }

    /// Writes what a query on an index answers.
    mutating func projection(_ projection: Projection) {
        key("Projection")
        beginObject()
        key("ProjectionType")
        switch projection {
        case .all: string("ALL")
        case .keysOnly: string("KEYS_ONLY")
        case .include(let names):
            string("INCLUDE")
            key("NonKeyAttributes")
            array(names) { $0.string($1.text) }
        }
        endObject()
    }

    /// Writes the attributes that keys are made of, each once.
    mutating func attributeDefinitions(of schema: TableSchema) {
        var definitions: [KeyAttribute] = []
        let keys = [(schema.partitionKey, schema.sortKey)] + schema.indexes.map { ($0.partitionKey, $0.sortKey) }
        for (partition, sort) in keys {
            for attribute in [partition, sort].compactMap(\.self) where !definitions.contains(attribute) {
                definitions.append(attribute)
            }
        }
        key("AttributeDefinitions")
        array(definitions) { writer, attribute in
            writer.beginObject()
            writer.key("AttributeName")
            writer.string(attribute.name.text)
            writer.key("AttributeType")
            writer.string(attribute.type.rawValue)
            writer.endObject()
        }
    }

    /// Writes what a key is made of.
    mutating func keySchema(_ partition: KeyAttribute, _ sort: KeyAttribute?) {
        key("KeySchema")
        beginArray()
        element(partition, "HASH")
        if let sort { element(sort, "RANGE") }
        endArray()
    }

    private mutating func element(_ attribute: KeyAttribute, _ role: StaticString) {
        beginObject()
        key("AttributeName")
        string(attribute.name.text)
        key("KeyType")
        string(role)
        endObject()
    }

    /// Writes provisioned throughput; zeros for what is billed on demand, as DynamoDB does.
    mutating func throughput(_ throughput: Throughput?) {
        key("ProvisionedThroughput")
        beginObject()
        key("NumberOfDecreasesToday")
        int(0)
        key("ReadCapacityUnits")
        int(throughput?.readUnits ?? 0)
        key("WriteCapacityUnits")
        int(throughput?.writeUnits ?? 0)
        endObject()
    }

    /// Writes what can be had at any moment: what is provisioned, and on demand what a new table begins with (developer
    /// guide, "Understanding DynamoDB warm throughput in different scenarios").
    private mutating func warmThroughput(_ throughput: Throughput?) {
        key("WarmThroughput")
        beginObject()
        key("ReadUnitsPerSecond")
        int(throughput?.readUnits ?? 12_000)
        key("WriteUnitsPerSecond")
        int(throughput?.writeUnits ?? 4_000)
        key("Status")
        string("ACTIVE")
        endObject()
    }

    private mutating func billingMode(since milliseconds: Int64) {
        key("BillingModeSummary")
        beginObject()
        key("BillingMode")
        string("PAY_PER_REQUEST")
        key("LastUpdateToPayPerRequestDateTime")
        instant(milliseconds)
        endObject()
    }
}
