import DynamoModel
import JSON
import TableEngine

extension TableService {
    /// `CreateTable`
    func createTable(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        let schema = try TableSchemaReader(request, request.resources).schema()
        guard store.restoring[schema.name] == nil else {
            throw ProtocolError(.resourceInUse, "Table already exists: \(schema.name)")
        }
        guard !InternalTables.contains(schema.name) else {
            throw .validation("Table names that begin with \(InternalTables.prefix) are reserved: \(schema.name)")
        }
        try converting { () throws(TableError) in try store.createTable(schema) }
        return try describe(schema.name, request.resources, as: "TableDescription")
    }

    /// `DescribeTable`
    func describeTable(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        let name = request.tableName
        if let restored = store.restoring[name], !InternalTables.contains(name) {
            return try describe(restored, request.resources, status: "CREATING", as: "Table")
        }
        try requireTable(name)
        return try describe(name, request.resources, as: "Table")
    }

    /// `DeleteTable`
    func deleteTable(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        let name = request.tableName
        try requireTable(name)
        let description = try converting { () throws(TableError) in try store.describeTable(name) }
        guard !description.schema.isProtected else {
            throw .validation(
                "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection"
                    + " first.")
        }
        if let error = deletionRefusal(name) { throw error }
        try converting { () throws(TableError) in try store.deleteTable(name) }
        return ProtocolResponse { writer in
            writer.key("TableDescription")
            writer.deletedTable(description, request.resources)
        }
    }

    /// `ListTables`
    func listTables(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        let limit = Int(request.number("Limit") ?? 100)
        let start = request.text("ExclusiveStartTableName")
        let there = try converting { () throws(TableError) in try store.listTables() }
        let all = Set(there).union(store.restoring.keys).sorted { $0.precedes($1) }
            .filter { name in !InternalTables.contains(name) && start.map { $0.precedes(name) } ?? true }
        let page = all.prefix(limit)
        return ProtocolResponse { writer in
            if page.count < all.count, let last = page.last {
                writer.key("LastEvaluatedTableName")
                writer.string(last)
            }
            writer.key("TableNames")
            writer.array(Array(page)) { $0.string($1) }
        }
    }

    /// `DescribeLimits`: DynamoDB's initial quotas; nothing is limited here.
    func describeLimits() -> ProtocolResponse {
        ProtocolResponse { writer in
            for name: StaticString in ["AccountMaxReadCapacityUnits", "AccountMaxWriteCapacityUnits"] {
                writer.key(name)
                writer.int(80_000)
            }
            for name: StaticString in ["TableMaxReadCapacityUnits", "TableMaxWriteCapacityUnits"] {
                writer.key(name)
                writer.int(40_000)
            }
        }
    }

    /// `DescribeEndpoints`: the one that was asked.
    func describeEndpoints(host: String) -> ProtocolResponse {
        ProtocolResponse { writer in
            writer.key("Endpoints")
            writer.beginArray()
            writer.beginObject()
            writer.key("Address")
            writer.string(host)
            writer.key("CachePeriodInMinutes")
            writer.int(1440)
            writer.endObject()
            writer.endArray()
        }
    }

    /// Checks that a table is there, in the words of the operations on tables.
    func requireTable(_ name: String) throws(ProtocolError) {
        if store.restoring[name] != nil, store.catalog.all[name] == nil, !InternalTables.contains(name) {
            throw ProtocolError(
                .resourceInUse,
                "Attempt to change a resource which is still in use: Table is being created: \(name)")
        }
        guard !InternalTables.contains(name), store.catalog.all[name] != nil else {
            // Whoever was told that it is being made learns why it is not there.
            let failure = InternalTables.contains(name) ? nil : store.restoreFailure(of: name)
            throw ProtocolError(
                .resourceNotFound,
                "Requested resource not found: Table: \(name) not found"
                    + (failure.map { ". Its restore failed: \($0.error)" } ?? ""))
        }
    }

    /// Answers the description of a table as a member.
    func describe(
        _ name: String, _ resources: ResourceNames, as member: StaticString
    ) throws(ProtocolError) -> ProtocolResponse {
        let description = try converting { () throws(TableError) in try store.describeTable(name) }
        return try describe(description, resources, status: "ACTIVE", as: member)
    }

    private func describe(
        _ description: TableDescription, _ resources: ResourceNames, status: StaticString, as member: StaticString
    ) throws(ProtocolError) -> ProtocolResponse {
        let restore = try converting { () throws(TableError) in try store.restoreSummary(description.schema.name) }
        return ProtocolResponse { writer in
            writer.key(member)
            writer.table(description, resources, status: status, restore: restore)
        }
    }
}
