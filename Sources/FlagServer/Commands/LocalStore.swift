import Access
import AccessStore
import Administration
import AuditStore
import ChangeControl
import DynamoModel
import FlagCore
import FlagStore
import FoundationEssentials
import Glibc
import HTTPClient
import HTTPRouting
import JSON
import TableEngine

/// The store in a data directory on this machine, as a command works on it: over the socket of the server that owns the
/// directory, else with the same routes in this process.
struct LocalStore {
    let configuration: ServerConfiguration
    /// The command's name.
    let command: String
    /// Whether the store is made where there is none.
    let creates: Bool
    /// Gives the operator's keys for what is stored.
    let keys: DataStore.Keys

    private static let pause: useconds_t = 20_000

    private var directory: String { configuration.dataDirectory }

    /// Has the request answered.
    ///
    /// - Parameter deadline: until then a server that is just starting, or another command, is waited for.
    func answer(
        _ request: RouteRequest, needing need: StoreAccess.Need, before deadline: ContinuousClock.Instant
    ) throws -> RouteResponse {
        while true {
            do {
                return try answerInProcess(request, needing: need)
            } catch DataDirectoryError.owned(let path, let owner) {
                if let owner, owner.isServer, let response = try ask(request, path, owner, before: deadline) {
                    return response
                }
                guard ContinuousClock.now < deadline else {
                    throw DataDirectoryError.owned(path: path, owner: owner)
                }
                usleep(Self.pause)
            }
        }
    }

    private func answerInProcess(_ request: RouteRequest, needing need: StoreAccess.Need) throws -> RouteResponse {
        switch need {
        case .server:
            // Whoever can look at the directory alone is alone.
            _ = try InspectedDirectory(directory, for: command)
            throw CommandFailure("no server runs on \(directory): there is no work of one to look at")
        case .files:
            let held = try InspectedDirectory(directory, for: command)
            defer { withExtendedLifetime(held) {} }
            tellDirectory(held.path)
            let report = try SQLiteTableStore.verify(directory: held.path, keys: try keys()).json
            return RouteResponse(status: 200, fields: [], content: report.serializedBytes())
        case .tables:
            return try DataStore.withTables(of: configuration, for: command, keys: keys) { tables in
                return try answer(
                    request,
                    over: .alone(
                        tables, configuration.profile, keys: keys(of: tables),
                        gate: gate(tables, configuration.profile.tableName), history: configuration.history),
                    tables)
            }
        case .flags:
            let store = try DataStore.openForCommand(configuration, name: command, keys: keys, creates: creates)
            defer { store.close() }
            let administration = Administration.alone(
                store.tables, store.profile, keys: keys(of: store.tables),
                gate: gate(store.tables, store.profile.tableName), history: configuration.history)
            try administration.followCallers()
            return try answer(request, over: administration, store.tables)
        }
    }

    private func answer(
        _ request: RouteRequest, over administration: Administration, _ tables: SQLiteTableStore
    ) throws -> RouteResponse {
        tellDirectory(directory)
        var administration = administration
        let audit = try audit(of: tables, administration)
        audit.start()
        // What is changed here is in the log when the command ends.
        defer { audit.stop() }
        administration.audit = audit
        administration.reasonRequired = configuration.audit.reasonRequired
        let progress = ProgressReport()
        defer { progress.end() }
        let routes = LocalRoutes(administration, describedBy: .ofProgram(version: FlagServerCommand.version))
        return RouteResponse(routes.answer(request, of: .command(command), follow: progress.follow))
    }

    /// Has the server answer that owns the directory; nil while it may still be starting.
    private func ask(
        _ request: RouteRequest, _ path: String, _ owner: Owner, before deadline: ContinuousClock.Instant
    ) throws -> RouteResponse? {
        try ControlSocket.withPath(in: path) { socket in
            do throws(ControlSocketError) {
                try ControlSocket.tryConnecting(to: socket, named: ControlSocket.path(in: path))
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                return nil
            }
            StandardError.tellOnce("asking the server that has \(Self.absolute(path)), process \(owner.process)")
            return try RemoteServer(socket: socket).answer(request)
        }
    }

    private var keyFile: AccessKeyFile {
        AccessKeyFile(directory: directory, environment: ProcessInfo.processInfo.environment)
    }

    /// The audit log of a store.
    private func audit(of tables: SQLiteTableStore, _ administration: Administration) throws -> AuditTrail {
        do throws(KeyStoreError) {
            let key = try keyFile.digests(creates: try keys(of: tables).hasNothing()).auditKey
            return AuditTrail(store: tables, flagTables: Set(Profile.allCases.map(\.tableName)), key: key)
        } catch {
            if case .secretKey(let reason) = error { throw CommandFailure(reason) }
            throw error
        }
    }

    private func gate(_ tables: SQLiteTableStore, _ flagTable: String) -> ChangeGate {
        ChangeGate(
            store: tables, flagTable: flagTable, configuration.changes,
            report: { StandardError.tell("EMERGENCY: \($0.what) in \($0.environment.rawValue), at once") })
    }

    private func keys(of tables: SQLiteTableStore) -> KeyStore {
        let file = keyFile
        return KeyStore(store: tables) { mayCreate throws(KeyStoreError) in try file.digests(creates: mayCreate) }
    }

    private func tellDirectory(_ path: String) {
        StandardError.tellOnce("working on \(Self.absolute(path)), which no server has open")
    }

    /// The path without links, so that it means the same to everybody.
    private static func absolute(_ path: String) -> String { (try? DataDirectory.resolve(path)) ?? path }
}

extension Administration {
    /// Administration of a store without a server around it.
    static func alone(
        _ tables: SQLiteTableStore, _ profile: Profile?, keys: KeyStore, gate: ChangeGate? = nil,
        work: WorkList = WorkList(), history: HistoryLimits = HistoryLimits()
    ) -> Administration {
        let table = (profile ?? .local).tableName
        let repository = FlagRepository(store: tables, table: table)
        // Histories are as the last server left them: whoever reads one has them follow what was changed since.
        repository.histories.attach {
            let follower = FlagTableFollower(repository: repository, storeID: tables.storeID, limits: history)
            follower.start()
            follower.waitUntilIdle()
            follower.stop()
            return true
        }
        return Administration(
            repository: repository,
            tables: TableAdministration(tables: tables, profile: profile), keys: keys,
            accounts: Accounts(beside: keys),
            feed: CacheFeed(store: tables, table: table, loops: 1, deliver: { _, _ in }), gate: gate, work: work,
            workers: WorkerPool(), defaultEnvironment: (profile ?? .local).defaultEnvironment, now: { .systemClock })
    }
}
