import Administration
import AuditStore
import ChangeControl
import DynamoModel
import DynamoService
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON
import Logging
import TableEngine
import Telemetry

/// DynamoDB's protocol on a port of its own, with event loops and workers of its own, so that nothing on it makes an
/// evaluation of a flag wait.
final class DynamoEndpoint: Sendable {
    /// What answers.
    let service: TableService
    /// Where reads may block.
    let workers = WorkerPool()
    /// What clients may call the server by.
    let hosts: ServedHosts
    /// Whose pages may call.
    let pages: PageOrigins
    /// The table of the flags; nil where none are served.
    let flagTable: String?
    /// Whose requests are taken, and what they may; nil where authentication is off.
    let access: PortAccess?
    /// Told of what changes tables and flags.
    let logger: Logger
    /// The audit log; nil where none is kept.
    let audit: AuditTrail?
    /// What is counted of requests.
    let requests = DynamoRequestCounters()

    /// An endpoint over the tables of a store.
    ///
    /// - Parameters:
    ///   - flagTable: the table whose kill switches overtake other writes; nil where no flags are served.
    ///   - gate: decides which writes of flags are done; nil for all.
    ///   - access: whose requests are taken; nil where authentication is off.
    ///   - work: where restores are listed, which go on behind their answers.
    ///   - audit: the audit log; nil where none is kept.
    ///   - logger: told of what changes tables and flags.
    init(
        store: SQLiteTableStore, flagTable: String? = nil, gate: ChangeGate? = nil, hosts: ServedHosts,
        pages: PageOrigins = .none, access: PortAccess? = nil, work: WorkList = WorkList(), audit: AuditTrail? = nil,
        logger: Logger
    ) {
        self.audit = audit
        self.access = access
        self.flagTable = flagTable
        self.logger = logger
        service = TableService(
            store: store, isUrgent: { $0.isKillSwitch(in: flagTable) }, refusal: { gate?.refusal(of: $0) },
            deletionRefusal: { gate?.refusal(ofDeleting: $0) },
            watchRestore: { work.watchRestore(into: $0) })
        self.hosts = hosts
        self.pages = pages
    }

    /// Where the port is, of the addresses that the server listens on: a path has none, and where there are only paths
    /// it is this machine's alone.
    static func addresses(_ host: String, port: Int) -> [SocketAddress] {
        let places = SocketAddress.list(host, port: port).filter { place in
            if case .tcp = place { true } else { false }
        }
        return places.isEmpty ? [.tcp(host: "127.0.0.1", port: port)] : places
    }

    /// Binds addresses and begins to answer.
    ///
    /// - Parameters:
    ///   - http: where to listen, and the bounds of the port for flags.
    ///   - port: what differs from them.
    /// - Throws: `TransportError`.
    func startServer(
        _ http: HTTPServerConfiguration, _ port: ServerConfiguration.DynamoDB = ServerConfiguration.DynamoDB()
    ) throws(TransportError) -> HTTPServer<Never> {
        var http = http
        // `x-amz-crc32` is of the content as it is sent, and clients check it so.
        http.compression.minimumBytes = 0
        http.limits.bodyBytes = port.bodyBytes
        http.timeouts.idle = port.idle
        http.timeouts.handler = port.handler
        http.timeouts.request = port.request
        if port.tls == .off { http.tls = nil }
        http.errorBody = Self.errorBody
        http.standingFields = BrowserOrigin.standingFields(
            dependsOnCaller: access != nil, isSecure: http.tls != nil)
        http.tellsIdleTimeout = true
        let server = try HTTPServer<Never>(configuration: http)
        server.start { [self] loop in DynamoHandler(endpoint: self, loop: loop) }
        return server
    }

    /// What the transport answers by itself.
    private static let errorBody: HTTPServerConfiguration.ErrorBody = { status, detail, _ in
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("__type")
        writer.string(
            status.code >= 500
                ? "com.amazon.coral.service#ServiceUnavailable"
                : "com.amazon.coral.service#\(status.code == 413 ? "RequestTooLarge" : "Malformed")Exception")
        writer.key("message")
        writer.string(detail)
        writer.endObject()
        return ("application/x-amz-json-1.0", writer.bytes)
    }

    /// Writes what was counted.
    func writeMetrics(to text: inout MetricsText) {
        requests.write(to: &text)
        text.family(
            "flag_server_dynamodb_consumed_units_total", .counter,
            "Capacity units that requests took, by DynamoDB's arithmetic.")
        for (subject, units) in service.capacity.all {
            let index = subject.index ?? ""
            text.sample(fraction: units.read, ["table": subject.table, "index": index, "kind": "read"])
            text.sample(fraction: units.write, ["table": subject.table, "index": index, "kind": "write"])
        }
    }
}
