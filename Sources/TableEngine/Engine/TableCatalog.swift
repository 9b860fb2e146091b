import DynamoModel
import Platform

/// The tables that there are, for every thread.
package final class TableCatalog: Sendable {
    private let definitions = Locked<[String: TableDefinition]>([:])

    /// The table of a name.
    ///
    /// - Throws: `tableNotFound`.
    package func definition(_ name: String) throws(TableError) -> TableDefinition {
        guard let definition = definitions.withLock({ $0[name] }) else { throw .tableNotFound(name) }
        return definition
    }

    /// Every table, by name.
    package var all: [String: TableDefinition] { definitions.withLock { $0 } }

    /// Puts what the file holds in place of what there was.
    ///
    /// A table that is still the same one keeps its object: transactions that wait were prepared for that.
    func replace(with new: [String: TableDefinition]) {
        definitions.withLock { definitions in
            definitions = new.mapValues { definition in
                guard let old = definitions[definition.name], old.isSame(as: definition) else { return definition }
                return old
            }
        }
    }
}
