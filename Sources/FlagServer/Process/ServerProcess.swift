import Access
import AccessStore
import Administration
import Audit
import AuditStore
import ChangeControl
import Dispatch
import DynamoModel
import Evaluation
import FlagCore
import FlagFiles
import FlagStore
import FoundationEssentials
import Glibc
import HTTPRouting
import HTTPTransport
import Logging
import Platform
import TableEngine
import Tokens

/// A server from its start to its end: puts the parts together in order, waits for a signal, takes them apart
/// again.
struct ServerProcess {
    let configuration: ServerConfiguration
    /// The process's environment, for what systemd says there.
    let environment: [String: String]
    /// What was written for each setting, by its key.
    let written: [String: String]
    /// Reads the settings from where they were read at the start, with what was written.
    let readAgain: () throws -> (ServerConfiguration, written: [String: String])

    /// Serves until SIGTERM or SIGINT, and returns when everything is written and closed.
    ///
    /// - Throws: why the server could not start.
    func run() throws {
        let signals = ProcessSignals()
        let log = StandardErrorLog.install(configuration.log)
        defer { log.flush() }
        let logger = Logger.about()
        logger.info("starting", metadata: settingsForLog)
        for notice in configuration.notices { logger.notice("\(notice)") }
        let exposed = configuration.exposedSecrets(environment: environment)
        guard exposed.isEmpty || configuration.profile != .prod else { throw ConfigurationError(issues: exposed) }
        for exposure in exposed { logger.warning("\(exposure)") }
        DescriptorLimit.raise(for: configuration.limits.connections + HTTPLimits().connections)

        let store = try DataDirectory.whenNoCommandHasIt { try DataStore.openForServing(configuration) }
        defer { store.close() }
        let keyFiles = configuration.atRestKeyFiles(environment: environment)
        if let notice = keyFiles.notice(directory: configuration.dataDirectory) { logger.warning("\(notice)") }
        if let warning = store.directory?.warning { logger.warning("\(warning)") }
        if try !store.takesWrites() {
            logger.error("the disk is full: flags are served, and no change is taken until there is room")
        }
        try loadSampleFlags(into: store, logger)
        let work = WorkList(report: { Logger.about(.store).report($0, $1) })
        let (keys, digests) = try openAccess(store, logger)
        let audit = try openAudit(store, keys, logger)
        defer { audit.stop() }
        let gate = ChangeGate(
            store: store.tables, flagTable: configuration.profile.tableName, configuration.changes,
            report: { Logger.about(.administration).report($0) })
        let portAccess = configuration.auth == .on ? portAccess(keys, audit) : nil
        let endpoint = DynamoEndpoint(
            store: store.tables, flagTable: configuration.profile.tableName, gate: gate,
            hosts: configuration.servedHosts, access: portAccess,
            work: work, audit: audit, logger: .about(.dynamodb))
        let accessLog = AccessLines.log(configuration.log.access, to: log, routes: ServedRoutes.patterns)
        let composition = try makeComposition(
            store, endpoint, (keys, digests), gate, audit, work, accessLog.log, log, logger)
        try composition.start()
        let upkeep = ProposalUpkeep(
            composition.administration.desk, gate.freezes, logger: .about(.administration))
        upkeep.start()
        let notices = KeyExpiryNotices(composition.keys, logger: .about(.keys))
        if configuration.auth == .on { notices.start() }
        defer { withExtendedLifetime(notices) {} }
        let dynamodb = try openDynamoDBPort(endpoint, keys.accessKeys, logger)
        let door = try openDoor(composition, logger)
        audit.note(.ofServer(.start, configuration))
        WorkList.Resealing(store.tables, work, logger).goOn()
        logger.notice("ready", metadata: ["address": "\(address(port: composition.server.port))"])
        let parts = SettingsReload.Parts(
            composition: composition, dynamodb: dynamodb, strangers: portAccess?.strangers, gate: gate, audit: audit,
            accessLog: accessLog, logger: logger)
        let service = ServiceNotification(environment: environment)
        serve(signals, service, parts)
        service.send(.stopping, "finishing what is under way")
        let watch = StopWatch(signals, drain: configuration.drainTimeout, log, logger)
        defer { withExtendedLifetime(watch) {} }
        drain(composition, dynamodb, door, work)
        audit.note(.ofServer(.stop, configuration))
        upkeep.stop()
        logger.notice("stopped")
    }

