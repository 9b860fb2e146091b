import Access
import Dispatch
import DynamoModel
import FlagCore
import Platform

/// Why something was not done to a key.
package enum KeyStoreError: Error, Equatable {
    /// There is no key of this selector.
    case notFound(String)
    /// The key is good no more.
    case ended(String, KeyRecord.State)
    /// There is one of this name.
    case exists(String)
    /// There are as many keys as there may be.
    case tooMany(Int)
    /// The store could not read or write.
    case store(TableError)
    /// The key by which secrets are kept cannot be had: why, and what to do.
    case secretKey(String)
    /// The digest of a password could not be computed: why, and what to do.
    case passwordDigest(String)
}

/// The API keys: makes, lists, renews and revokes them, and hands every change to whoever checks by them.
///
/// The functions block while the disk is written: not for a loop.
package final class KeyStore: Sendable {
    /// Makes the digests of secrets, and their key where there is none and it may: as long as no secret was kept by
    /// it. Fails with what an operator has to do.
    package typealias Digests = @Sendable (_ mayCreate: Bool) throws(KeyStoreError) -> SecretDigest

    private struct State {
        var ring = KeyRing()
        /// What has changed before the keys were read; nil once they were.
        var early: [(selector: String, record: KeyRecord?)]? = []
        var deliver: @Sendable (KeyRing) -> Void = { _ in }
    }

    /// How many keys there may be: all of them are in memory.
    private static let maximum = 100_000

    /// For how long whoever shows a key that has ended is told so: then it is not in memory any more.
    private static let toldMilliseconds: Int64 = 86_400_000

    /// For how long a key that has ended is listed: then it is deleted, so that those that were do not take the places
    /// of those to come.
    private static let listedMilliseconds: Int64 = 30 * 86_400_000

    /// How many are deleted in one transaction.
    private static let deletedTogether = 50

    /// How many secrets of before a key may have.
    private static let formerSecrets = 4

    let store: any TableStore
    let digests: Digests
    private let state = Locked(State())
    let changes = KeyChanges()
    private let uses = DispatchQueue(label: "flag-server.keys.uses")
    /// The access keys of DynamoDB's protocol, which lie in the same table.
    package let accessKeys: AccessKeyStore
    /// The keys that tokens are signed with, which lie in the same table.
    package let signingKeys: SigningKeyStore

    /// Keys in a store. Nothing is read yet.
    package init(store: any TableStore, digests: @escaping Digests) {
        self.store = store
        self.digests = digests
        accessKeys = AccessKeyStore(store: store, digests: digests, changes: changes)
        signingKeys = SigningKeyStore(store: store, digests: digests, changes: changes)
    }

    /// Whether nothing is kept by the key of the secrets: no key of any kind, and no account.
    package func hasNothing() throws(KeyStoreError) -> Bool { try store.hasNoAccessItems() }

    /// The keys as they are.
    package var ring: KeyRing { state.withLock { $0.ring } }

    /// Begins to follow the keys.
    ///
    /// - Parameter deliver: takes all keys, now and after each change of what is checked, before the change is
    ///   answered. Called with a lock held: it must only enqueue.
    package func start(deliver: @escaping @Sendable (KeyRing) -> Void) throws(KeyStoreError) {
        store.subscribe { [weak self] changes in self?.take(changes) }
        let records = try load()
        state.withLock { state in
            state.deliver = deliver
            // What has changed meanwhile is newer than what was read.
            state.ring = KeyRing(records.values).with(state.early ?? [])
            state.early = nil
            deliver(state.ring)
        }
    }

    /// Reads all keys. O(keys).
    package func load() throws(KeyStoreError) -> [String: KeyRecord] {
        let records = try store.accessItems(AccessTable.keys).compactMap(KeyRecord.init(item:))
        return Dictionary(records.map { ($0.selector, $0) }) { $1 }
    }

    /// A key as it is kept.
    package func find(_ selector: String) throws(KeyStoreError) -> KeyRecord {
        let item = try store.accessItem(AccessTable.key(selector))
        guard let record = item.flatMap(KeyRecord.init(item:)) else { throw .notFound(selector) }
        return record
    }

    /// Makes a key.
    ///
    /// - Parameters:
    ///   - draft: what it is to be.
    ///   - principal: who makes it.
    /// - Returns: the key as it is kept, and its text, which is kept nowhere.
    package func create(
        _ draft: KeyDraft, by principal: Principal, at now: Timestamp
    ) throws(KeyStoreError) -> (KeyRecord, KeyText) {
        try changes.one { () throws(KeyStoreError) in
            let digests = try digests(store.hasNoAccessItems())
            var random = SystemRandomNumberGenerator()
            let text = KeyText(draft.kind, random: &random)
            let record = KeyRecord(
                selector: text.selector, kind: draft.kind, name: draft.name, environment: draft.environment,
                roles: draft.roles, tenantID: draft.tenantID, rate: draft.rate, createdAt: now,
                createdBy: "\(principal)", expiresAt: draft.lifetime.end(from: now),
                secrets: [KeyRecord.Secret(digest: digests.digest(of: text.secret))])
            try store.createAccessTable()
            let count = try store.accessItemCount(AccessTable.keys, upTo: Self.maximum)
            guard count < Self.maximum else { throw .tooMany(count) }
            try write(record, by: principal)
            return (record, text)
        }
    }

    /// Gives a key another secret; the one before stays good for a while.
    ///
    /// - Parameter overlapMilliseconds: for how long.
    package func rotate(
        _ selector: String, overlapMilliseconds: Int64, by principal: Principal, at now: Timestamp
    ) throws(KeyStoreError) -> (KeyRecord, KeyText) {
        try changes.one { () throws(KeyStoreError) in
            let digests = try digests(false)
            var record = try find(selector)
            guard record.state(at: now) == .active else { throw .ended(selector, record.state(at: now)) }
            var random = SystemRandomNumberGenerator()
            let text = KeyText(record.kind, selector: selector, random: &random)
            let end = Timestamp(millisecondsSinceEpoch: now.millisecondsSinceEpoch + overlapMilliseconds)
            // Whoever does it twice takes nothing away that was promised the first time.
            let before = record.secrets.map { secret in
                KeyRecord.Secret(digest: secret.digest, until: min(secret.until ?? end, end))
            }
            record.secrets =
                [KeyRecord.Secret(digest: digests.digest(of: text.secret))]
                + before.filter { $0.until.map { $0 > now } ?? false }.prefix(Self.formerSecrets)
            try write(record, by: principal)
            return (record, text)
        }
    }

    /// Ends a key; once this returns, no loop lets it in any more.
    package func revoke(
        _ selector: String, reason: String?, by principal: Principal, at now: Timestamp
    ) throws(KeyStoreError) -> KeyRecord {
        try changes.one { () throws(KeyStoreError) in
            var record = try find(selector)
            guard record.revocation == nil else { return record }
            record.revocation = KeyRecord.Revocation(at: now, by: "\(principal)", reason: reason)
            // As a kill switch: before all that waits, and on a full disk, too.
            try write(record, by: principal, urgency: .urgent)
            return record
        }
    }

    /// Lets go of keys of either kind that have ended: from memory a day after their end, from the store 30 days after.
    /// O(keys). What fails is done another time.
    ///
    /// - Returns: how many were deleted.
    @discardableResult
    package func forgetEnded(at now: Timestamp) throws(KeyStoreError) -> Int {
        forgetInMemory(ended: now.earlier(by: Self.toldMilliseconds))
        let bound = now.earlier(by: Self.listedMilliseconds)
        let keys = try load().values.filter { $0.hasEnded(before: bound) }.map { AccessTable.key($0.selector) }
        let accessKeys = try accessKeys.load().filter { $0.revocation.map { $0.at < bound } ?? false }
        let ended = keys + accessKeys.map { AccessTable.accessKey($0.id) }
        for start in stride(from: 0, to: ended.count, by: Self.deletedTogether) {
            try store.deleteAccessItems(Array(ended[start..<min(start + Self.deletedTogether, ended.count)]))
        }
        return ended.count
    }

    private func forgetInMemory(ended bound: Timestamp) {
        state.withLock { state in
            let ended = state.ring.ended(before: bound)
            guard !ended.isEmpty else { return }
            state.ring = state.ring.with(ended.lazy.map { ($0, nil) })
            state.deliver(state.ring)
        }
    }

    /// Notes that a key was seen on a day. Returns at once; what goes wrong is tried again on another day.
    package func noteUse(_ selector: String, _ time: Timestamp) {
        // Beside changes, none of which waits for it: it sets one attribute, of a key that is there.
        uses.async { [store] in
            let day = String(time.rfc3339.prefix(10))
            guard let record = try? self.find(selector), record.lastUsed ?? "" < day else { return }
            store.noteUse(of: AccessTable.key(selector), on: day)
        }
    }

    private func write(
        _ record: KeyRecord, by principal: Principal, urgency: WriteUrgency = .usual
    ) throws(KeyStoreError) {
        try store.writeAccessItem(record.item, by: principal, urgency: urgency)
    }

    /// On the writer's queue, before a change is answered.
    private func take(_ changes: [TableChange]) {
        let changes = changes.filter { $0.isOfAccess(AccessTable.keys) }
        guard !changes.isEmpty else { return }
        state.withLock { state in
            let news = changes.compactMap { change -> (selector: String, record: KeyRecord?)? in
                guard let selector = change.key.sort?.stringValue else { return nil }
                let record = change.newItem.flatMap(KeyRecord.init(item:))
                // Nobody checks by the day of the last use, which many keys change.
                return state.ring.record(selector)?.isChecked(like: record) ?? (record == nil)
                    ? nil : (selector, record)
            }
            guard !news.isEmpty else { return }
            state.early?.append(contentsOf: news)
            state.ring = state.ring.with(news)
            state.deliver(state.ring)
        }
    }
}

/// Has changes of keys of either kind made one after the other: each reads before it writes, and the first of them
/// makes what secrets are kept by.
struct KeyChanges: Sendable {
    private let queue = DispatchQueue(label: "flag-server.keys")

    /// Makes one. Blocks until it is made.
    func one<Result: Sendable>(_ body: () throws(KeyStoreError) -> Result) throws(KeyStoreError) -> Result {
        let result = queue.sync { () -> Swift.Result<Result, KeyStoreError> in
            do throws(KeyStoreError) { return .success(try body()) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

extension Timestamp {
    /// The instant so long before.
    fileprivate func earlier(by milliseconds: Int64) -> Timestamp {
        Timestamp(millisecondsSinceEpoch: millisecondsSinceEpoch - milliseconds)
    }
}

extension KeyRecord {
    /// Whether another record lets in the same, in the same way.
    fileprivate func isChecked(like other: KeyRecord?) -> Bool {
        guard var other else { return false }
        other.lastUsed = lastUsed
        return self == other
    }
}
