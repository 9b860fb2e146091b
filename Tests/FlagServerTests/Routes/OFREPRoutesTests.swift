import FlagStore
import JSON
import Testing

@testable import FlagCore
@testable import FlagServer

private let targeting = #"""
    "variants":{"on":true,"off":false},"defaultVariant":"off","metadata":{"team":"web"},
    "targeting":{"if":[{"==":[{"var":"plan"},"pro"]},"on",null]}
    """#

@Suite("OFREP, one flag")
struct OFREPRoutesTests {
    /// Each flag's rule, the context, and the exact answer.
    static let answers: [(rule: String, context: String, answer: String)] = [
        (#""defaultEnabled":true"#, "{}", #"{"key":"f","reason":"STATIC","variant":"on","value":true,"metadata":{}}"#),
        (
            targeting, #"{"plan":"pro"}"#,
            #"{"key":"f","reason":"TARGETING_MATCH","variant":"on","value":true,"metadata":{"team":"web"}}"#
        ),
        (
            targeting, #"{"plan":"free"}"#,
            #"{"key":"f","reason":"DEFAULT","variant":"off","value":false,"metadata":{"team":"web"}}"#
        ),
        (
            #""variants":{"whole":2.0,"part":2.5},"defaultVariant":"whole""#, "{}",
            #"{"key":"f","reason":"STATIC","variant":"whole","value":2.0,"metadata":{}}"#
        ),
        (
            #""variants":{"a":{"x":[1,"é"]}},"defaultVariant":"a""#, "{}",
            #"{"key":"f","reason":"STATIC","variant":"a","value":{"x":[1,"é"]},"metadata":{}}"#
        ),
        (
            #""state":"DISABLED","variants":{"on":true,"off":false},"defaultVariant":"on""#, "{}",
            #"{"key":"f","reason":"DISABLED","variant":"","metadata":{}}"#
        ),
        (
            #""variants":{"on":true,"off":false},"defaultVariant":null"#, "{}",
            #"{"key":"f","reason":"DEFAULT","variant":"","metadata":{}}"#
        ),
    ]

    @Test("An answer is exactly this", arguments: answers.indices)
    func exactAnswers(index: Int) throws {
        let server = try RouteServer()
        let (rule, context, expected) = OFREPRoutesTests.answers[index]
        try server.create("f", rule)
        // The first is loaded from the store, the second comes from the cache.
        for _ in 0..<2 {
            let answer = try server.ofrep("f", context)
            #expect(answer.status == 200)
            #expect(answer.body == expected)
            #expect(answer.fields["content-type"] == "application/json")
        }
    }

    @Test(
        "Clients may send what the protocol does not ask for, and leave out what it does",
        arguments: [
            "{}", #"{"context":{}}"#, #"{"context":null}"#, #"{"context":{"targetingKey":7}}"#,
            #"{"context":{"targetingKey":""}}"#, #"{"context":{"tenantId":""}}"#, #"{"context":{"tenantId":null}}"#,
            #"{"sdk":"x","context":{}}"#,
            #" {"context":{"a":{"b":[1,null,true]}}} "#,
        ])
    func lenience(body: String) throws {
        let server = try RouteServer()
        try server.create("f")
        for fields in [[], [("Content-Type", "application/json")], [("Content-Type", "text/plain")]] {
            let answer = try server.send("POST", "/ofrep/v1/evaluate/flags/f", body, fields)
            #expect(answer.status == 200)
            #expect(answer.body == #"{"key":"f","reason":"STATIC","variant":"on","value":true,"metadata":{}}"#)
        }
    }

    /// Bodies that are refused, with the code.
    static let refusals: [(body: String, code: String)] = [
        ("", "PARSE_ERROR"), ("{", "PARSE_ERROR"), ("hello", "PARSE_ERROR"),
        (#"{"context":{},"context":{}}"#, "PARSE_ERROR"),
        ("[]", "INVALID_CONTEXT"), ("null", "INVALID_CONTEXT"), (#"{"context":7}"#, "INVALID_CONTEXT"),
        (#"{"context":[]}"#, "INVALID_CONTEXT"), (#"{"context":"u-1"}"#, "INVALID_CONTEXT"),
        (#"{"context":{"tenantId":7}}"#, "INVALID_CONTEXT"), (#"{"context":{"tenantId":["a"]}}"#, "INVALID_CONTEXT"),
        (#"{"targetingKey":"ada"}"#, "INVALID_CONTEXT"), (#"{"context":null,"plan":"pro"}"#, "INVALID_CONTEXT"),
    ]

    @Test("A bad body is refused in the protocol's words, always with details", arguments: refusals.indices)
    func refused(index: Int) throws {
        let server = try RouteServer()
        try server.create("f")
        let (body, code) = OFREPRoutesTests.refusals[index]
        for path in ["/f", ""] {
            let answer = try server.send("POST", "/ofrep/v1/evaluate/flags\(path)", body)
            #expect(answer.status == 400)
            #expect(answer.fields["content-type"] == "application/json")
            #expect(answer.json["errorCode"]?.stringValue == code)
            #expect(answer.json["errorDetails"]?.stringValue?.isEmpty == false)
            #expect(answer.json["key"]?.stringValue == (path.isEmpty ? nil : "f"))
        }
    }

    @Test("An unknown flag is 404 with its key, known from then on to be absent until it is created")
    func unknownFlag() throws {
        let server = try RouteServer()
        for _ in 0..<2 {
            let answer = try server.ofrep("no%22such")
            #expect(answer.status == 404)
            #expect(
                answer.body
                    == #"{"key":"no\"such","errorCode":"FLAG_NOT_FOUND","#
                    + #""errorDetails":"there is no flag no\"such in development","metadata":{}}"#)
        }
        try server.create(#"no\"such"#)
        #expect(try server.ofrep("no%22such").status == 200)
        #expect(try server.send("DELETE", "/api/flags/no%22such").status == 204)
        #expect(try server.ofrep("no%22such").status == 404)
    }

    @Test(
        "The key is the whole rest of the path, decoded once",
        arguments: [
            ("team/a b", "team/a%20b"), ("team/a b", "team%2Fa%20b"), ("100%", "100%25"), ("%41", "%2541"),
            ("größe", "gr%C3%B6%C3%9Fe"), ("a/", "a/"), ("a?b", "a%3Fb"),
        ])
    func keys(key: String, path: String) throws {
        let server = try RouteServer()
        try server.create(key)
        let answer = try server.ofrep(path)
        #expect(answer.json["key"]?.stringValue == key)
        #expect(answer.status == 200)
        #expect(try server.ofrep(path).body == answer.body)
    }

    @Test("A path with a broken escape is no HTTP: the transport refuses it", arguments: ["%zz", "a%2"])
    func brokenEscapes(path: String) throws {
        let answer = try RouteServer().ofrep(path)
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_request")
    }

    @Test(
        "A key that is no text is 400, one that no flag can have is 404",
        arguments: [
            ("%ff%fe", 400, "GENERAL"), ("", 404, "FLAG_NOT_FOUND"),
            ("%00", 404, "FLAG_NOT_FOUND"), (String(repeating: "k", count: 129), 404, "FLAG_NOT_FOUND"),
        ])
    func badKeys(path: String, status: Int, code: String) throws {
        let answer = try RouteServer().ofrep(path)
        #expect(answer.status == status)
        #expect(answer.json["errorCode"]?.stringValue == code)
        #expect(answer.json["errorDetails"]?.stringValue?.isEmpty == false)
        #expect(answer.json["key"]?.stringValue != nil)
    }

    @Test("A tenant's override beats targeting, ends at its time, and yields to a kill switch")
    func overrides() throws {
        let server = try RouteServer()
        try server.create("f", targeting)
        let path = "/api/tenants/acme/flags/f"
        let body = #"{"enabled":true,"updatedBy":"ada","expiresAt":"2026-01-02T03:04:06Z"}"#
        #expect(try server.send("PUT", path, body).status == 200)
        let on = #"{"key":"f","reason":"TARGETING_MATCH","variant":"on","value":true,"metadata":{"team":"web"}}"#
        let off = #"{"key":"f","reason":"DEFAULT","variant":"off","value":false,"metadata":{"team":"web"}}"#
        #expect(try server.ofrep("f", #"{"tenantId":"acme"}"#).body == on)
        #expect(try server.ofrep("f", #"{"tenantId":"globex"}"#).body == off)
        #expect(try server.ofrep("f").body == off)
        server.advance(byMilliseconds: 322)
        #expect(try server.ofrep("f", #"{"tenantId":"acme"}"#).body == off)

        #expect(try server.send("PUT", path, #"{"enabled":true,"updatedBy":"ada"}"#).status == 200)
        #expect(try server.ofrep("f", #"{"tenantId":"acme"}"#).body == on)
        let activation = #"{"flagKey":"f","reason":"fire","activatedBy":"ada"}"#
        #expect(try server.send("POST", "/api/emergency/kill-switch", activation).status == 200)
        #expect(
            try server.ofrep("f", #"{"tenantId":"acme"}"#).body
                == #"{"key":"f","reason":"STATIC","variant":"off","value":false,"#
                + #""metadata":{"team":"web","killSwitch":"flag"}}"#)
    }

    @Test("The profile decides the environment")
    func environments() throws {
        let server = try RouteServer(profile: .dev)
        try server.create("here")
        try server.create("there", environment: "production")
        #expect(try server.ofrep("here").status == 200)
        #expect(try server.ofrep("there").json["errorDetails"]?.stringValue == "there is no flag there in staging")
    }

    @Test("Pipelined requests are answered in order, though some wait for the store")
    func pipelining() throws {
        let server = try RouteServer()
        for index in 0..<20 { try server.create("f\(index)") }
        let connection = try server.connect()
        var bytes = ""
        for index in 0..<20 {
            bytes += TestConnection.request("POST", "/ofrep/v1/evaluate/flags/f\(index)", "{}")
            bytes += TestConnection.request("POST", "/ofrep/v1/evaluate/flags/f0", "{}")
        }
        try connection.write(Array(bytes.utf8))
        for index in 0..<20 {
            #expect(try connection.readResponse().json["key"]?.stringValue == "f\(index)")
            #expect(try connection.readResponse().json["key"]?.stringValue == "f0")
        }
    }
}
