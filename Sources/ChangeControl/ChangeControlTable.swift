import DynamoModel
import FlagCore

/// The internal table of what is to happen to flags and of what holds changes up. It accompanies no table of flags and
/// is in no backup of one, so that no restore brings back what was cancelled or has happened already.
///
/// | item | PK | SK |
/// |---|---|---|
/// | change that others are asked to agree to | `PROPOSAL#{env}` | the identifier |
/// | what it does (`OPERATION`, `SEEN`, `DIFFERENCE`) | `PROPOSED#{env}` | the identifier, `#`, which of them |
/// | change at an instant | `SCHEDULE#{env}` | the identifier |
/// | freeze | `FREEZE` | the identifier |
package enum ChangeControlTable {
    /// Its name.
    package static let name = "\(InternalTables.prefix)change-control"

    static let partition: AttributeName = "PK"
    static let sort: AttributeName = "SK"

    /// The index that lists schedules by time, and the attributes that it is made of.
    static let schedulesIndex = "schedules"
    static let list: AttributeName = "list"
    static let order: AttributeName = "order"

    static let schema = TableSchema(
        name: name, partitionKey: KeyAttribute(partition), sortKey: KeyAttribute(sort),
        indexes: [
            IndexSchema(schedulesIndex, partitionKey: KeyAttribute(list), sortKey: KeyAttribute(order))
        ])

    /// The partition of an environment's proposals.
    static func proposals(_ environment: Environment) -> String { "PROPOSAL#\(environment.rawValue)" }
    /// The partition of what an environment's proposals are about.
    static func proposed(_ environment: Environment) -> String { "PROPOSED#\(environment.rawValue)" }
    /// The partition of an environment's schedules.
    static func schedules(_ environment: Environment) -> String { "SCHEDULE#\(environment.rawValue)" }
    /// The partition of the freezes.
    static let freezes = "FREEZE"
}

extension TableStore {
    /// Makes the table where there is none. Blocks.
    package func createChangeControlTable() throws(TableError) {
        if try listTables().contains(ChangeControlTable.name) { return }
        do throws(TableError) { try createTable(ChangeControlTable.schema) } catch {
            // Somebody else was faster.
            if case .tableExists = error { return }
            throw error
        }
    }
}