    /// Finishes what is under way, and waits for that.
    private func drain(
        _ composition: ServerComposition, _ dynamodb: DynamoPort?, _ door: ControlDoor?, _ work: WorkList
    ) {
        let drained = DispatchGroup()
        drained.enter()
        composition.drain(within: configuration.drainTimeout) { drained.leave() }
        if let dynamodb {
            drained.enter()
            dynamodb.drain(within: configuration.drainTimeout) { drained.leave() }
        }
        // Readiness is red by now. What may take long stops where it is consistent, and tells its clients how far it
        // has come.
        work.stop()
        if let door {
            drained.enter()
            door.drain(within: configuration.drainTimeout) { drained.leave() }
        }
        drained.wait()
    }

    /// Tells systemd how the server is doing until a signal asks to stop, and does what other signals ask for.
    private func serve(_ signals: ProcessSignals, _ service: ServiceNotification, _ parts: SettingsReload.Parts) {
        let (server, logger) = (parts.composition.server, parts.logger)
        let status = "serving at \(address(port: server.port))"
        service.send(.ready, status)
        if let time = service.watchdogMicroseconds {
            LoopWatchdog(loops: server.loopCount, microseconds: time, logger, alive: { service.send(.alive) }) {
                server.send(.publish(done: $1), toLoop: $0)
            }.start()
        }
        let detail = LogDetail(parts.accessLog, logger)
        var reload = SettingsReload((configuration, written), parts, environment: environment, read: readAgain)
        while true {
            switch signals.next() {
            case .stop(let name): return logger.notice("stopping", metadata: ["signal": "\(name)"])
            case .reload:
                service.send(.reloading)
                reload.run()
                service.send(.ready, status)
            case .tellMore: detail.begin()
            }
        }
    }

    private func loadSampleFlags(into store: DataStore, _ logger: Logger) throws {
        guard let path = configuration.sampleFlags, try store.flags.isEmpty() else { return }
        // Histories begin with what is loaded: whoever follows has to know that there was nothing before.
        let follower = FlagTableFollower(repository: store.flags, storeID: store.tables.storeID)
        follower.start()
        follower.waitUntilIdle()
        follower.stop()
        let request = ImportRequest(
            file: try ServerConfiguration.sampleFile(path), environment: nil, mode: .merge, isDryRun: false,
            keepsInvalid: false)
        do {
            let transfer = FlagTransfer(flags: store.flags, defaultEnvironment: store.profile.defaultEnvironment)
            _ = try transfer.run(request) { .server("sample-flags", in: $0, at: .systemClock) }
        } catch let error as DefinitionIssues {
            throw CommandFailure("\(path): \(FlagTransfer.list(error.issues))")
        }
        logger.info("loaded sample flags", metadata: ["file": "\(path)"])
    }

    /// What the operator decided about serving.
    private func serviceSettings(storeID: @escaping @Sendable () -> String) -> ServiceSettings {
        var settings = ServiceSettings(
            profile: configuration.profile,
            storeID: storeID, fractional: configuration.evaluation.fractional,
            version: FlagServerCommand.version)
        settings.hosts = configuration.servedHosts
        settings.administrationRate = configuration.throttle.administration.rate
        settings.evaluationRate = configuration.throttle.evaluations.rate
        settings.pages = PageOrigins(configuration.corsOrigins)
        settings.scheduleLateMilliseconds = Int64(configuration.scheduleLate.milliseconds)
        settings.metricsReaders = configuration.metricsReaders
        settings.history = configuration.history
        settings.evaluation.cacheLimits = configuration.cache
        settings.evaluation.bulkResponseBytes = configuration.bulkResponseBytes
        settings.evaluation.contextLimits = configuration.contextLimits
        return settings
    }

