import FlagCore
import HTTPTransport
import Testing

@testable import Access
@testable import FlagServer

/// Who may read `/metrics` without a key: whoever asks from an address of `metrics.allow`.
@Suite("Metrics without a key")
struct MetricsAccessTests {
    private static func server(_ readers: String..., proxies: [String] = []) throws -> RouteServer {
        try RouteServer(
            requiresAuthentication: true,
            change: { settings in
                settings.metricsReaders = readers.compactMap { AddressRange($0) }
                settings.administrationRate = RequestRate(requests: 2, seconds: 3600)
            }, http: { $0.trustedProxies = proxies.compactMap { AddressRange($0) } })
    }

    @Test("A listed address reads metrics, as often as it likes and whatever key it shows, and nothing else")
    func listed() throws {
        let server = try Self.server("10.0.0.0/8", "127.0.0.1")
        let weak = try server.makeKey(.server, environment: .development)
        for fields in [[], [("X-API-Key", weak)], [("X-API-Key", "wrong")], [("Authorization", "Basic x")], []] {
            let response = try server.send("GET", "/metrics", nil, fields)
            #expect(response.status == 200 && response.body.contains("flag_server_build_info"))
        }
        #expect(try server.send("HEAD", "/metrics").status == 200)
        for path in ["/metrics/", "/api/flags", "/openapi.json"] {
            #expect([401, 429].contains(try server.send("GET", path).status), "\(path)")
        }
    }

    @Test("Any other address needs a key, and where none is listed all do")
    func others() throws {
        for readers in [[], ["10.0.0.0/8"], ["unix"], ["127.0.0.2"], ["::1"]] as [[String]] {
            let server = try RouteServer(
                requiresAuthentication: true,
                change: { $0.metricsReaders = readers.compactMap { AddressRange($0) } })
            #expect(try server.send("GET", "/metrics").status == 401, "\(readers)")
        }
    }

    @Test("Behind a proxy the client's address counts; who hides it does not pass for the proxy")
    func proxied() throws {
        let server = try Self.server("10.1.2.3", "127.0.0.1", proxies: ["127.0.0.1"])
        let cases: [([(String, String)], isRead: Bool)] = [
            ([("X-Forwarded-For", "10.1.2.3")], true), ([("X-Forwarded-For", "10.1.2.4")], false),
            ([], false), ([("X-Forwarded-For", "nonsense")], false),
            ([("X-Forwarded-For", "10.1.2.3"), ("Forwarded", "for=10.1.2.9")], false),
        ]
        for (fields, isRead) in cases {
            let status = try server.send("GET", "/metrics", nil, fields).status
            #expect(isRead ? status == 200 : [401, 429].contains(status), "\(fields)")
        }
        let direct = try Self.server("10.1.2.3")
        #expect(try direct.send("GET", "/metrics", nil, [("X-Forwarded-For", "10.1.2.3")]).status == 401)
    }
}
