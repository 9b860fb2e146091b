import JSON
import Testing

@testable import Administration
@testable import FlagServer
@testable import HTTPRouting

@Suite("Routes while the workers are busy")
struct BusyRoutesTests {
    @Test("When as much waits as may, who comes is asked to come again; evaluations go on")
    func overloaded() throws {
        let server = try RouteServer()
        try server.create("f")
        #expect(try server.ofrep("f").status == 200)
        let gate = WorkerGate(server.composition.administration.workers)
        defer { gate.open() }
        let answer = try server.send("GET", "/api/flags")
        #expect((answer.status, answer.code) == (503, "overloaded"))
        #expect(answer.fields["retry-after"] == "1")
        // Said at once, and not when the time for an answer is over, which is told in other words.
        #expect(answer.json["detail"]?.stringValue?.hasPrefix("too many requests wait for the store") == true)
        #expect(try server.ofrep("f").status == 200)
    }

    @Test("What is large waits behind what is large, and nothing else does")
    func large() throws {
        let server = try RouteServer()
        let workers = server.composition.administration.workers
        let gate = WorkerGate(workers, .large, 2)
        let connection = try server.connect()
        let body = #"{"flagKey":"f","description":"d","owner":"o","defaultEnabled":true}"#
        let padding = String(repeating: " ", count: 64 << 10)
        try connection.write(Array(TestConnection.request("POST", "/api/flags", body + padding).utf8))
        for _ in 0..<20 { #expect(try server.send("GET", "/api/flags").json["flags"]?.arrayValue == []) }
        // The two that are held, and the one that waits behind them; an answer comes before its job has ended.
        let end = ContinuousClock.now + .seconds(10)
        while workers.jobCount > 3, ContinuousClock.now < end {}
        #expect(workers.jobCount == 3)
        gate.open()
        #expect(try connection.readResponse().status == 201)
    }
}
