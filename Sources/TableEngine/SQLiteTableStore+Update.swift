import DynamoModel
import SQLite

extension SQLiteTableStore {
    /// Changes a table: its throughput, its protection, its indexes. Blocks until it is on disk; O(items) when there is
    /// an index more.
    ///
    /// A new index is filled before this returns. Items whose attributes are not of the types of its key, or are empty,
    /// or too large for one, are not in it.
    ///
    /// - Parameters:
    ///   - name: the table.
    ///   - change: makes the new schema of the one that there is, on the writer's queue. Name and key must stay.
    /// - Throws: `tableNotFound`, `validation`, `storage`, and what `change` throws.
    package func updateTable(
        _ name: String, _ change: (TableSchema) throws(TableError) -> TableSchema
    ) throws(TableError) {
        try writer.write { (connection) throws(TableError) in
            let old = try catalog.definition(name)
            let schema = try change(old.schema)
            try schema.validate()
            precondition(
                schema.name == name && schema.partitionKey == old.schema.partitionKey
                    && schema.sortKey == old.schema.sortKey, "a table keeps its name and its key")
            return try replace(connection, old, by: schema)
        } finish: { definition in
            catalog.replace(with: catalog.all.merging([definition.name: definition]) { _, new in new })
        }
    }

    private func replace(
        _ connection: DatabaseConnection, _ old: TableDefinition, by schema: TableSchema
    ) throws(TableError) -> TableDefinition {
        func isKept(_ index: IndexSchema) -> IndexDefinition? {
            old.indexes.first { $0.schema.name == index.name && $0.schema.hasSameEntries(as: index) }
        }
        let definition = try convertingErrors { () throws(SQLiteError) in
            let fresh = schema.indexes.filter { isKept($0) == nil }
            var freshSpaces = try StoreFile.takeSpaces(connection, count: fresh.count)[...]
            let spaces = schema.indexes.map { isKept($0)?.space ?? freshSpaces.removeFirst() }
            for index in old.indexes where !spaces.contains(index.space) {
                try StoreFile.removeEntries(connection, of: index)
            }
            let definition = TableDefinition(
                schema: schema, createdAt: old.createdAt, space: old.space, startSequence: old.startSequence,
                indexSpaces: spaces)
            try StoreFile.replace(connection, definition)
            if old.indexes.map(\.space) != spaces { try TableStatistics.forget(connection, old) }
            return definition
        }
        let oldSpaces = Set(old.indexes.map(\.space))
        try fill(definition.indexes.filter { !oldSpaces.contains($0.space) }, of: definition, connection)
        return definition
    }

    /// Makes the entries of new indexes.
    private func fill(
        _ indexes: [IndexDefinition], of definition: TableDefinition, _ connection: DatabaseConnection
    ) throws(TableError) {
        guard !indexes.isEmpty else { return }
        try StoreFile.forEachItem(connection, of: definition, seal) { (row, key, item) throws(TableError) in
            for index in indexes {
                guard let entry = index.entry(of: item, tableKey: key) else { continue }
                try convertingErrors { () throws(SQLiteError) in
                    let insert = try connection.statement("INSERT INTO entry(key, item) VALUES(?1, ?2)")
                    try insert.bind(entry, at: 1)
                    try insert.bind(row, at: 2)
                    try insert.run()
                }
            }
        }
    }
}

extension IndexSchema {
    /// Whether entries of both are the same: what is projected is cut out when reading.
    fileprivate func hasSameEntries(as other: IndexSchema) -> Bool {
        partitionKey == other.partitionKey && sortKey == other.sortKey
    }
}
