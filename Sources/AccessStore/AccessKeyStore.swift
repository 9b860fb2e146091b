import Access
import Dispatch
import DynamoModel
import FlagCore
import JSON
import Platform
import Synchronization

/// The access keys of DynamoDB's protocol: makes, lists and revokes them, and knows those that are good.
///
/// The functions block while the disk is written, but `key`: not for a loop.
package final class AccessKeyStore: Sendable {
    /// A key that is good, as requests are checked by it.
    package final class Key: Sendable {
        /// The key as it is kept.
        package let record: AccessKeyRecord
        /// What requests are signed with.
        package let secret: [UInt8]
        /// What it may.
        package let policy: AccessPolicy
        /// How often requests may be signed with it, and what was used of that; nil for no bound.
        package let rate: OwnRate?
        /// The day since 1970 on which its use was told.
        fileprivate let toldDay = Atomic<Int64>(-1)

        /// Nil for a key that is good no more, or whose policy cannot be read: then nobody comes in by it.
        ///
        /// - Parameter former: the same key before a change: what was used of its rate stays used.
        fileprivate init?(_ record: AccessKeyRecord, _ digests: SecretDigest, after former: Key? = nil) {
            guard record.state == .active, let json = try? JSONValue(parsing: record.policy),
                let policy = try? AccessPolicy.read(json).policy
            else { return nil }
            self.record = record
            self.policy = policy
            let known = former?.rate
            rate = record.rate.map { rate in known.flatMap { $0.rate == rate ? $0 : nil } ?? OwnRate(rate) }
            secret = digests.accessKeySecret(of: record.id)
        }
    }

    private struct State {
        /// By identifier; nil for one that is known to be good no more.
        var keys: [String: Key?] = [:]
        /// What secrets are derived from; nil until keys are followed.
        var digests: SecretDigest?
        var isFollowed = false
        var onKey: @Sendable () -> Void = {}

        /// Tells where there is a key that is good.
        func tell() {
            if isFollowed, keys.values.contains(where: { $0 != nil }) { onKey() }
        }
    }

    /// How many keys there may be: all of them are in memory, each with its policy.
    private static let maximum = 10_000

    private let store: any TableStore
    private let digests: KeyStore.Digests
    private let state = Locked(State())
    private let changes: KeyChanges
    private let uses = DispatchQueue(label: "flag-server.access-keys.uses")

    /// Keys in a store. Nothing is read yet.
    init(store: any TableStore, digests: @escaping KeyStore.Digests, changes: KeyChanges) {
        self.changes = changes
        self.store = store
        self.digests = digests
    }

    /// Begins to follow the keys, so that `key` finds them.
    ///
    /// - Parameter onKey: called when there is a key that is good, now and after each change. Called with a lock held:
    ///   it must only enqueue.
    package func start(onKey: @escaping @Sendable () -> Void) throws(KeyStoreError) {
        store.subscribe { [weak self] changes in self?.take(changes) }
        let records = try load()
        // The file of the server's key is made with the first of the keys; until then there is nothing to derive.
        let digests = records.isEmpty ? nil : try digests(false)
        state.withLock { state in
            state.onKey = onKey
            state.isFollowed = true
            state.digests = state.digests ?? digests
            if let digests = state.digests {
                // What has changed meanwhile is newer than what was read.
                state.keys.merge(records.map { ($0.id, Key($0, digests)) }) { current, _ in current }
            }
            state.keys = state.keys.filter { $0.value != nil }
            state.tell()
        }
    }

    /// A key that is good; nil for any other. O(1); from any thread.
    package func key(_ id: String) -> Key? { state.withLock { $0.keys[id] ?? nil } }

    /// Reads all keys, revoked ones too. O(keys).
    package func load() throws(KeyStoreError) -> [AccessKeyRecord] {
        try store.accessItems(AccessTable.accessKeys).compactMap(AccessKeyRecord.init(item:))
    }

    /// A key as it is kept.
    package func find(_ id: String) throws(KeyStoreError) -> AccessKeyRecord {
        let item = try store.accessItem(AccessTable.accessKey(id))
        guard let record = item.flatMap(AccessKeyRecord.init(item:)) else { throw .notFound(id) }
        return record
    }

    /// Makes a key; once this returns, requests that are signed with it are let in.
    ///
    /// - Parameters:
    ///   - name: what people call it.
    ///   - policy: what it may, a document that can be read.
    ///   - rate: how often requests may be signed with it; nil for no bound.
    ///   - principal: who makes it.
    /// - Returns: the key as it is kept, and its secret, which is kept nowhere.
    package func create(
        _ name: String, policy: JSONValue, rate: RequestRate? = nil, by principal: Principal, at now: Timestamp
    ) throws(KeyStoreError) -> (AccessKeyRecord, secret: String) {
        try changes.one { () throws(KeyStoreError) in
            let digests = try digests(store.hasNoAccessItems())
            var random = SystemRandomNumberGenerator()
            let record = AccessKeyRecord(
                id: AccessKeyID.make(random: &random), name: name, policy: policy.serialized(), createdAt: now,
                createdBy: "\(principal)", rate: rate)
            state.withLock { $0.digests = digests }
            try store.createAccessTable()
            let count = try store.accessItemCount(AccessTable.accessKeys, upTo: Self.maximum)
            guard count < Self.maximum else { throw .tooMany(count) }
            try store.writeAccessItem(record.item, by: principal)
            return (record, String(decoding: digests.accessKeySecret(of: record.id), as: UTF8.self))
        }
    }

    /// Ends a key; once this returns, nothing that is signed with it is let in any more.
    package func revoke(
        _ id: String, reason: String?, by principal: Principal, at now: Timestamp
    ) throws(KeyStoreError) -> AccessKeyRecord {
        try changes.one { () throws(KeyStoreError) in
            var record = try find(id)
            guard record.revocation == nil else { return record }
            record.revocation = KeyRecord.Revocation(at: now, by: "\(principal)", reason: reason)
            // As a kill switch: before all that waits, and on a full disk, too.
            try store.writeAccessItem(record.item, by: principal, urgency: .urgent)
            return record
        }
    }

    /// Notes that something was signed with a key, once a day for each. Returns at once; what goes wrong is tried again
    /// on another day.
    ///
    /// - Parameter now: seconds since 1970.
    package func noteUse(of key: Key, at now: Int64) {
        let day = now / 86_400
        guard key.toldDay.load(ordering: .relaxed) != day, key.toldDay.exchange(day, ordering: .relaxed) != day else {
            return
        }
        let date = String(Timestamp(millisecondsSinceEpoch: now * 1000).rfc3339.prefix(10))
        // Beside changes, none of which waits for it: it sets one attribute, of a key that is there.
        uses.async { [self] in
            guard let record = try? find(key.record.id), record.lastUsed ?? "" < date else { return }
            store.noteUse(of: AccessTable.accessKey(record.id), on: date)
        }
    }

    /// On the writer's queue, before a change is answered.
    private func take(_ changes: [TableChange]) {
        let changes = changes.filter { $0.isOfAccess(AccessTable.accessKeys) }
        guard !changes.isEmpty else { return }
        state.withLock { state in
            for change in changes {
                guard let id = change.key.sort?.stringValue else { continue }
                let record = change.newItem.flatMap(AccessKeyRecord.init(item:))
                let former = state.keys[id] ?? nil
                // Nobody checks by the day of the last use.
                if let record, former?.record.isChecked(like: record) ?? false { continue }
                let key = record.flatMap { record in state.digests.flatMap { Key(record, $0, after: former) } }
                // Until all keys were read, what is known to be good no more is not taken from what was read.
                if state.isFollowed { state.keys[id] = key } else { state.keys.updateValue(key, forKey: id) }
            }
            state.tell()
        }
    }
}

extension AccessKeyRecord {
    /// Whether another record lets in the same, in the same way.
    fileprivate func isChecked(like other: AccessKeyRecord) -> Bool {
        var other = other
        other.lastUsed = lastUsed
        return self == other
    }
}
