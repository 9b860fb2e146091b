import Access
import AccessStore
import FlagCore
import Glibc
import HTTPTransport
import JSON
import Platform
import Testing

@testable import Evaluation
@testable import FlagServer
@testable import HTTPRouting

@Suite("Web pages of listed origins")
struct ListedPageTests {
    private static let shop = "https://shop.example.com"
    private static let bulk = "/ofrep/v1/evaluate/flags"
    private static let evaluations = [bulk, bulk + "/f", "/api/evaluate", "/api/evaluate/batch"]
    private static let otherRoutes = [
        ("POST", "/api/explain"), ("POST", "/api/flags"), ("PUT", "/api/flags/f"), ("DELETE", "/api/flags/f"),
        ("POST", "/api/emergency/kill-switch"), ("PUT", "/api/tenants/t/flags/f"),
    ]

    private static func body(of path: String) -> String {
        switch path {
        case "/api/evaluate/batch": #"{"flagKeys":["f"],"tenantId":"t"}"#
        case "/api/evaluate", "/api/explain": #"{"flagKey":"f","tenantId":"t"}"#
        default: #"{"context":{"tenantId":"t"}}"#
        }
    }

    private static func server(
        _ origins: String..., requiresAuthentication: Bool = false, change: (inout ServiceSettings) -> Void = { _ in },
        http: (inout HTTPServerConfiguration) -> Void = { _ in }
    ) throws -> RouteServer {
        try RouteServer(
            requiresAuthentication: requiresAuthentication,
            change: { settings in
                settings.pages = PageOrigins(origins)
                change(&settings)
            }, http: http)
    }

    private static func fields(of origin: String) -> [(String, String)] {
        [("Origin", origin), ("Sec-Fetch-Site", "cross-site"), ("Content-Type", "application/json")]
    }

