import Access
import DynamoModel
import FlagCore

/// Finds out what somebody may now who asked for something earlier: for what is done later on somebody's behalf.
package struct CurrentCallers: Sendable {
    private let keys: KeyStore
    private let users: UserStore
    /// Whether callers are asked who they are.
    private let asksWhoCalls: Bool

    /// Looks in these, as they are at that moment.
    ///
    /// - Parameter asksWhoCalls: whether callers are asked who they are; else nobody in particular may everything.
    package init(keys: KeyStore, users: UserStore, asksWhoCalls: Bool) {
        self.keys = keys
        self.users = users
        self.asksWhoCalls = asksWhoCalls
    }

    /// Whoever a principal is now; nil for one who may nothing any more, or of whom only others know what they may: a
    /// person of another issuer. O(1), no I/O.
    package func caller(_ principal: Principal, at now: Timestamp) -> Caller? {
        switch principal.kind {
        case .key:
            guard let record = keys.ring.record(principal.name), record.state(at: now) == .active else { return nil }
            return record.caller(nil, until: nil)
        case .account:
            guard let record = UserName(principal.name).flatMap({ users.ring.records[$0] }),
                record.disabledAt == nil, record.standing == .good
            else { return nil }
            return record.caller
        case .local: return .local(user: principal.name)
        case .command: return .command(principal.name)
        case .anonymous: return asksWhoCalls ? nil : .anonymous
        case .accessKey, .server: return nil
        }
    }
}
