import DynamoModel
import JSON
import Platform
import TableEngine

/// Answers DynamoDB's protocol over a store of tables.
///
/// What it is given has come through HTTP already: the name of an operation and a body. It never waits for another
/// thread where an operation's `manner` says so, and may be used by any number of threads.
package final class TableService: Sendable {
    /// Where the tables are.
    let store: SQLiteTableStore
    /// What is counted of each table.
    package let capacity = CapacityCounters()
    /// Transactions that must not be done twice.
    let tokens: IdempotencyTokens
    /// The account that resources are named by.
    private let account: String
    /// Which single writes overtake all that wait.
    let isUrgent: @Sendable (WriteOperation) -> Bool
    /// Why a write is not done, whoever may do it; nil where nothing keeps it. It must not block.
    let refusal: @Sendable (WriteOperation) -> ProtocolError?
    /// Why a table is not deleted, by its name; nil where nothing keeps it.
    let deletionRefusal: @Sendable (String) -> ProtocolError?
    /// Told of each restore that begins.
    let watchRestore: @Sendable (_ target: String) -> RestoreWatch
    /// The time, in milliseconds since 1970.
    let clock: @Sendable () -> Int64
    let monotonicClock: @Sendable () -> ContinuousClock.Instant

    /// What receives the response to a request, once, on any thread.
    package typealias Reply = @Sendable (ProtocolResponse) -> Void

    /// A request: what it asks for, and on whose behalf.
    package struct Request {
        /// What is asked for.
        package let operation: DynamoOperation
        /// JSON. Must stay where it is until `perform` returns.
        package let body: UnsafeRawBufferPointer
        /// Who asks.
        package let principal: Principal
        /// The host and port that the request was sent to, `localhost:8000`.
        package let host: String
        /// The region that the request was signed for; nil when it says none.
        package let region: String?
        /// Decides what of it may be done; nil where everything may.
        package let authorizer: RequestAuthorizer?

        /// A request of these members.
        package init(
            _ operation: DynamoOperation, body: UnsafeRawBufferPointer, principal: Principal,
            host: String = "localhost", region: String? = nil, authorizer: RequestAuthorizer? = nil
        ) {
            self.operation = operation
            self.body = body
            self.principal = principal
            self.host = host
            self.region = region
            self.authorizer = authorizer
        }
    }

    /// A service over `store`.
    ///
    /// - Parameters:
    ///   - store: the tables.
    ///   - account: whose the resources are, in their names: 12 digits. There is none, so that it is what DynamoDB
    ///     Local has.
    ///   - isUrgent: which writes of one item overtake all others that wait. None that takes long must be one.
    ///   - refusal: why a write is not done, whoever may do it; nil where nothing keeps it. It must not block.
    ///   - deletionRefusal: why a table is not deleted, by its name; nil where nothing keeps it.
    ///   - watchRestore: told of each restore that begins, by the name of its table.
    ///   - clock: the time of day, in milliseconds since 1970.
    ///   - monotonicClock: what the age of tokens is told by.
    package init(
        store: SQLiteTableStore, account: String = "000000000000",
        isUrgent: @escaping @Sendable (WriteOperation) -> Bool = { _ in false },
        refusal: @escaping @Sendable (WriteOperation) -> ProtocolError? = { _ in nil },
        deletionRefusal: @escaping @Sendable (String) -> ProtocolError? = { _ in nil },
        watchRestore: @escaping @Sendable (_ target: String) -> RestoreWatch = { _ in RestoreWatch() },
        clock: @escaping @Sendable () -> Int64 = { SystemClock.wallMilliseconds },
        monotonicClock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.store = store
        tokens = IdempotencyTokens(stored: store.storedTokens, at: clock(), monotonicClock())
        self.account = account
        self.isUrgent = isUrgent
        self.refusal = refusal
        self.deletionRefusal = deletionRefusal
        self.watchRestore = watchRestore
        self.clock = clock
        self.monotonicClock = monotonicClock
    }

    /// A tape for bodies of requests.
    ///
    /// Lists and maps of 32 levels take two levels of JSON each, with some around them; what is deeper is refused with
    /// DynamoDB's own words further on, and what is much deeper is no request.
    package static func makeTape() -> JSONTape {
        JSONTape(options: JSONParseOptions(maximumDepth: 256, duplicateKeys: .lastWins))
    }

    /// Does what a request asks for.
    ///
    /// - Parameters:
    ///   - request: the request. Where its operation's manner is `blocking`, this blocks: call it on a worker.
    ///   - tape: what the body is parsed with.
    ///   - reply: receives the response: before this returns, or for writes on the writer's queue when they are
    ///     durable.
    package func perform(_ request: Request, tape: JSONTape, reply: @escaping Reply) {
        do throws(ProtocolError) {
            try start(request.operation, try parse(request, tape), request, reply)
        } catch {
            reply(ProtocolResponse(error))
        }
    }

    /// Answers a point read at once; nil when that would have to wait for others, so that `perform` must be called on a
    /// worker.
    package func performWithoutWaiting(_ request: Request, tape: JSONTape) -> ProtocolResponse? {
        do throws(ProtocolError) {
            return try getItem(try parse(request, tape), withoutWaiting: true)
        } catch {
            return ProtocolResponse(error)
        }
    }

    /// Parses a body, checks it against the operation's shape, and has decided whether it may be done.
    private func parse(_ request: Request, _ tape: JSONTape) throws(ProtocolError) -> RequestReader {
        do throws(JSONError) {
            try tape.parse(request.body)
        } catch {
            throw .serialization(nil)
        }
        let root = tape.root
        guard root.kind == .object else {
            throw .serialization(root.kind == .array ? "Unexpected field type" : nil)
        }
        let reader = RequestReader(view: root, resources: resources(for: request))
        let members = request.operation.members
        for member in members {
            if let value = root[member.name] { try member.shape.checkType(value) }
        }
        try reader.checkTableName(isRequiredFirst: request.operation.isControl)
        try Shape.checkConstraints(
            members, of: root, tellsBoundsPlainly: request.operation == .query || request.operation == .batchGetItem)
        if let authorizer = request.authorizer {
            try authorize(request.operation, reader, by: authorizer)
        }
        return reader
    }

    /// There is no region here: resources are in the one that the client means, and otherwise in the first.
    private func resources(for request: Request) -> ResourceNames {
        ResourceNames(region: request.region ?? "us-east-1", account: account)
    }

    private func start(
        _ operation: DynamoOperation, _ reader: RequestReader, _ request: Request, _ reply: @escaping Reply
    ) throws(ProtocolError) {
        switch operation {
        case .putItem: try putItem(reader, request.principal, reply)
        case .updateItem: try updateItem(reader, request.principal, reply)
        case .deleteItem: try deleteItem(reader, request.principal, reply)
        case .batchWriteItem: try batchWriteItem(reader, request.principal, reply)
        case .transactWriteItems: try transactWriteItems(reader, request.principal, reply)
        default: reply(try respond(to: operation, reader, request))
        }
    }

    /// Answers an operation that blocks.
    package func respond(
        to operation: DynamoOperation, _ reader: RequestReader, _ request: Request
    ) throws(ProtocolError) -> ProtocolResponse {
        switch operation {
        case .getItem: return try getItem(reader, withoutWaiting: false) ?? .empty
        case .batchGetItem: return try batchGetItem(reader)
        case .transactGetItems: return try transactGetItems(reader)
        case .query: return try query(reader)
        case .scan: return try scan(reader)
        case .createTable: return try createTable(reader)
        case .describeTable: return try describeTable(reader)
        case .updateTable: return try updateTable(reader)
        case .deleteTable: return try deleteTable(reader)
        case .listTables: return try listTables(reader)
        case .describeLimits: return describeLimits()
        case .describeEndpoints: return describeEndpoints(host: request.host)
        default:
            if let response = try respondOnBackups(to: operation, reader) { return response }
            throw .unknown(operation.rawValue)
        }
    }
}

