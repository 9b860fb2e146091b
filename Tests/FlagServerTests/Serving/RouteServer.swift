import Access
import AccessStore
import Dispatch
import FlagCore
import FlagStore
import Glibc
import HTTPTransport
import JSON
import Platform
import TestSupport

@testable import DynamoModel
@testable import DynamoService
@testable import Evaluation
@testable import FlagServer
@testable import TableEngine

/// A whole server over a store in memory, on a port that the system chooses, with a clock that stands still.
final class RouteServer: Sendable {
    /// What the server's clocks say at first.
    static let start = Timestamp(millisecondsSinceEpoch: 1_767_323_045_678)  // 2026-01-02T03:04:05.678Z

    /// What passwords cost here: next to nothing.
    static let passwordCost = PasswordCost(rounds: 16, blockSize: 1, parallelism: 1)

    let composition: ServerComposition
    let table: SwitchableTable
    private let keys: KeyStore
    private let clock: Locked<Timestamp>
    private let client: TestConnection

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - directory: where the store is; nil for memory.
    ///   - loops: how many event loops.
    ///   - requiresAuthentication: as `--auth on`.
    ///   - change: changes the settings.
    ///   - adjust: changes how it listens.
    init(
        directory: String? = nil, loops: Int = 1, profile: Profile = .local, requiresAuthentication: Bool = false,
        change: (inout ServiceSettings) -> Void = { _ in },
        http adjust: (inout HTTPServerConfiguration) -> Void = { _ in }
    ) throws {
        let clock = Locked(RouteServer.start)
        let digests = SecretDigest(key: (0..<32).map { UInt8($0) })
        let store = try SQLiteTableStore.open(directory.map { .directory($0) } ?? .memory)
        let table = SwitchableTable(store)
        keys = KeyStore(store: table) { _ throws(KeyStoreError) in digests }
        var settings = ServiceSettings(
            profile: profile, storeID: { "test-store" }, fractional: .v3,
            version: "1.2.3")
        settings.evaluation.evaluationClock = { clock.withLock { $0 } }
        change(&settings)
        var http = HTTPServerConfiguration(addresses: [.tcp(host: "127.0.0.1", port: 0)], loops: loops)
        adjust(&http)
        composition = try ServerComposition(
            ServerComposition.Dependencies(
                store: table, tables: store, keys: keys,
                accounts: Accounts(beside: keys, cost: RouteServer.passwordCost),
                digests: requiresAuthentication ? digests : nil,
                table: profile.tableName,
                settings: settings, http: http, now: { clock.withLock { $0 } }))
        try composition.start()
        self.clock = clock
        self.table = table
        client = try TestConnection(port: composition.server.port)
    }

    deinit {
        let table = table
        composition.drain(within: .seconds(5)) { table.store.close() }
    }

    /// What the server's clocks say.
    var now: Timestamp { clock.withLock { $0 } }

    /// What it checks callers by.
    var access: ServedAccess? { composition.access }

    /// Lets time pass.
    func advance(byMilliseconds milliseconds: Int64) {
        clock.withLock { $0.millisecondsSinceEpoch += milliseconds }
    }

    /// A connection of its own.
    func connect() throws -> TestConnection { try TestConnection(port: composition.server.port) }

    /// Sends one request on the server's own connection and waits for the answer.
    @discardableResult
    func send(
        _ method: String, _ path: String, _ body: String? = nil, _ fields: [(String, String)] = []
    ) throws -> TestResponse {
        try client.send(method, path, body, fields)
    }

    /// Creates a flag in the simple spelling, or in the full one when `rule` says so.
    func create(_ key: String, _ rule: String = #""defaultEnabled":true"#, environment: String? = nil) throws {
        let query = environment.map { "?environment=\($0)" } ?? ""
        let state = rule.contains("\"variants\"") && !rule.contains("\"state\"") ? #""state":"ENABLED","# : ""
        let body = #"{"flagKey":"\#(key)","description":"A flag","owner":"tests",\#(state)\#(rule)}"#
        let answer = try send("POST", "/api/flags\(query)", body)
        guard answer.status == 201 else { throw TestFailure("\(key) was not created: \(answer.body)") }
    }

