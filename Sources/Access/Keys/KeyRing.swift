/// All keys, as of one moment. What is found in it was found by its selector alone: the secret is for others to check.
///
/// A class so that all event loops hold one by a reference.
package final class KeyRing: Sendable {
    /// The keys by their selectors.
    package let records: [String: KeyRecord]

    /// A ring of keys.
    package init(_ records: [String: KeyRecord] = [:]) { self.records = records }

    /// The key of a selector; nil when there is none. O(1).
    package func record(_ selector: String) -> KeyRecord? { records[selector] }
}
