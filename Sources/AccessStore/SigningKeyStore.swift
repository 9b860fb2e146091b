import Access
import DynamoModel
import FlagCore
import JSON
import Platform
import Tokens

/// The keys that tokens are signed with: a new one each day, each kept until the last of its tokens has ended.
///
/// `start` and `current` block while the disk is read or written: not for a loop.
package final class SigningKeyStore: Sendable {
    private enum Name {
        static let createdAt: AttributeName = "createdAt"
        static let sealed: AttributeName = "sealed"
    }

    private let store: any TableStore
    private let digests: KeyStore.Digests
    private let changes: KeyChanges
    /// By identifier; nil until they were read.
    private let keys = Locked<[String: SigningKey]?>(nil)

    /// Keys in a store. Nothing is read yet.
    init(store: any TableStore, digests: @escaping KeyStore.Digests, changes: KeyChanges) {
        self.store = store
        self.digests = digests
        self.changes = changes
    }

    /// Reads the keys, so that tokens that were issued before are good.
    package func start() throws(KeyStoreError) {
        try changes.one { () throws(KeyStoreError) in _ = try load() }
    }

    /// The key of an identifier; nil where there is none. O(1); from any thread.
    package func key(_ id: String) -> SigningKey? { keys.withLock { $0?[id] } }

    /// The key that signs now; makes one where the last is a day old.
    package func current(at now: Timestamp) throws(KeyStoreError) -> SigningKey {
        if let key = newest(at: now) { return key }
        return try changes.one { () throws(KeyStoreError) in
            let known = try load()
            if let key = newest(at: now) { return key }
            return try make(beside: known, at: now)
        }
    }

    /// The public halves of all keys of which there can be tokens, as a key set (RFC 7517 section 5). Those that other
    /// servers check by are told beforehand: a token names a key that is in the set.
    package func publicHalves(at now: Timestamp) throws(KeyStoreError) -> JSONValue {
        _ = try current(at: now)
        let all = keys.withLock { keys in keys.map { Array($0.values) } ?? [] }
        let kept = all.filter { $0.isKept(at: now) }.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        return ["keys": .array(kept.map(\.publicHalf))]
    }

    private func newest(at now: Timestamp) -> SigningKey? {
        keys.withLock { keys in
            keys?.values.filter { $0.signs(at: now) }.max { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
        }
    }

    private func load() throws(KeyStoreError) -> [String: SigningKey] {
        if let known = keys.withLock({ $0 }) { return known }
        let items = try store.accessItems(AccessTable.signingKeys)
        var read: [String: SigningKey] = [:]
        if !items.isEmpty {
            let sealingKey = try digests(false).signingKeySeal
            for item in items {
                guard let id = item[AccessTable.sort]?.stringValue,
                    let createdAt = item[Name.createdAt]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
                    case .binary(let sealed)? = item[Name.sealed]
                else { continue }
                // One that cannot be opened was sealed with another server's key: its tokens are good no more.
                read[id] = SigningKey(id: id, sealed: sealed, with: sealingKey, createdAt: createdAt)
            }
        }
        keys.withLock { [read] in $0 = read }
        return read
    }

    private func make(
        beside known: [String: SigningKey], at now: Timestamp
    ) throws(KeyStoreError) -> SigningKey {
        let digests = try digests(store.hasNoAccessItems())
        let key = SigningKey(createdAt: now)
        guard let sealed = key.sealed(with: digests.signingKeySeal) else {
            throw .secretKey("a key that tokens are signed with cannot be sealed: see the server's access.key")
        }
        try store.createAccessTable()
        try store.writeAccessItem(
            [
                AccessTable.partition: .string(AccessTable.signingKeys), AccessTable.sort: .string(key.id),
                Name.createdAt: .string(now.rfc3339), Name.sealed: .binary(sealed),
            ], by: .server)
        let ended = known.filter { !$0.value.isKept(at: now) }.keys
        try store.deleteAccessItems(ended.map { AccessTable.signingKey($0) })
        let kept = known.filter { $0.value.isKept(at: now) }.merging([key.id: key]) { $1 }
        keys.withLock { $0 = kept }
        return key
    }
}
