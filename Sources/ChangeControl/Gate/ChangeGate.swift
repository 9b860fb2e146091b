import Bytes
import DynamoModel
import FlagCore
import FlagStore
import Platform

/// What an operator decides about who has to agree to changes, and when nothing changes.
package struct ChangeSettings: Sendable, Equatable {
    /// How many others have to agree to a change, by environment; nobody where none is named.
    package var approvals: [Environment: Int] = [:]
    /// When which environment stays as it is.
    package var freezes: [FreezeDraft] = []

    /// Nobody has to, and everything may change at any time.
    package init() {}
}

/// Decides of every change, whichever door it comes by, whether it is made at once, needs others' leave, or is held up.
///
/// All that it knows is in memory and followed: asking costs no I/O, and what somebody decided holds for every door
/// when they have their response. Times are the wall clock's.
package final class ChangeGate: Sendable {
    /// The freezes.
    package let freezes: FreezeStore
    private let settings: Locked<[Environment: Int]>
    private var approvals: [Environment: Int] { settings.withLock { $0 } }
    /// What flags themselves ask for.
    private let flags: FollowedItems<FlagName, Int>
    private let statistics = Locked(ChangeGateStatistics())
    private let report: @Sendable (ChangeGateEvent) -> Void
    /// The table of the flags.
    package let flagTable: String

    /// A flag of an environment.
    private struct FlagName: Hashable, Sendable {
        let environment: Environment
        let key: ExactText
    }

    /// A gate over a store. Nothing is read yet.
    ///
    /// - Parameters:
    ///   - flagTable: the table of the flags.
    ///   - report: told of what an operator should know.
    package init(
        store: any TableStore, flagTable: String, _ settings: ChangeSettings = ChangeSettings(),
        report: @escaping @Sendable (ChangeGateEvent) -> Void = { _ in }
    ) {
        self.settings = Locked(settings.approvals)
        self.flagTable = flagTable
        self.report = report
        freezes = FreezeStore(
            store: store, configured: Freeze.configured(settings.freezes))
        flags = FollowedItems(
            store, flagTable, FlagApprovals.queries(of: flagTable),
            key: { key in
                guard case .flag(let environment, let name)? = ItemKey(key) else { return nil }
                return FlagName(environment: environment, key: ExactText(name))
            }, value: { FlagApprovals.count(in: $0) })
    }

    /// Reads what there is and follows it, unless that was done. Blocks; O(flags) the first time.
    package func start() throws(TableError) {
        try freezes.start()
        try flags.start()
    }

    /// Goes by other settings from the next change on.
    package func replace(_ settings: ChangeSettings) {
        self.settings.withLock { $0 = settings.approvals }
        freezes.replace(configured: Freeze.configured(settings.freezes))
    }

    /// Reads anew what flags ask for: the table was replaced by another.
    package func tableReplaced() throws(TableError) { try flags.readAgain() }

    // MARK: - Deciding

    /// What becomes of a change of one thing. O(freezes), no I/O.
    ///
    /// - Parameters:
    ///   - thing: what it is about. A kill switch never waits.
    ///   - bringsBack: whether it only brings back what was in force before, which others agreed to then.
    package func verdict(
        on thing: StoredThing, in environment: Environment, at now: Timestamp, bringsBack: Bool = false
    ) -> ChangeVerdict {
        if case .killSwitch = thing { return .apply }
        if bringsBack { return .apply }
        if let freeze = freezes.active(in: environment, at: now) { return .frozen(freeze) }
        let count = approvalsNeeded(for: thing, in: environment)
        return count > 0 ? .propose(approvals: count) : .apply
    }

    /// What becomes of an operation. O(freezes), no I/O.
    package func verdict(
        on operation: FlagOperation, in environment: Environment, at now: Timestamp
    ) -> ChangeVerdict {
        verdict(on: operation.subject, in: environment, at: now, bringsBack: operation.kind.bringsBack)
    }

    /// Why an operation is not made at an instant without anybody asking for it, in a sentence; nil where nothing keeps
    /// it.
    package func obstacle(to operation: FlagOperation, in environment: Environment, at now: Timestamp) -> String? {
        switch verdict(on: operation, in: environment, at: now) {
        case .apply: return nil
        case .frozen(let freeze):
            noteFrozen(environment)
            return "\(environment.rawValue) is frozen until \(freeze.endsAt): \(freeze.reason)"
        case .propose(let count):
            return "\(count) other\(count == 1 ? "" : "s") would have to agree to it, and nobody had been asked"
        }
    }

    /// What becomes of a change of everything, in all environments: the first that does not let it pass says so.
    package func verdictOnEverything(at now: Timestamp) -> ChangeVerdict {
        for environment in Environment.allCases {
            if let freeze = freezes.active(in: environment, at: now) { return .frozen(freeze) }
        }
        let count = max(approvals.values.max() ?? 0, flags.all.values.max() ?? 0)
        return count > 0 ? .propose(approvals: count) : .apply
    }

    /// How many others have to agree to a change of something. O(1), no I/O.
    package func approvalsNeeded(for thing: StoredThing, in environment: Environment) -> Int {
        let ofEnvironment = approvals[environment] ?? 0
        switch thing {
        case .killSwitch: return 0
        case .segment: return ofEnvironment
        case .flag(let key), .override(let key, _):
            return max(ofEnvironment, flags[FlagName(environment: environment, key: ExactText(key))] ?? 0)
        }
    }

    // MARK: - Counting

    /// Notes a change that was refused since nothing changes there for now.
    package func noteFrozen(_ environment: Environment) {
        statistics.withLock { $0.frozen[environment, default: 0] += 1 }
    }

    /// Notes, and tells, that a change is made at once because of an emergency.
    ///
    /// - Parameter what: the change, for people.
    package func noteEmergency(_ what: String, in environment: Environment, by principal: Principal) {
        statistics.withLock { $0.emergencies[environment, default: 0] += 1 }
        report(ChangeGateEvent(what: what, environment: environment, principal: principal))
    }

    /// What was noted since the start.
    package var counts: ChangeGateStatistics { statistics.withLock { $0 } }
}

/// Somebody makes a change at once that would have had to wait, because of an emergency.
package struct ChangeGateEvent: Sendable {
    /// The change, for people.
    package let what: String
    /// Where.
    package let environment: Environment
    /// Who, and why.
    package let principal: Principal
}

/// What a gate has counted since the start.
package struct ChangeGateStatistics: Sendable, Equatable {
    /// Changes that were refused since nothing was to change.
    package fileprivate(set) var frozen: [Environment: Int] = [:]
    /// Changes that were made at once because of an emergency.
    package fileprivate(set) var emergencies: [Environment: Int] = [:]
}