    /// Makes a key.
    func makeKey(
        _ kind: KeyKind, environment: Environment? = nil, roles: [Role] = [], tenant: String? = nil,
        lifetime: KeyLifetime = .forever, rate: RequestRate? = nil
    ) throws -> String {
        let draft = KeyDraft(
            kind: kind, name: "test", environment: environment, roles: roles, tenantID: tenant, lifetime: lifetime,
            rate: rate)
        return try keys.create(draft, by: Principal(.local, "test"), at: clock.withLock { $0 }).1.text
    }

    /// Evaluates one flag over OFREP.
    func ofrep(_ key: String, _ context: String = "{}") throws -> TestResponse {
        try send("POST", "/ofrep/v1/evaluate/flags/\(key)", #"{"context":\#(context)}"#)
    }

    /// Evaluates all flags over OFREP.
    func bulk(_ context: String = "{}", ifNoneMatch: String? = nil) throws -> TestResponse {
        try send(
            "POST", "/ofrep/v1/evaluate/flags", #"{"context":\#(context)}"#,
            ifNoneMatch.map { [("If-None-Match", $0)] } ?? [])
    }
}

/// An answer as a test sees it.
struct TestResponse {
    let status: Int
    /// Fields by their names in lower case.
    let fields: [String: String]
    let body: String

    /// The body as JSON, null when it is none.
    var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
    /// The code of a problem.
    var code: String? { json["code"]?.stringValue }
    /// The pointers of a problem's errors, in their order.
    var pointers: [String] { json["errors"]?.arrayValue?.compactMap { $0["pointer"]?.stringValue } ?? [] }
}

/// A kept-alive connection that sends one request after the other.
final class TestConnection: @unchecked Sendable {
    // `@unchecked Sendable`: each test uses a connection from one thread at a time.
    private let socket: Int32
    private var received: [UInt8] = []

    init(port: Int) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafeBytes(of: &address) { bytes in
            connect(
                socket, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                socklen_t(MemoryLayout<sockaddr_in>.size))
        }
        guard status == 0 else { throw TestFailure("connect: errno \(errno)") }
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(socket) }

    /// Leaves at once: what is under way is lost, on either side.
    func abort() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        var nowhere = sockaddr()
        nowhere.sa_family = sa_family_t(AF_UNSPEC)
        connect(socket, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
    }

    /// Sends a request and reads its answer.
    func send(
        _ method: String, _ path: String, _ body: String? = nil, _ fields: [(String, String)] = []
    ) throws -> TestResponse {
        try write(Array(TestConnection.request(method, path, body, fields).utf8))
        return try readResponse(hasBody: method != "HEAD")
    }

    /// A request's bytes.
    static func request(
        _ method: String, _ path: String, _ body: String? = nil, _ fields: [(String, String)] = []
    ) -> String {
        var head = "\(method) \(path) HTTP/1.1\r\n"
        if !fields.contains(where: { $0.0 == "Host" }) { head += "Host: localhost\r\n" }
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.utf8.count)\r\n" }
        return head + "\r\n" + (body ?? "")
    }

    /// Writes bytes as they are.
    func write(_ bytes: [UInt8]) throws {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw TestFailure("send: errno \(errno)") }
            offset += count
        }
    }

    /// Reads one answer; bytes behind it are kept for the next.
    func readResponse(hasBody: Bool = true) throws -> TestResponse {
        while true {
            if let (answer, end) = try answer(at: 0, hasBody) {
                received.removeFirst(end)
                return answer
            }
            guard try readMore() else { throw TestFailure("no answer came: errno \(errno)") }
        }
    }

    /// How many whole answers have come that were not read, without waiting for any.
    func answersThere() throws -> Int {
        while try readMore(Int32(MSG_DONTWAIT)) {}
        var (count, place) = (0, 0)
        while let (_, end) = try answer(at: place, true) { (count, place) = (count + 1, end) }
        return count
    }

    /// The answer that begins at a byte of what has come, and where it ends; nil while it is not whole.
    private func answer(at start: Int, _ hasBody: Bool) throws -> (answer: TestResponse, end: Int)? {
        let end = Array("\r\n\r\n".utf8)
        guard let headEnd = received[start...].indices.first(where: { received[$0...].starts(with: end) }) else {
            return nil
        }
        let lines = String(decoding: received[start..<headEnd], as: UTF8.self).split(separator: "\r\n")
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        guard let first = lines.first, let status = first.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { throw TestFailure("no status line") }
        let isEmpty = !hasBody || status == 204 || status == 304
        let body = headEnd + 4..<headEnd + 4 + (isEmpty ? 0 : Int(fields["content-length"] ?? "") ?? 0)
        guard body.upperBound <= received.count else { return nil }
        let answer = TestResponse(
            status: status, fields: fields, body: String(decoding: received[body], as: UTF8.self))
        return (answer, body.upperBound)
    }

    /// Reads what has come; false when there is nothing yet.
    private func readMore(_ flags: Int32 = 0) throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &buffer, buffer.count, flags)
        if count < 0, errno == EAGAIN { return false }
        guard count > 0 else { throw TestFailure("the connection ended: \(count), errno \(errno)") }
        received += buffer[..<count]
        return true
    }
}

