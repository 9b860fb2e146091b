import Access
import Dispatch
import DynamoModel
import FlagCore
import JSON
import Platform

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

        /// Nil for a key that is good no more, or whose policy cannot be read: then nobody comes in by it.
        fileprivate init?(_ record: AccessKeyRecord, _ digests: SecretDigest) {
            guard record.state == .active, let json = try? JSONValue(parsing: record.policy),
                let policy = try? AccessPolicy.read(json).policy
            else { return nil }
            self.record = record
            self.policy = policy
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
    ///   - principal: who makes it.
    /// - Returns: the key as it is kept, and its secret, which is kept nowhere.
    package func create(
        _ name: String, policy: JSONValue, by principal: Principal, at now: Timestamp
    ) throws(KeyStoreError) -> (AccessKeyRecord, secret: String) {
        try changes.one { () throws(KeyStoreError) in
            let digests = try digests(store.hasNoAccessItems())
            var random = SystemRandomNumberGenerator()
            let record = AccessKeyRecord(
                id: AccessKeyID.make(random: &random), name: name, policy: policy.serialized(), createdAt: now,
                createdBy: "\(principal)")
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

    /// On the writer's queue, before a change is answered.
    private func take(_ changes: [TableChange]) {
        let changes = changes.filter { $0.isOfAccess(AccessTable.accessKeys) }
        guard !changes.isEmpty else { return }
        state.withLock { state in
            for change in changes {
                guard let id = change.key.sort?.stringValue else { continue }
                let record = change.newItem.flatMap(AccessKeyRecord.init(item:))
                let key = record.flatMap { record in state.digests.flatMap { Key(record, $0) } }
                state.keys.updateValue(key, forKey: id)
            }
            state.tell()
        }
    }
}
