/// All accounts, as of one moment: what sessions and tokens of persons are checked by.
///
/// A class so that all event loops hold one by a reference.
package final class UserRing: Sendable {
    /// The accounts by their names.
    package let records: [UserName: UserRecord]

    /// A ring of accounts.
    package init(_ records: [UserName: UserRecord] = [:]) { self.records = records }

    /// The account of a name, if what was handed out under a revision is good by it: the account is there, it is not
    /// disabled, and nothing was revoked since. O(1).
    package func record(_ name: UserName, revision: Int64) -> UserRecord? {
        records[name].flatMap { $0.revision == revision && $0.disabledAt == nil ? $0 : nil }
    }
}
