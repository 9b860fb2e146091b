import Access
import AccessStore
import Administration
import AuditStore
import ChangeControl
import Dispatch
import DynamoModel
import Evaluation
import FlagCache
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import Telemetry
import Tokens

/// A whole server over a store: repository, cache feed, routes and HTTP server, put together and started in the right
/// order. What is around it — configuration, signals, the data directory, the control socket — is the program's.
struct ServerComposition: Sendable {
    /// What listens.
    let server: HTTPServer<LoopHandler.Message>
    /// What fills the loops' caches.
    let feed: CacheFeed
    /// What completes the writes of others.
    let follower: FlagTableFollower
    /// What the routes of administration work with.
    let administration: Administration
    /// What `/health` says.
    let health: Health
    /// Where things are counted.
    let metrics: ServerMetrics
    /// The OpenAPI document.
    let document: APIDocument
    /// The keys that callers come in by.
    let keys: KeyStore
    /// The accounts of persons.
    let accounts: Accounts
    /// What applies schedules when their time comes.
    let schedules: ScheduleTimer
    private let handler: LoopHandler.Dependencies
    /// What callers are checked by; nil where nobody is asked who they are.
    var access: ServedAccess? { handler.access }
    private let evaluation: EvaluationSettings
    private let failures: EvaluationFailureLog

    /// What is needed from outside.
    struct Dependencies: Sendable {
        /// Where the tables are.
        var store: any TableStore
        /// The same with whatever else is in it.
        var tables: any TableMaintenance
        /// The keys that callers come in by.
        var keys: KeyStore
        /// The accounts of persons; nil for those beside the keys.
        var accounts: Accounts?
        /// What keys are checked by; nil where nobody is asked for one.
        var digests: SecretDigest?
        /// Others whose tokens are taken.
        var issuers: [OutsideIssuer] = []
        /// Fetches the keys of one of them.
        var fetchIssuerKeys: TokenChecker.KeySource = { _, done in done() }
        /// The name of the flag table, which is created if it is missing.
        var table: String
        /// What the operator decided about serving.
        var settings: ServiceSettings
        /// How to listen. Its `errorBody` is set here.
        var http: HTTPServerConfiguration
        /// The wall clock.
        var now: @Sendable () -> Timestamp
        /// Decides which changes are made at once; nil for one that lets all be that no flag and no stored freeze holds
        /// up.
        var gate: ChangeGate?
        /// Where long work is listed.
        var work = WorkList()
        /// Makes the store deliver what other processes wrote; called twice a second.
        var pollForeignChanges: (@Sendable () throws(TableError) -> Void)?
        /// Told when another table has taken the place of the one that is served, as a restore has it. May block.
        var tableReplaced: @Sendable () -> Void = {}
        /// Told of what an operator should know.
        var report: @Sendable (CacheEvent) -> Void = { _ in }
        /// Told of what was done about the writes of others.
        var reportForeign: @Sendable (FollowerEvent) -> Void = { _ in }
        /// Told of evaluations that failed, of each flag at most once a minute.
        var reportFailure: @Sendable (EvaluationFailures.Report) -> Void = { _ in }
        /// Told of what becomes of schedules.
        var reportSchedule: @Sendable (ScheduleEvent) -> Void = { _ in }
        /// Told of each administrative request when it is answered, with the status.
        var reportAdministration: @Sendable (AdministrationEvent, UInt16) -> Void = { _, _ in }
        /// The audit log; nil where none is kept.
        var audit: AuditTrail?
        /// The environments in which nothing is changed without a reason.
        var reasonRequired: Set<Environment> = []
        /// Told of what becomes of changes that wait for others.
        var reportProposal: @Sendable (ProposalEvent) -> Void = { _ in }
        /// Writes further metrics.
        var moreMetrics: @Sendable (inout MetricsText) -> Void = { _ in }
        /// Says what is wrong with continuous backups; nil when nothing is. Asked on the loops: it must not block.
        var backupComplaint: @Sendable () -> StaticString? = { nil }
        /// What is left of the disk space for kill switches; nil while nothing of it was needed.
        var reserveComplaint: @Sendable () -> String? = { nil }
    }

