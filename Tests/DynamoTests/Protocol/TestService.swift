import Dispatch
import JSON
import Platform
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

/// The protocol over a store in memory, called as HTTP would call it.
struct TestService {
    let store: SQLiteTableStore
    let service: TableService
    private let now: Locked<Int64>
    private let passed: Locked<Duration>

    /// A service with the table `things` of a string and a number key, and the indexes `by-owner` (all attributes, keys
    /// `owner` and `rank`) and `by-tag` (keys only).
    ///
    /// - Parameters:
    ///   - directory: where the tables are kept; in memory when nil.
    ///   - time: what the clock shows.
    ///   - limits: the bounds of the tables.
    ///   - isUrgent: what overtakes other writes.
    init(
        directory: String? = nil, at time: Int64 = 1_700_000_000_000, limits: TableLimits = TableLimits(),
        isUrgent: @escaping @Sendable (WriteOperation) -> Bool = { _ in false }
    ) throws {
        store = try SQLiteTableStore.open(directory.map { .directory($0) } ?? .memory, limits: limits)
        let now = Locked(time)
        let passed = Locked(Duration.zero)
        self.now = now
        self.passed = passed
        let start = ContinuousClock.now
        service = TableService(
            store: store, isUrgent: isUrgent, clock: { now.withLock { $0 } },
            monotonicClock: { start + passed.withLock { $0 } })
        if try store.listTables().contains("things") { return }
        try store.createTable(
            TableSchema(
                name: "things", partitionKey: KeyAttribute("pk"), sortKey: KeyAttribute("sk", .number),
                indexes: [
                    IndexSchema(
                        "by-owner", partitionKey: KeyAttribute("owner"), sortKey: KeyAttribute("rank", .number)),
                    IndexSchema("by-tag", partitionKey: KeyAttribute("tag"), projection: .keysOnly),
                ]))
    }

    /// Lets time pass.
    func advance(milliseconds: Int64) {
        passed.withLock { $0 += .milliseconds(milliseconds) }
        setClock(by: milliseconds)
    }

    /// Sets the clock by which the time of day is told, forwards or back.
    func setClock(by milliseconds: Int64) { now.withLock { $0 += milliseconds } }

    /// Sends a request.
    func call(_ operation: DynamoOperation, _ body: String, _ authorizer: RequestAuthorizer? = nil) -> Reply {
        let answered = DispatchSemaphore(value: 0)
        let response = Locked<ProtocolResponse?>(nil)
        Array(body.utf8).withUnsafeBytes { bytes in
            let request = TableService.Request(operation, body: bytes, principal: .anonymous, authorizer: authorizer)
            service.perform(request, tape: TableService.makeTape()) { answer in
                response.withLock { $0 = answer }
                answered.signal()
            }
        }
        answered.wait()
        return Reply(response.withLock { $0 } ?? ProtocolResponse(status: 0, body: []))
    }

    /// What came back.
    struct Reply {
        let status: UInt16
        let json: JSONValue

        init(_ response: ProtocolResponse) {
            status = response.status
            json = (try? JSONValue(parsing: response.body, options: JSONParseOptions(maximumDepth: 256))) ?? .null
        }

        subscript(name: String) -> JSONValue? { json.objectValue?[name] }

        /// The error's name without its package.
        var error: String? {
            self["__type"]?.stringValue.flatMap { $0.split(separator: "#").last.map(String.init) }
        }

        var message: String? { (self["message"] ?? self["Message"])?.stringValue }

        /// The numbers in the attribute `sk` of the items.
        var sortKeys: [String] {
            self["Items"]?.arrayValue?.compactMap { $0.objectValue?["sk"]?.objectValue?["N"]?.stringValue } ?? []
        }
    }

    /// Puts an item with further attributes, given as JSON members.
    func put(_ partition: String, _ sort: Int, _ more: String = "") {
        let reply = call(
            .putItem,
            #"{"TableName":"things","Item":{"pk":{"S":"\#(partition)"},"sk":{"N":"\#(sort)"}"#
                + (more.isEmpty ? "" : "," + more) + "}}")
        #expect(reply.status == 200, "\(reply.json)")
    }
}

extension JSONValue {
    /// A value given as JSON text.
    static func text(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }
}