    private func makeComposition(
        _ store: DataStore, _ endpoint: DynamoEndpoint, _ access: (keys: KeyStore, digests: SecretDigest?),
        _ gate: ChangeGate, _ audit: AuditTrail, _ work: WorkList, _ accessLog: AccessLog, _ log: StandardErrorLog,
        _ logger: Logger
    ) throws -> ServerComposition {
        var http = http(at: try addresses())
        http.accessLog = accessLog
        let tables = store.tables
        let flagTable = configuration.profile.tableName
        let directory = configuration.store == .sqlite ? configuration.dataDirectory : nil
        let settings = serviceSettings(storeID: { tables.storeID })
        let issuerKeys = try openIssuers(logger)
        var dependencies = ServerComposition.Dependencies(
            store: tables, tables: tables, keys: access.keys, digests: access.digests,
            table: configuration.profile.tableName,
            settings: settings, http: http,
            now: { .systemClock }, gate: gate, work: work,
            pollForeignChanges: { () throws(TableError) in try tables.deliverForeignChanges() },
            tableReplaced: {
                do throws(TableError) { try store.protectTable() } catch {
                    logger.error("the table cannot be protected from deletion", metadata: ["reason": "\(error)"])
                }
            },
            report: { Logger.about(.store).report($0) }, reportForeign: { Logger.about(.store).report($0) },
            reportFailure: { Logger.about(.evaluation).report($0) },
            reportSchedule: { Logger.about(.schedules).report($0) },
            reportAdministration: { event, status in event.report(status, to: .about(.administration)) },
            reportProposal: { Logger.about(.administration).report($0) },
            moreMetrics: { text in
                endpoint.writeMetrics(to: &text)
                tables.writeMetrics(to: &text)
                if let directory {
                    tables.writeNewestBackup(of: flagTable, to: &text)
                    FileSystemRoom(of: directory)?.writeMetrics(to: &text)
                }
                audit.writeMetrics(to: &text)
                log.output?.writeMetrics(to: &text)
            },
            backupComplaint: {
                if tables.backupTrouble != nil { return "lag behind the writes; the log says why" }
                return tables.logDamages.isEmpty ? nil : "are damaged; flag-server backup continuous status says where"
            }, reserveComplaint: { tables.reserveComplaint })
        dependencies.audit = audit
        dependencies.reasonRequired = configuration.audit.reasonRequired
        if let issuerKeys {
            dependencies.issuers = issuerKeys.issuers
            dependencies.fetchIssuerKeys = { issuerKeys.refresh($0, done: $1) }
        }
        Logger.about(.store).follow(tables)
        let composition = try ServerComposition(dependencies)
        issuerKeys?.start { [server = composition.server] in
            for loop in 0..<server.loopCount { server.send(.issuerKeys, toLoop: loop) }
        }
        let readiness = composition.health.readiness
        tables.subscribeToWriteTrouble { trouble in
            readiness.mark(writable: trouble == nil)
            logger.report(writeTrouble: trouble)
        }
        return composition
    }

    /// Whose requests the DynamoDB port takes.
    private func portAccess(_ keys: KeyStore, _ audit: AuditTrail) -> PortAccess {
        let strangers = Throttles(administration: configuration.throttle.administration.rate, evaluations: nil)
        return PortAccess(keys: keys.accessKeys, strangers: strangers, noteRefusal: audit.noteRefusal)
    }

    /// Others whose tokens are taken; nil where nobody's are.
    private func openIssuers(_ logger: Logger) throws -> IssuerKeys? {
        guard let path = configuration.tokenIssuers else { return nil }
        guard configuration.auth == .on else {
            logger.warning("tokens.issuers says nothing while auth is off: nobody is asked for a token")
            return nil
        }
        let settings: [OutsideIssuer.Settings]
        do throws(IssuerFileFault) { settings = try ServerConfiguration.issuers(path) } catch {
            throw CommandFailure("\(path): \(error)")
        }
        return try IssuerKeys(
            settings.map { OutsideIssuer($0) }, userAgent: "flag-server/\(FlagServerCommand.version)",
            logger: .about(.keys))
    }

    /// The keys of a store; with authentication on, also what they are checked by.
    private func openAccess(_ store: DataStore, _ logger: Logger) throws -> (KeyStore, SecretDigest?) {
        let file = AccessKeyFile(
            directory: configuration.store == .sqlite ? configuration.dataDirectory : nil, environment: environment)
        let keys = KeyStore(store: store.tables) { mayCreate throws(KeyStoreError) in
            try file.digests(creates: mayCreate)
        }
        guard configuration.auth == .on else { return (keys, nil) }
        do throws(KeyStoreError) {
            let records = try keys.load()
            if !records.values.contains(where: { $0.state(at: .systemClock) == .active }) {
                logger.warning(
                    """
                    no API key is good: everybody is refused; make the first with `flag-server keys create --name \
                    first --kind admin --environment '*' --role admin`
                    """)
            }
            let anonymous = records.values.filter { $0.createdBy == "\(Principal.anonymous)" && $0.revocation == nil }
            if !anonymous.isEmpty {
                logger.warning(
                    """
                    some keys were made by nobody in particular, while authentication was off: revoke those that \
                    are not yours
                    """,
                    metadata: ["selectors": "\(anonymous.map(\.selector).sorted().joined(separator: ", "))"])
            }
            // Keys of both kinds and accounts are good by this file: once there are any, it is not made anew in
            // silence.
            return (keys, try file.digests(creates: try keys.hasNothing()))
        } catch {
            if case .secretKey(let reason) = error { throw CommandFailure(reason) }
            throw error
        }
    }

