import Access
import Administration
import DynamoModel
import Foundation
import HTTPClient
import HTTPRouting
import JSON
import Logging
import Platform
import Testing

@testable import FlagServer
@testable import HTTPTransport

@Suite("Control socket", .serialized)
struct ControlDoorTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A server, and its door in a directory.
    private struct Opened {
        let server: RouteServer
        let door: ControlDoor
        let directory: String

        init(in directory: String) throws {
            server = try RouteServer()
            door = try ControlDoor(
                in: directory, AdministrationRoute.all, over: server.composition.administration,
                describedBy: server.composition.document, counting: RequestCounting(server.composition.metrics),
                logger: ControlDoorTests.logger)
            self.directory = directory
        }

        func ask(_ request: RouteRequest) throws -> RouteResponse {
            try ControlSocket.withPath(in: directory) { try RemoteServer(socket: $0).answer(request) }
        }

        func stop() {
            let done = DispatchSemaphore(value: 0)
            door.drain(within: .seconds(20)) { done.signal() }
            done.wait()
        }

        func isListening() throws -> Bool {
            try ControlSocket.withPath(in: directory) { path in
                do throws(ControlSocketError) {
                    try ControlSocket.tryConnecting(to: path, named: path)
                    return true
                } catch { return false }
            }
        }
    }

    private static let userName = ProcessInfo.processInfo.userName

    @Test("Routes are answered, whatever the size, and the kernel vouches for who asked")
    func answered() throws {
        let directory = try TemporaryDirectory()
        let opened = try Opened(in: directory.path)
        defer { opened.stop() }
        let flags = (0..<10_000).map { number in
            #"{"flagKey":"f\#(number)","description":"\#(String(repeating: "d", count: 200))","#
                + #""owner":"o","defaultEnabled":true}"#
        }
        let file = Array(#"{"flags":[\#(flags.joined(separator: ","))]}"#.utf8)
        #expect(file.count > 2_000_000)
        let answer = try opened.ask(RouteRequest(.post, "/api/import", body: file).inLongWork)
        #expect(answer.status == 200)
        let history = try opened.ask(RouteRequest(.get, "/api/flags/f1/history")).json()
        #expect(history["history"]?.arrayValue?.last?["by"] == .string("local:\(Self.userName)"))
        #expect(try opened.ask(RouteRequest(.get, "/nowhere")).status == 404)
        let metrics = try opened.server.send("GET", "/metrics").body
        #expect(metrics.contains(#"flag_server_http_requests_total{route="transfer",status="200"} 1"#))
    }

    @Test("Only the server's user may use the socket's file, and it is gone after the stop")
    func mode() throws {
        let directory = try TemporaryDirectory()
        let opened = try Opened(in: directory.path)
        let path = ControlSocket.path(in: directory.path)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect(try opened.isListening())
        opened.stop()
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try !opened.isListening())
    }

    @Test("A user whom the door does not know is refused, also one whom the kernel does not name")
    func strangers() throws {
        let directory = try TemporaryDirectory()
        let server = try RouteServer()
        let routes = AdministrationRoute.all
        let counting = RequestCounting(server.composition.metrics)
        let parts = ControlHandler.Parts(
            routes: routes, router: Router(routes.map(\.declaration), describedBy: server.composition.document),
            administration: server.composition.administration,
            handover: RouteHandover(
                to: server.composition.administration.workers, counting.metrics, counting.workers, contentBytes: 1000,
                report: { _, _ in }),
            callers: [geteuid() + 1: .local(user: "somebody")], nowhere: .routeNotFound)
        let path = directory.path + "/x.sock"
        let http = try HTTPServer<Never>(
            configuration: HTTPServerConfiguration(addresses: [.unix(path: path)], loops: 1))
        http.start { _ in ControlHandler(parts, counter: RequestCounter(counting.metrics, in: counting.door)) }
        for target in ["/api/flags", "/api/backups", "/nowhere"] {
            let answer = try RemoteServer(socket: path).answer(RouteRequest(.get, target))
            #expect(answer.status == 403)
            #expect(answer.failure(of: nil).description.contains("only root and the user"))
        }
        let done = DispatchSemaphore(value: 0)
        http.drain(within: .seconds(5)) { done.signal() }
        done.wait()
    }

    @Test("A socket that a killed server left behind is replaced")
    func stale() throws {
        let directory = try TemporaryDirectory()
        close(try ControlSocket.listen(in: directory.path))
        let opened = try Opened(in: directory.path)
        defer { opened.stop() }
        #expect(try opened.ask(RouteRequest(.get, "/api/work")).status == 200)
    }

    @Test("What stands in the place of the socket is told, and left alone")
    func notASocket() throws {
        let directory = try TemporaryDirectory()
        let path = ControlSocket.path(in: directory.path)
        try Data("mine".utf8).write(to: URL(filePath: path))
        #expect(throws: ControlSocketError.notASocket(path: path, kind: "a file")) { try Opened(in: directory.path) }
        #expect(throws: ControlSocketError.self) { try ControlSocket.withPath(in: directory.path) { _ in } }
        #expect(try String(contentsOf: URL(filePath: path), encoding: .utf8) == "mine")
    }

    @Test("A directory whose path is too long for a socket's address works too")
    func longPath() throws {
        let parent = try TemporaryDirectory()
        let directory = parent.path + "/" + String(repeating: "d", count: 120)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        let opened = try Opened(in: directory)
        defer { opened.stop() }
        #expect(try opened.ask(RouteRequest(.get, "/api/work")).status == 200)
    }

    private static let file: [UInt8] = {
        let flags = (0..<1000).map { #"{"flagKey":"f\#($0)","description":"d","owner":"o","defaultEnabled":true}"# }
        return Array(#"{"flags":[\#(flags.joined(separator: ","))]}"#.utf8)
    }()

    /// Begins an import whose writes the store does not take.
    private func importHeldUp(_ opened: Opened, _ lines: Locked<[UInt8]>) throws -> (DispatchSemaphore, HTTPClient) {
        opened.server.table.holdWrites()
        let client = try HTTPClient(HTTPClientSettings(userAgent: "test"))
        var request = HTTPClientRequest(
            "POST", "http://localhost/api/import?environment=dev",
            fields: [("Accept", "application/jsonl"), ("Content-Type", "application/json")], body: Self.file)
        request.unixSocket = ControlSocket.path(in: opened.directory)
        request.onContent = { bytes in lines.withLock { $0 += Array(bytes) } }
        let ended = DispatchSemaphore(value: 0)
        client.send(request) { _ in ended.signal() }
        try waitUntil { opened.server.table.heldWrites == 1 }
        return (ended, client)
    }

    private static func parsed(_ lines: Locked<[UInt8]>) -> [JSONValue] {
        lines.withLock { $0 }.split(separator: UInt8(ascii: "\n")).compactMap { try? JSONValue(parsing: Array($0)) }
    }

    @Test("Long work tells how far it is until its answer, and is looked at meanwhile")
    func progress() throws {
        let directory = try TemporaryDirectory()
        let opened = try Opened(in: directory.path)
        defer { opened.stop() }
        let lines = Locked<[UInt8]>([])
        let (ended, client) = try importHeldUp(opened, lines)
        try waitUntil { Self.parsed(lines).contains { $0["work"]?["total"] == 1000 } }
        let listed = try opened.ask(RouteRequest(.get, "/api/work")).json()["work"]?.arrayValue?.first
        #expect(listed?["by"]?.stringValue?.hasPrefix("local:\(Self.userName) from process ") == true)
        opened.server.table.letWritesGo()
        ended.wait()
        let last = try #require(Self.parsed(lines).last)
        #expect(last["response"]?["status"] == 200)
        #expect(last["response"]?["content"]?["environment"] == "staging")
        #expect(Self.parsed(lines).dropLast().allSatisfy { $0["work"] != nil })
        withExtendedLifetime(client) {}
    }

    @Test("Work whose command has left stops")
    func leaving() throws {
        let directory = try TemporaryDirectory()
        let opened = try Opened(in: directory.path)
        defer { opened.stop() }
        do {
            let (_, client) = try importHeldUp(opened, Locked([]))
            withExtendedLifetime(client) {}
        }
        func work() throws -> [JSONValue]? {
            try opened.ask(RouteRequest(.get, "/api/work")).json()["work"]?.arrayValue
        }
        try waitUntil { (try? work()?.first?["stopping"]) == true }
        opened.server.table.letWritesGo()
        try waitUntil { (try? work()) == [] }
    }

    @Test("A stop waits for work, which tells how far it has come, and not for silence")
    func stop() throws {
        let directory = try TemporaryDirectory()
        let opened = try Opened(in: directory.path)
        let lines = Locked<[UInt8]>([])
        let (ended, client) = try importHeldUp(opened, lines)
        let silent = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(silent) }
        #expect(UnixAddress(ControlSocket.path(in: directory.path))?.withSockaddr { connect(silent, $0, $1) } == 0)
        opened.server.composition.administration.work.stop()
        opened.server.table.letWritesGo()
        opened.stop()
        ended.wait()
        let last = Self.parsed(lines).last?["response"]
        #expect(last?["status"] == 503 && last?["content"]?["code"] == "work_stopped")
        withExtendedLifetime(client) {}
    }
}
