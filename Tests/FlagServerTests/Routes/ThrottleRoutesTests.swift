import FlagCore
import JSON
import Testing

@testable import Access
@testable import FlagServer

@Suite("Throttles")
struct ThrottleRoutesTests {
    private static func server(authentication: Bool = true) throws -> RouteServer {
        try RouteServer(
            loops: 2, requiresAuthentication: authentication,
            change: {
                $0.administrationRate = RequestRate(requests: 3, seconds: 3600)
                $0.evaluationRate = RequestRate(requests: 5, seconds: 3600)
            })
    }

    private static func statuses(
        _ count: Int, _ server: RouteServer, _ method: String, _ path: String, _ body: String? = nil, key: String?
    ) throws -> [Int] {
        try (0..<count).map { _ in
            // On connections of their own, which other loops have: the bound is of the server.
            try server.connect().send(method, path, body, key.map { [("X-API-Key", $0)] } ?? []).status
        }
    }

    @Test("Each caller may administer so often, whatever others do")
    func administration() throws {
        let server = try Self.server()
        let (one, other) = (try server.makeKey(.admin, roles: [.admin]), try server.makeKey(.admin, roles: [.viewer]))
        #expect(try Self.statuses(5, server, "GET", "/api/flags", key: one) == [200, 200, 200, 429, 429])
        #expect(try Self.statuses(1, server, "GET", "/api/flags", key: other) == [200])
        let refused = try server.send("GET", "/api/flags", nil, [("X-API-Key", one)])
        #expect(refused.code == "too_many_requests" && refused.fields["retry-after"] == "1200")
        #expect(refused.json["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded")
        #expect(refused.json["violated-policies"] == ["default"])
        #expect(refused.fields["ratelimit-policy"] == #""default";q=3;w=3600"#)
        #expect(refused.fields["ratelimit"] == #""default";r=0;t=1200"#)
    }

    @Test("Whoever administers is told with each response what is left, also when it is an error; strangers are not")
    func left() throws {
        let server = try Self.server()
        let fields = [("X-API-Key", try server.makeKey(.admin, roles: [.viewer]))]
        let cases = [("/api/flags", 200, 2, 1200), ("/api/flags/none", 404, 1, 2400), ("/api/flags?x=y", 400, 0, 3600)]
        for (target, status, remaining, seconds) in cases {
            let response = try server.send("GET", target, nil, fields)
            #expect(response.status == status)
            #expect(response.fields["ratelimit-policy"] == #""default";q=3;w=3600"#)
            #expect(response.fields["ratelimit"] == #""default";r=\#(remaining);t=\#(seconds)"#, "\(target)")
        }
        for target in ["/health", "/api/flags"] {
            #expect(try server.send("GET", target).fields["ratelimit"] == nil, "nobody at \(target)")
        }
    }

    @Test("An evaluation says what is left where its key has a rate of its own, and nothing of what all share")
    func leftOfOwnRate() throws {
        let server = try Self.server()
        let slow = try server.makeKey(
            .server, environment: .development, rate: RequestRate(requests: 2, seconds: 3600))
        let other = try server.makeKey(.server, environment: .development)
        for (key, left) in [(slow, #""key";r=1;t=1800"#), (other, nil)] {
            let response = try server.send(
                "POST", "/api/evaluate", #"{"tenantId":"t","flagKey":"f"}"#, [("X-API-Key", key)])
            #expect(response.status == 200 && response.fields["ratelimit"] == left)
        }
    }

    @Test("Kill switches and health are never held up")
    func emergencies() throws {
        let server = try Self.server()
        let key = try server.makeKey(.admin, roles: [.operator])
        _ = try Self.statuses(4, server, "GET", "/api/flags", key: key)
        let kill = #"{"flagKey":"f","reason":"x","activatedBy":"x","force":true}"#
        #expect(
            try Self.statuses(9, server, "POST", "/api/emergency/kill-switch", kill, key: key).allSatisfy { $0 < 300 })
        #expect(try Self.statuses(9, server, "GET", "/health", key: nil).allSatisfy { $0 == 200 })
    }

    @Test("An address that shows no good key is soon not even told so; whoever has one there is")
    func strangers() throws {
        let server = try Self.server()
        let key = try server.makeKey(.admin, roles: [.viewer])
        #expect(try Self.statuses(3, server, "GET", "/api/flags", key: nil) == [401, 401, 401])
        for shown in [nil, "fsk_made_up", "\(key)x"] as [String?] {
            #expect(try Self.statuses(1, server, "GET", "/nowhere", key: shown) == [429])
        }
        #expect(try Self.statuses(1, server, "GET", "/api/flags", key: key) == [200])
    }

    @Test("All evaluations together may be so many, and those of a key with a rate of its own fewer")
    func evaluations() throws {
        let server = try Self.server()
        let slow = try server.makeKey(
            .server, environment: .development, rate: RequestRate(requests: 2, seconds: 3600))
        let other = try server.makeKey(.server, environment: .development)
        let evaluate = #"{"tenantId":"t","flagKey":"f"}"#
        #expect(try Self.statuses(3, server, "POST", "/api/evaluate", evaluate, key: slow) == [200, 200, 429])
        #expect(try Self.statuses(4, server, "POST", "/api/evaluate", evaluate, key: other) == [200, 200, 200, 429])
    }

    @Test("Keys that everybody can read take nothing from those of servers")
    func clientsApart() throws {
        let server = try Self.server()
        let client = try server.makeKey(.client, environment: .development)
        let trusted = try server.makeKey(.server, environment: .development)
        let evaluate = #"{"tenantId":"t","flagKey":"f"}"#
        #expect(try Self.statuses(7, server, "POST", "/api/evaluate", evaluate, key: client).suffix(2) == [429, 429])
        #expect(try Self.statuses(5, server, "POST", "/api/evaluate", evaluate, key: trusted).allSatisfy { $0 == 200 })
    }

    @Test("A key goes on with what it has used when other keys change")
    func ownRateGoesOn() throws {
        let server = try Self.server()
        let slow = try server.makeKey(
            .server, environment: .development, rate: RequestRate(requests: 1, seconds: 3600))
        let evaluate = #"{"tenantId":"t","flagKey":"f"}"#
        #expect(try Self.statuses(2, server, "POST", "/api/evaluate", evaluate, key: slow) == [200, 429])
        _ = try server.makeKey(.server)
        #expect(try Self.statuses(1, server, "POST", "/api/evaluate", evaluate, key: slow) == [429])
    }

    @Test("Where nobody shows a key nobody is held up")
    func off() throws {
        let server = try Self.server(authentication: false)
        #expect(try Self.statuses(9, server, "GET", "/api/flags", key: nil).allSatisfy { $0 == 200 })
    }
}
