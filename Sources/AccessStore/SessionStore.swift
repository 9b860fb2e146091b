import Access
import Bytes
import Dispatch
import DynamoModel
import FlagCore
import Platform
import Tokens

/// A person's session in a browser, as it is kept: not what the browser shows.
package struct SessionRecord: Sendable, Equatable {
    /// What is kept of its identifier, as text.
    package let digest: String
    package let user: UserName
    /// The account's, when it began: another one ends it.
    package let revision: Int64
    package let createdAt: Timestamp
    /// When it was last used, as far as that was noted.
    package var usedAt: Timestamp

    /// How long it lasts without being used, in milliseconds.
    package static let idleMilliseconds: Int64 = 12 * 3_600_000
    /// How long it lasts however much it is used, in milliseconds: then its person signs in again.
    package static let lifetimeMilliseconds: Int64 = 7 * 24 * 3_600_000
    /// How long a use is not noted after another, in milliseconds.
    package static let notedMilliseconds: Int64 = 5 * 60_000

    /// When it ends if it is not used.
    package var end: Timestamp {
        Timestamp(
            millisecondsSinceEpoch: min(
                usedAt.millisecondsSinceEpoch + Self.idleMilliseconds,
                createdAt.millisecondsSinceEpoch + Self.lifetimeMilliseconds))
    }
}

/// All sessions, as of one moment.
///
/// A class so that all event loops hold one by a reference.
package final class SessionRing: Sendable {
    /// By the digests of their identifiers.
    package let records: [String: SessionRecord]
    /// How many have ended so far. Where it is the same, nobody has to be looked at anew: that a session was used, as
    /// each is every few minutes, or that one began, takes nothing from whoever is known.
    package let endedCount: Int

    /// A ring of sessions.
    package init(_ records: [String: SessionRecord] = [:], endedCount: Int = 0) {
        self.records = records
        self.endedCount = endedCount
    }
}

