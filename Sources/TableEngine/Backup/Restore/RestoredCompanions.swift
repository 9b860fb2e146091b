import DynamoModel
import SQLite

/// The internal tables that accompany a restored one: as the image has them, in a store that has none of its own.
///
/// The store that a backup was made of keeps its own, which know everything that those in the image do, and what came
/// after. Where a table of another store is replaced, what accompanied that one goes with it.
struct RestoredCompanions: Sendable {
    private let byKind: [String: TableDefinition]

    /// None: those that there are stay.
    static let none = RestoredCompanions(byKind: [:])

    private init(byKind: [String: TableDefinition]) { self.byKind = byKind }

    /// Takes spaces for those that will be filled, noted as leftovers until they are tables.
    init(of image: StoredFile, beside table: String, _ parts: OpenStore) throws(TableError) {
        let image = try ImageReader(image).image
        let isOfThisStore = image.isOfStore(parts.originID)
        var byKind: [String: TableDefinition] = [:]
        for companion in image.companions {
            let name = InternalTables.name(companion.kind, of: table)
            if isOfThisStore, parts.catalog.all[name] != nil { continue }
            let schema = companion.definition.schema.named(name)
            do throws(TableError) {
                byKind[companion.kind] = try Restoration.prepare(schema, replacing: true, parts)
            } catch {
                for definition in byKind.values { parts.filling.remove(definition) }
                throw error
            }
        }
        self.byKind = byKind
    }

    /// The tables that are filled.
    var targets: [TableDefinition] { Array(byKind.values) }

    /// The table that companions of a kind go into; nil where the store keeps its own.
    subscript(kind: String) -> TableDefinition? { byKind[kind] }

    /// Ends what they replace, within the transaction that makes them tables.
    ///
    /// - Returns: the tables, as ones that begin behind the last change there is.
    func begin(_ connection: DatabaseConnection, _ parts: OpenStore) throws(TableError) -> [TableDefinition] {
        var begun: [TableDefinition] = []
        for target in targets {
            if let replaced = parts.catalog.all[target.name] {
                try FormerTable.end(replaced, backup: nil, connection, parts)
            }
            let last = try convertingErrors { () throws(SQLiteError) in try ChangeJournal.end(connection) }
            begun.append(target.beginning(after: last.sequence))
        }
        return begun
    }
}
