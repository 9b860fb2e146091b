import FlagCache
import JSON
import Testing

@testable import Evaluation
@testable import FlagServer

@Suite("Evaluations that the cache has no room for, or need not ask for")
struct CacheBoundRoutesTests {
    @Test("Who needs more flags at once than are kept is answered all the same")
    func tooSmall() throws {
        let server = try RouteServer { $0.evaluation.cacheLimits.capacity = 1 }
        try server.create("base")
        let requires = #""requires":[{"flagKey":"base","variant":"on"}]"#
        try server.create("user", #""defaultEnabled":true,\#(requires)"#)
        #expect(try server.ofrep("base").status == 200)
        #expect(try server.ofrep("user").json["value"] == true)
    }

    @Test(
        "A key that no flag can have is not found, and nothing is asked for it",
        arguments: ["%0A", "%2E%2E", String(repeating: "x", count: 2000)])
    func impossibleKey(key: String) throws {
        let server = try RouteServer()
        server.table.isFailing = true
        let answer = try server.ofrep(key)
        #expect((answer.status, answer.json["errorCode"]) == (404, "FLAG_NOT_FOUND"))
        #expect(try server.ofrep("possible").status == 503)
    }
}