/// A store that can be made to fail, as a disk does, or to keep writes waiting.
final class SwitchableTable: TableStore {
    let store: SQLiteTableStore
    private let failing = Locked(false)
    private let gate = Locked<DispatchSemaphore?>(nil)
    private let held = Locked(0)

    init(_ store: SQLiteTableStore) { self.store = store }

    /// Whether every read and write fails.
    var isFailing: Bool {
        get { failing.withLock { $0 } }
        set { failing.withLock { $0 = newValue } }
    }

    /// Keeps whoever writes through a route waiting.
    func holdWrites() { gate.withLock { $0 = DispatchSemaphore(value: 0) } }

    /// How many have been kept waiting.
    var heldWrites: Int { held.withLock { $0 } }

    /// Lets those go on that wait, and all others.
    func letWritesGo() {
        gate.withLock { gate in
            gate?.signal()
            gate = nil
        }
    }

    private static let failure = TableError.storage(
        StorageFailure(kind: .inputOutput, reason: "The disk cannot be read", hint: "Replace the disk"))

    private func check() throws(TableError) {
        if isFailing { throw SwitchableTable.failure }
    }

    func getItem(table: String, key: TableKey) throws(TableError) -> Item? {
        try check()
        return try store.getItem(table: table, key: key)
    }

    func getItems(table: String, keys: [TableKey]) throws(TableError) -> [Item?] {
        try check()
        return try store.getItems(table: table, keys: keys)
    }

    func query(_ query: Query) throws(TableError) -> QueryPage {
        try check()
        return try store.query(query)
    }

    func count(_ query: Query, upTo limit: Int) throws(TableError) -> Int? {
        try check()
        return try store.count(query, upTo: limit)
    }

    func scan(_ scan: Scan) throws(TableError) -> QueryPage {
        try check()
        return try store.scan(scan)
    }

    func listTables() throws(TableError) -> [String] { try store.listTables() }
    func describeTable(_ name: String) throws(TableError) -> TableDescription { try store.describeTable(name) }

    func transact(
        _ operations: [WriteOperation], principal: Principal, urgency: WriteUrgency,
        completion: @escaping @Sendable (Result<[WriteOutcome], TableError>) -> Void
    ) {
        guard !isFailing else { return completion(.failure(SwitchableTable.failure)) }
        if [.anonymous, .local].contains(principal.kind), let gate = gate.withLock({ $0 }) {
            held.withLock { $0 += 1 }
            gate.wait()
            // For the next one that waits.
            gate.signal()
        }
        store.transact(operations, principal: principal, urgency: urgency, completion: completion)
    }

    func createTable(_ schema: TableSchema) throws(TableError) { try store.createTable(schema) }
    func deleteTable(_ name: String) throws(TableError) { try store.deleteTable(name) }
    func subscribe(_ deliver: @escaping @Sendable ([TableChange]) -> Void) { store.subscribe(deliver) }
    func changes(after sequence: Int64, limit: Int) throws(TableError) -> [TableChange] {
        try store.changes(after: sequence, limit: limit)
    }
    var lastSequence: Int64 { store.lastSequence }
    func firstSequence() throws(TableError) -> Int64 { try store.firstSequence() }
    func attach(_ follower: FollowerProgress) { store.attach(follower) }
}
