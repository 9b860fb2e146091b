import Access
import AccessStore
import AuditStore
import ChangeControl
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport

/// What the routes of administration work with.
package struct Administration: Sendable {
    /// The flags.
    package let repository: FlagRepository
    /// The tables that they are in, as a whole.
    let tables: TableAdministration
    /// The keys that callers come in by.
    let keys: KeyStore
    /// What tokens are handed out by; nil where nobody is asked who they are.
    package var authentication: Authentication?
    /// The audit log; nil where none is kept.
    package var audit: AuditTrail?
    /// The environments in which nothing is changed without a reason.
    package var reasonRequired: Set<Environment> = []
    /// The accounts of persons.
    let accounts: Accounts
    /// What the caches know, where that is asked for.
    let feed: CacheFeed
    /// The long work that is under way.
    package let work: WorkList
    /// Decides which changes are made at once.
    package let gate: ChangeGate
    /// The changes that wait for others.
    package let proposals: ProposalStore
    /// Told of what becomes of these.
    package var reportProposal: @Sendable (ProposalEvent) -> Void = { _ in }
    /// Where work may block.
    package let workers: WorkerPool
    /// The environment of a request that names none.
    package let defaultEnvironment: Environment
    /// The wall clock.
    package let now: @Sendable () -> Timestamp

    /// Puts the parts together.
    ///
    /// - Parameter gate: decides which changes are made at once; nil for one that lets all be that no flag and no
    ///   stored freeze holds up.
    package init(
        repository: FlagRepository, tables: TableAdministration, keys: KeyStore, accounts: Accounts,
        feed: CacheFeed, gate: ChangeGate? = nil, work: WorkList, workers: WorkerPool,
        defaultEnvironment: Environment, now: @escaping @Sendable () -> Timestamp
    ) {
        self.repository = repository
        self.tables = tables
        self.keys = keys
        self.accounts = accounts
        self.feed = feed
        self.work = work
        self.gate = gate ?? ChangeGate(store: repository.store, flagTable: repository.table)
        proposals = ProposalStore(store: repository.store)
        self.workers = workers
        self.defaultEnvironment = defaultEnvironment
        self.now = now
    }

    /// The path of something that was created, with the environment where a request without one means another.
    func path(_ path: String, in environment: Environment) -> String {
        environment == defaultEnvironment ? path : "\(path)?environment=\(environment.rawValue)"
    }

    /// Makes a change, and answers with what it left: on a worker, since the completion of a write comes on the
    /// writer's queue, which must not be kept waiting.
    func apply(
        _ operation: FlagOperation, in scope: WriteScope, _ lane: WorkerPool.Urgency, _ reply: Reply,
        _ render: @escaping @Sendable (Written) -> HTTPResponse
    ) {
        repository.apply(operation, in: scope, listed: listedKeys) { [workers] result in
            let response: @Sendable () -> Void = {
                switch result {
                case .success(let written): reply(render(written))
                case .failure(let error): reply(.failure(Problem(error, in: scope.environment)))
                }
            }
            // What is durable is answered, however much else waits.
            if lane == .urgent { _ = workers.submit(.urgent, response) } else { workers.finish(response) }
        }
    }

    /// What a change would leave.
    ///
    /// - Throws: why it cannot be made.
    func check(_ operation: FlagOperation, in scope: WriteScope) throws(Problem) -> Written {
        do throws(FlagStoreError) { return try repository.check(operation, in: scope, listed: listedKeys) } catch {
            throw Problem(error, in: scope.environment)
        }
    }

    /// Which keys a segment lists, as the caches know.
    var listedKeys: FlagRepository.ListedKeys {
        { [feed] name, environment throws(FlagStoreError) in try feed.keys(ofSegment: name, in: environment) }
    }
}
