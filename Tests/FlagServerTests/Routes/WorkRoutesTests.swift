import JSON
import Testing

@testable import Administration
@testable import FlagServer

@Suite("Routes of long work")
struct WorkRoutesTests {
    private let server: RouteServer

    init() throws {
        server = try RouteServer()
    }

    private static let file: String = {
        let flags = (0..<1000).map { #"{"flagKey":"f\#($0)","description":"d","owner":"o","defaultEnabled":true}"# }
        return #"{"flags":[\#(flags.joined(separator: ","))]}"#
    }()

    /// An import on a connection of its own, of which the store takes no write; and how it is listed.
    private func importHeldUp() throws -> (client: TestConnection, entry: JSONValue) {
        server.table.holdWrites()
        let client = try server.connect()
        try client.write(Array(TestConnection.request("POST", "/api/import?environment=dev", Self.file).utf8))
        try waitUntil { server.table.heldWrites == 1 }
        return (client, try #require(server.send("GET", "/api/work").json["work"]?.arrayValue?.first))
    }

    private func stored() throws -> Int {
        try server.send("GET", "/api/flags?environment=dev&limit=100").json["flags"]?.arrayValue?.count ?? -1
    }

    @Test("Nothing is listed when nothing is under way, and nothing can be cancelled")
    func nothing() throws {
        #expect(try server.send("GET", "/api/work").body == #"{"work":[]}"#)
        let answer = try server.send("DELETE", "/api/work/1f3a9c2e")
        #expect(answer.status == 404 && answer.code == "work_not_found")
    }

    @Test("An import is listed, and cancelled stops: its client is told how much is done")
    func cancelled() throws {
        let (client, entry) = try importHeldUp()
        #expect(entry["what"] == "import into staging" && entry["by"] == "anonymous from 127.0.0.1")
        #expect(entry["done"] == 0 && entry["total"] == 1000 && entry["stopping"] == false)
        let id = try #require(entry["id"]?.stringValue)
        let answer = try server.send("DELETE", "/api/work/\(id)")
        #expect(answer.status == 202 && answer.json["id"] == .string(id) && answer.json["stopping"] == true)
        server.table.letWritesGo()
        let stopped = try client.readResponse()
        #expect(stopped.status == 503 && stopped.code == "work_stopped")
        #expect(
            stopped.json["detail"]?.stringValue
                == "stopped after 99 of 1000 changes because it was cancelled by anonymous from 127.0.0.1; import the "
                + "same file again to do the rest")
        #expect(try server.send("GET", "/api/work").body == #"{"work":[]}"#)
        #expect(try stored() == 99)
    }

    @Test("An import whose client closes its connection stops")
    func leaving() throws {
        _ = try importHeldUp()
        try waitUntil {
            (try? server.send("GET", "/api/work").json["work"]?.arrayValue?.first?["stopping"]) == true
        }
        server.table.letWritesGo()
        try waitUntil { (try? server.send("GET", "/api/work").body) == #"{"work":[]}"# }
        #expect(try stored() == 99)
    }

    @Test("When the server stops, imports do")
    func stop() throws {
        let (client, _) = try importHeldUp()
        server.composition.administration.work.stop()
        server.table.letWritesGo()
        let stopped = try client.readResponse()
        #expect(stopped.code == "work_stopped" && stopped.body.contains("because the server is stopping"))
        #expect(try server.send("POST", "/api/import", #"{"flags":[]}"#).code == "work_stopped")
    }
}

/// Waits until `condition` holds; fails after 20 s.
func waitUntil(_ condition: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while try !condition() {
        guard ContinuousClock.now < deadline else { throw TestFailure("the condition was not met within 20 s") }
    }
}
