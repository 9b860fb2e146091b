import DynamoModel
import JSON
import TableEngine

extension TableService {
    /// `UpdateTable`: throughput, billing mode, protection, and global secondary indexes.
    func updateTable(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        let name = request.tableName
        let hasUpdates = [
            "ProvisionedThroughput", "BillingMode", "DeletionProtectionEnabled", "TableClass",
        ].contains { request.has($0) }
        let indexUpdates = request.structures("GlobalSecondaryIndexUpdates")
        guard hasUpdates || !indexUpdates.isEmpty else {
            throw .validation(
                "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates"
                    + " or SSESpecification or ReplicaUpdates is required")
        }
        try checkThroughput(request)
        try checkIndexUpdates(indexUpdates)
        try requireTable(name)
        let schema = try definition(name).schema
        let changed = try TableUpdate(request, request.resources, schema).schema()
        try converting { () throws(TableError) in
            try store.updateTable(name) { (current) throws(TableError) in
                guard current == schema else { throw .validation("The table is being changed by somebody else") }
                return changed
            }
        }
        return try describe(name, request.resources, as: "TableDescription")
    }
}

// What is wrong with a request by itself, whatever the table.
extension TableService {
    private func checkThroughput(_ request: RequestReader) throws(ProtocolError) {
        let given = request.structure("ProvisionedThroughput")
        if request.isText("BillingMode", "PROVISIONED"), given == nil {
            throw .validation(
                TableSchemaReader.invalid + "ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
        }
        guard let given else { return }
        _ = try TableSchemaReader.throughput(given)
        if request.isText("BillingMode", "PAY_PER_REQUEST") { throw TableSchemaReader.throughputWithOnDemand }
    }

    private func checkIndexUpdates(_ updates: [RequestReader]) throws(ProtocolError) {
        var names: Set<String> = []
        for update in updates {
            let given = (["Update", "Create", "Delete"] as [StaticString]).compactMap { update.structure($0) }
            let kinds =
                "one of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create,"
                + " GlobalSecondaryIndexUpdate.Delete"
            guard let action = given.first else {
                throw .validation(TableSchemaReader.invalid + "O\(kinds.dropFirst()) must not be null")
            }
            guard given.count == 1 else {
                throw .validation(TableSchemaReader.invalid + "Only \(kinds) may be given")
            }
            let name = action.text("IndexName") ?? ""
            guard names.insert(name).inserted else {
                throw .validation(
                    TableSchemaReader.invalid
                        + "Only one global secondary index update per index is allowed simultaneously. Index: \(name)")
            }
        }
    }
}

/// What an `UpdateTable` makes of a table's schema.
private struct TableUpdate {
    let request: RequestReader
    let resources: ResourceNames
    let old: TableSchema

    init(_ request: RequestReader, _ resources: ResourceNames, _ schema: TableSchema) {
        self.request = request
        self.resources = resources
        old = schema
    }

    private var isOnDemand: Bool {
        request.has("BillingMode") ? request.isText("BillingMode", "PAY_PER_REQUEST") : old.throughput == nil
    }

    func schema() throws(ProtocolError) -> TableSchema {
        var schema = old
        try setThroughput(&schema)
        if request.has("DeletionProtectionEnabled") {
            schema.isProtected = request.flag("DeletionProtectionEnabled")
        }
        try changeIndexes(&schema)
        return schema
    }