    /// What an answer says to browsers and caches: the origin that may read it, and whether all is as it must be then.
    private static func shared(_ answer: TestResponse) -> String? {
        #expect(answer.fields["access-control-allow-credentials"] == nil)
        let origin = answer.fields["access-control-allow-origin"]
        let exposed = answer.fields["access-control-expose-headers"]
        #expect(
            exposed == (origin == nil ? nil : "ETag, Retry-After, RateLimit, API-Key-Expires, X-Request-Id"))
        return origin
    }

    // MARK: - Who is let in

    @Test("may have flags evaluated and read the answers; those of other origins may not", arguments: evaluations)
    func evaluation(path: String) throws {
        let server = try Self.server(Self.shop, "http://localhost:5173")
        try server.create("f")
        for origin in [Self.shop, "http://localhost:5173"] {
            let answer = try server.send("POST", path, Self.body(of: path), Self.fields(of: origin))
            #expect(answer.status == 200, "\(origin)")
            #expect(Self.shared(answer) == origin)
            #expect(answer.fields["vary"] == "Origin")
        }
        for origin in [
            "https://shop.example.org", "http://shop.example.com", "https://shop.example.com:444", "null", "*", "",
            "https://shop.example.com.evil.example", "https://shop.example.co", "https://shop.example.com/", "https://",
            String(repeating: "https://shop.example.com", count: 1000),
        ] {
            let answer = try server.send("POST", path, Self.body(of: path), Self.fields(of: origin))
            #expect((answer.status, answer.code) == (403, "foreign_origin"), "\(origin)")
            #expect(Self.shared(answer) == nil)
            #expect(answer.fields["vary"] == "Origin")
        }
    }

    @Test("may do nothing else", arguments: otherRoutes)
    func administration(method: String, path: String) throws {
        let server = try Self.server(Self.shop)
        let answer = try server.send(method, path, Self.body(of: path), Self.fields(of: Self.shop))
        #expect((answer.status, answer.code) == (403, "foreign_origin"))
        #expect(Self.shared(answer) == nil)
        #expect(answer.fields["vary"] == nil)
    }

    @Test("are known by their origin in any case, and by that alone")
    func origin() throws {
        let server = try Self.server("HTTPS://Shop.example.com")
        let answer = try server.send("POST", Self.bulk, "{}", [("oRIGIN", "https://SHOP.example.com")])
        #expect(answer.status == 200)
        #expect(Self.shared(answer) == Self.shop)
        // A browser that says no origin does not say which page.
        #expect(try server.send("POST", Self.bulk, "{}", [("Sec-Fetch-Site", "cross-site")]).status == 403)
        // Nobody can be two; the first counts, as for all that looks at fields.
        let two = [("Origin", "https://evil.example"), ("Origin", Self.shop)]
        #expect(try server.send("POST", Self.bulk, "{}", two).status == 403)
    }

    @Test("A page of the server's own address is let in as before, and is not named")
    func ownPage() throws {
        let server = try Self.server(Self.shop)
        let answer = try server.send("POST", Self.bulk, "{}", [("Origin", "http://localhost")])
        #expect(answer.status == 200)
        #expect(Self.shared(answer) == nil)
    }

    /// What a kind of caller is answered for a page of an origin that is named, of one that `*` stands for, and of one
    /// that is not listed: the status, and the origin that may read it.
    private static let callers: [(KeyKind?, [Role], named: Int, all: Int, allowed: String?, unlisted: Int)] = [
        (.client, [], named: 200, all: 200, allowed: "*", unlisted: 403),
        (.server, [], named: 200, all: 403, allowed: nil, unlisted: 403),
        (.admin, [.admin], named: 200, all: 403, allowed: nil, unlisted: 403),
        (.admin, [.viewer], named: 403, all: 403, allowed: nil, unlisted: 403),
        (nil, [], named: 401, all: 401, allowed: "*", unlisted: 401),
    ]

    @Test("* stands for pages with keys that everybody may read, a named origin for pages with any key")
    func keys() throws {
        let named = try Self.server(Self.shop, requiresAuthentication: true)
        let all = try Self.server("*", requiresAuthentication: true)
        let both = try Self.server("*", Self.shop, requiresAuthentication: true)
        for (kind, roles, statusOfNamed, statusOfAll, allowed, unlisted) in Self.callers {
            func ask(_ server: RouteServer, _ origin: String) throws -> (Int, String?) {
                let key = try kind.map { try server.makeKey($0, environment: .development, roles: roles) }
                let authorization = key.map { [("Authorization", "Bearer \($0)")] } ?? []
                let answer = try server.send("POST", Self.bulk, "{}", Self.fields(of: origin) + authorization)
                #expect(answer.fields["vary"] == "Origin")
                return (answer.status, Self.shared(answer))
            }
            let name = "\(kind.map { "\($0)" } ?? "nobody") \(roles)"
            #expect(try ask(named, Self.shop) == (statusOfNamed, Self.shop), "\(name)")
            #expect(try ask(named, "https://evil.example") == (unlisted, nil), "\(name)")
            #expect(try ask(named, "null") == (unlisted, nil), "\(name)")
            for origin in ["https://any.example", "null"] {
                #expect(try ask(all, origin) == (statusOfAll, allowed), "\(name) \(origin)")
                #expect(try ask(both, origin) == (statusOfAll, allowed), "\(name) \(origin)")
            }
            #expect(try ask(both, Self.shop) == (statusOfNamed, Self.shop), "\(name)")
        }
    }

    @Test("* stands for nobody where nobody is asked for a key")
    func allWithoutKeys() throws {
        let server = try Self.server("*")
        let answer = try server.send("POST", Self.bulk, "{}", Self.fields(of: Self.shop))
        #expect((answer.status, answer.code) == (403, "foreign_origin"))
        #expect(Self.shared(answer) == nil)
        #expect(try Self.ask(server, Self.bulk).fields["access-control-allow-methods"] == nil)
    }

    @Test("Without a listed origin nothing is said of origins; with one, every answer of these routes depends on it")
    func caches() throws {
        let (none, some) = (try RouteServer(), try Self.server(Self.shop))
        for server in [none, some] { try server.create("f") }
        for path in Self.evaluations {
            #expect(try none.send("POST", path, Self.body(of: path)).fields["vary"] == nil)
            let answer = try some.send("POST", path, Self.body(of: path))
            #expect((answer.status, answer.fields["vary"]) == (200, "Origin"))
            #expect(Self.shared(answer) == nil)
        }
        for (method, path) in [("GET", "/health"), ("GET", "/api/flags"), ("GET", "/nowhere"), ("OPTIONS", "*")] {
            #expect(try some.send(method, path, nil, [("Origin", Self.shop)]).fields["vary"] == nil, "\(path)")
        }
    }

    // MARK: - What they read

    @Test("read every answer: what was found, that nothing changed, and what was wrong")
    func statuses() throws {
        let server = try Self.server(
            Self.shop,
            change: {
                $0.evaluation.bulkResponseBytes = 64 << 10
                $0.hosts = ServedHosts(named: [])
            }, http: { $0.limits.bodyBytes = 64 << 10 })
        try server.create("f")
        let page = Self.fields(of: Self.shop)
        func expect(_ status: Int, _ path: String, _ body: String, _ more: [(String, String)] = []) throws {
            let answer = try server.connect().send("POST", path, body, page + more)
            #expect(answer.status == status, "\(path): \(answer.body)")
            #expect(Self.shared(answer) == Self.shop, "\(status)")
        }
        let tag = try #require(try server.bulk().fields["etag"])
        try expect(304, Self.bulk, #"{"context":{}}"#, [("If-None-Match", tag)])
        try expect(400, Self.bulk, "{")
        try expect(404, Self.bulk + "/none", "{}")
        try expect(413, Self.bulk, String(repeating: " ", count: 65 << 10))
        try expect(415, Self.bulk, "{}", [("Content-Encoding", "br")])
        try expect(421, Self.bulk, "{}", [("Host", "evil.example")])
        let wrong = try server.send("GET", Self.bulk, nil, page)
        #expect((wrong.status, Self.shared(wrong)) == (405, Self.shop))
        for number in 0..<4 {
            let text = String(repeating: "x", count: 30 << 10)
            try server.create("large-\(number)", #""variants":{"a":"\#(text)"},"defaultVariant":"a""#)
        }
        try expect(500, Self.bulk, "{}")
        // Answered later: the environment is not in the cache, and cannot be read.
        server.table.isFailing = true
        try expect(503, Self.bulk + "/f?environment=staging", "{}")
    }

    @Test("read when they may ask again")
    func tooOften() throws {
        let server = try Self.server(
            Self.shop, "*", requiresAuthentication: true,
            change: { $0.evaluationRate = RequestRate(requests: 1, seconds: 3600) })
        let key = try server.makeKey(.client, environment: .development)
        for (status, origin, allowed) in [(200, Self.shop, Self.shop), (429, "null", "*"), (429, Self.shop, Self.shop)]
        {
            let answer = try server.send(
                "POST", Self.bulk, "{}", Self.fields(of: origin) + [("Authorization", "Bearer \(key)")])
            #expect(answer.status == status)
            #expect(Self.shared(answer) == allowed)
            #expect((answer.fields["retry-after"] != nil) == (status == 429))
        }
    }

    @Test("read that their key ends soon, beside all else, in answers of every kind")
    func endingKey() throws {
        let server = try Self.server("*", requiresAuthentication: true)
        let lifetime = try #require(KeyLifetime("7d"))
        let key = try server.makeKey(.client, environment: .development, lifetime: lifetime)
        for (path, status) in [(Self.bulk, 200), (Self.bulk + "/none", 404), (Self.bulk, 200)] {
            let answer = try server.send(
                "POST", path, "{}", Self.fields(of: Self.shop) + [("Authorization", "Bearer \(key)")])
            #expect(answer.status == status)
            #expect(Self.shared(answer) == "*")
            #expect(answer.fields["api-key-expires"] != nil)
        }
        let other = try server.send("POST", Self.bulk, "{}", Self.fields(of: Self.shop))
        #expect((other.status, other.fields["api-key-expires"]) == (401, nil))
    }

    @Test("read also what a late loop says")
    func late() throws {
        let stall = Locked(false)
        let server = try Self.server(
            Self.shop,
            change: { settings in
                settings.evaluation.evaluationClock = {
                    if stall.withLock({ $0 }) { usleep(400_000) }
                    return RouteServer.start
                }
            }, http: { $0.timeouts.lag = .milliseconds(100) })
        let (connection, staller) = (try server.connect(), try server.connect())
        #expect(try connection.send("GET", "/health").status == 200)
        stall.withLock { $0 = true }
        try staller.write(Array(TestConnection.request("POST", Self.bulk, "{}").utf8))
        usleep(50_000)
        let request = TestConnection.request("POST", Self.bulk, "{}", Self.fields(of: Self.shop))
        try connection.write(Array(request.utf8))
        let answer = try connection.readResponse()
        stall.withLock { $0 = false }
        #expect((answer.status, answer.fields["retry-after"]) == (503, "1"))
        #expect(Self.shared(answer) == Self.shop)
    }

    @Test("Of requests behind each other on one connection, each is answered for its own origin")
    func pipelined() throws {
        let server = try Self.server(Self.shop, "http://localhost:5173")
        try server.create("f")
        let connection = try server.connect()
        let origins = [Self.shop, nil, "http://localhost:5173", "https://evil.example", nil, Self.shop]
        // The second of each pair is not in the cache: its answer comes later.
        let requests = origins.enumerated().map { number, origin in
            TestConnection.request(
                "POST", Self.bulk + (number % 2 == 0 ? "/f" : "/f?environment=staging"), "{}",
                origin.map(Self.fields) ?? [])
        }
        try connection.write(Array(requests.joined().utf8))
        for origin in origins {
            let answer = try connection.readResponse()
            #expect(Self.shared(answer) == (origin == "https://evil.example" ? nil : origin))
            #expect(answer.fields["vary"] == "Origin")
        }
    }

    // MARK: - What browsers ask beforehand

    private static func ask(
        _ server: RouteServer, _ path: String, _ more: [(String, String)] = [],
        of origin: String? = shop, method: String? = "POST"
    ) throws -> TestResponse {
        try server.send(
            "OPTIONS", path, nil,
            (origin.map { [("Origin", $0)] } ?? []) + (method.map { [("Access-Control-Request-Method", $0)] } ?? [])
                + more)
    }

    @Test("A browser that asks beforehand is told without a credential what its page may send", arguments: evaluations)
    func preflight(path: String) throws {
        let wanted = "authorization,content-type,if-none-match"
        for (origins, allowed) in [([Self.shop], Self.shop), (["*"], "*")] {
            let server = try RouteServer(requiresAuthentication: true, change: { $0.pages = PageOrigins(origins) })
            let answer = try Self.ask(server, path, [("Access-Control-Request-Headers", wanted)])
            #expect(answer.status == 204)
            #expect(answer.fields["access-control-allow-origin"] == allowed)
            #expect(answer.fields["access-control-allow-methods"] == "POST")
            #expect(answer.fields["access-control-allow-headers"] == wanted)
            #expect(answer.fields["access-control-max-age"] == "86400")
            #expect(
                answer.fields["vary"] == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
            #expect(answer.fields["access-control-allow-credentials"] == nil)
            #expect(try Self.ask(server, path).fields["access-control-allow-headers"] == nil)
        }
    }

    @Test("It is told no more than it asks, and no field without bounds")
    func oddPreflights() throws {
        let server = try Self.server(Self.shop, change: { $0.hosts = ServedHosts(named: []) })
        for (length, isEchoed) in [(0, true), (1024, true), (1025, false), (20_000, false)] {
            let wanted = String(repeating: "x", count: length)
            let answer = try Self.ask(server, Self.bulk, [("Access-Control-Request-Headers", wanted)])
            #expect(answer.status == 204)
            #expect(answer.fields["access-control-allow-headers"] == (isEchoed ? wanted : nil), "\(length)")
        }
        // The browser compares by itself: neither of them is POST.
        for method in ["DELETE", "x", ""] {
            let answer = try Self.ask(server, Self.bulk, method: method)
            #expect((answer.status, answer.fields["access-control-allow-methods"]) == (204, "POST"), "\(method)")
        }
        #expect(try Self.ask(server, Self.bulk, [("Host", "evil.example")]).status == 421)
    }

    @Test("Everybody else is answered as if nobody were listed")
    func otherPreflights() throws {
        for requiresAuthentication in [false, true] {
            let listed = try Self.server(Self.shop, requiresAuthentication: requiresAuthentication)
            let unlisted = try RouteServer(requiresAuthentication: requiresAuthentication)
            func expectSame(
                _ path: String, of origin: String? = Self.shop, method: String? = "POST"
            ) throws {
                let answer = try Self.ask(listed, path, of: origin, method: method)
                let plain = try Self.ask(unlisted, path, of: origin, method: method)
                #expect(answer.status == plain.status)
                #expect(answer.fields["allow"] == plain.fields["allow"])
                #expect(answer.fields["access-control-allow-methods"] == nil, "\(path)")
                #expect(answer.fields["access-control-max-age"] == nil)
            }
            for origin in ["https://evil.example", "null", nil] { try expectSame(Self.bulk, of: origin) }
            try expectSame(Self.bulk, method: nil)
            for path in ["/api/flags", "/api/explain", "/health", "/ofrep/v1", "/nowhere", "*"] { try expectSame(path) }
        }
    }

    // MARK: - What an operator gives

    @Test(
        "An origin is what a browser sends",
        arguments: [
            ("*", true), ("http://localhost:5173", true), ("https://shop.example.com", true),
            ("http://[::1]:80", false),
            ("http://[::1]:8080", true), ("https://[::1]", true), ("http://127.0.0.1", true), ("https://a:1", true),
            ("HTTPS://Shop_1.Example.com", true), ("https://a:65535", true), ("https://a:80", true),
            ("https://shop.example.com/", false), ("https://a/b", false), ("shop.example.com", false), ("", false),
            ("null", false), ("https://", false), ("https:", false), ("https:/a", false), ("https//a", false),
            ("ftp://a", false), ("https://a:443", false), ("http://a:80", false), ("https://a:", false),
            ("https://a:0", false), ("https://a:65536", false), ("https://a:08", false), ("https://a:x", false),
            ("https://*.example.com", false), ("https://user@a", false), ("https://a?b", false), ("https://a#b", false),
            ("https://bücher.example", false), ("https://[::1", false), ("https://[a]", false),
            ("https://[::1]a", false),
            ("https://a b", false), ("https://:1", false),
        ])
    func complaints(origin: String, isOne: Bool) {
        #expect((PageOrigins.complaint(about: origin) == nil) == isOne)
    }
}
