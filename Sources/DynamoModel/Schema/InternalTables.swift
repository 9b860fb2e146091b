/// The names of tables that belong to the program itself.
///
/// They lie in the same store as everybody's tables, so that one transaction, one backup and one change stream cover
/// all; whoever speaks the protocol can neither see them, nor reach them, nor create one.
package enum InternalTables {
    /// What their names begin with, and no other table's does.
    package static let prefix = "__internal."

    /// The audit log. It is made from the changes of all other tables, and keeps itself what becomes of it.
    package static let audit = "\(prefix)audit"

    /// What the companion of a flag table is called that has the histories of what is in it.
    package static let history = "history"

    /// Whether the change stream has the changes of a table: not those of the audit log, whose content would be in the
    /// file a second time for nobody. Nothing follows it, it has no continuous backups, and whether it is what was
    /// written is seen from its own chain. Of every other table, the stream is what a verification compares items with.
    package static func isFollowed(_ name: String) -> Bool { name != audit }

    /// Whether a table of this name is one of them.
    package static func contains(_ name: String) -> Bool { name.utf8.starts(with: prefix.utf8) }

    /// The table that another one accompanies: a name is the prefix, what the companion is, a dot, and the table's
    /// name. Nil for a table that is none, and for one that belongs to no other.
    package static func accompanied(by name: String) -> (kind: String, table: String)? {
        guard contains(name) else { return nil }
        let rest = name.dropFirst(prefix.utf8.count)
        guard let dot = rest.firstIndex(of: "."), dot > rest.startIndex, rest.index(after: dot) < rest.endIndex else {
            return nil
        }
        return (String(rest[..<dot]), String(rest[rest.index(after: dot)...]))
    }

    /// The name of a companion of `table`.
    package static func name(_ kind: String, of table: String) -> String { "\(prefix)\(kind).\(table)" }
}
