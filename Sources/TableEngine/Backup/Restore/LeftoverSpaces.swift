import DynamoModel
import Platform
import SQLite

/// Spaces of the file whose content belongs to no table: of a restore under way, or of a table that was replaced.
///
/// They are noted as settings in the transaction that makes them so, and swept by and by.
enum LeftoverSpaces {
    /// What the names of the settings begin with.
    private static let prefix = "store.leftover."

    /// Notes the spaces of a table: what is in them is nobody's until `forget`.
    static func note(_ definition: TableDefinition, _ connection: DatabaseConnection) throws(SQLiteError) {
        for space in definition.spaces { try StoreFile.set(connection, name(space), to: "") }
    }

    /// The spaces of a table belong to a table from now on.
    static func forget(_ definition: TableDefinition, _ connection: DatabaseConnection) throws(SQLiteError) {
        for space in definition.spaces { try StoreFile.removeSetting(connection, name(space)) }
    }

    /// All of them.
    static func all(_ connection: DatabaseConnection) throws(SQLiteError) -> [UInt32] {
        try StoreFile.settings(connection, prefix: prefix).compactMap { UInt32($0.name.dropFirst(prefix.utf8.count)) }
    }

    /// Removes up to `count` items or entries of a space, and forgets it when there were not so many.
    ///
    /// - Returns: whether the space is empty now.
    static func sweep(_ space: UInt32, _ count: Int, _ connection: DatabaseConnection) throws(SQLiteError) -> Bool {
        let range = KeyRange(prefix: TableDefinition.prefix(space))
        // A space holds either items or entries; nothing tells which.
        let items = try connection.statement(
            """
            DELETE FROM item WHERE id IN (
                SELECT id FROM item WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3)
            """)
        var removed = try remove(items, range, count, connection)
        let entries = try connection.statement(
            """
            DELETE FROM entry WHERE key IN (
                SELECT key FROM entry WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3)
            """)
        removed += try remove(entries, range, count, connection)
        guard removed < count else { return false }
        try StoreFile.removeSetting(connection, name(space))
        return true
    }

    private static func remove(
        _ statement: Statement, _ range: KeyRange, _ count: Int, _ connection: DatabaseConnection
    ) throws(SQLiteError) -> Int {
        try statement.bind(range.lower, at: 1)
        try statement.bind(range.upper, at: 2)
        try statement.bind(Int64(count), at: 3)
        try statement.run()
        return connection.changedRows
    }

    private static func name(_ space: UInt32) -> String { prefix + String(space) }

}

extension TableDefinition {
    /// The spaces of the table and its indexes.
    var spaces: [UInt32] { [space] + indexes.map(\.space) }
}

/// The spaces that restores of this process fill at the moment: they are noted as leftovers, and are none.
///
/// Told within the writer's transactions, one after the other: a sweep never sees a space noted that it does not see
/// here.
final class SpacesBeingFilled: Sendable {
    private let spaces = Locked<Set<UInt32>>([])

    /// A restore fills the spaces of a table from now on.
    func insert(_ definition: TableDefinition) { spaces.withLock { $0.formUnion(definition.spaces) } }

    /// The restore is over.
    func remove(_ definition: TableDefinition) { spaces.withLock { $0.subtract(definition.spaces) } }

    /// Whether a restore fills a space.
    func contains(_ space: UInt32) -> Bool { spaces.withLock { $0.contains(space) } }
}

extension StoreFile {
    /// The settings whose names begin with `prefix`, by name.
    static func settings(
        _ connection: DatabaseConnection, prefix: String
    ) throws(SQLiteError) -> [(name: String, value: String)] {
        let statement = try connection.statement(
            "SELECT name, value FROM setting WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name")
        try statement.bind(prefix, at: 1)
        defer { statement.reset() }
        var settings: [(name: String, value: String)] = []
        while try statement.step() { settings.append((statement.text(0), statement.text(1))) }
        return settings
    }
}
