import Access
import DynamoModel
import FlagCore
import Platform

/// The accounts of persons: makes, lists and changes them, and hands every change to whoever checks by them.
///
/// The functions block while the disk is written, and those that make a password while its digest is computed: not for
/// a loop.
package final class UserStore: Sendable {
    private struct State {
        var ring = UserRing()
        var isFollowed = false
        var deliver: @Sendable (UserRing) -> Void = { _ in }
    }

    /// How many accounts there may be: all of them are in memory.
    private static let maximum = 10_000
    /// How long a password can be used that was made for somebody.
    private static let oneTimeMilliseconds: Int64 = 24 * 3_600_000
    /// 100 bits.
    private static let oneTimeGroups = 4

    private let store: any TableStore
    private let digests: KeyStore.Digests
    private let changes: KeyChanges
    private let cost: PasswordCost
    private let state = Locked(State())

    /// The accounts in the table of the keys. Nothing is read yet.
    ///
    /// - Parameter cost: of the digests of passwords that are set.
    init(beside keys: KeyStore, cost: PasswordCost) {
        store = keys.store
        digests = keys.digests
        changes = keys.changes
        self.cost = cost
    }

    /// The accounts as they are.
    package var ring: UserRing { state.withLock { $0.ring } }

    /// Begins to follow the accounts.
    ///
    /// - Parameter deliver: takes all accounts, now and after each change of what is checked, before the change is
    ///   answered. Called with a lock held: it must only enqueue.
    package func start(deliver: @escaping @Sendable (UserRing) -> Void) throws(KeyStoreError) {
        store.subscribe { [weak self] changes in self?.take(changes) }
        let records = try load()
        state.withLock { state in
            state.deliver = deliver
            state.isFollowed = true
            // What has changed meanwhile is newer than what was read.
            state.ring = UserRing(
                Dictionary(records.map { ($0.name, $0) }) { $1 }.merging(state.ring.records) { $1 })
            deliver(state.ring)
        }
    }

    /// Reads all accounts. O(accounts).
    package func load() throws(KeyStoreError) -> [UserRecord] {
        try store.accessItems(AccessTable.users).compactMap(UserRecord.init(item:))
    }

    /// An account as it is kept.
    package func find(_ name: UserName) throws(KeyStoreError) -> UserRecord {
        guard let record = try look(name) else { throw .notFound(name.text) }
        return record
    }

    /// An account for whoever wants to come in; nil when there is none. From memory where accounts are followed: the
    /// store takes longer where there is one.
    func known(_ name: UserName) throws(KeyStoreError) -> UserRecord? {
        let ring = state.withLock { $0.isFollowed ? $0.ring : nil }
        guard let ring else { return try look(name) }
        return ring.records[name]
    }

    /// An account as it is kept; nil when there is none.
    private func look(_ name: UserName) throws(KeyStoreError) -> UserRecord? {
        try store.accessItem(AccessTable.user(name.text)).flatMap(UserRecord.init(item:))
    }

    /// Makes an account with a password that can be used once, for 24 h.
    ///
    /// - Returns: the account, and the password, which is kept nowhere.
    package func create(
        _ name: UserName, _ roles: UserRoles, by principal: Principal, at now: Timestamp
    ) throws(KeyStoreError) -> (UserRecord, password: String) {
        // Beside the line of changes: a key that is revoked does not wait for a digest.
        let (text, password) = try makeOneTimePassword(at: now)
        return try changes.one { () throws(KeyStoreError) in
            // The server's key is there from now on: second factors are sealed by it.
            _ = try digests(store.hasNoAccessItems())
            try store.createAccessTable()
            guard try look(name) == nil else { throw .exists(name.text) }
            let count = try store.accessItemCount(AccessTable.users, upTo: Self.maximum)
            guard count < Self.maximum else { throw .tooMany(count) }
            let record = UserRecord(
                name: name, roles: roles, createdAt: now, createdBy: "\(principal)", password: password,
                revision: now.millisecondsSinceEpoch)
            try write(record, by: principal)
            return (record, text)
        }
    }

    /// Gives somebody other roles; what was handed out to them ends.
    package func setRoles(
        of name: UserName, to roles: UserRoles, by principal: Principal, at now: Timestamp
    ) throws(KeyStoreError) -> UserRecord {
        try change(name, by: principal) { record in
            guard record.roles != roles else { return }
            record.roles = roles
            record.revoke(at: now)
        }
    }

    /// Gives somebody a password that can be used once, for 24 h, in the place of theirs.
    ///
    /// - Returns: the account, and the password, which is kept nowhere.
    package func resetPassword(
        of name: UserName, by principal: Principal, at now: Timestamp
    ) throws(KeyStoreError) -> (UserRecord, password: String) {
        _ = try find(name)
        let (text, password) = try makeOneTimePassword(at: now)
        let record = try change(name, by: principal) { record in
            record.password = password
            record.revoke(at: now)
        }
        return (record, text)
    }

    /// Takes somebody's second factor away, with the recovery codes: they have to enrol anew.
    package func resetSecondFactor(
        of name: UserName, by principal: Principal, at now: Timestamp
    ) throws(KeyStoreError) -> UserRecord {
        try change(name, by: principal) { record in
            record.secondFactor = nil
            record.begunSecret = nil
            record.recoveryDigests = []
            record.revoke(at: now)
        }
    }

    /// Lets somebody in no more, or again; what was handed out to them ends either way.
    package func set(
        _ name: UserName, disabled: Bool, by principal: Principal, at now: Timestamp
    ) throws(KeyStoreError) -> UserRecord {
        try change(name, by: principal) { record in
            guard (record.disabledAt != nil) != disabled else { return }
            record.disabledAt = disabled ? now : nil
            record.revoke(at: now)
        }
    }

    /// Ends everything that was handed out to somebody: they have to sign in anew.
    package func endSessions(
        of name: UserName, by principal: Principal, at now: Timestamp
    ) throws(KeyStoreError) -> UserRecord {
        try change(name, by: principal) { $0.revoke(at: now) }
    }

    /// Changes an account as it is; once this returns, every loop has the change.
    ///
    /// - Parameter body: makes the change. What leaves the account as it was is not written.
    func change(
        _ name: UserName, by principal: Principal, _ body: (inout UserRecord) throws(KeyStoreError) -> Void
    ) throws(KeyStoreError) -> UserRecord {
        try changes.one { () throws(KeyStoreError) in
            let former = try find(name)
            var record = former
            try body(&record)
            if record != former { try write(record, by: principal) }
            return record
        }
    }

    /// What is kept of a password of somebody's own.
    func makePassword(_ text: String) throws(KeyStoreError) -> UserRecord.Password {
        try PasswordHash.make(text, cost)
    }

    /// What second factors are kept by.
    func seal() throws(KeyStoreError) -> SecondFactorSeal { SecondFactorSeal(try digests(false)) }

    private func makeOneTimePassword(
        at now: Timestamp
    ) throws(KeyStoreError) -> (text: String, kept: UserRecord.Password) {
        var random = SystemRandomNumberGenerator()
        let text = TypableText.readable(groups: Self.oneTimeGroups, random: &random)
        let end = Timestamp(millisecondsSinceEpoch: now.millisecondsSinceEpoch + Self.oneTimeMilliseconds)
        return (text, try PasswordHash.make(text, cost, oneTimeEnd: end))
    }

    private func write(_ record: UserRecord, by principal: Principal) throws(KeyStoreError) {
        // As a kill switch: before all that waits, and on a full disk, too. Most of these take something away.
        try store.writeAccessItem(record.item, by: principal, urgency: .urgent)
    }

    /// On the writer's queue, before a change is answered.
    private func take(_ changes: [TableChange]) {
        let changes = changes.filter { $0.isOfAccess(AccessTable.users) }
        guard !changes.isEmpty else { return }
        state.withLock { state in
            var records = state.ring.records
            var isChecked = false
            for change in changes {
                guard let name = change.key.sort?.stringValue.flatMap({ UserName($0) }) else { continue }
                let record = change.newItem.flatMap(UserRecord.init(item:))
                // Loops do not check by what signing in uses up, which is written each time.
                if let record, let former = records[name] {
                    isChecked = isChecked || !former.letsIn(like: record)
                } else {
                    isChecked = true
                }
                records[name] = record
            }
            state.ring = UserRing(records)
            if isChecked { state.deliver(state.ring) }
        }
    }
}
