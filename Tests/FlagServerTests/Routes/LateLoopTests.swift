import FlagCore
import Glibc
import Platform
import Testing

@testable import Evaluation
@testable import FlagServer
@testable import HTTPTransport

@Suite("A loop that is late")
struct LateLoopTests {
    @Test("Health, metrics and kill switches are answered also then; others are asked to come again")
    func essential() throws {
        let stall = Locked(false)
        let server = try RouteServer(
            change: { settings in
                // The clock of evaluations is read on the loop: what keeps it keeps the loop.
                settings.evaluation.evaluationClock = {
                    if stall.withLock({ $0 }) { usleep(400_000) }
                    return RouteServer.start
                }
            }, http: { $0.timeouts.lag = .milliseconds(100) })
        try server.create("chat")
        #expect(try server.ofrep("chat").status == 200)
        let kill = #"{"flagKey":"chat","reason":"r","activatedBy":"me"}"#
        let requests = [
            TestConnection.request("GET", "/api/flags"), TestConnection.request("GET", "/health"),
            TestConnection.request("GET", "/metrics"),
            TestConnection.request("POST", "/api/emergency/kill-switch", kill),
        ]
        let connections = try requests.map { _ in try server.connect() }
        // All are known to the loop before it stalls.
        for connection in connections { #expect(try connection.send("GET", "/health").status == 200) }
        let staller = try server.connect()
        stall.withLock { $0 = true }
        try staller.write(Array(TestConnection.request("POST", "/ofrep/v1/evaluate/flags/chat", "{}").utf8))
        usleep(50_000)
        for (connection, request) in zip(connections, requests) { try connection.write(Array(request.utf8)) }
        let answers = try connections.map { try $0.readResponse() }
        stall.withLock { $0 = false }
        #expect(answers.map(\.status) == [503, 200, 200, 200])
        #expect(answers[0].fields["retry-after"] == "1")
    }
}