    /// Makes the table if it is missing, and binds the addresses; connections queue up until `start`. Blocks.
    ///
    /// - Throws: `FlagStoreError` or `TransportError`.
    init(_ dependencies: Dependencies) throws {
        let settings = dependencies.settings
        let repository = FlagRepository(store: dependencies.store, table: dependencies.table)
        try repository.createTableIfMissing()
        let server = try HTTPServer<LoopHandler.Message>(configuration: dependencies.transport)
        let replacements = DispatchQueue(label: "flag-server.replaced-table")
        let follower = FlagTableFollower(
            repository: repository, storeID: settings.evaluation.currentStoreID(), limits: settings.history,
            report: dependencies.reportForeign)
        let gate = dependencies.gate ?? ChangeGate(store: dependencies.store, flagTable: dependencies.table)
        let feed = CacheFeed(
            store: dependencies.store, table: dependencies.table, loops: dependencies.http.loops,
            pollForeignChanges: dependencies.pollForeignChanges,
            tableReplaced: {
                follower.lookAtAllItems()
                replacements.async {
                    // What cannot be read now is what it was; the feed tells of the trouble.
                    try? gate.tableReplaced()
                    dependencies.tableReplaced()
                }
            },
            report: dependencies.report
        ) { update, loop in
            server.send(.cache(update), toLoop: loop)
        }
        let health = Health(
            version: settings.version, startedAt: dependencies.now(), readiness: Readiness(), feed: feed,
            now: dependencies.now, backupComplaint: dependencies.backupComplaint,
            reserveComplaint: dependencies.reserveComplaint)
        let workers = WorkerPool()
        let accounts = dependencies.accounts ?? Accounts(beside: dependencies.keys)
        let access = ServedAccess(dependencies, accounts)
        let administration = dependencies.administration(
            of: repository, feed, gate, workers, accounts, access?.authentication)
        var surroundings = administration.scheduleSurroundings
        surroundings.lateMilliseconds = settings.scheduleLateMilliseconds
        surroundings.report = dependencies.reportSchedule
        schedules = ScheduleTimer(surroundings)
        let document = APIDocument.ofProgram(version: settings.version)
        let metrics = ServerMetrics(loopCount: dependencies.http.loops, labels: ServedRoutes.labels)
        let page = MetricsPage(
            metrics: metrics, health: health, feed: feed, follower: follower, repository: repository,
            workers: workers, server: server, keys: dependencies.digests == nil ? nil : dependencies.keys,
            schedules: schedules, profile: settings.profile.rawValue,
            moreMetrics: { [administration] text in
                administration.writeChangeMetrics(to: &text)
                dependencies.moreMetrics(&text)
            })
        // One call for each commit, on the writer's queue.
        dependencies.store.subscribe { changes in metrics.countCommit(ofItems: changes.count) }
        handler = LoopHandler.Dependencies(
            routes: ServedRoutes(document, administration, metrics: page.response), metrics: metrics,
            handover: RouteHandover(
                to: workers, metrics.requests, metrics.workers, contentBytes: dependencies.http.limits.bodyBytes,
                record: { [administration] in administration.record($0, $1, then: $2) },
                report: dependencies.reportAdministration),
            health: health, document: document, hosts: settings.hosts, pages: settings.pages,
            readers: settings.metricsReaders, access: access, noteRefusal: administration.noteRefusal)
        self.metrics = metrics
        keys = dependencies.keys
        self.accounts = accounts
        self.document = document
        evaluation = settings.evaluation
        failures = EvaluationFailureLog(report: dependencies.reportFailure)
        self.server = server
        self.feed = feed
        self.follower = follower
        self.administration = administration
        self.health = health
    }

    /// What the transport answers by itself (bad requests, time-outs, limits), as a problem.
    static let protocolErrorBody: HTTPServerConfiguration.ErrorBody = { status, detail, requestID in
        let problem = Problem(ProblemCode(transportStatus: Int(status.code)), detail)
        return ("application/problem+json", problem.body(requestID: requestID))
    }

