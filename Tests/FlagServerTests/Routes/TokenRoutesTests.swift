import Access
import Bytes
import FlagCore
import Foundation
import JSON
import Testing
import Tokens

@testable import FlagServer

@Suite("Tokens for keys")
struct TokenRoutesTests {
    private let server: RouteServer

    init() throws {
        server = try RouteServer(requiresAuthentication: true)
    }

    private func selector(_ key: String) -> String { String(key.split(separator: "_")[2]) }

    private func exchange(
        _ form: String, _ fields: [(String, String)] = [], on connection: TestConnection? = nil
    ) throws -> TestResponse {
        let all = [("Content-Type", "application/x-www-form-urlencoded")] + fields
        return try connection?.send("POST", "/api/auth/token", form, all)
            ?? server.send("POST", "/api/auth/token", form, all)
    }

    private func token(for key: String) throws -> String {
        let answer = try exchange(
            "grant_type=client_credentials&client_id=\(selector(key))&client_secret=\(key)")
        return try #require(answer.json["access_token"]?.stringValue, "\(answer.body)")
    }

    private func whoAmI(_ token: String, on connection: TestConnection? = nil) throws -> TestResponse {
        let fields = [("Authorization", "Bearer \(token)")]
        return try connection?.send("GET", "/api/whoami", nil, fields)
            ?? server.send("GET", "/api/whoami", nil, fields)
    }

    @Test("A key is exchanged in the form or in Basic, whole or its secret alone")
    func exchanges() throws {
        let key = try server.makeKey(
            .admin, environment: .staging, roles: [.editor], tenant: "acme", lifetime: .standard)
        let id = selector(key)
        let secret = String(key.dropFirst("fsk_admin_\(id)_".count))
        let basic = Data("\(id):\(key)".utf8).base64EncodedString()
        let forms: [(String, [(String, String)])] = [
            ("grant_type=client_credentials&client_id=\(id)&client_secret=\(key)", []),
            ("grant_type=client_credentials&client_id=\(id)&client_secret=\(secret)&scope=any", []),
            ("grant_type=client_credentials", [("Authorization", "Basic \(basic)")]),
            ("grant_type=client_credentials&client_id=\(id)", [("Authorization", "basic \(basic)")]),
        ]
        for (form, fields) in forms {
            let answer = try exchange(form, fields)
            #expect(answer.status == 200, "\(form): \(answer.body)")
            #expect(answer.json["token_type"] == "Bearer")
            #expect(answer.json["expires_in"] == 3600)
            #expect(answer.fields["cache-control"] == "no-store")
            let caller = try whoAmI(try #require(answer.json["access_token"]?.stringValue)).json
            #expect(caller["principal"]?.stringValue == "key \(id)")
            #expect(caller["tenantId"] == "acme")
            #expect(caller["environments"]?.objectValue?.keys == ["staging"])
        }
    }

    @Test(
        "What is no grant of ours is refused as OAuth says",
        arguments: [
            ("grant_type=password&username=a&password=b", 400, "unsupported_grant_type"),
            ("client_id=a&client_secret=b", 400, "invalid_request"), ("", 400, "invalid_request"),
            ("grant_type=client_credentials", 400, "invalid_request"),
            ("grant_type=client_credentials&client_id=a", 400, "invalid_request"),
            (
                "grant_type=client_credentials&grant_type=client_credentials&client_id=a&client_secret=b", 400,
                "invalid_request"
            ),
            ("grant_type=%zz", 400, "invalid_request"),
            ("grant_type=client_credentials&client_id=a&client_secret=b", 401, "invalid_client"),
            ("grant_type=client_credentials&client_id=KEY&client_secret=fsk_admin_x", 401, "invalid_client"),
        ])
    func refusals(form: String, status: Int, error: String) throws {
        let key = try server.makeKey(.server)
        let answer = try exchange(form.replacing("KEY", with: selector(key)))
        #expect(answer.status == status)
        #expect(answer.json["error"]?.stringValue == error)
        #expect(answer.fields["cache-control"] == "no-store")
    }

    @Test("A key that has ended, was replaced, or is another's is no client, and all look the same")
    func ended() throws {
        let (short, other) = (try server.makeKey(.server, lifetime: .hours(1)), try server.makeKey(.server))
        server.advance(byMilliseconds: 3_600_000)
        let answers = try [
            "grant_type=client_credentials&client_id=\(selector(short))&client_secret=\(short)",
            "grant_type=client_credentials&client_id=\(selector(short))&client_secret=\(other)",
            "grant_type=client_credentials&client_id=none&client_secret=\(other)",
        ].map { try exchange($0) }
        #expect(answers.allSatisfy { $0.status == 401 })
        #expect(Set(answers.map { $0.body }).count == 1)
    }

    @Test("What is no selector is no client, and counts as a wrong secret", arguments: ["", "short", "a/b/c/d/e/f/"])
    func noSelector(id: String) throws {
        let encoded = id.replacing("/", with: "%2F")
        for number in 0..<11 {
            let response = try server.send(
                "POST", "/api/auth/token", "grant_type=client_credentials&client_id=\(encoded)&client_secret=x",
                [("Content-Type", "application/x-www-form-urlencoded")])
            #expect(response.status == (number < 10 ? 401 : 429), "\(response.body)")
        }
    }

    @Test("Ten wrong secrets a minute are what an address has; others, and right ones before, are not counted")
    func throttled() throws {
        let key = try server.makeKey(.server)
        for _ in 0..<20 { _ = try token(for: key) }
        for _ in 0..<10 {
            #expect(try exchange("grant_type=client_credentials&client_id=a&client_secret=b").status == 401)
        }
        let answer = try exchange("grant_type=client_credentials&client_id=a&client_secret=b")
        #expect(answer.status == 429)
        #expect(answer.fields["retry-after"] != nil)
        #expect(answer.fields["ratelimit-policy"] == #""logins";q=10;w=60"#)
        // Whoever shows the right one at the same address is let in all the same.
        #expect(
            try exchange("grant_type=client_credentials&client_id=\(selector(key))&client_secret=\(key)").status == 200)
    }

