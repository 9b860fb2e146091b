import Access
import AccessStore
import FlagCore
import Glibc
import JSON
import Testing

@testable import FlagServer

@Suite("Sessions")
struct SessionRoutesTests {
    private static let day: Int64 = 86_400_000
    private let server: RouteServer
    private let admin: String
    private let password: String

    init() throws {
        server = try RouteServer(requiresAuthentication: true)
        admin = try server.makeKey(.admin, roles: [.admin])
        let made = try server.send(
            "POST", "/api/users", #"{"name":"ann","roles":{"development":["editor"]}}"#, [("X-API-Key", admin)])
        password = try #require(made.json["password"]?.stringValue, "\(made.body)")
    }

    /// Signs in: the cookie.
    private func begin(_ fields: [(String, String)] = []) throws -> String {
        let body = #"{"username":"ann","password":"\#(password)"}"#
        let answer = try server.send("POST", "/api/auth/session", body, fields)
        let cookie = try #require(answer.fields["set-cookie"], "\(answer.body)")
        return String(cookie.prefix { $0 != ";" })
    }

    private func status(_ cookie: String) throws -> Int {
        try server.send("GET", "/api/whoami", nil, [("Cookie", cookie)]).status
    }

    @Test("A session that is used goes on, and ends 12 hours after the last use")
    func idle() throws {
        let cookie = try begin()
        for _ in 0..<4 {
            server.advance(byMilliseconds: Self.day / 3)
            #expect(try status(cookie) == 200)
            // The use is noted beside the answer.
            try waitForNote()
        }
        server.advance(byMilliseconds: Self.day / 2 - 1000)
        #expect(try status(cookie) == 200)
        try waitForNote()
        server.advance(byMilliseconds: Self.day / 2)
        #expect(try status(cookie) == 401)
    }

    @Test("A session ends after 7 days, however much it is used")
    func lifetime() throws {
        let cookie = try begin()
        for _ in 0..<20 {
            server.advance(byMilliseconds: Self.day / 3)
            #expect(try status(cookie) == 200)
            try waitForNote()
        }
        server.advance(byMilliseconds: Self.day / 3 - 1)
        #expect(try status(cookie) == 200)
        server.advance(byMilliseconds: 1)
        #expect(try status(cookie) == 401)
    }

    @Test("That a session is used, or another begins, makes no loop forget whom it knows; that one ends does")
    func known() throws {
        let sessions = try #require(server.access).sessions
        let cookie = try begin()
        let before = sessions.ring.endedCount
        server.advance(byMilliseconds: Self.day / 3)
        #expect(try status(cookie) == 200)
        try waitForNote()
        _ = try begin()
        #expect(sessions.ring.endedCount == before)
        let ended = try server.send(
            "DELETE", "/api/auth/session", nil, [("Cookie", cookie), ("Sec-Fetch-Site", "same-origin")])
        #expect(ended.status == 204)
        #expect(sessions.ring.endedCount == before + 1)
        #expect(try status(cookie) == 401)
    }

    /// Waits until the session's use is noted as of now.
    private func waitForNote() throws {
        let access = try #require(server.access)
        let now = server.now
        for _ in 0..<20_000 {
            if access.sessions.ring.records.values.contains(where: { $0.usedAt == now }) { return }
            usleep(500)
        }
        Issue.record("the use was not noted within 10 s")
    }

    @Test("Whoever has a first password can sign in, and see to that alone")
    func firstPassword() throws {
        let cookie = try begin()
        #expect(try server.send("GET", "/api/account", nil, [("Cookie", cookie)]).status == 200)
        #expect(try server.send("GET", "/api/flags", nil, [("Cookie", cookie)]).status == 403)
    }

    @Test("The twenty-first session of a person ends the one that was used least lately")
    func many() throws {
        let cookies = try (0..<21).map { _ in
            server.advance(byMilliseconds: 1000)
            return try begin()
        }
        #expect(try status(cookies[0]) == 401)
        #expect(try cookies.dropFirst().allSatisfy { try status($0) == 200 })
        #expect(Set(cookies).count == 21)
    }

    @Test("A change of the person ends all of theirs")
    func revoked() throws {
        let cookies = try (0..<3).map { _ in try begin() }
        let answer = try server.send("DELETE", "/api/users/ann/sessions", nil, [("X-API-Key", admin)])
        #expect(answer.status == 200)
        #expect(try cookies.allSatisfy { try status($0) == 401 })
    }

    @Test("A page of another site begins none, and ends none")
    func foreign() throws {
        let cookie = try begin()
        for fields in [[("Origin", "https://evil.example")], [("Sec-Fetch-Site", "cross-site")]] {
            let body = #"{"username":"ann","password":"\#(password)"}"#
            #expect(try server.send("POST", "/api/auth/session", body, fields).status == 403)
            #expect(try server.send("DELETE", "/api/auth/session", nil, fields + [("Cookie", cookie)]).status == 403)
        }
        #expect(try status(cookie) == 200)
    }
}