    /// Completes what others wrote since the last start, fills the caches, then accepts connections, then says that it
    /// is ready. Blocks while the caches are filled.
    ///
    /// - Throws: `FlagStoreError` when the kill switches cannot be read: without them nothing may be answered.
    func start() throws(FlagStoreError) {
        follower.attachHistories()
        follower.start()
        do throws(TableError) {
            try administration.gate.start()
            try administration.proposals.start()
        } catch {
            throw .unavailable(reason: "The freezes and proposals could not be read: \(error)", hint: "See the log")
        }
        try startAccess()
        try feed.start(warm: [evaluation.defaultEnvironment])
        server.start { [handler, evaluation, feed, failures, server] loop in
            let counters = handler.metrics.loops[loop.index]
            let evaluator = Evaluator(
                settings: evaluation, source: feed, loop: loop, counters: counters,
                metrics: handler.metrics.evaluation, requests: handler.metrics.requests,
                wantsTurn: { [index = loop.index] in server.send(.turn, toLoop: index) },
                noteFailure: { failures.note($0, of: $1, in: $2) })
            return LoopHandler(
                handler, evaluator: evaluator, counters: counters, loop: loop,
                sendToSelf: { [index = loop.index] message in server.send(message, toLoop: index) })
        }
        failures.start()
        schedules.start()
        health.readiness.markWarm()
    }

    /// Has every loop learn of every change of the keys before it is answered.
    private func startAccess() throws(FlagStoreError) {
        guard let access = handler.access else { return }
        let loops = server.loopCount
        do throws(KeyStoreError) {
            try access.keys.signingKeys.start()
            try access.sessions.start { [server] ring in
                for loop in 0..<loops { server.send(.sessions(ring), toLoop: loop) }
            }
            try access.keys.start { [server] ring in
                for loop in 0..<loops { server.send(.keys(ring), toLoop: loop) }
            }
            try accounts.users.start { [server] ring in
                for loop in 0..<loops { server.send(.users(ring), toLoop: loop) }
            }
        } catch {
            throw .unavailable(
                reason: "The API keys and accounts could not be read: \(error)", hint: "See the error before this one")
        }
    }

    /// Lets in other pages, and other readers of metrics, from now on.
    func replaceDoors(_ pages: PageOrigins, readers: [AddressRange]) {
        for loop in 0..<server.loopCount { server.send(.doors(pages, readers: readers), toLoop: loop) }
    }

    /// Turns `/health/ready` red, finishes what is under way, and calls back when no handler will be called any more.
    func drain(within duration: Duration, completion: @escaping @Sendable () -> Void) {
        health.readiness.markDraining()
        server.drain(within: duration) { [follower, schedules] in
            schedules.stop()
            follower.stop()
            completion()
        }
    }
}

extension ServerComposition.Dependencies {
    /// The transport's settings, with what all responses of this server have.
    fileprivate var transport: HTTPServerConfiguration {
        var transport = http
        transport.errorBody = ServerComposition.protocolErrorBody
        transport.standingFields = BrowserOrigin.standingFields(
            dependsOnCaller: digests != nil, isSecure: http.tls != nil)
        transport.tellsIdleTimeout = true
        return transport
    }

    /// What the routes of administration work with.
    fileprivate func administration(
        of repository: FlagRepository, _ feed: CacheFeed, _ gate: ChangeGate, _ workers: WorkerPool,
        _ accounts: Accounts, _ authentication: Authentication?
    ) -> Administration {
        var administration = Administration(
            repository: repository, tables: TableAdministration(tables: tables, profile: settings.profile),
            keys: keys, accounts: accounts, feed: feed, gate: gate, work: work, workers: workers,
            defaultEnvironment: settings.profile.defaultEnvironment, now: now)
        administration.audit = audit
        administration.reasonRequired = reasonRequired
        administration.authentication = authentication
        administration.reportProposal = reportProposal
        return administration
    }
}
