import Dispatch
import DynamoModel
import FlagCore
import FlagStore
import HTTPTransport

/// A whole server over a store: repository, cache feed, service and HTTP server, put together and started in the right
/// order. What is around it — configuration, signals, the data directory, the control socket — is the program's.
struct ServingStack: Sendable {
    /// What the routes work with.
    let service: FlagService
    /// What listens.
    let server: HTTPServer<LoopHandler>
    private let link: ServerLink

    /// What is needed from outside.
    struct Parts: Sendable {
        /// Where the tables are.
        var store: any ItemTable
        /// The name of the flag table, which is created if it is missing.
        var table: String
        /// What the operator decided about serving.
        var settings: ServiceSettings
        /// How to listen. Its `errorBody` and its uploads are set here.
        var http: HTTPServerConfiguration
        /// The wall clock.
        var now: @Sendable () -> Timestamp
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
        /// Told of each administrative request when it is answered, with the status.
        var reportAdministration: @Sendable (AdministrationEvent, UInt16) -> Void = { _, _ in }
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
    init(_ parts: Parts) throws {
        let link = ServerLink()
        let repository = FlagRepository(store: parts.store, table: parts.table)
        try repository.createTableIfMissing()
        let replacements = DispatchQueue(label: "flag-server.replaced-table")
        let follower = FlagTableFollower(
            repository: repository, storeID: parts.settings.storeID, report: parts.reportForeign)
        let feed = CacheFeed(
            store: parts.store, table: parts.table, loops: parts.http.loops,
            pollForeignChanges: parts.pollForeignChanges,
            tableReplaced: {
                follower.lookAtAllItems()
                replacements.async(execute: parts.tableReplaced)
            },
            report: parts.report
        ) { update, loop in
            link.send(.cache(update), toLoop: loop)
        }
        var settings = parts.settings
        settings.bodyBytes = parts.http.limits.bodyBytes
        let service = FlagService(
            repository: repository, feed: feed, follower: follower, settings: settings,
            work: parts.work, loopCount: parts.http.loops, link: link, now: parts.now,
            failures: EvaluationFailureLog(report: parts.reportFailure),
            reportAdministration: parts.reportAdministration, moreMetrics: parts.moreMetrics,
            backupComplaint: parts.backupComplaint, reserveComplaint: parts.reserveComplaint)
        var http = parts.http
        http.errorBody = FlagService.protocolErrorBody
        http.standingFields = BrowserOrigin.standingFields
        http.tellsIdleTimeout = true
        http.limits.uploads = service.router.routes.compactMap(\.upload)
        // One call for each commit, on the writer's queue.
        parts.store.subscribe { [metrics = service.metrics] changes in metrics.countCommit(ofItems: changes.count) }
        server = try HTTPServer(configuration: http) { LoopHandler(service: service, loop: $0) }
        link.attach(server)
        self.service = service
        self.link = link
    }

    /// Completes what others wrote since the last start, fills the caches, then accepts connections, then says that it
    /// is ready. Blocks while the caches are filled.
    ///
    /// - Throws: `FlagStoreError` when the kill switches cannot be read: without them nothing may be answered.
    func start() throws(FlagStoreError) {
        service.follower.start()
        try service.feed.start(warm: [service.settings.defaultEnvironment])
        server.start()
        service.failures.start()
        service.readiness.markWarm()
    }

    /// Turns `/health/ready` red, finishes what is under way, and calls back when no handler will be called any more.
    func drain(within duration: Duration, completion: @escaping @Sendable () -> Void) {
        service.readiness.markDraining()
        server.drain(within: duration) { [link, follower = service.follower] in
            follower.stop()
            link.detach()
            completion()
        }
    }
}
