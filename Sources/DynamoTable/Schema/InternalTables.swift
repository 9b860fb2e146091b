/// The names of tables that belong to the program itself.
///
/// They lie in the same store as everybody's tables, so that one transaction, one backup and one change stream cover
/// all; whoever speaks the protocol can neither see them, nor reach them, nor create one.
package enum InternalTables {
    /// What their names begin with, and no other table's does.
    package static let prefix = "__internal."

    /// Whether a table of this name is one of them.
    package static func contains(_ name: String) -> Bool { name.utf8.starts(with: prefix.utf8) }
}
