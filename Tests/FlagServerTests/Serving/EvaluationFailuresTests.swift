import FlagCore
import FlagStore
import JSON
import Testing

@testable import FlagServer

@Suite("Failed evaluations")
struct EvaluationFailuresTests {
    private let error = EvaluationError(code: .general, details: "too much")

    @Test("of a flag are told at once, then once a minute with their number, then no more")
    func onceAMinute() {
        var failures = EvaluationFailures()
        #expect(failures.note(error, of: "a", in: .development)?.count == 1)
        #expect(failures.note(error, of: "a", in: .development) == nil)
        #expect(failures.note(error, of: "a", in: .staging)?.count == 1)
        _ = failures.note(error, of: "a", in: .development)
        let reports = failures.minutePassed()
        #expect(reports.map(\.count) == [2])
        #expect(reports.map(\.environment) == [.development])
        #expect(failures.note(error, of: "a", in: .development) == nil)
        #expect(failures.minutePassed().map(\.count) == [1])
        #expect(failures.minutePassed().isEmpty)
        #expect(failures.note(error, of: "a", in: .development)?.count == 1)
    }

    @Test("of more flags than are told apart take no more memory")
    func bounded() {
        var failures = EvaluationFailures()
        let first = (0..<1_000).compactMap { failures.note(error, of: "flag-\($0)", in: .production) }
        #expect(first.count == EvaluationFailures.flagsMaximum)
    }

    @Test("are counted by code and told to the operator")
    func counted() throws {
        let server = try RouteServer()
        try server.create("costly", Self.costly)
        for _ in 0..<3 { #expect(try server.ofrep("costly", Self.longList).status == 400) }
        let body = #"{"tenantId":"t","flagKey":"costly","metadata":\#(Self.longList)}"#
        #expect(try server.send("POST", "/api/evaluate", body).json["errorCode"] == "GENERAL")
        let metrics = try server.send("GET", "/metrics").body
        #expect(metrics.contains(#"flag_server_evaluation_failures_total{code="GENERAL"} 4"#))
        #expect(metrics.contains(#"flag_server_evaluation_failures_total{code="PARSE_ERROR"} 0"#))
    }

    @Test("of a bulk answer leave the flags behind them what the request's budget has left")
    func budget() throws {
        let server = try RouteServer()
        for number in 10..<60 { try server.create("costly-\(number)", Self.costly) }
        let flags = try #require(try server.bulk(Self.longList).json["flags"]?.arrayValue)
        let details = flags.compactMap { $0["errorDetails"]?.stringValue }
        #expect(details.count == 50)
        #expect(details.first == "the targeting rule takes more than 50000 steps")
        #expect(details.last == "the rules of this request take more than 2000000 steps together")
        #expect(Set(details).count == 2)
    }

    /// A rule that takes some steps for each element of each list.
    private static let costly =
        #""variants":{"on":true},"defaultVariant":"on","targeting":{"if":[{"some":[{"var":"lists"},"#
        + #"{"some":[{"var":"list"},{"==":[{"var":""},"no"]}]}]},"on",null]}"#

    private static let longList: String = {
        let list = #"{"list":["# + Array(repeating: "7", count: 150).joined(separator: ",") + "]}"
        return #"{"lists":["# + Array(repeating: list, count: 180).joined(separator: ",") + "]}"
    }()
}
