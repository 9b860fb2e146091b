import FlagCore
import Foundation
import JSON
import Testing

@testable import Access
@testable import FlagServer

/// What of a request says who sends it, and what does not.
@Suite("Credentials of requests")
struct CredentialRoutesTests {
    let server: RouteServer
    let admin: String
    let other: String

    init() throws {
        server = try RouteServer(requiresAuthentication: true)
        admin = try server.makeKey(.admin, roles: [.admin])
        other = try server.makeKey(.server, environment: .development)
    }

    @Test("Of several credentials none is taken, whatever stands first")
    func several() throws {
        let basic = Data("whoever:\(admin)".utf8).base64EncodedString()
        let cases: [[(String, String)]] = [
            [("Authorization", "Bearer \(admin)"), ("Authorization", "Bearer \(other)")],
            [("Authorization", "Bearer \(admin)"), ("authorization", "Bearer \(admin)")],
            [("Authorization", "Basic \(basic)"), ("Authorization", "Bearer \(admin)")],
            [("X-API-Key", admin), ("x-api-key", other)],
            [("X-API-Key", other), ("Accept", "*/*"), ("Authorization", "Bearer \(admin)")],
            [("Authorization", "Bearer \(admin)"), ("X-API-Key", other)],
            [("Authorization", "Bearer \(admin)"), ("X-API-Key", "")],
        ]
        for fields in cases {
            let response = try server.send("GET", "/api/keys", nil, fields)
            #expect(response.status == 400 && response.code == "ambiguous_credential", "\(fields.map(\.0))")
            #expect(try server.send("GET", "/health", nil, fields).status == 200)
        }
        let evaluation = #"{"tenantId":"t","flagKey":"f"}"#
        #expect(try server.send("POST", "/api/evaluate", evaluation, cases[3]).code == "ambiguous_credential")
    }

    @Test("The same key in both fields, and a key beside a proxy's own password, are no contradiction")
    func same() throws {
        let proxy = Data("proxy:password".utf8).base64EncodedString()
        for field in [("Authorization", "Bearer \(admin)"), ("Authorization", "Basic \(proxy)")] {
            #expect(try server.send("GET", "/api/keys", nil, [field, ("X-API-Key", admin)]).status == 200)
        }
    }

    @Test(
        "A field by which proxies tell others who somebody is gives nobody anything",
        arguments: [
            "X-Forwarded-User", "X-Remote-User", "Remote-User", "X-User", "X-Auth-Request-User", "X-Forwarded-Email",
            "X-WEBAUTH-USER", "X-Forwarded-Access-Token", "X-Original-User", "X-Client-Cert", "SSL-Client-Cert",
            "X-Amzn-Oidc-Identity", "X-Goog-Authenticated-User-Email", "Cf-Access-Authenticated-User-Email",
            "Proxy-Authorization", "X-Authorization", "Cookie", "From", "X-Original-URL", "X-Rewrite-URL",
            "X-HTTP-Method-Override", "Forwarded", "X-Forwarded-For", "X-Real-IP", "Authentication", "API-Key", "Token",
        ])
    func smuggled(_ name: String) throws {
        let values = [
            "admin", "local:root", "key:\(admin)", "Bearer \(admin)", admin, "for=127.0.0.1;by=admin;proto=https",
            "127.0.0.1", "/health",
        ]
        for value in values {
            let response = try server.send("GET", "/api/keys", nil, [(name, value)])
            #expect(response.status == 401, "\(name): \(value)")
            // Nor does it give whoever shows a key more than that may.
            let more = try server.send("GET", "/api/keys", nil, [("X-API-Key", other), (name, value)])
            #expect(more.status == 403, "\(name): \(value)")
        }
    }

    @Test("Another spelling of a path is another path: it is never answered as the protected one")
    func spellings() throws {
        let spellings = [
            "//api/keys", "/api//keys", "/api/keys/", "/api/./keys", "/api/x/../keys", "/./api/keys", "/../api/keys",
            "/api/%6Beys", "/%61pi/keys", "/api%2Fkeys", "/api%2fkeys", "/api/%2e/keys", "/api/keys%00",
            "/api/keys%20", "/api/keys;", "/api/keys;x=y", "/api;x/keys", "/API/keys", "/api/Keys", "/api/keys.json",
            "/health/../api/keys", "/health/%2e%2e/api/keys", "/health/..%2Fapi/keys", "/api\\keys", "/api/keys%23",
            "/api/keys%3Fa=b", "/health//api/keys", "/health;/api/keys",
        ]
        for spelling in spellings {
            for target in [spelling, "http://localhost\(spelling)"] {
                let nobody = try server.connect().send("GET", target)
                #expect([400, 401].contains(nobody.status), "nobody at \(target): \(nobody.status)")
                let weak = try server.connect().send("GET", target, nil, [("X-API-Key", other)])
                #expect([400, 403, 404].contains(weak.status), "a server's key at \(target): \(weak.status)")
                // Not even for whoever may: a rule of a proxy for /api/keys would not have seen it.
                let strong = try server.connect().send("GET", target, nil, [("X-API-Key", admin)])
                #expect(strong.json["keys"] == nil, "an admin's key at \(target): \(strong.body.prefix(80))")
            }
        }
    }

    @Test("A target in its absolute form, and that of the whole server, are what they mean")
    func forms() throws {
        for target in ["http://localhost/api/keys", "HTTP://LOCALHOST/api/keys", "/api/keys?", "/api/keys?limit=1"] {
            #expect(try server.connect().send("GET", target).status == 401, "\(target)")
            #expect(try server.connect().send("GET", target, nil, [("X-API-Key", other)]).status == 403, "\(target)")
        }
        #expect(try server.connect().send("OPTIONS", "*").status == 401)
        #expect(try server.connect().send("GET", "*").status == 400)
        #expect(try server.connect().send("GET", "http://localhost").status == 401)
    }
}
