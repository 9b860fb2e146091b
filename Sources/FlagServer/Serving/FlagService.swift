import DynamoModel
import FlagCore
import FlagStore
import HTTPTransport

/// Everything that routes work with, made once and shared by all event loops. `ServingStack` puts it together: for the
/// program and for tests alike.
struct FlagService: Sendable {
    /// The flags, for reads and writes on worker queues.
    let repository: FlagRepository
    /// What fills the loops' caches.
    let feed: CacheFeed
    /// What completes the writes of others.
    let follower: FlagTableFollower
    /// What the operator decided.
    let settings: ServiceSettings
    /// The long work that is under way.
    let work: WorkList
    /// What is counted.
    let metrics: ServiceMetrics
    /// Whether requests should be sent here.
    let readiness = Readiness()
    /// Where work may block.
    let workers = WorkerPool()
    /// The way to the event loops.
    let link: ServerLink
    /// The wall clock of administrative routes.
    let now: @Sendable () -> Timestamp
    /// Where failed evaluations are told.
    let failures: EvaluationFailureLog
    /// Told of each administrative request when it is answered, with the status.
    let reportAdministration: @Sendable (AdministrationEvent, UInt16) -> Void
    /// Writes metrics that are counted elsewhere.
    let moreMetrics: @Sendable (inout MetricsText) -> Void
    /// Says what is wrong with continuous backups.
    let backupComplaint: @Sendable () -> StaticString?
    /// What is left of the disk space for kill switches; nil while nothing of it was needed.
    let reserveComplaint: @Sendable () -> String?
    /// When the server began.
    let startedAt: Timestamp
    /// The routing table.
    let router = Router.all
    /// The OpenAPI document, UTF-8.
    let openAPI: [UInt8]

    /// Puts the parts together.
    init(
        repository: FlagRepository, feed: CacheFeed, follower: FlagTableFollower, settings: ServiceSettings,
        work: WorkList, loopCount: Int, link: ServerLink, now: @escaping @Sendable () -> Timestamp,
        failures: EvaluationFailureLog,
        reportAdministration: @escaping @Sendable (AdministrationEvent, UInt16) -> Void,
        moreMetrics: @escaping @Sendable (inout MetricsText) -> Void,
        backupComplaint: @escaping @Sendable () -> StaticString?, reserveComplaint: @escaping @Sendable () -> String?
    ) {
        self.repository = repository
        self.feed = feed
        self.follower = follower
        self.settings = settings
        self.work = work
        self.link = link
        self.now = now
        self.failures = failures
        self.reportAdministration = reportAdministration
        self.moreMetrics = moreMetrics
        self.backupComplaint = backupComplaint
        self.reserveComplaint = reserveComplaint
        metrics = ServiceMetrics(loopCount: loopCount)
        startedAt = now()
        openAPI = OpenAPIDocument.text(of: Router.all.routes, version: settings.version)
    }

    /// Who does what is done through routes: nobody in particular, as long as there is no authentication.
    var principal: Principal { Principal(.anonymous) }

    /// What the transport answers by itself (bad requests, time-outs, limits), as a problem.
    static let protocolErrorBody: HTTPServerConfiguration.ErrorBody = { status, detail in
        let problem = Problem(ProblemCode(transportStatus: Int(status.code)), detail)
        return ("application/problem+json", problem.body)
    }

    /// Answers with what a write gave. To be called from the write's completion, on the writer's queue, which must
    /// not be kept waiting: the answer is written on a worker.
    func answer<Value: Sendable>(
        _ reply: Reply, _ result: Result<Value, FlagStoreError>, in environment: Environment,
        _ urgency: WorkerPool.Urgency = .usual, _ response: @escaping @Sendable (Value) -> HTTPResponse
    ) {
        let write: @Sendable () -> Void = {
            switch result {
            case .success(let value): reply(response(value))
            case .failure(let error): reply(.failure(Problem(error, in: environment)))
            }
        }
        // What is durable is answered, however much else waits.
        if urgency == .urgent { _ = workers.submit(.urgent, write) } else { workers.finish(write) }
    }
}
