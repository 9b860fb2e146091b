import Access
import DynamoModel
import FlagCache
import FlagCore
import FlagStore
import JSON
import Platform
import TableEngine
import TestSupport

@testable import ChangeControl

/// Flags, a gate and proposals in a store, with a clock that a test sets and callers who may what it says.
final class ApprovalFixture: Sendable {
    static let start = Timestamp(rfc3339: "2026-03-01T08:00:00Z")!
    static let table = "feature-flags-prod"

    let store: any TableStore
    let repository: FlagRepository
    let gate: ChangeGate
    let desk: ProposalDesk
    private let clock = Locked(ApprovalFixture.start)
    private let roles: Locked<[String: Permissions]>
    private let reported = Locked<[String]>([])

    /// - Parameters:
    ///   - store: where everything is; nil for a store in memory.
    ///   - approvals: how many others have to agree in production.
    init(_ store: (any TableStore)? = nil, approvals: Int = 1, freezes: [FreezeDraft] = []) throws {
        let store = try store ?? SQLiteTableStore.open(.memory)
        self.store = store
        repository = FlagRepository(store: store, table: Self.table)
        try repository.createTableIfMissing()
        var settings = ChangeSettings()
        if approvals > 0 { settings.approvals = [.production: approvals] }
        settings.freezes = freezes
        gate = ChangeGate(store: store, flagTable: Self.table, settings)
        try gate.start()
        let roles = Locked<[String: Permissions]>([:])
        self.roles = roles
        var desk = ProposalDesk(
            ProposalStore(store: store), gate, repository, listed: { _, _ in .empty },
            caller: { principal, _ in
                guard let permissions = roles.withLock({ $0[principal.name] }) else { return nil }
                return Caller(principal, everywhere: permissions)
            }, now: { [clock] in clock.withLock { $0 } })
        desk.report = { [reported] event in reported.withLock { $0.append(event.inWords) } }
        self.desk = desk
        for name in ["ada", "bob", "cem"] { give(name, Role.editor.permissions) }
    }

    /// What was told so far.
    var told: [String] { reported.withLock { $0 } }
    var now: Timestamp { clock.withLock { $0 } }

    func pass(_ milliseconds: Int64) { clock.withLock { $0.millisecondsSinceEpoch += milliseconds } }

    /// Lets somebody do these; nil has them be nobody any more.
    func give(_ name: String, _ permissions: Permissions?) { roles.withLock { $0[name] = permissions } }

    /// Somebody as they are now.
    func caller(_ name: String) -> Caller {
        Caller(Principal(.account, name), everywhere: roles.withLock { $0[name] } ?? [])
    }

    func scope(_ name: String, because reason: String? = nil) -> WriteScope {
        var circumstances = ChangeCircumstances()
        circumstances.reason = reason
        let scope = caller(name).writeScope([], in: .production, at: now, circumstances)
        guard let scope else { preconditionFailure("nothing is asked of the caller") }
        return scope
    }

    // MARK: - Flags

    /// Changes flags now, whoever has to agree.
    @discardableResult
    func apply(_ operation: FlagOperation) throws -> Written {
        let done = Locked<Result<Written, FlagStoreError>?>(nil)
        repository.apply(operation, in: scope("ada"), listed: { _, _ in .empty }) { result in
            done.withLock { $0 = result }
        }
        try waitUntil { done.withLock { $0 != nil } }
        return try done.withLock { $0! }.get()
    }

    func createFlag(_ key: String = "checkout", approvals: Int? = nil) throws {
        var body: JSONObject = [
            "flagKey": .string(key), "description": "d", "owner": "o", "defaultEnabled": false,
        ]
        body["approvals"] = approvals.map { .integer(Int64($0)) }
        try apply(FlagOperation(.createFlag, body: .object(body)))
    }

    func createSegment(_ name: String = "beta", keys: [String] = []) throws {
        try apply(
            FlagOperation(.createSegment, body: ["name": .string(name), "description": "d", "owner": "o"]))
        guard !keys.isEmpty else { return }
        try apply(
            FlagOperation(.editSegmentKeys, of: name, body: ["add": .array(keys.map { .string($0) })]))
    }

    var reader: FlagReader { repository.reader(for: .server("tests", in: .production)) }

    func flag(_ key: String = "checkout") throws -> FlagRecord { try reader.flag(key) }

    func isOn(_ key: String = "checkout") throws -> Bool {
        try flag(key).json(at: now)["defaultEnabled"]?.boolValue ?? false
    }

    // MARK: - Proposals

    static func turning(_ key: String = "checkout", on: Bool = true) throws -> FlagOperation {
        try FlagOperation(.patchFlag, of: key, body: ["defaultEnabled": .bool(on)])
    }

    @discardableResult
    func propose(_ operation: FlagOperation? = nil, by name: String = "ada") throws -> Proposal {
        try desk.propose(operation ?? Self.turning(), in: scope(name, because: "go live")).0
    }

    @discardableResult
    func approve(_ proposal: Proposal, by name: String) throws(ProposalError) -> Proposal {
        try desk.approve(proposal.id, by: caller(name), ChangeCircumstances())
    }

    func state(of proposal: Proposal) throws -> Proposal.State { try desk.proposals.find(proposal.id).state }
}

extension ProposalEvent {
    /// What is told, in short.
    var inWords: String {
        switch self {
        case .proposed: "proposed"
        case .approved(_, _, let missing): "approved, \(missing) missing"
        case .applied: "applied"
        case .ended(let proposal): proposal.state.rawValue
        case .resumed: "resumed"
        case .failed: "failed"
        }
    }
}

/// What keeps something from being done, in short; nil where nothing does.
func refusal(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as ProposalError {
        switch error {
        case .notFound: return "not found"
        case .ended(_, let state): return "ended \(state.rawValue)"
        case .ownProposal: return "own"
        case .notAuthor: return "not author"
        case .forbidden: return "forbidden"
        case .authorForbidden: return "author forbidden"
        case .authorUnknown: return "author unknown"
        case .frozen: return "frozen"
        case .changedMeanwhile: return "changed"
        case .tooMany: return "too many"
        case .tooLarge: return "too large"
        case .tooManyComments: return "too many comments"
        case .busy: return "busy"
        case .damaged: return "damaged"
        case .flags(let error, _): return "flags: \(error)"
        case .store: return "store"
        }
    } catch { return "\(error)" }
}
