import HTTPTransport
import JSON
import Testing

@testable import FlagServer
@testable import HTTPRouting

@Suite("What requests are called")
struct RequestNameTests {
    private static func isMade(_ name: String?) -> Bool {
        name?.utf8.count == 32 && name?.allSatisfy { $0.isHexDigit && !$0.isUppercase } == true
    }

    @Test("Every answer tells the request's name, each another one, and a problem tells the same")
    func answers() throws {
        let server = try RouteServer()
        try server.create("chat")
        var names: [String?] = []
        for (method, path, body) in [
            ("POST", "/ofrep/v1/evaluate/flags/chat", "{}"), ("POST", "/ofrep/v1/evaluate/flags", "{}"),
            ("POST", "/api/evaluate", #"{"flagKey":"chat"}"#), ("GET", "/health", ""), ("GET", "/api/flags/none", ""),
            ("GET", "/nothing", ""), ("POST", "/api/flags", "{"), ("GET", "/metrics", ""), ("DELETE", "/health", ""),
        ] {
            let answer = try server.send(method, path, body.isEmpty ? nil : body)
            let name = answer.fields["x-request-id"]
            #expect(Self.isMade(name), "\(method) \(path)")
            if let told = answer.json["requestId"]?.stringValue { #expect(told == name, "\(method) \(path)") }
            if answer.fields["content-type"] == "application/problem+json" {
                #expect(answer.json["requestId"] != nil, "\(method) \(path)")
            }
            names.append(name)
        }
        #expect(Set(names).count == names.count)
    }

    @Test("Only a trusted proxy may give a request its name")
    func given() throws {
        let stranger = try RouteServer()
        let fields = [("X-Request-Id", "abc-1")]
        #expect(Self.isMade(try stranger.send("GET", "/nothing", nil, fields).fields["x-request-id"]))
        let proxied = try RouteServer(http: { $0.trustedProxies = [AddressRange("127.0.0.0/8")!] })
        for path in ["/nothing", "/health", "/api/flags/none", "/api/flags"] {
            let answer = try proxied.send("GET", path, nil, fields)
            #expect(answer.fields["x-request-id"] == "abc-1", "\(path)")
            if answer.status >= 400 { #expect(answer.json["requestId"] == "abc-1", "\(path)") }
        }
        // The next request on the connection has a name of its own, as has one whose proxy gives what is no name.
        for given in [[], [("X-Request-Id", "a b")], [("X-Request-Id", String(repeating: "x", count: 129))]] {
            #expect(Self.isMade(try proxied.send("GET", "/nothing", nil, given).fields["x-request-id"]))
        }
    }

    @Test(
        "A trace is known by its identifier, and by nothing else",
        arguments: [
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "4bf92f3577b34da6a3ce929d0e0e4736"),
            ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", "4bf92f3577b34da6a3ce929d0e0e4736"),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", nil),
            ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", nil),
            ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", nil),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", nil),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", nil),
            ("00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01", nil), ("00", nil), ("", nil),
        ] as [(String, String?)])
    func traces(field: String, trace: String?) {
        #expect(Array(field.utf8).withUnsafeBytes(TraceParent.traceID) == trace)
    }

    @Test("How long requests took is told by route, evaluations and administration alike")
    func durations() throws {
        let server = try RouteServer()
        try server.create("chat")
        for _ in 0..<3 { _ = try server.ofrep("chat") }
        let text = try server.send("GET", "/metrics").body
        let family = "flag_server_http_request_duration_seconds"
        #expect(text.contains(#"\#(family)_count{route="ofrep_flag"} 3"#))
        #expect(text.contains(#"\#(family)_count{route="flags"} 1"#))
        #expect(text.contains(#"\#(family)_bucket{route="ofrep_flag",le="+Inf"} 3"#))
        #expect(text.contains("# TYPE \(family) histogram"))
    }
}