extension TableService {
    /// Refuses writes that are not done, whoever may do them: all of them for one.
    func requireNoRefusal(of writes: [WriteOperation]) throws(ProtocolError) {
        for write in writes { if let error = refusal(write) { throw error } }
    }
}

extension DynamoOperation {
    /// The members of a request.
    var members: [Shape.Member] {
        switch self {
        case .batchGetItem: Shape.batchGetItem
        case .batchWriteItem: Shape.batchWriteItem
        case .createBackup: Shape.createBackup
        case .createTable: Shape.createTable
        case .deleteBackup: Shape.deleteBackup
        case .describeBackup: Shape.describeBackup
        case .describeContinuousBackups: Shape.describeContinuousBackups
        case .listBackups: Shape.listBackups
        case .restoreTableFromBackup: Shape.restoreFromBackup
        case .restoreTableToPointInTime: Shape.restoreToPointInTime
        case .updateContinuousBackups: Shape.updateContinuousBackups
        case .deleteItem: Shape.deleteItem
        case .deleteTable: Shape.deleteTable
        case .describeTable: Shape.describeTable
        case .getItem: Shape.getItem
        case .listTables: Shape.listTables
        case .putItem: Shape.putItem
        case .query: Shape.query
        case .scan: Shape.scan
        case .transactGetItems: Shape.transactGetItems
        case .transactWriteItems: Shape.transactWriteItems
        case .updateItem: Shape.updateItem
        case .updateTable: Shape.updateTable
        default: []
        }
    }

    /// Whether a missing name of a table is told before everything else, in words of its own.
    var isControl: Bool {
        switch self {
        case .createTable, .deleteTable, .describeTable, .updateTable: true
        default: false
        }
    }
}

// MARK: - Tables

extension TableService {
    /// The definition of a table that may be reached through the protocol.
    ///
    /// - Throws: `ResourceNotFoundException`; the program's own tables do not exist here.
    func definition(_ table: String) throws(ProtocolError) -> TableDefinition {
        guard !InternalTables.contains(table) else { throw ProtocolError(.tableNotFound(table)) }
        return try converting { () throws(TableError) in try store.catalog.definition(table) }
    }
}

/// How resources are named: in ARNs, of a region and an account.
struct ResourceNames: Sendable {
    /// The region.
    let region: String
    /// The account, 12 digits.
    let account: String

    /// The ARN of a table.
    func table(_ name: String) -> String { "arn:aws:dynamodb:\(region):\(account):table/\(name)" }

    /// The ARN of an index.
    func index(_ name: String, of table: String) -> String { "\(self.table(table))/index/\(name)" }
}
