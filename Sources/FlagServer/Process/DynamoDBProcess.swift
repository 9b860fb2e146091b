import AccessStore
import Administration
import Dispatch
import DynamoModel
import Glibc
import HTTPRouting
import HTTPTransport
import Logging
import Platform
import TableEngine

/// `flag-server dynamodb` from its start to its end.
struct DynamoDBProcess {
    /// What the operator decided.
    struct Settings {
        var host: String
        var port: Int
        var dataDirectory: String
        var store: ServerConfiguration.Store
        var loops: Int
        var log: ServerConfiguration.Log
        /// Origins whose pages may call, `*` for all.
        var corsOrigins: [String]
        /// The operator's keys for what is stored.
        var keys: AtRestKeyFiles
    }

    let settings: Settings
    /// The process's environment, for what systemd says there.
    let environment: [String: String]

    private static let drainTimeout = Duration.seconds(10)

    /// Serves until SIGTERM or SIGINT, and returns when everything is written and closed.
    ///
    /// - Throws: why the server could not start.
    func run() throws {
        let signals = ProcessSignals()
        let log = StandardErrorLog.install(settings.log)
        defer { log.flush() }
        let logger = Logger.about()
        logger.info(
            "starting",
            metadata: [
                "version": "\(FlagServerCommand.version)", "store": "\(settings.store.rawValue)",
                "data": "\(settings.store == .sqlite ? settings.dataDirectory : "none")",
                "loops": .stringConvertible(settings.loops), "process": .stringConvertible(Int(getpid())),
            ])
        DescriptorLimit.raise(for: HTTPLimits().connections)
        let opened = try DataDirectory.whenNoCommandHasIt {
            var limits = TableLimits()
            limits.reserveBytes = DataStore.reserveBytes
            return try DataStore.open(
                settings.store, in: settings.dataDirectory, for: DynamoDBCommand.name, limits: limits,
                keys: { [keys = settings.keys] in try keys.read() })
        }
        let tables = opened.tables
        defer {
            tables.close()
            withExtendedLifetime(opened.directory) {}
        }
        if let warning = opened.directory?.warning { logger.warning("\(warning)") }
        tables.subscribeToWriteTrouble { logger.report(writeTrouble: $0) }
        logger.follow(tables)
        let work = WorkList(report: { logger.report($0, $1) })
        let endpoint = DynamoEndpoint(
            store: tables, hosts: ServedHosts(named: [settings.host]), pages: PageOrigins(settings.corsOrigins),
            work: work, logger: logger)
        let addresses = SocketAddress.list(settings.host, port: settings.port)
        let server = try endpoint.startServer(
            HTTPServerConfiguration(addresses: addresses, loops: settings.loops))
        let door = try openDoor(tables, work, logger)
        WorkList.Resealing(tables, work, logger).goOn()
        let places = SocketAddress.list(settings.host, port: server.port)
        logger.notice("ready", metadata: ["address": "\(SocketAddress.inWords(places, isSecure: false))"])
        let service = ServiceNotification(environment: environment)
        service.send(.ready)

        waitForStop(signals, LogDetail(RaisedAccessLog(), logger), logger)
        service.send(.stopping)
        let watch = StopWatch(signals, drain: Self.drainTimeout, log, logger)
        defer { withExtendedLifetime(watch) {} }
        let drained = DispatchGroup()
        drained.enter()
        server.drain(within: Self.drainTimeout) { drained.leave() }
        work.stop()
        if let door {
            drained.enter()
            door.drain(within: Self.drainTimeout) { drained.leave() }
        }
        drained.wait()
        logger.notice("stopped")
    }

    /// Returns when a signal asks to stop. There is nothing that SIGHUP could have read again.
    private func waitForStop(_ signals: ProcessSignals, _ detail: LogDetail, _ logger: Logger) {
        while true {
            switch signals.next() {
            case .stop(let name): return logger.notice("stopping", metadata: ["signal": "\(name)"])
            case .tellMore: detail.begin()
            case .reload: break
            }
        }
    }

    private func openDoor(
        _ tables: SQLiteTableStore, _ work: WorkList, _ logger: Logger
    ) throws -> ControlDoor? {
        // A store in memory has no directory where commands could find it.
        guard settings.store == .sqlite else { return nil }
        let routes = AdministrationRoute.ofTables
        return try ControlDoor(
            in: settings.dataDirectory, environment: environment, routes,
            over: .alone(
                tables, nil, keys: KeyStore(store: tables) { _ throws(KeyStoreError) in throw .secretKey("") },
                work: work), describedBy: .ofProgram(version: FlagServerCommand.version),
            nowhere: Problem(
                .routeNotFound,
                "`flag-server \(DynamoDBCommand.name)` serves tables without flags: there is nothing of the kind here"),
            counting: RequestCounting(routes), logger: logger)
    }
}
