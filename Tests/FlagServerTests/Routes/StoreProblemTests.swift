import FlagCore
import JSON
import Testing

@testable import Administration
@testable import DynamoModel
@testable import DynamoService
@testable import FlagServer
@testable import FlagStore
@testable import HTTPRouting
@testable import TableEngine

@Suite("What the store says, as a problem")
struct StoreProblemTests {
    /// An error of the store, the problem that it is, and what is said of it.
    struct Case: CustomTestStringConvertible, Sendable {
        let error: FlagStoreError
        let code: ProblemCode
        let status: Int
        let words: [String]
        var testDescription: String { "\(code.name) \(words.first ?? "")" }
    }

    static let cases = [
        Case(
            error: .notFound(.flag("chat")), code: .flagNotFound, status: 404,
            words: ["there is no flag chat in staging"]),
        Case(
            error: .notFound(.segment("beta")), code: .segmentNotFound, status: 404,
            words: ["there is no segment beta in staging"]),
        Case(
            error: .notFound(.override(flagKey: "chat", tenant: "acme")), code: .overrideNotFound, status: 404,
            words: ["no override of the flag chat for the tenant acme in staging"]),
        Case(
            error: .notFound(.killSwitch(flagKey: "chat")), code: .killSwitchNotFound, status: 404,
            words: ["no kill switch of the flag chat"]),
        Case(
            error: .notFound(.killSwitch(flagKey: nil)), code: .killSwitchNotFound, status: 404,
            words: ["no global kill switch in staging"]),
        Case(
            error: .noFlagToKill(flagKey: "chat"), code: .flagNotFound, status: 404,
            words: ["no flag chat in staging", "nothing was switched", #""force": true"#]),
        Case(
            error: .alreadyExists(flagKey: "chat"), code: .flagExists, status: 409,
            words: ["the flag chat exists in staging already"]),
        Case(
            error: .segmentExists(name: "beta"), code: .segmentExists, status: 409,
            words: ["the segment beta exists in staging already"]),
        Case(
            error: .versionMismatch(of: .flag("chat"), expected: 3, current: 5), code: .versionMismatch, status: 412,
            words: ["the flag chat is at version 5, not 3"]),
        Case(
            error: .invalid([DefinitionIssue(pointer: "/owner", message: "is required")]), code: .invalidBody,
            status: 400, words: ["/owner: is required"]),
        Case(
            error: .required(flagKey: "chat", by: ["a", "b"]), code: .flagRequired, status: 409,
            words: ["the flag chat is required by a, b"]),
        Case(error: .invalidCursor, code: .invalidQuery, status: 400, words: ["is not the nextCursor"]),
        Case(
            error: .conflict(name: "flag chat"), code: .conflict, status: 409, words: ["others keep changing flag chat"]
        ),
        Case(
            error: .unavailable(reason: "The disk is full", hint: "Free space"), code: .storeUnavailable, status: 503,
            words: ["The disk is full. Free space"]),
    ]

    @Test("Each error has its code, its status and its words", arguments: cases)
    func mapping(_ expected: Case) {
        let problem = Problem(expected.error, in: .staging)
        #expect(problem.code == expected.code)
        #expect(problem.code.status == expected.status)
        for words in expected.words { #expect(problem.detail.contains(words), "\(problem.detail)") }
        let retries = problem.headerFields.filter { $0.name == "Retry-After" }.map(\.value)
        #expect(retries == (expected.status == 503 ? ["1"] : []))
    }

    @Test(
        "What the table says is unavailable, with what an operator should do",
        arguments: [
            (
                TableError.storage(StorageFailure(kind: .full, reason: "no space", hint: "Free some")), "no space",
                "Free some"
            ),
            (.tableNotFound("t"), "t", "restore"), (.indexNotFound(table: "t", index: "i"), "i", "flag-table.json"),
            (.tooManyWaiting(limit: 7), "7", "Try again"), (.closed, "", "Try again"),
            (.validation("odd"), "odd", "defect"), (.tableExists("t"), "t", "defect"),
        ])
    func table(_ error: TableError, _ reason: String, _ hint: String) {
        guard case .unavailable(let said, let advice) = FlagStoreError(error) else {
            Issue.record("it is not unavailable")
            return
        }
        #expect(reason.isEmpty || said.contains(reason), "\(said)")
        #expect(advice.contains(hint), "\(advice)")
    }

    @Test("A store that fails is 503 for who writes and who reads, and says when to try again")
    func failing() throws {
        let server = try RouteServer()
        try server.create("a")
        server.table.isFailing = true
        defer { server.table.isFailing = false }
        for (method, path, body) in [
            ("GET", "/api/flags", nil), ("GET", "/api/flags/a", nil), ("DELETE", "/api/flags/a", nil),
            ("PATCH", "/api/flags/a", #"{"owner":"x"}"#), ("GET", "/api/segments", nil),
            (
                "POST", "/api/flags",
                #"{"flagKey":"b","description":"d","owner":"o","defaultEnabled":true}"#
            ),
            ("PUT", "/api/tenants/acme/flags/a", #"{"enabled":true,"updatedBy":"ada"}"#),
            ("POST", "/api/emergency/kill-switch", #"{"flagKey":"a","reason":"r","activatedBy":"ada"}"#),
        ] as [(String, String, String?)] {
            let answer = try server.send(method, path, body)
            #expect(answer.status == 503 && answer.code == "store_unavailable", "\(method) \(path)")
            #expect(answer.fields["retry-after"] == "1")
        }
    }
}
