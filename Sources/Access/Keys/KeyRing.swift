import FlagCore

/// All keys, as of one moment. What is found in it was found by its selector alone: the secret is for others to check.
///
/// A class so that all event loops hold one by a reference.
package final class KeyRing: Sendable {
    /// The keys by their selectors.
    package let records: [String: KeyRecord]
    /// What was used of the rates that keys have of their own.
    private let rates: [String: OwnRate]

    /// A ring of keys.
    ///
    /// - Parameter former: the ring before, whose keys go on with what they have used.
    package init(_ records: [String: KeyRecord] = [:], after former: KeyRing? = nil) {
        self.records = records
        var rates: [String: OwnRate] = [:]
        for (selector, record) in records {
            guard let rate = record.rate else { continue }
            let known = former?.rates[selector]
            rates[selector] = known?.rate == rate ? known : OwnRate(rate)
        }
        self.rates = rates
    }

    /// What was used of a key's own rate; nil where it has none.
    package func rate(of selector: String) -> OwnRate? { rates[selector] }

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