    private func setThroughput(_ schema: inout TableSchema) throws(ProtocolError) {
        let given = request.structure("ProvisionedThroughput")
        if isOnDemand {
            guard given == nil else { throw TableSchemaReader.throughputWithOnDemand }
            schema.throughput = nil
            for position in schema.indexes.indices { schema.indexes[position].throughput = nil }
            return
        }
        guard let given else {
            guard old.throughput == nil else { return }
            throw .validation(
                TableSchemaReader.invalid
                    + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
        }
        let throughput = try TableSchemaReader.throughput(given)
        if let current = old.throughput, current == throughput {
            throw .validation(
                "The provisioned throughput for the table will not change. The requested value equals the current"
                    + " value. Current ReadCapacityUnits provisioned for the table: \(current.readUnits). Requested"
                    + " ReadCapacityUnits: \(throughput.readUnits). Current WriteCapacityUnits provisioned for the"
                    + " table: \(current.writeUnits). Requested WriteCapacityUnits: \(throughput.writeUnits). Refer to"
                    + " the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.")
        }
        // Indexes that have never had units of their own keep those that they were shown with.
        if let current = old.throughput {
            for (position, index) in schema.indexes(local: false) where index.throughput == nil {
                schema.indexes[position].throughput = current
            }
        }
        schema.throughput = throughput
        try requireIndexThroughput()
    }

    /// Going from on demand to provisioned, each index needs units of its own.
    private func requireIndexThroughput() throws(ProtocolError) {
        guard old.throughput == nil else { return }
        let given = request.structures("GlobalSecondaryIndexUpdates").compactMap {
            $0.structure("Update")?.text("IndexName")
        }
        let missing = old.indexes(local: false).map(\.element.name).filter { !given.contains($0) }
        guard missing.isEmpty else {
            throw .validation(
                TableSchemaReader.invalid
                    + "ProvisionedThroughput must be specified for index: \(missing.joined(separator: ","))")
        }
    }

    private func changeIndexes(_ schema: inout TableSchema) throws(ProtocolError) {
        guard request.has("GlobalSecondaryIndexUpdates") else { return }
        let updates = request.structures("GlobalSecondaryIndexUpdates")
        let onlineChanges = updates.filter { $0.has("Create") || $0.has("Delete") }
        guard onlineChanges.count <= 1 else {
            throw ProtocolError(
                .limitExceeded,
                "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
        }
        for update in updates {
            if let create = update.structure("Create") { try add(create, to: &schema) }
            if let delete = update.structure("Delete") {
                schema.indexes.remove(at: try position(of: delete.text("IndexName") ?? "", in: schema))
            }
            if let change = update.structure("Update") { try self.update(change, in: &schema) }
        }
    }

    private func add(_ structure: RequestReader, to schema: inout TableSchema) throws(ProtocolError) {
        let reader = TableSchemaReader(request, resources, isOnDemand: isOnDemand)
        let index = try reader.index(structure)
        guard !schema.indexes.contains(where: { $0.name == index.name }) else {
            throw .validation(
                TableSchemaReader.invalid + "Attempting to create an index which already exists: \(index.name)")
        }
        guard schema.indexes(local: false).count < TableSchemaReader.indexesMax else {
            throw ProtocolError(
                .limitExceeded,
                "GlobalSecondaryIndex count exceeds the per-table limit of \(TableSchemaReader.indexesMax)")
        }
        try checkTypes(of: index, in: schema)
        schema.indexes.append(index)
        try reader.checkAllUsed(schema)
    }

    /// Checks that the key of a new index has no attribute that is of another type in another key.
    private func checkTypes(of index: IndexSchema, in schema: TableSchema) throws(ProtocolError) {
        let keys =
            [(schema.partitionKey, schema.sortKey)] + schema.indexes.map { ($0.partitionKey, $0.sortKey) }
        for (partition, sort) in keys {
            let known = [partition, sort].compactMap(\.self)
            for attribute in [index.partitionKey, index.sortKey].compactMap(\.self)
            where known.contains(where: { $0.name == attribute.name && $0.type != attribute.type }) {
                throw .validation(
                    TableSchemaReader.invalid
                        + "Attributes cannot be redefined. Please check that your attribute has the same type as"
                        + " previously defined. Existing schema: Schema:[SchemaElement: \(Self.text(partition, sort))]"
                        + " New schema: Schema:[SchemaElement: \(Self.text(index.partitionKey, index.sortKey))]")
            }
        }
    }

    private static func text(_ partition: KeyAttribute, _ sort: KeyAttribute?) -> String {
        let sort = sort.map { ", key{\($0.name):\($0.type.rawValue):RANGE}" } ?? ""
        return "key{\(partition.name):\(partition.type.rawValue):HASH}\(sort)"
    }

    private func update(_ structure: RequestReader, in schema: inout TableSchema) throws(ProtocolError) {
        let position = try position(of: structure.text("IndexName") ?? "", in: schema)
        guard let given = structure.structure("ProvisionedThroughput") else { return }
        guard !isOnDemand else { throw TableSchemaReader.throughputWithOnDemand }
        schema.indexes[position].throughput = try TableSchemaReader.throughput(given)
    }

    private func position(of index: String, in schema: TableSchema) throws(ProtocolError) -> Int {
        guard let position = schema.indexes.firstIndex(where: { $0.name == index && !$0.isLocal }) else {
            throw ProtocolError(.resourceNotFound, "Requested resource not found")
        }
        return position
    }
}