    @Test("A token ends with the hour, or with its key where that is before")
    func ends() throws {
        let key = try server.makeKey(.server, lifetime: .hours(1))
        server.advance(byMilliseconds: 3_000_000)
        let answer = try exchange("grant_type=client_credentials&client_id=\(selector(key))&client_secret=\(key)")
        #expect(answer.json["expires_in"] == 600)
        let token = try #require(answer.json["access_token"]?.stringValue)
        #expect(try whoAmI(token).status == 200)
        server.advance(byMilliseconds: 700_000)
        #expect(try whoAmI(token).status == 401)
    }

    @Test("A change of its key ends a token, on open connections too, and brings nobody else's down")
    func revoked() throws {
        let admin = try server.makeKey(.admin, roles: [.admin])
        let (key, other) = (try server.makeKey(.server), try server.makeKey(.server))
        let (token, othersToken) = (try token(for: key), try self.token(for: other))
        let connection = try server.connect()
        #expect(try whoAmI(token, on: connection).status == 200)
        #expect(try whoAmI(othersToken, on: connection).status == 200)
        #expect(
            try server.send("DELETE", "/api/keys/\(selector(key))", nil, [("X-API-Key", admin)]).status == 200)
        let answer = try whoAmI(token, on: connection)
        #expect(answer.status == 401)
        #expect(answer.fields["www-authenticate"]?.contains("invalid_token") == true)
        #expect(try whoAmI(othersToken, on: connection).status == 200)
        // Another secret is another key to whatever was issued before.
        #expect(
            try server.send("POST", "/api/keys/\(selector(other))/rotate", "{}", [("X-API-Key", admin)]).status == 200)
        #expect(try whoAmI(othersToken, on: connection).status == 401)
    }

    @Test("A token that was changed or cut off anywhere is refused, and a good one beside it goes on")
    func forged() throws {
        let good = try token(for: try server.makeKey(.admin, roles: [.admin]))
        let connection = try server.connect()
        let bytes = Array(good.utf8)
        for place in stride(from: 3, to: bytes.count, by: 7) {
            var forged = bytes
            forged[place] = forged[place] == UInt8(ascii: "x") ? UInt8(ascii: "y") : UInt8(ascii: "x")
            #expect(try whoAmI(String(decoding: forged, as: UTF8.self), on: connection).status != 200)
            #expect(try whoAmI(String(decoding: bytes[..<place], as: UTF8.self), on: connection).status != 200)
        }
        #expect(try whoAmI(good, on: connection).status == 200)
    }

    @Test("Many requests with a token that no loop has seen all get in, however they come")
    func together() throws {
        let token = try token(for: try server.makeKey(.admin, roles: [.viewer]))
        let request = TestConnection.request("GET", "/api/whoami", nil, [("Authorization", "Bearer \(token)")])
        let connections = try (0..<20).map { _ in try server.connect() }
        for connection in connections { try connection.write(Array(request.utf8)) }
        for connection in connections { #expect(try connection.readResponse().status == 200) }
    }

    @Test("A token's signing key changes each day, and those before are shown as long as their tokens last")
    func rotation() throws {
        let key = try server.makeKey(.server)
        func ids() throws -> [String] {
            let keys = try server.send("GET", "/.well-known/jwks.json").json["keys"]?.arrayValue ?? []
            return keys.compactMap { $0["kid"]?.stringValue }
        }
        let first = try ids()
        #expect(first.count == 1)
        server.advance(byMilliseconds: 86_399_000)
        let token = try token(for: key)
        #expect(try ids() == first)
        server.advance(byMilliseconds: 2000)
        let both = try ids()
        #expect(both.count == 2 && both.last == first.first)
        #expect(try whoAmI(token).status == 200)
        server.advance(byMilliseconds: 2 * 3_600_000)
        #expect(try ids() == [both[0]])
    }

    @Test("A token counts against the rate of its key")
    func rate() throws {
        let key = try server.makeKey(.server, rate: RequestRate("1/min"))
        let token = try token(for: key)
        let body = #"{"tenantId":"t","flagKey":"f"}"#
        #expect(try server.send("POST", "/api/evaluate", body, [("Authorization", "Bearer \(token)")]).status == 200)
        #expect(try server.send("POST", "/api/evaluate", body, [("X-API-Key", key)]).status == 429)
    }

    @Test("With authentication off there is no token to be had, and no key")
    func off() throws {
        let server = try RouteServer()
        let answer = try server.send(
            "POST", "/api/auth/token", "grant_type=client_credentials",
            [("Content-Type", "application/x-www-form-urlencoded")])
        #expect(answer.status == 409)
        #expect(answer.code == "authentication_off")
        #expect(try server.send("GET", "/.well-known/jwks.json").json == ["keys": []])
    }
}
