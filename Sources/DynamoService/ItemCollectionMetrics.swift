import DynamoModel
import JSON
import TableEngine

/// What a write answers of the item collections that it touched.
///
/// Only tables with a local secondary index have them: the items of one partition key, which DynamoDB limits to 10 GB.
struct ItemCollectionMetrics: Sendable {
    /// The partition keys, each once, by table.
    private var keys: [(table: String, keys: [Item])] = []
    private let isAsked: Bool

    /// Nothing so far; it stays so where the request does not ask.
    init(_ request: RequestReader) { isAsked = request.isText("ReturnItemCollectionMetrics", "SIZE") }

    /// Adds the collection that an operation is about.
    mutating func note(_ operation: WriteOperation, in definition: TableDefinition) {
        guard isAsked, definition.schema.indexes.contains(where: \.isLocal) else { return }
        let name = definition.schema.partitionKey.name
        guard let value = operation.partition(name) else { return }
        let key: Item = [name: value]
        guard let position = keys.firstIndex(where: { $0.table == definition.name }) else {
            keys.append((definition.name, [key]))
            return
        }
        if !keys[position].keys.contains(key) { keys[position].keys.append(key) }
    }

    /// Whether there is nothing to tell.
    var isEmpty: Bool { keys.isEmpty }

    /// Writes the one collection of a request on one item.
    func writeOne(to writer: inout JSONWriter) {
        guard let key = keys.first?.keys.first else { return }
        writer.key("ItemCollectionMetrics")
        Self.write(key, to: &writer)
    }

    /// Writes the collections of a request on several items, by table.
    func writeAll(to writer: inout JSONWriter) {
        if isEmpty { return }
        writer.key("ItemCollectionMetrics")
        writer.beginObject()
        for (table, keys) in keys {
            writer.key(table)
            writer.array(keys) { Self.write($1, to: &$0) }
        }
        writer.endObject()
    }

    /// Nobody has to make room here, so that the estimate is the lowest that DynamoDB gives.
    private static func write(_ key: Item, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("ItemCollectionKey")
        writer.attributes(key)
        writer.key("SizeEstimateRangeGB")
        writer.array([0.0, 1.0]) { $0.double($1) }
        writer.endObject()
    }
}

extension WriteOperation {
    /// The value of the partition key, of this name, of the item that the operation is about.
    fileprivate func partition(_ name: AttributeName) -> AttributeValue? {
        switch self {
        case .put(_, let item, _): item[name]
        case .delete(_, let key, _), .update(_, let key, _, _), .check(_, let key, _): key.partition
        }
    }
}