/// The sessions of persons in browsers: begins and ends them, and hands every change to whoever checks by them.
///
/// The functions block while the disk is written, but `noteUse`: not for a loop.
package final class SessionStore: Sendable {
    private enum Name {
        static let user: AttributeName = "user"
        static let revision: AttributeName = "revision"
        static let createdAt: AttributeName = "createdAt"
        static let usedAt: AttributeName = "usedAt"
    }

    private struct State {
        var ring = SessionRing()
        var deliver: @Sendable (SessionRing) -> Void = { _ in }
    }

    /// How many there may be: all of them are in memory.
    private static let maximum = 10_000
    /// How many one person may have; the one that was used least lately ends for another.
    private static let maximumOfUser = 20
    /// How many that have ended are deleted for each that begins.
    private static let sweptAtOnce = 10

    private let store: any TableStore
    private let digests: KeyStore.Digests
    private let changes: KeyChanges
    private let state = Locked(State())
    private let uses = DispatchQueue(label: "flag-server.session-uses")

    /// Sessions in the table of the keys. Nothing is read yet.
    package init(beside keys: KeyStore) {
        store = keys.store
        digests = keys.digests
        changes = keys.changes
    }

    /// The sessions as they are.
    package var ring: SessionRing { state.withLock { $0.ring } }

    /// Begins to follow the sessions.
    ///
    /// - Parameter deliver: takes all sessions, now and after each change, before it is answered. Called with a lock
    ///   held: it must only enqueue.
    package func start(deliver: @escaping @Sendable (SessionRing) -> Void) throws(KeyStoreError) {
        store.subscribe { [weak self] changes in self?.take(changes) }
        let records = try store.accessItems(AccessTable.sessions).compactMap(Self.record)
        state.withLock { state in
            state.deliver = deliver
            state.ring = SessionRing(
                Dictionary(records.map { ($0.digest, $0) }) { $1 }.merging(state.ring.records) { $1 },
                endedCount: state.ring.endedCount + 1)
            deliver(state.ring)
        }
    }

    /// Begins a session of somebody who has just proved who they are.
    ///
    /// - Returns: its identifier, which is kept nowhere, and is another one each time.
    package func begin(of user: UserRecord, at now: Timestamp) throws(KeyStoreError) -> String {
        let id = URLSafeText.text(of: RandomBytes.make(32))
        try changes.one { () throws(KeyStoreError) in
            let record = SessionRecord(
                digest: try digests(false).sessionDigest(of: Array(id.utf8)), user: user.name,
                revision: user.revision, createdAt: now, usedAt: now)
            try store.createAccessTable()
            let present = ring.records.values
            let own = present.filter { $0.user == user.name && $0.end > now }.sorted { $0.usedAt < $1.usedAt }
            // Some at a time of those that have ended: each is a write of its own, and somebody waits.
            let superfluous =
                own.prefix(max(0, own.count + 1 - Self.maximumOfUser))
                + present.lazy.filter { $0.end <= now }.prefix(Self.sweptAtOnce)
            try store.deleteAccessItems(superfluous.map { AccessTable.session($0.digest) })
            guard present.count - superfluous.count < Self.maximum else { throw .tooMany(Self.maximum) }
            try store.writeAccessItem(Self.item(record), by: user.caller.principal)
        }
        return id
    }

    /// Ends a session; once this returns, no loop lets it in any more.
    package func end(_ id: String) throws(KeyStoreError) {
        let digest = try digests(false).sessionDigest(of: Array(id.utf8))
        guard try store.accessItem(AccessTable.session(digest)) != nil else { return }
        try store.deleteAccessItems([AccessTable.session(digest)])
    }

    /// Notes that a session was used. Returns at once; what goes wrong is tried again with another use.
    package func noteUse(_ digest: String, _ now: Timestamp) {
        uses.async { [store] in
            // Of one that is there alone: none comes back that has ended.
            _ = try? store.transactAndWait(
                [
                    .update(
                        table: AccessTable.name, key: AccessTable.session(digest),
                        actions: [.set(DocumentPath(Name.usedAt), .value(.string(now.rfc3339)))],
                        condition: .attributeExists(DocumentPath(AccessTable.partition)))
                ], principal: .server)
        }
    }

    /// On the writer's queue, before a change is answered.
    private func take(_ changes: [TableChange]) {
        let changes = changes.filter { $0.isOfAccess(AccessTable.sessions) }
        guard !changes.isEmpty else { return }
        state.withLock { state in
            var records = state.ring.records
            for change in changes {
                guard let digest = change.key.sort?.stringValue else { continue }
                records[digest] = change.newItem.flatMap(Self.record)
            }
            let ended = changes.lazy.filter { $0.newItem == nil }.count
            state.ring = SessionRing(records, endedCount: state.ring.endedCount + ended)
            state.deliver(state.ring)
        }
    }

    private static func item(_ record: SessionRecord) -> Item {
        [
            AccessTable.partition: .string(AccessTable.sessions), AccessTable.sort: .string(record.digest),
            Name.user: .string(record.user.text), Name.revision: .string("\(record.revision)"),
            Name.createdAt: .string(record.createdAt.rfc3339), Name.usedAt: .string(record.usedAt.rfc3339),
        ]
    }

    private static func record(_ item: Item) -> SessionRecord? {
        func text(_ name: AttributeName) -> String? { item[name]?.stringValue }
        func time(_ name: AttributeName) -> Timestamp? { text(name).flatMap { Timestamp(rfc3339: $0) } }
        guard let digest = text(AccessTable.sort), let user = text(Name.user).flatMap({ UserName($0) }),
            let revision = text(Name.revision).flatMap({ Int64($0) }), let createdAt = time(Name.createdAt),
            let usedAt = time(Name.usedAt)
        else { return nil }
        return SessionRecord(digest: digest, user: user, revision: revision, createdAt: createdAt, usedAt: usedAt)
    }
}

extension SecretDigest {
    /// What is kept of a session's identifier.
    func sessionDigest(of id: [UInt8]) -> String {
        let key = SecretDigest(key: digest(of: Array("flag-server sessions, 1".utf8)))
        return URLSafeText.text(of: key.digest(of: id))
    }
}
