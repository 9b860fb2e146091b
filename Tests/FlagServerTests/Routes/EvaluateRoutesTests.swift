import FlagStore
import JSON
import Testing

@testable import FlagServer

private let pageSize = #"""
    "variants":{"small":20,"large":100},"defaultVariant":"small",
    "targeting":{"if":[{"==":[{"var":"plan"},"pro"]},"large",null]}
    """#
private let echo = #"""
    "variants":{"acme":"tenant","u-1":"user","none":"none"},"defaultVariant":"none","targeting":{"var":"targetingKey"}
    """#

@Suite("/api/evaluate")
struct EvaluateRoutesTests {
    private func server(environment: String? = nil) throws -> RouteServer {
        let server = try RouteServer()
        let flags = [
            ("simple", #""defaultEnabled":true"#), ("off", #""defaultEnabled":false"#), ("page", pageSize),
            ("echo", echo),
            ("resting", #""state":"DISABLED","variants":{"on":true},"defaultVariant":"on""#),
            ("broken", #""variants":{"a":1},"defaultVariant":"a","targeting":{"var":"plan"}"#),
        ]
        for (key, rule) in flags { try server.create(key, rule, environment: environment) }
        return server
    }

    /// Requests' further members, and the first members of the answer.
    static let answers: [(request: String, answer: String, reason: String)] = [
        (#""flagKey":"simple""#, #""enabled":true,"value":true,"variant":"on""#, "default"),
        (#""flagKey":"off""#, #""enabled":false,"value":false,"variant":"off""#, "default"),
        (#""flagKey":"page""#, #""enabled":true,"value":20,"variant":"small""#, "default"),
        (
            #""flagKey":"page","metadata":{"plan":"pro"}"#, #""enabled":true,"value":100,"variant":"large""#,
            "targeting"
        ),
        (#""flagKey":"echo""#, #""enabled":true,"value":"tenant","variant":"acme""#, "targeting"),
        (#""flagKey":"echo","userId":"u-1""#, #""enabled":true,"value":"user","variant":"u-1""#, "targeting"),
        (#""flagKey":"echo","userId":"""#, #""enabled":true,"value":"tenant","variant":"acme""#, "targeting"),
        (
            #""flagKey":"echo","metadata":{"targetingKey":"none","tenantId":"globex"}"#,
            #""enabled":true,"value":"tenant","variant":"acme""#, "targeting"
        ),
        (#""flagKey":"resting""#, #""enabled":false,"value":null,"variant":null"#, "disabled"),
        (#""flagKey":"no/such""#, #""enabled":false,"value":null,"variant":null"#, "flag_not_found"),
    ]

    @Test("An answer is exactly this, from the store and then from the cache", arguments: answers.indices)
    func exactAnswers(index: Int) throws {
        // The caches are filled with the default environment at the start, and with no other.
        let server = try server(environment: "staging")
        let (request, start, reason) = EvaluateRoutesTests.answers[index]
        let key = try #require(JSONValue(parsing: "{\(request)}")["flagKey"]?.stringValue)
        for source in ["store", "cache"] {
            let answer = try server.send(
                "POST", "/api/evaluate", #"{"tenantId":"acme","environment":"dev",\#(request)}"#)
            #expect(answer.status == 200)
            #expect(
                answer.body
                    == #"{\#(start),"flagKey":"\#(key)","tenantId":"acme","reason":"\#(reason)","source":"\#(source)","#
                    + #""environment":"staging","evaluatedAt":"2026-01-02T03:04:05.678Z"}"#)
        }
    }

    @Test("A failed evaluation is an answer with the code and the details")
    func failed() throws {
        let server = try server()
        let body = #"{"tenantId":"acme","flagKey":"broken","metadata":{"plan":"no such variant"}}"#
        let answer = try server.send("POST", "/api/evaluate", body)
        #expect(answer.status == 200)
        #expect(answer.json["enabled"] == false)
        #expect(answer.json["reason"] == "error")
        #expect(answer.json["errorCode"] == "GENERAL")
        #expect(answer.json["errorDetails"]?.stringValue?.isEmpty == false)
    }

    @Test("Overrides and kill switches have reasons of their own")
    func reasons() throws {
        let server = try server()
        let ask = #"{"tenantId":"acme","flagKey":"off"}"#
        #expect(
            try server.send("PUT", "/api/tenants/acme/flags/off", #"{"enabled":true,"updatedBy":"ada"}"#).status == 200)
        let overridden = try server.send("POST", "/api/evaluate", ask).json
        #expect(overridden["reason"] == "tenant_override")
        #expect(overridden["enabled"] == true)
        let activation = #"{"all":true,"reason":"fire","activatedBy":"ada"}"#
        #expect(try server.send("POST", "/api/emergency/kill-switch", activation).status == 200)
        let killed = try server.send("POST", "/api/evaluate", ask).json
        #expect(killed["reason"] == "kill_switch")
        #expect(killed["enabled"] == false)
        #expect(killed["variant"] == "off")
    }

    @Test("The time of evaluation has milliseconds, in whichever second")
    func times() throws {
        let server = try server()
        let ask = #"{"tenantId":"acme","flagKey":"off"}"#
        for (step, time) in [(0, "05.678"), (1, "05.679"), (321, "06.000"), (7, "06.007"), (60_000, "06.007")] {
            server.advance(byMilliseconds: Int64(step))
            let minute = step == 60_000 ? "05" : "04"
            let answer = try server.send("POST", "/api/evaluate", ask).json
            #expect(answer["evaluatedAt"]?.stringValue == "2026-01-02T03:\(minute):\(time)Z")
        }
    }

    @Test("An environment is named in either spelling", arguments: ["staging", "dev"])
    func environments(name: String) throws {
        let server = try server()
        try server.create("elsewhere", environment: "staging")
        let body = #"{"tenantId":"acme","flagKey":"elsewhere","environment":"\#(name)"}"#
        let answer = try server.send("POST", "/api/evaluate", body)
        #expect(answer.json["environment"] == "staging")
        #expect(answer.json["enabled"] == true)
    }

    /// Bodies that are refused, with code and pointers.
    static let refusals: [(body: String, code: String, pointers: [String])] = [
        ("", "invalid_json", []), ("{", "invalid_json", []), (#"{"tenantId":"a","tenantId":"a"}"#, "invalid_json", []),
        ("[]", "invalid_body", [""]), ("{}", "invalid_body", ["/tenantId", "/flagKey"]),
        (#"{"flagKey":"a"}"#, "invalid_body", ["/tenantId"]), (#"{"tenantId":"a"}"#, "invalid_body", ["/flagKey"]),
        (#"{"tenantId":7,"flagKey":"a","user":1}"#, "invalid_body", ["/tenantId", "/user"]),
        (#"{"tenantId":"","flagKey":""}"#, "invalid_body", ["/tenantId", "/flagKey"]),
        (#"{"tenantId":"a","flagKey":"a\u0007"}"#, "invalid_body", ["/flagKey"]),
        (#"{"tenantId":"a\u0085","flagKey":"a"}"#, "invalid_body", ["/tenantId"]),
        (#"{"tenantId":"a","flagKey":"a","userId":7}"#, "invalid_body", ["/userId"]),
        (#"{"tenantId":null,"flagKey":null,"userId":null}"#, "invalid_body", ["/tenantId", "/flagKey"]),
        (#"{"tenantId":"a","flagKey":"a","metadata":[]}"#, "invalid_body", ["/metadata"]),
        (#"{"tenantId":"a","flagKey":"a","environment":"test"}"#, "unknown_environment", ["/environment"]),
        (#"{"tenantId":"a","flagKey":"a","environment":7,"x~/y":1}"#, "invalid_body", ["/environment", "/x~0~1y"]),
        (#"{"tenantId":"\#(String(repeating: "t", count: 101))","flagKey":"a"}"#, "invalid_body", ["/tenantId"]),
        (#"{"tenantId":"a","flagKey":"\#(String(repeating: "k", count: 129))"}"#, "invalid_body", ["/flagKey"]),
    ]

    @Test("A bad body is refused, and everything that is wrong is named", arguments: refusals.indices)
    func refused(index: Int) throws {
        let (body, code, pointers) = EvaluateRoutesTests.refusals[index]
        let answer = try RouteServer().send("POST", "/api/evaluate", body)
        #expect(answer.status == 400)
        #expect(answer.fields["content-type"] == "application/problem+json")
        #expect(answer.code == code)
        #expect(answer.pointers == pointers)
    }

    @Test("Characters are counted, not bytes: 128 of any script are a key")
    func longKeys() throws {
        let server = try RouteServer()
        let key = String(repeating: "ж", count: 128)
        try server.create(key)
        let body = #"{"tenantId":"\#(String(repeating: "й", count: 100))","flagKey":"\#(key)"}"#
        #expect(try server.send("POST", "/api/evaluate", body).json["enabled"] == true)
    }

    @Test("The mapping of environments is in the answer to an unknown one")
    func mapping() throws {
        let body = #"{"tenantId":"a","flagKey":"a","environment":"test"}"#
        let detail = try RouteServer().send("POST", "/api/evaluate", body).json["detail"]?.stringValue ?? ""
        #expect(detail.contains("development (also spelled local), staging (also spelled dev)"))
    }

    // MARK: - Batch

    @Test("A batch is answered in the order asked for, with exactly these members")
    func batch() throws {
        let server = try server()
        let body = #"{"tenantId":"acme","flagKeys":["page","no/such","simple","page"],"metadata":{"plan":"pro"}}"#
        for _ in 0..<2 {
            let answer = try server.send("POST", "/api/evaluate/batch", body)
            #expect(answer.status == 200)
            #expect(
                answer.body
                    == #"{"tenantId":"acme","evaluatedAt":"2026-01-02T03:04:05.678Z","flags":["#
                    + #"{"flagKey":"page","enabled":true,"value":100,"variant":"large","reason":"targeting"},"#
                    + #"{"flagKey":"no/such","enabled":false,"value":null,"variant":null,"reason":"flag_not_found"},"#
                    + #"{"flagKey":"simple","enabled":true,"value":true,"variant":"on","reason":"default"},"#
                    + #"{"flagKey":"page","enabled":true,"value":100,"variant":"large","reason":"targeting"}]}"#)
        }
    }

    /// Batches that are refused, with the pointers.
    static let batchRefusals: [(keys: String, pointers: [String])] = [
        ("[]", ["/flagKeys"]), (#""a""#, ["/flagKeys"]), ("null", ["/flagKeys"]),
        (#"["a",7,"","b"]"#, ["/flagKeys/1", "/flagKeys/2"]),
        ("[" + (0..<51).map { #""k\#($0)""# }.joined(separator: ",") + "]", ["/flagKeys"]),
    ]

    @Test("A batch of none, of too many or of no keys is refused", arguments: batchRefusals.indices)
    func refusedBatches(index: Int) throws {
        let (keys, pointers) = EvaluateRoutesTests.batchRefusals[index]
        let answer = try RouteServer().send("POST", "/api/evaluate/batch", #"{"tenantId":"a","flagKeys":\#(keys)}"#)
        #expect(answer.status == 400)
        #expect(answer.pointers == pointers)
    }

    @Test("Fifty flags are a batch, though none was ever asked for")
    func largestBatch() throws {
        let server = try RouteServer()
        let keys = (0..<50).map { #""k\#($0)""# }.joined(separator: ",")
        let answer = try server.send("POST", "/api/evaluate/batch", #"{"tenantId":"a","flagKeys":[\#(keys)]}"#)
        #expect(answer.status == 200)
        #expect(answer.json["flags"]?.arrayValue?.count == 50)
    }
}
