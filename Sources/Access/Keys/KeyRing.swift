import FlagCore

/// All keys, as of one moment. What is found in it was found by its selector alone: the secret is for others to check.
///
/// It is never changed: a change makes another one, which shares with it all shards but those of the keys that changed.
/// A class so that all event loops hold one by a reference.
package final class KeyRing: Sendable {
    /// A key with what was used of its own rate.
    private final class Key: Sendable {
        let record: KeyRecord
        let rate: OwnRate?

        /// - Parameter former: the same key before a change: what was used stays used.
        init(_ record: KeyRecord, after former: Key?) {
            self.record = record
            let known = former?.rate
            rate = record.rate.map { rate in known.flatMap { $0.rate == rate ? $0 : nil } ?? OwnRate(rate) }
        }
    }

    /// With 100,000 keys, a change copies 200 references to keys and 512 to shards.
    private static let shardCount = 512

    private let shards: [[String: Key]]

    private init(shards: [[String: Key]]) { self.shards = shards }

    /// A ring of keys, none without records.
    package convenience init(_ records: some Sequence<KeyRecord> = []) {
        var shards: [[String: Key]] = Array(repeating: [:], count: Self.shardCount)
        for record in records { shards[Self.shard(of: record.selector)][record.selector] = Key(record, after: nil) }
        self.init(shards: shards)
    }

    private static func shard(of selector: String) -> Int {
        Int(UInt(bitPattern: selector.hashValue) % UInt(shardCount))
    }

    /// The ring after changes of some keys, which go on with what they have used. O(shards + changes × keys of one).
    ///
    /// - Parameter changes: the keys as they are now; nil for one that is no more.
    package func with(_ changes: some Sequence<(selector: String, record: KeyRecord?)>) -> KeyRing {
        var shards = shards
        for (selector, record) in changes {
            let place = Self.shard(of: selector)
            shards[place][selector] = record.map { Key($0, after: shards[place][selector]) }
        }
        return KeyRing(shards: shards)
    }

    /// How many keys there are. O(shards).
    package var count: Int { shards.reduce(0) { $0 + $1.count } }

    /// The key of a selector; nil when there is none. O(1).
    package func record(_ selector: String) -> KeyRecord? { key(selector)?.record }

    /// What was used of a key's own rate; nil where it has none.
    package func rate(of selector: String) -> OwnRate? { key(selector)?.rate }

    private func key(_ selector: String) -> Key? { shards[Self.shard(of: selector)][selector] }

    private var records: some Sequence<KeyRecord> { shards.lazy.flatMap(\.values).map(\.record) }

    // MARK: Ends

    /// From how long before their end keys are told of.
    package static let noticeMilliseconds: Int64 = 14 * 86_400_000

    /// The keys that are good and end within 14 days, those that end first in front. O(keys log keys).
    package func endingSoon(at now: Timestamp) -> [KeyRecord] {
        let bound = now.millisecondsSinceEpoch + Self.noticeMilliseconds
        let ending = records.filter { record in
            record.state(at: now) == .active && record.expiresAt.map { $0.millisecondsSinceEpoch < bound } ?? false
        }
        func end(_ record: KeyRecord) -> Int64 { record.expiresAt?.millisecondsSinceEpoch ?? .max }
        return ending.sorted { (end($0), $0.selector) < (end($1), $1.selector) }
    }

    /// The selectors of keys that have ended before an instant. O(keys).
    package func ended(before instant: Timestamp) -> [String] {
        records.filter { $0.hasEnded(before: instant) }.map(\.selector)
    }
}
