import HTTPTransport
import Testing

@testable import Access
@testable import FlagServer
@testable import HTTPRouting

@Suite("Web pages of other sites")
struct WebPageTests {
    @Test(
        "may not have flags evaluated, whatever media type gets past the browser's question",
        arguments: ["/ofrep/v1/evaluate/flags/f", "/ofrep/v1/evaluate/flags", "/api/evaluate", "/api/explain"])
    func evaluation(path: String) throws {
        let server = try RouteServer()
        try server.create("f")
        let body = path.hasPrefix("/ofrep") ? #"{"context":{"tenantId":"t"}}"# : #"{"tenantId":"t","flagKey":"f"}"#
        for field in [
            ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Origin", "http://evil.example"),
            ("Origin", "http://localhost.evil.example"), ("Origin", "null"),
        ] {
            let answer = try server.send("POST", path, body, [field, ("Content-Type", "text/plain")])
            #expect(answer.status == 403, "\(field)")
            #expect(answer.code == "foreign_origin")
        }
        for fields in [[], [("Sec-Fetch-Site", "same-origin")], [("Sec-Fetch-Site", "none")]] {
            #expect(try server.send("POST", path, body, fields).status == 200, "\(fields)")
        }
    }

    @Test("may not come by a name that was made to lead here, to any route")
    func rebinding() throws {
        let server = try RouteServer { $0.hosts = ServedHosts(named: ["flags.internal", "other.internal"]) }
        let body = #"{"flagKey":"f","description":"d","defaultEnabled":true,"owner":"o"}"#
        for (method, path) in [("POST", "/api/flags"), ("GET", "/api/flags"), ("GET", "/health"), ("GET", "/nowhere")] {
            let answer = try server.send(method, path, method == "POST" ? body : "", [("Host", "evil.example")])
            #expect(answer.status == 421, "\(path)")
            #expect(answer.code == "misdirected_request")
        }
        #expect(try server.send("POST", "/api/flags", body, [("Host", "flags.internal:3001")]).status == 201)
        // As a load balancer has it that asks for health by an address, between clients of several names.
        for host in ["10.1.2.3", "flags.internal", "10.1.2.3", "other.internal", "flags.internal", "10.1.2.3"] {
            #expect(try server.send("GET", "/health", nil, [("Host", host)]).status == 200)
        }
    }

    @Test("may not come by such a name where keys are asked for, either; whoever asks is told which setting it is")
    func rebindingWithKeys() throws {
        let server = try RouteServer(
            requiresAuthentication: true, change: { $0.hosts = ServedHosts(named: ["flags.internal"]) })
        let key = ("X-API-Key", try server.makeKey(.admin, roles: [.admin]))
        for path in ["/health", "/api/flags", "/metrics", "/nowhere"] {
            let answer = try server.send("GET", path, nil, [("Host", "evil.example"), key])
            #expect(answer.status == 421 && answer.body.contains("FLAG_SERVER_HOSTS"), "\(path)")
        }
        #expect(try server.send("GET", "/api/flags", nil, [("Host", "flags.internal"), key]).status == 200)
    }

    @Test(
        "are told by Host, which names this machine or what the operator named",
        arguments: [
            ("localhost", true), ("localhost:3001", true), ("LocalHost.", true), ("a.localhost:1", true),
            ("127.0.0.1", true), ("127.8.9.10:80", true), ("[::1]", true), ("[::1]:3001", true),
            ("[::ffff:127.0.0.1]:3001", true), ("flags.internal", true), ("FLAGS.INTERNAL.:3001", true),
            ("evil.example", false), ("localhost.evil.example", false), ("127.0.0.1.evil.example", false),
            ("192.0.2.7", true), ("10.1.2.3:3001", true), ("[2001:db8::2]:80", true),
            ("internal", false), ("x.flags.internal", false), ("", false),
            ("notlocalhost", false), ("0x7f.1", false),
        ])
    func names(field: String, isServed: Bool) {
        let hosts = ServedHosts(named: ["flags.internal"])
        #expect(Array(field.utf8).withUnsafeBytes { hosts.contains($0) } == isServed)
        #expect(Array(field.utf8).withUnsafeBytes { ServedHosts.any.contains($0) })
    }

    @Test("find in every answer that it is what its type says, and not to be kept for others")
    func standingFields() throws {
        let server = try RouteServer()
        try server.create("f")
        for (method, path) in [("POST", "/ofrep/v1/evaluate/flags/f"), ("GET", "/api/flags/f"), ("GET", "/nowhere")] {
            let answer = try server.send(method, path, method == "POST" ? "{}" : "")
            #expect(answer.fields["x-content-type-options"] == "nosniff")
            #expect(answer.fields["cache-control"] == "private, no-cache")
        }
    }
    @Test("find that nobody keeps what depends on who asks")
    func standingFieldsWithKeys() throws {
        let server = try RouteServer(requiresAuthentication: true)
        let key = try server.makeKey(.admin, roles: [.admin])
        for path in ["/api/flags", "/nowhere", "/health"] {
            let response = try server.send("GET", path, nil, [("X-API-Key", key)])
            #expect(response.fields["cache-control"] == "no-store")
            #expect(try server.send("GET", path).fields["cache-control"] == "no-store")
        }
    }
}
