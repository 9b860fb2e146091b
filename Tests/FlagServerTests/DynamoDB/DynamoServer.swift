import Dispatch
import DynamoModel
import FlagCore
import FlagStore
import HTTPTransport
import JSON
import Logging
import Platform
import TableEngine

@testable import Administration
@testable import FlagServer
@testable import HTTPRouting
@testable import Telemetry

/// The port for DynamoDB's clients over a store in memory, with what the log was told. It has the table of the flags,
/// and another one called `things`.
final class DynamoServer: Sendable {
    /// The table of the flags.
    static let flags = Profile.local.tableName

    let store: SQLiteTableStore
    let endpoint: DynamoEndpoint
    let log = RecordedLog()
    /// What was listed as long work and has ended.
    let ended = Locked<[String]>([])
    /// Signalled whenever some has.
    let hasEnded = DispatchSemaphore(value: 0)
    private let server: HTTPServer<Never>

    /// Starts a server whose port is free.
    ///
    /// - Parameters:
    ///   - pages: whose pages may call.
    ///   - port: in what it differs from the port for flags.
    init(pages: [String] = [], port: ServerConfiguration.DynamoDB = ServerConfiguration.DynamoDB()) throws {
        store = try SQLiteTableStore.open(.memory)
        try FlagRepository(store: store, table: DynamoServer.flags).createTableIfMissing()
        try store.createTable(TableSchema(name: "things", partitionKey: KeyAttribute("id")))
        let (log, ended, hasEnded) = (log, ended, hasEnded)
        let work = WorkList(report: { entry, _ in
            ended.withLock { $0.append(entry.what) }
            hasEnded.signal()
        })
        endpoint = DynamoEndpoint(
            store: store, flagTable: DynamoServer.flags, hosts: ServedHosts(named: ["tables.internal"]),
            pages: PageOrigins(pages), work: work, logger: Logger(label: "test") { _ in log.handler })
        var http = HTTPServerConfiguration(addresses: [.tcp(host: "127.0.0.1", port: 0)], loops: 1)
        // Longer than a test waits for an answer: nobody takes it for the time of this port.
        http.timeouts.handler = .seconds(60)
        server = try endpoint.startServer(http, port)
    }

    deinit {
        let store = store
        server.drain(within: .seconds(5)) { store.close() }
    }

    /// A connection of its own.
    func connect() throws -> TestConnection { try TestConnection(port: server.port) }

    /// Asks for an operation as clients do.
    func call(_ operation: String, _ body: String, _ fields: [(String, String)] = []) throws -> TestResponse {
        let type = fields.contains { $0.0 == "Content-Type" } ? [] : [("Content-Type", "application/x-amz-json-1.0")]
        return try connect().send(
            "POST", "/", body, [("X-Amz-Target", "DynamoDB_20120810.\(operation)")] + type + fields)
    }

    /// Writes an item of the table `things`.
    @discardableResult
    func put(_ id: String, _ fields: [(String, String)] = []) throws -> TestResponse {
        try call("PutItem", #"{"TableName":"things","Item":{"id":{"S":"\#(id)"}}}"#, fields)
    }

    /// Reads an item of the table `things`.
    func get(_ id: String, _ fields: [(String, String)] = []) throws -> TestResponse {
        try call("GetItem", #"{"TableName":"things","Key":{"id":{"S":"\#(id)"}}}"#, fields)
    }

    /// What was counted, as `/metrics` has it.
    func metrics() -> String {
        var text = MetricsText()
        endpoint.writeMetrics(to: &text)
        return String(decoding: text.bytes, as: UTF8.self)
    }
}

extension TestResponse {
    /// The name of an error of DynamoDB's protocol.
    var errorType: String? { json["__type"]?.stringValue?.split(separator: "#").last.map(String.init) }
    /// What an error says.
    var errorMessage: String { json["message"]?.stringValue ?? json["Message"]?.stringValue ?? "" }
}

/// What a log was told.
final class RecordedLog: Sendable {
    /// One line.
    struct Line: Sendable {
        let level: Logger.Level
        let message: String
        let metadata: [String: String]
    }

    private let state = Locked<[Line]>([])

    var lines: [Line] { state.withLock { $0 } }

    var handler: any LogHandler { Handler(log: self) }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        init(log: RecordedLog) { self.log = log }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = (event.metadata ?? [:]).mapValues { "\($0)" }
            let line = Line(level: event.level, message: event.message.description, metadata: metadata)
            log.state.withLock { $0.append(line) }
        }
    }
}
