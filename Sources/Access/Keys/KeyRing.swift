import FlagCore

/// All keys, as of one moment. What is found in it was found by its selector alone: the secret is for others to check.
///
/// A class so that all event loops hold one by a reference.
package final class KeyRing: Sendable {
    /// The keys by their selectors.
    package let records: [String: KeyRecord]

    /// A ring of keys.
    package init(_ records: [String: KeyRecord] = [:]) { self.records = records }

    /// From how long before their end keys are told of.
    package static let noticeMilliseconds: Int64 = 14 * 86_400_000

    /// The keys that are good and end within 14 days, those that end first in front. O(keys log keys).
    package func endingSoon(at now: Timestamp) -> [KeyRecord] {
        let bound = now.millisecondsSinceEpoch + Self.noticeMilliseconds
        let ending = records.values.filter { record in
            record.state(at: now) == .active && record.expiresAt.map { $0.millisecondsSinceEpoch < bound } ?? false
        }
        func end(_ record: KeyRecord) -> Int64 { record.expiresAt?.millisecondsSinceEpoch ?? .max }
        return ending.sorted { (end($0), $0.selector) < (end($1), $1.selector) }
    }

    /// The key of a selector; nil when there is none. O(1).
    package func record(_ selector: String) -> KeyRecord? { records[selector] }
}