    /// Opens the port for DynamoDB's protocol, if there is to be one: with authentication on as soon as there is a key
    /// that signatures can be checked with.
    private func openDynamoDBPort(
        _ endpoint: DynamoEndpoint, _ keys: AccessKeyStore, _ logger: Logger
    ) throws -> DynamoPort? {
        guard let number = configuration.dynamodbPort else { return nil }
        let host = configuration.host
        let addresses = DynamoEndpoint.addresses(host, port: number)
        let http = http(at: addresses)
        let port = DynamoPort { [configuration] () throws(TransportError) in
            let server = try endpoint.startServer(http, configuration.dynamodb)
            let places = DynamoEndpoint.addresses(host, port: server.port)
            logger.notice(
                "ready for DynamoDB clients",
                metadata: ["address": "\(SocketAddress.inWords(places, isSecure: configuration.dynamodb.tls == .on))"])
            return server
        }
        guard configuration.auth == .on else {
            try port.open()
            return port
        }
        try keys.start { port.openSoon(logger) }
        if try !keys.load().contains(where: { $0.state == .active }) {
            logger.warning(
                """
                the DynamoDB port stays closed until there is an access key: make one with `flag-server access-keys \
                create --name NAME --policy FILE`
                """, metadata: ["port": .stringConvertible(number)])
        } else {
            // Here, so that a port that is taken keeps the server from starting.
            try port.open()
        }
        return port
    }

    private func openDoor(_ composition: ServerComposition, _ logger: Logger) throws -> ControlDoor? {
        // A store in memory has no directory where commands could find it.
        guard configuration.store == .sqlite else { return nil }
        return try ControlDoor(
            in: configuration.dataDirectory, environment: environment, AdministrationRoute.all,
            over: composition.administration, describedBy: composition.document,
            counting: RequestCounting(composition.metrics),
            logger: logger)
    }

    /// How to listen, with the bounds that the operator set.
    private func http(at addresses: [SocketAddress]) -> HTTPServerConfiguration {
        var http = HTTPServerConfiguration(addresses: addresses, loops: loopCount)
        http.limits = configuration.limits
        http.timeouts = configuration.timeouts
        http.tls = configuration.tls
        http.trustedProxies = configuration.trustedProxies
        http.compression = configuration.compression
        return http
    }

    /// How many event loops there are.
    private var loopCount: Int {
        switch configuration.loops {
        case .cores: ProcessInfo.processInfo.activeProcessorCount
        case .exactly(let count): count
        }
    }

    /// Where to listen: on what systemd hands over (sd_listen_fds(3)), else where the configuration says.
    ///
    /// - Throws: `CommandFailure` when authentication is off and others than this machine could connect.
    private func addresses() throws -> [SocketAddress] {
        let activated = ActivatedSockets.addresses { environment[$0] }
        for case .inherited(let descriptor) in activated
        where configuration.auth == .off && !ActivatedSockets.isLoopback(descriptor) {
            throw CommandFailure(
                "auth must be on: the socket that was handed over (descriptor \(descriptor)) is not bound to this "
                    + "machine alone; bind it to 127.0.0.1, ::1 or a path, or set auth to on")
        }
        for case .inherited(let descriptor) in activated
        where configuration.profile == .prod && configuration.tls == nil && configuration.tlsTermination == .here
            && !ActivatedSockets.isLoopback(descriptor)
        {
            throw ConfigurationError(issues: [
                "tls.certificate and tls.key must be set for the profile prod: others can reach the socket that was "
                    + "handed over (descriptor \(descriptor)); where a proxy in front of the server terminates TLS, "
                    + "say so with tls: proxy"
            ])
        }
        return activated.isEmpty ? SocketAddress.list(configuration.host, port: configuration.port) : activated
    }

    private func address(port: Int) -> String {
        let activated = ActivatedSockets.addresses { environment[$0] }
        let places = activated.isEmpty ? SocketAddress.list(configuration.host, port: port) : activated
        return SocketAddress.inWords(places, isSecure: configuration.tls != nil)
    }

    private var settingsForLog: Logger.Metadata {
        [
            "version": "\(FlagServerCommand.version)", "profile": "\(configuration.profile.rawValue)",
            "configuration": "\(configuration.file ?? "built-in defaults")",
            "store": "\(configuration.store.rawValue)",
            "data": "\(configuration.store == .sqlite ? configuration.dataDirectory : "none")",
            "address": "\(address(port: configuration.port))", "loops": .stringConvertible(loopCount),
            "auth": "\(configuration.auth.rawValue)", "process": .stringConvertible(Int(getpid())),
        ]
    }
}

extension SocketAddress {
    /// Addresses as clients are given them: those of TCP as URLs.
    static func inWords(_ places: [SocketAddress], isSecure: Bool) -> String {
        places.map { place in
            if case .tcp = place { return "\(isSecure ? "https" : "http")://\(place)" }
            return "\(place)"
        }.joined(separator: ", ")
    }
}
