import DynamoModel
import SQLite

/// The sizes of a table and its indexes, kept in the file beside the items: in the transaction that changes those, so
/// that nobody ever has to count them. Where they are missing (a file of an earlier version, a table that was filled
/// from elsewhere) they are counted once.
struct TableStatistics: Equatable {
    /// The table.
    var table = ContentSize()
    /// The indexes, in the schema's order.
    var indexes: [ContentSize]

    /// Nothing.
    init(_ definition: TableDefinition) {
        indexes = Array(repeating: ContentSize(), count: definition.indexes.count)
    }

    /// Takes an item in, or out with a `sign` of -1.
    mutating func add(_ item: Item?, sign: Int64, _ definition: TableDefinition) {
        guard let item else { return }
        table.add(item, sign: sign)
        for (position, index) in definition.indexes.enumerated() where index.holds(item) {
            indexes[position].add(index.project(item), sign: sign)
        }
    }
}

// MARK: - In the file

extension TableStatistics {
    /// Adds what changes did to what the file says, in the transaction that makes them.
    static func note(
        _ changes: AppliedChanges, _ connection: DatabaseConnection, _ catalog: TableCatalog, _ seal: ItemSeal
    ) throws(TableError) {
        var definitions: [String: TableDefinition] = [:]
        var differences: [String: TableStatistics] = [:]
        for change in [changes.followed, changes.others].joined() {
            let definition: TableDefinition
            if let known = definitions[change.table] {
                definition = known
            } else {
                definition = try catalog.definition(change.table)
                definitions[change.table] = definition
                differences[change.table] = TableStatistics(definition)
            }
            differences[change.table]?.add(change.oldItem, sign: -1, definition)
            differences[change.table]?.add(change.newItem, sign: 1, definition)
        }
        for (name, definition) in definitions {
            guard let difference = differences[name] else { continue }
            let statistics: TableStatistics
            if let stored = try stored(connection, definition) {
                statistics = stored.adding(difference)
            } else {
                statistics = try counted(connection, definition, seal)
            }
            try convertingErrors { () throws(SQLiteError) in try statistics.store(connection, definition) }
        }
    }

    /// Puts this in place of what the file says.
    func store(_ connection: DatabaseConnection, _ definition: TableDefinition) throws(SQLiteError) {
        try StoreFile.set(connection, Self.settingName(definition), to: text)
    }

    /// What the file says, else what there is.
    static func read(
        _ connection: DatabaseConnection, _ definition: TableDefinition, _ seal: ItemSeal
    ) throws(TableError) -> TableStatistics {
        if let stored = try stored(connection, definition) { return stored }
        return try counted(connection, definition, seal)
    }

    /// Forgets what the file says, for a table that is removed or whose indexes become others.
    static func forget(_ connection: DatabaseConnection, _ definition: TableDefinition) throws(SQLiteError) {
        try StoreFile.removeSetting(connection, settingName(definition))
    }

    private static func settingName(_ definition: TableDefinition) -> String {
        "store.statistics.\(definition.space)"
    }

    private static func stored(
        _ connection: DatabaseConnection, _ definition: TableDefinition
    ) throws(TableError) -> TableStatistics? {
        let text = try convertingErrors { () throws(SQLiteError) in
            try StoreFile.setting(connection, settingName(definition))
        }
        return text.flatMap { TableStatistics(text: $0, definition) }
    }

    /// Counts the items. O(items).
    static func counted(
        _ connection: DatabaseConnection, _ definition: TableDefinition, _ seal: ItemSeal
    ) throws(TableError) -> TableStatistics {
        var statistics = TableStatistics(definition)
        try StoreFile.forEachItem(connection, of: definition, seal) { (_, _, item) throws(TableError) in
            statistics.add(item, sign: 1, definition)
        }
        return statistics
    }

    private func adding(_ other: TableStatistics) -> TableStatistics {
        var sum = self
        sum.table.items += other.table.items
        sum.table.bytes += other.table.bytes
        for position in sum.indexes.indices {
            sum.indexes[position].items += other.indexes[position].items
            sum.indexes[position].bytes += other.indexes[position].bytes
        }
        return sum
    }

    /// Items and bytes of the table, then of each index.
    private var text: String {
        ([table] + indexes).map { "\($0.items) \($0.bytes)" }.joined(separator: " ")
    }

    private init?(text: String, _ definition: TableDefinition) {
        let numbers = text.split(separator: " ").compactMap { Int64($0) }
        guard numbers.count == 2 * (1 + definition.indexes.count) else { return nil }
        let sizes = stride(from: 0, to: numbers.count, by: 2).map {
            ContentSize(items: numbers[$0], bytes: numbers[$0 + 1])
        }
        table = sizes[0]
        indexes = Array(sizes.dropFirst())
    }
}
