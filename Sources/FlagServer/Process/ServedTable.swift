import DynamoModel
import FlagCore
import FlagStore
import TableEngine

/// The table that a server of flags has in a store: protected from deletion, and never made anew in silence where it
/// had been. Calls block.
struct ServedTable {
    let tables: SQLiteTableStore
    let profile: Profile

    private var name: String { profile.tableName }
    /// What the store says of a table that was served from it.
    private var setting: String { "served.\(name)" }

    /// Whether the table is there.
    func isThere() throws(TableError) -> Bool { try tables.listTables().contains(name) }

    /// Whether the store has the table, or had it.
    func isKnown() throws(TableError) -> Bool {
        if try isThere() { return true }
        return try tables.setting(setting) != nil
    }

    /// Sees to it that there is a table, and protects it when it is served for the first time: whoever turns that off
    /// later finds it off.
    ///
    /// - Parameters:
    ///   - creates: whether it is made where it was never before.
    ///   - recreates: whether it is made where it had been.
    ///   - directory: where the store is, for messages.
    /// - Throws: `CommandFailure` when there is none and none is made.
    func prepare(creates: Bool, recreates: Bool, in directory: String) throws {
        let isThere = try isThere()
        let wasServed = try tables.setting(setting) != nil
        if !isThere {
            guard !wasServed || recreates else {
                throw CommandFailure(
                    "the table \(name), which was served from \(directory), is gone: make it again from a backup "
                        + "(flag-server backup list, flag-server restore BACKUP) or from its log (flag-server restore "
                        + "--time latest --table \(name)); flag-server import FILE --create begins anew")
            }
            guard wasServed || creates else {
                throw CommandFailure(
                    "there are no flags in \(directory): name the data directory with --data-dir; flag-server import "
                        + "FILE --create begins there")
            }
            try tables.createTable(FlagTable.schema(named: name))
        } else if !wasServed {
            try protect()
        }
        if !wasServed { try tables.setSetting(setting, to: "yes") }
    }

    /// Protects the table from deletion, as one has to be that has just taken the place of another.
    func protect() throws(TableError) {
        try tables.updateTable(name) { schema in
            var schema = schema
            schema.isProtected = true
            return schema
        }
    }
}
